/** What stops mailboxes, each cause once, from the facts of one health check. */
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../shared/alerts/alert.ts';
import type { HealthFacts } from '../../shared/alerts/health-facts.ts';
import { listOf, mailboxFindings, partOf, waitingMail } from '../../shared/alerts/mailbox-findings.ts';
import { START } from '../harness/memory/sample-findings.ts';
import {
  account,
  ago,
  cursor,
  facts,
  failure,
  mailbox,
  named,
  provider,
  retrying,
  stopped,
} from './sample-facts.ts';

const found = (postroom: HealthFacts, isVaultBlamed = false): Finding[] =>
  mailboxFindings(postroom, START, { isVaultBlamed });
const ended = failure('AADSTS50173');

describe('an ended sign-in', () => {
  test('is one finding for all mailboxes of its account, and its owner signs in again', () => {
    const postroom = stopped({ support: ended, sales: ended }, { accounts: [account()] });
    expect(found(postroom)).toEqual([
      {
        kind: 'consent-dead',
        subject: { kind: 'account', id: 'a1', name: 'sam@contoso.example' },
        severity: 'error',
        headline:
          'Not receiving mail from sales@contoso.example and support@contoso.example: someone has to sign in again.',
        cause:
          'All sessions of the account were ended: the password was reset, or an admin or the owner revoked them.',
        code: 'AADSTS50173',
        since: ago(50),
        affected: 'No mail is lost: it waits in 2 mailboxes.',
        who: 'mailbox-owner',
        fix: {
          label: 'Reconnect support@contoso.example',
          href: '/providers/p1/connect?mailbox=support',
        },
      },
    ]);
  });

  test('is one finding for each account', () => {
    const boxes = [mailbox('support'), mailbox('sales', { accountId: 'a2' })];
    const accounts = [account(), account({ accountId: 'a2' })];
    expect(named(found(stopped({ support: ended, sales: ended }, { accounts, boxes })))).toEqual([
      'consent-dead account a1',
      'consent-dead account a2',
    ]);
  });

  test('of a missing account has the name of the mailbox', () => {
    const [finding] = found(stopped({ support: ended }, { accounts: [account({ accountId: 'a2' })] }));
    expect(finding).toMatchObject({
      subject: { kind: 'account', id: 'a1', name: 'support@contoso.example' },
      since: ago(60),
      headline: 'Not receiving mail from support@contoso.example: someone has to sign in again.',
    });
  });

  test('of the app itself is fixed where the app gets its access', () => {
    const [finding] = found(stopped({ support: ended }, { accounts: [account({ kind: 'app' })] }));
    expect(finding?.fix).toEqual({
      label: 'Restore the app’s access to support@contoso.example',
      href: '/providers/p1/app-access',
    });
  });

  test('at a deleted provider is fixed by choosing another one', () => {
    const providers = [provider('p2')];
    const [finding] = found(stopped({ support: ended }, { accounts: [account()], providers }));
    expect(finding?.fix).toEqual({
      label: 'Choose another account for support@contoso.example',
      href: '/mailboxes/support/edit',
    });
  });

  test('for an unknown reason has the failure’s message, and its owner signs in again', () => {
    const odd = failure('odd', { problem: `It said: ${'x'.repeat(700)}` });
    const [finding] = found(stopped({ support: odd }, { accounts: [account()] }));
    expect(finding).toMatchObject({ code: 'odd', who: 'mailbox-owner' });
    expect(finding?.cause).toBe(odd.problem.slice(0, 600));
  });

  test('has the server’s message rather than the code derived from it', () => {
    const said = failure('odd', { problem: 'AADSTS7000215: Invalid client secret provided.' });
    expect(found(stopped({ support: said }, { accounts: [account()] }))[0]?.code).toBe('AADSTS7000215');
  });

  test('ignores mailboxes that are paused or have no failure', () => {
    const boxes = [mailbox('support', { enabled: false }), mailbox('sales')];
    expect(found(stopped({ support: ended }, { accounts: [account()], boxes }))).toEqual([]);
  });
});

describe('a sign-in that works again since the mailbox’s last attempt', () => {
  const works = account({ state: 'ok', stateSince: ago(5) });
  const ofMailbox = (change: Partial<typeof ended>, code = 'AADSTS50173'): Finding[] =>
    found(stopped({ support: failure(code, { since: ago(60), ...change }) }, { accounts: [works] }));

  test('is fixed, as the next attempt will show', () => {
    expect(ofMailbox({})).toEqual([]);
    expect(ofMailbox({ nextTryAt: ago(9.9) })).toEqual([]);
  });

  test('is not fixed if no attempt follows for ten minutes', () => {
    expect(named(ofMailbox({ nextTryAt: ago(10) }))).toEqual(['consent-dead account a1']);
  });

  test('is not fixed if it worked before the failure began', () => {
    expect(ofMailbox({ since: ago(4) })).toHaveLength(1);
    expect(ofMailbox({ since: ago(5) })).toHaveLength(1);
  });

  test.each(['imap-no-access', 'pop3-no-access'])('does not fix a refusal of the mail server: %s', (code) => {
    expect(named(ofMailbox({}, code))).toEqual(['mailbox-silent mailbox support']);
  });

  test('is not fixed while it is being retried', () => {
    const accounts = [account({ state: 'retrying', stateSince: ago(5) })];
    expect(found(stopped({ support: ended }, { accounts }))).toHaveLength(1);
  });
});

describe('a mail server that refuses one mailbox', () => {
  test('is a finding of that mailbox only', () => {
    const postroom = stopped(
      { support: failure('imap-folder-missing'), sales: failure('imap-no-access') },
      { accounts: [account({ state: 'ok', stateSince: ago(500) })] },
    );
    expect(found(postroom)).toMatchObject([
      {
        kind: 'mailbox-silent',
        subject: { kind: 'mailbox', id: 'support', name: 'support@contoso.example' },
        headline: 'Not receiving mail from support@contoso.example.',
        code: 'imap-folder-missing',
        since: ago(60),
        who: 'you',
        fix: { label: 'Correct the folder of support@contoso.example', href: '/mailboxes/support/edit' },
      },
      {
        subject: { kind: 'mailbox', id: 'sales' },
        who: 'tenant-admin',
        fix: { label: 'Test the connection of sales@contoso.example', href: '/mailboxes/sales/test' },
      },
    ]);
  });

  test('is reported only as an ended sign-in if there is one', () => {
    const postroom = stopped({ support: failure('imap-no-access') }, { accounts: [account()] });
    expect(named(found(postroom))).toEqual(['consent-dead account a1']);
  });

  test('is no sign-in problem just because the code contains the name of a protocol', () => {
    expect(named(found(stopped({ support: failure('no-imap-x') })))).toEqual(['consent-dead account a1']);
  });
});

describe('the encryption key', () => {
  test('stops all accounts if it is missing, and the first step is in Azure', () => {
    const problem = { code: 'tokens-unreadable', message: 'The stored sign-in cannot be read.' } as const;
    const unreadable = failure('tokens-unreadable');
    const postroom = stopped(
      { support: unreadable, sales: { ...unreadable, since: ago(70) } },
      {
        boxes: [mailbox('support'), mailbox('sales', { accountId: 'a2' })],
        accounts: [account({ problem }), account({ accountId: 'a2', problem })],
      },
    );
    expect(found(postroom)).toMatchObject([
      {
        kind: 'consent-dead',
        subject: { kind: 'secret', id: 'postroom-encryption-key', name: 'The encryption key' },
        headline:
          'Not receiving mail from sales@contoso.example and support@contoso.example: the encryption key of the stored tokens is gone.',
        since: ago(70),
        fix: { href: expect.stringContaining('https://portal.azure.com') },
      },
    ]);
  });
});

describe('a credential that the provider refuses', () => {
  const refused = (code: string, change: Partial<HealthFacts> = {}): Finding[] =>
    found(
      stopped(
        { support: failure(code), sales: failure(code, { since: ago(70) }) },
        { accounts: [account({ refusedAsOf: ago(60) })], ...change },
      ),
    );

  test('is one finding of the provider', () => {
    expect(refused('AADSTS7000215')).toMatchObject([
      {
        kind: 'secret-refused',
        subject: { kind: 'provider', id: 'p1', name: 'Contoso' },
        headline:
          'Not receiving mail from sales@contoso.example and support@contoso.example: Contoso no longer accepts this app.',
        since: ago(70),
        who: 'you',
        fix: { label: 'Replace the secret of Contoso', href: '/providers/p1/edit' },
      },
    ]);
  });

  test('is reported as expired if Entra says so', () => {
    expect(refused('AADSTS7000222')).toMatchObject([
      {
        kind: 'secret-expired',
        headline:
          'Not receiving mail from sales@contoso.example and support@contoso.example: the client secret of Contoso has expired.',
      },
    ]);
  });

  test('is reported without a name if the provider is deleted', () => {
    expect(refused('odd', { providers: [] })).toMatchObject([
      { subject: { id: 'p1', name: 'The provider' }, who: 'you' },
    ]);
  });
});

describe('a vault that fails for one provider', () => {
  const denied = retrying('key-vault-denied', { problem: 'Key Vault did not get x (status 403)' });
  const postroom = (change: Partial<typeof denied> = {}, more: Partial<HealthFacts> = {}): HealthFacts =>
    stopped({ support: { ...denied, ...change }, sales: { ...denied, since: ago(70), ...change } }, more);

  test('is one finding of the provider, from the second fetch on', () => {
    expect(found(postroom({ failures: 2 }))).toMatchObject([
      {
        kind: 'vault-failing',
        subject: { kind: 'provider', id: 'p1', name: 'Contoso' },
        severity: 'error',
        headline:
          'Not receiving mail from sales@contoso.example and support@contoso.example: Key Vault does not return the secret of Contoso.',
        code: 'key-vault-denied',
        since: ago(70),
        fix: { href: expect.stringContaining('https://portal.azure.com') },
      },
    ]);
    expect(found(postroom({ failures: 1 }))).toEqual([]);
    expect(found(postroom({}, { providers: [] }))[0]?.subject.name).toBe('the provider');
  });

  test('is one finding for each provider', () => {
    const boxes = [mailbox('support'), mailbox('sales', { providerId: 'p2' })];
    const providers = [provider(), provider('p2', 'Fabrikam')];
    expect(named(found(stopped({ support: denied, sales: denied }, { boxes, providers })))).toEqual([
      'vault-failing provider p1',
      'vault-failing provider p2',
    ]);
  });

  test('is no finding of mailboxes if the vault as a whole is blamed', () => {
    expect(found(postroom(), true)).toEqual([]);
  });

  test('is also reported while it requires a person', () => {
    expect(named(found(postroom({ state: 'action-required' })))).toEqual(['vault-failing provider p1']);
  });
});

test('unavailable storage is never reported as a failure of a mailbox', () => {
  for (const code of ['table-storage', 'blob-storage', 'queue-storage'])
    expect(found(stopped({ support: retrying(code) }))).toEqual([]);
  expect(partOf('secret-disabled')).toBeUndefined();
  expect(['table-storage', 'key-vault', 'key-vault-denied', 'imap-key-vault', 'odd'].map(partOf)).toEqual([
    'storage',
    'vault',
    'vault',
    undefined,
    undefined,
  ]);
});

describe('a temporary failure', () => {
  const away = retrying('imap-unavailable', { problem: 'The server is away.' });

  test('is reported once the mailbox has been silent for too long', () => {
    const successes = new Map([['support', ago(13)]]);
    const failing = new Map([['support', away]]);
    expect(found(facts([mailbox('support')], { state: { successes, failing } }))).toEqual([]);
    successes.set('support', ago(13.1));
    expect(found(facts([mailbox('support')], { state: { successes, failing } }))).toHaveLength(1);
  });

  test('is reported as soon if the server announces new email, though such a mailbox may be silent for longer', () => {
    const announced = new Map([['support', ago(-60)]]);
    const successes = new Map([['support', ago(17)]]);
    const since = (at: string): Finding[] => {
      const failing = new Map([['support', { ...away, since: at }]]);
      return found(facts([mailbox('support')], { state: { successes, failing, announced } }));
    };
    expect(since(ago(13))).toEqual([]);
    expect(since(ago(13.1))).toHaveLength(1);
    successes.set('support', ago(18.1));
    expect(since(ago(1))).toHaveLength(1);
  });

  test('is one finding for all mailboxes of an unavailable server', () => {
    const other = mailbox('billing', { host: 'other.contoso.example' });
    const postroom = stopped(
      { support: away, sales: { ...away, since: ago(70) }, billing: away },
      { boxes: [mailbox('support'), mailbox('sales'), other] },
    );
    expect(found(postroom)).toMatchObject([
      {
        kind: 'mailbox-silent',
        subject: { kind: 'server', id: 'mail.contoso.example', name: 'mail.contoso.example' },
        headline:
          'Not receiving mail from sales@contoso.example and support@contoso.example: mail.contoso.example does not respond as it should.',
        code: 'imap-unavailable',
        since: ago(70),
        who: 'nobody: wait',
        fix: { label: 'Test the connection of support@contoso.example', href: '/mailboxes/support/test' },
      },
      { subject: { kind: 'server', id: 'other.contoso.example' } },
    ]);
  });

  test('is the mailbox’s own if it is throttled, or if its server responds', () => {
    const throttled = retrying('imap-unavailable', { said: 'NO Request is throttled.' });
    const busy = retrying('imap-busy');
    expect(named(found(stopped({ support: throttled, sales: busy })))).toEqual([
      'mailbox-silent mailbox support',
      'mailbox-silent mailbox sales',
    ]);
    const [finding] = found(stopped({ support: retrying('odd') }));
    expect(finding?.fix).toEqual({
      label: 'Test the connection of support@contoso.example',
      href: '/mailboxes/support/test',
    });
  });

  test('is the provider’s if its sign-in is retried for the same reason', () => {
    const busy = retrying('http-429');
    const accounts = [account({ state: 'retrying', problem: { code: 'http-429', message: 'busy' } })];
    const postroom = stopped({ support: busy, sales: { ...busy, since: ago(70) } }, { accounts });
    expect(found(postroom)).toMatchObject([
      {
        kind: 'mailbox-silent',
        subject: { kind: 'provider', id: 'p1', name: 'Contoso' },
        headline:
          'Not receiving mail from sales@contoso.example and support@contoso.example: signing in at Contoso fails.',
        since: ago(70),
        fix: { label: 'View Contoso', href: '/providers/p1' },
      },
    ]);
    expect(found({ ...postroom, providers: [] })[0]).toMatchObject({ subject: { name: 'the provider' } });
    expect(named(found(stopped({ support: retrying('http-503') }, { accounts })))).toEqual([
      'mailbox-silent mailbox support',
    ]);
    const works = [account({ state: 'ok' })];
    expect(named(found(stopped({ support: busy }, { accounts: works })))).toEqual([
      'mailbox-silent mailbox support',
    ]);
  });
});

test.each([
  [['b', 'a'], 'a and b'],
  [['a'], 'a'],
  [['c', 'b', 'a'], 'a, b and c'],
  [['d', 'c', 'b', 'a'], 'a, b, c and 1 more'],
])('the names %j are %s', (names, words) => {
  expect(listOf(names)).toBe(words);
});

test('waiting work is counted where it was seen', () => {
  const two = [mailbox('support'), mailbox('sales')];
  const cursors = new Map([
    ['support', cursor({ backlog: 3 })],
    ['sales', cursor({ backlog: 4 })],
  ]);
  const one = new Map([['support', { ...cursor(), backlog: 1 }]]);
  expect(waitingMail(two.slice(0, 1), { cursors: one })).toContain('at least 1 unread email waits');
  expect(waitingMail(two, { cursors })).toBe(
    'No mail is lost: at least 7 unread emails wait in 2 mailboxes.',
  );
  expect(waitingMail(two.slice(0, 1), { cursors: new Map([['support', cursor()]]) })).toBe(
    'No mail is lost: it waits in the mailbox.',
  );
});
