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
  graph: { host: 'graph.microsoft.com', port: 443 },
  smtp: { host: 'smtp.office365.com', port: 587 },
  'graph-send': { host: 'graph.microsoft.com', port: 443 },
};
/** The servers in the row of a custom provider, which has no POP3. */
const custom = { imap: { host: 'imap.custom.example' }, smtp: { host: 'smtp.custom.example' } };
const granted: Record<string, readonly MailProtocol[]> = {
  'p.all': ['imap', 'pop3', 'graph', 'smtp', 'graph-send'],
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
  relay: false,
  anyPort: false,
  isMailAddress: (text) => text.includes('@'),
  now: Date.parse('2026-11-28T10:00:00.000Z'),
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
const parse = (connectRequest: Record<string, string> = {}) =>
  parseMailboxForm({ ...form, ...connectRequest }, rules);
const errorsOf = (connectRequest: Record<string, string>): string[] => {
  const parsed = parse(connectRequest);
  return parsed.kind === 'invalid' ? Object.keys(parsed.errors) : [];
};

describe('a mailbox form', () => {
  test('uses the provider’s servers if none is entered, and sends only if an account for it is chosen', () => {
    expect(parse()).toMatchObject({
      kind: 'valid',
      settings: { protocol: 'imap', host: 'outlook.office365.com', port: 993, sending: undefined },
    });
    expect(parse({ smtpAccount: 'p.all' })).toMatchObject({
      settings: { sending: { host: 'smtp.office365.com', port: 587, providerId: 'p', accountId: 'all' } },
    });
  });

  test.each([
    ['pop3', 'outlook.office365.com', 995],
    ['graph', 'graph.microsoft.com', 443],
  ])('over %s uses the provider’s server for it', (protocol, host, port) => {
    expect(parse({ protocol })).toMatchObject({ settings: { protocol, host, port } });
  });

  test('sends over SMTP, or over the provider’s Microsoft Graph', () => {
    expect(parse({ smtpAccount: 'p.all', sendingProtocol: 'graph-send' })).toMatchObject({
      settings: { sending: { protocol: 'graph-send', host: 'graph.microsoft.com', port: 443 } },
    });
    const smtp = parse({ smtpAccount: 'p.all', sendingProtocol: 'smtp' });
    expect(smtp).toEqual(parse({ smtpAccount: 'p.all' }));
  });

  test('sends over the relay, if there is one, whatever the fields of an account hold', () => {
    const typed = { smtpAccount: 'relay', sendingProtocol: 'graph-send', smtpHost: 'evil.example' };
    expect(parseMailboxForm({ ...form, ...typed }, { ...rules, relay: true })).toMatchObject({
      settings: { sending: { protocol: 'relay' } },
    });
    expect(errorsOf(typed)).toEqual(['smtpAccount']);
  });

  test('over POP3 leaves email as it is unless it is deleted, since nothing can be marked as read', () => {
    expect(parse({ protocol: 'pop3' })).toMatchObject({ settings: { afterFetch: { kind: 'leave' } } });
    expect(parse({ protocol: 'pop3', after: 'delete' })).toMatchObject({
      settings: { afterFetch: { kind: 'delete' } },
    });
    expect(errorsOf({ protocol: 'pop3', after: 'move', moveFolder: 'Done' })).toEqual(['after']);
    expect(parse({ protocol: 'graph' })).toMatchObject({ settings: { afterFetch: { kind: 'mark-seen' } } });
  });

  test('may have another account of another provider for each protocol', () => {
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
    ['the same for POP3', { account: 'p.reads', protocol: 'pop3' }, ['account']],
    ['the same for Graph', { account: 'p.reads', protocol: 'graph' }, ['account']],
    ['a protocol that does not exist', { protocol: 'jmap' }, ['protocol']],
    ['the same for sending', { smtpAccount: 'p.all', sendingProtocol: 'jmap' }, ['sendingProtocol']],
    [
      'an account that may not send over Graph',
      { smtpAccount: 'p.reads', sendingProtocol: 'graph-send' },
      ['smtpAccount'],
    ],
    [
      'the SMTP server for sending over Graph',
      { smtpAccount: 'p.all', sendingProtocol: 'graph-send', smtpHost: 'smtp.office365.com' },
      ['smtpHost'],
    ],
    ['an account that is none', { smtpAccount: 'p.nobody' }, ['smtpAccount', 'smtpHost']],
    ['a foreign server', { host: 'evil.example' }, ['host']],
    ['the same for SMTP', { smtpAccount: 'p.all', smtpHost: 'evil.example' }, ['smtpHost']],
    ['a port without TLS', { port: '143' }, ['port']],
    ['port 25', { smtpAccount: 'p.all', smtpPort: '25' }, ['smtpPort']],
    ['another port than that of the preset', { smtpAccount: 'p.all', smtpPort: '465' }, ['smtpPort']],
    ['a port that is no number', { port: 'imap' }, ['port']],
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
    [
      'a protocol that a custom provider has no server for',
      { account: 'c.custom', protocol: 'pop3' },
      ['host'],
    ],
    ['a custom port beside 993, 995, 465 and 587', { account: 'c.custom', port: '2525' }, ['port']],
    ['a folder with a line break', { folder: 'a\r\nb' }, ['folder']],
  ])('is rejected at its field: %s', (_what, connectRequest, fields) => {
    expect(errorsOf(connectRequest)).toEqual(fields);
  });
});

describe('the first import of a mailbox', () => {
  const since = (wish: Record<string, string>): string | undefined | 'invalid' | 'not asked' => {
    const parsed = parse(wish);
    if (parsed.kind === 'invalid') return 'invalid';
    return 'fetchSince' in parsed.settings ? parsed.settings.fetchSince : 'not asked';
  };

  test('is requested once, and otherwise imports unread email', () => {
    expect(since({})).toBe('not asked');
    expect(since({ first: 'unread', since: '2026-10-01' })).toBeUndefined();
    expect(since({ first: 'since', since: '2026-10-01' })).toBe('2026-10-01');
  });

  test('begins between 1990 and today', () => {
    expect(since({ first: 'since', since: '2026-11-28' })).toBe('2026-11-28');
    expect(since({ first: 'since', since: '1990-01-01' })).toBe('1990-01-01');
    for (const day of [
      '2026-11-29',
      '1989-12-31',
      '2026-02-30',
      '2026-13-01',
      '01.10.2026',
      '12026-01-01',
      '',
    ])
      expect([day, errorsOf({ first: 'since', since: day })]).toEqual([day, ['since']]);
  });
});

describe('the setting for automatic email', () => {
  test('is stored if it differs from the default', () => {
    const parsed = parse({
      'class-list': 'skip',
      'class-bounce': 'ticket',
      'class-own': 'ticket',
      'class-person': 'skip',
    });
    expect(parsed).toMatchObject({ settings: { classes: { list: 'skip', own: 'ticket' } } });
    expect(parse({ 'class-list': 'ticket' })).toMatchObject({ settings: { classes: undefined } });
  });

  test('is one of three values', () => {
    expect(errorsOf({ 'class-list': 'burn' })).toEqual(['class-list']);
    expect(errorsOf({ after: 'delete-later', deleteDays: '0' })).toEqual(['deleteDays']);
    expect(errorsOf({ after: 'delete-later', deleteDays: '3651' })).toEqual(['deleteDays']);
    expect(errorsOf({ after: 'delete-later', deleteDays: '1.5' })).toEqual(['deleteDays']);
    expect(errorsOf({ after: 'delete-later', deleteDays: '' })).toEqual(['deleteDays']);
  });
});

describe('a mailbox’s exact values', () => {
  const settingsOf = (connectRequest: Record<string, string>) => {
    const parsed = parse(connectRequest);
    return parsed.kind === 'valid' ? parsed.settings : undefined;
  };
  const sentenceOf = (connectRequest: Record<string, string>): unknown => {
    const parsed = parse(connectRequest);
    return parsed.kind === 'invalid' ? Object.values(parsed.errors) : [];
  };

  test('are those entered, without surrounding spaces', () => {
    expect(
      settingsOf({ address: ' support@contoso.example ', folder: ' Archive ', interval: ' 5 ' }),
    ).toEqual({
      address: 'support@contoso.example',
      protocol: 'imap',
      host: 'outlook.office365.com',
      port: 993,
      providerId: 'p',
      accountId: 'all',
      folder: 'Archive',
      intervalMinutes: 5,
      afterFetch: { kind: 'mark-seen' },
      pop3: undefined,
      sending: undefined,
    });
  });

  test('let colleagues join if that is ticked', () => {
    expect(settingsOf({ colleaguesJoin: 'on' })?.colleaguesJoin).toBe(true);
    expect(settingsOf({})?.colleaguesJoin).toBeUndefined();
  });

  test('accept a server in any case', () => {
    expect(settingsOf({ host: 'Outlook.OFFICE365.com' })?.host).toBe('outlook.office365.com');
  });

  test('require an address', () => {
    expect(sentenceOf({ address: 'support' })).toEqual([
      'Enter the address of the mailbox, for example support@example.org.',
    ]);
  });

  test.each([
    ['0', false],
    ['1', true],
    ['1440', true],
    ['1441', false],
    ['1.5', false],
    ['-1', false],
    ['soon', false],
    ['', false],
  ])('set a fetch every %s minutes: %s', (interval, isValid) => {
    expect(errorsOf({ interval })).toEqual(isValid ? [] : ['interval']);
  });

  test('require a valid folder', () => {
    expect(sentenceOf({ folder: '' })).toEqual(['Enter the folder, usually INBOX.']);
    expect(errorsOf({ folder: 'x'.repeat(255) })).toEqual([]);
    expect(sentenceOf({ folder: 'x'.repeat(256) })).toEqual([
      'Enter the folder’s name as the mailbox shows it.',
    ]);
    expect(errorsOf({ folder: 'a\u007f' })).toEqual(['folder']);
  });

  test('delete, move or mark, as chosen', () => {
    expect(settingsOf({ after: 'delete' })?.afterFetch).toEqual({ kind: 'delete' });
    expect(settingsOf({ after: 'mark-seen' })?.afterFetch).toEqual({ kind: 'mark-seen' });
    expect(settingsOf({ after: 'leave' })?.afterFetch).toEqual({ kind: 'leave' });
    for (const days of [1, 3650])
      expect(settingsOf({ after: 'delete-later', deleteDays: String(days) })?.afterFetch).toEqual({
        kind: 'delete-later',
        days,
      });
    expect(settingsOf({ after: 'something else' })?.afterFetch).toEqual({ kind: 'mark-seen' });
    expect(settingsOf({ after: 'move', moveFolder: 'Done' })?.afterFetch).toEqual({
      kind: 'move',
      folder: 'Done',
    });
  });

  test('move to a folder other than the fetched one', () => {
    expect(sentenceOf({ after: 'move', moveFolder: 'inbox' })).toEqual([
      'Choose a different folder than the one to import from.',
    ]);
    expect(sentenceOf({ after: 'move', moveFolder: '' })).toEqual([
      'Enter the folder to move email to, for example Processed.',
    ]);
  });

  test('require an account, and its server if none is known', () => {
    expect(errorsOf({ account: 'p.nobody', host: 'imap.example.org' })).toEqual(['account']);
    expect(errorsOf({ account: 'p.nobody' })).toEqual(['account', 'host']);
  });

  test('accept a port from 1 to 65535 if any port may be used', () => {
    const anywhere = (port: string): string[] => {
      const parsed = parseMailboxForm({ ...form, port }, { ...rules, anyPort: true });
      return parsed.kind === 'invalid' ? Object.keys(parsed.errors) : [];
    };
    for (const port of ['1', '143', '65535']) expect(anywhere(port)).toEqual([]);
    for (const port of ['0', '65536', '1.5', '-1', 'imap']) expect(anywhere(port)).toEqual(['port']);
  });

  test('report which port is required', () => {
    expect(sentenceOf({ port: 'imap' })).toEqual(['Enter 993.']);
    expect(sentenceOf({ account: 'c.custom', smtpAccount: 'c.custom', smtpPort: '25' })).toEqual([
      'Enter 587 or 465.',
    ]);
  });
});
