import { describe, expect, test } from 'vitest';
import {
  type AccountRules,
  type MailboxFormRules,
  type MailProtocol,
  parseMailboxForm,
} from '../../shared/mailboxes/mailbox-form.ts';

const bound = {
  imap: { host: 'outlook.office365.com', port: 993 },
  pop3: { host: 'outlook.office365.com', port: 995 },
  smtp: { host: 'smtp.office365.com', port: 587 },
};
/** The servers in the row of a custom provider, which has no POP3. */
const custom = { imap: { host: 'imap.custom.example' }, smtp: { host: 'smtp.custom.example' } };
const granted: Record<string, readonly MailProtocol[]> = {
  'p.all': ['imap', 'pop3', 'smtp'],
  'p.reads': ['imap'],
  'c.custom': ['imap', 'pop3', 'smtp'],
};
const rules: MailboxFormRules = {
  account(value): AccountRules | undefined {
    const protocols = granted[value];
    const [providerId = '', accountId = ''] = value.split('.');
    return protocols === undefined
      ? undefined
      : {
          providerId,
          accountId,
          hosts: providerId === 'c' ? custom : bound,
          granted: (protocol) => protocols.includes(protocol),
        };
  },
  anyPort: false,
  isMailAddress: (text) => text.includes('@'),
};
const form = {
  address: 'support@contoso.example',
  account: 'p.all',
  host: '',
  port: '',
  folder: 'INBOX',
  after: 'mark-seen',
  interval: '1',
};
const parse = (wish: Record<string, string> = {}) => parseMailboxForm({ ...form, ...wish }, rules);
const errorsOf = (wish: Record<string, string>): string[] => {
  const parsed = parse(wish);
  return parsed.kind === 'invalid' ? Object.keys(parsed.errors) : [];
};

describe('a mailbox as it is typed', () => {
  test('has the servers of its provider where none is typed, and sends only where somebody sends', () => {
    expect(parse()).toMatchObject({
      kind: 'valid',
      settings: { host: 'outlook.office365.com', port: 993, pop3: undefined, sending: undefined },
    });
    expect(parse({ smtpAccount: 'p.all', pop3Account: 'p.all' })).toMatchObject({
      settings: {
        sending: { host: 'smtp.office365.com', port: 587, providerId: 'p', accountId: 'all' },
        pop3: { host: 'outlook.office365.com', port: 995, providerId: 'p', accountId: 'all' },
      },
    });
  });

  test('may sign in with another account of another provider for each protocol', () => {
    const typed = { smtpAccount: 'c.custom', smtpHost: '', smtpPort: '465' };
    expect(parse({ account: 'p.reads', ...typed })).toMatchObject({
      settings: {
        providerId: 'p',
        accountId: 'reads',
        sending: { host: 'smtp.custom.example', port: 465, providerId: 'c', accountId: 'custom' },
      },
    });
  });

  test.each<[string, Record<string, string>, string[]]>([
    ['an account without that permission', { smtpAccount: 'p.reads' }, ['smtpAccount']],
    ['the same for POP3', { pop3Account: 'p.reads' }, ['pop3Account']],
    ['an account that is none', { smtpAccount: 'p.nobody' }, ['smtpAccount', 'smtpHost']],
    ['a server of somebody else', { host: 'evil.example' }, ['host']],
    ['the same for SMTP', { smtpAccount: 'p.all', smtpHost: 'evil.example' }, ['smtpHost']],
    ['a port without TLS', { port: '143' }, ['port']],
    ['port 25', { smtpAccount: 'p.all', smtpPort: '25' }, ['smtpPort']],
    ['another port than that of the preset', { smtpAccount: 'p.all', smtpPort: '465' }, ['smtpPort']],
    ['a port of words', { port: 'imap' }, ['port']],
    [
      'a server that a custom provider does not name',
      { account: 'c.custom', host: 'evil.example' },
      ['host'],
    ],
    [
      'the SMTP server of a custom provider for IMAP',
      { account: 'c.custom', host: 'smtp.custom.example' },
      ['host'],
    ],
    ['a protocol that a custom provider has no server for', { pop3Account: 'c.custom' }, ['pop3Host']],
    ['a custom port beside 993, 995, 465 and 587', { account: 'c.custom', port: '2525' }, ['port']],
    ['a folder with a line break', { folder: 'a\r\nb' }, ['folder']],
  ])('is refused at its field: %s', (_what, wish, fields) => {
    expect(errorsOf(wish)).toEqual(fields);
  });
});
