/** Faults of the installation itself: Azure services, timers, queues, tables, unreadable email. */
import { describe, expect, test } from 'vitest';
import type { Alert } from '../../shared/alerts/alert.ts';
import { channelFindings } from '../../shared/alerts/channel-findings.ts';
import {
  loopFindings,
  partFailing,
  poisonFindings,
  quarantineFindings,
  storageFinding,
  timerFindings,
  unreadableRowFindings,
} from '../../shared/alerts/health-findings.ts';
import { refusalFindings } from '../../shared/alerts/refusal-findings.ts';
import { smtpRefused } from '../../shared/alerts/sending-findings.ts';
import type { TimerName } from '../../shared/heartbeats/heartbeat.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import type { ProblemCode } from '../../shared/platform/problem.ts';
import { iso, START, silent, storageDown } from '../harness/memory/sample-findings.ts';
import { ago, cursor, facts, mailbox } from './sample-facts.ts';

const inAzure = { label: expect.any(String), href: expect.stringContaining('https://portal.azure.com') };

describe('an Azure service that does not respond', () => {
  test('is reported as storage, on which everything depends', () => {
    expect(partFailing({ part: 'storage', message: 'no answer to table.get', since: ago(3) })).toEqual({
      kind: 'storage-failing',
      subject: { kind: 'storage', id: 'storage', name: 'Storage' },
      severity: 'critical',
      headline: 'Not receiving mail: Postroom’s storage does not respond.',
      cause: 'Azure Storage is unavailable, or its firewall or a missing role blocks Postroom.',
      code: 'table-storage',
      since: ago(3),
      affected:
        'No mail is lost: it waits in the mailboxes. Tickets cannot be read until storage is available again.',
      who: 'you',
      fix: inAzure,
    });
  });

  test('is reported as the vault, with the catalogue’s explanation if there is one', () => {
    const since = ago(3);
    expect(partFailing({ part: 'vault', message: 'Key Vault did not get x (status 429)', since })).toEqual({
      kind: 'vault-failing',
      subject: { kind: 'vault', id: 'vault', name: 'Key Vault' },
      severity: 'critical',
      headline: 'Tokens cannot be refreshed: Key Vault does not respond as it should.',
      cause: 'The vault accepts 4,000 requests in ten seconds from all its clients together.',
      code: 'key-vault-throttled',
      since,
      affected:
        'No mail is lost. Fetching continues until the current tokens expire, after about an hour; then mail waits in the mailboxes.',
      who: 'nobody: wait',
      fix: inAzure,
    });
    expect(partFailing({ part: 'vault', message: 'nothing', since })).toMatchObject({
      cause: 'Azure Key Vault is unavailable, or its firewall or a missing role blocks Postroom.',
      code: 'key-vault',
      who: 'you',
    });
  });

  test('links to its own explanation page', () => {
    const fixes = (['storage', 'vault'] as const).map(
      (part) => partFailing({ part, message: '', since: '' }).fix,
    );
    expect(fixes[0]?.href).not.toBe(fixes[1]?.href);
  });

  test('is not explained as a mail server', () => {
    const message = 'getaddrinfo ENOTFOUND x.table.core.windows.net';
    expect(partFailing({ part: 'storage', message, since: ago(1) })).toMatchObject({
      code: 'table-storage',
      who: 'you',
    });
  });

  test('is shown on a page from the alert in memory or from the error', () => {
    const alert: Alert = {
      id: '1',
      key: 'k',
      findings: { watch: storageDown },
      openedAt: iso(START),
      notifiedAt: iso(START),
      notificationCount: 1,
      notifiedAs: '',
    };
    const other: Alert = { ...alert, findings: { watch: silent() } };
    const error = new PostroomError('table-storage', 'no answer');
    expect(storageFinding([other, alert], error, START)).toEqual(storageDown);
    expect(storageFinding([other], error, START)).toMatchObject({
      kind: 'storage-failing',
      since: iso(START),
    });
  });
});

describe('a timer that does not run', () => {
  const beats = (...late: TimerName[]) =>
    new Map(
      (['monitor', 'fetchMail', 'refreshTokens', 'reviewSecrets'] as const).map((name) => [
        name,
        { at: late.includes(name) ? ago(60 * 30) : ago(1), since: ago(60 * 100) },
      ]),
    );
  const found = (...late: TimerName[]) => timerFindings(facts([], { beats: beats(...late) }), START);
  const SEEN = 'After a deployment, this can last until the app is restarted.';

  test('is reported by name, with its effect on email', () => {
    expect(found('fetchMail')).toEqual([
      {
        kind: 'timer-late',
        subject: { kind: 'timer', id: 'fetchMail', name: 'fetchMail' },
        severity: 'critical',
        headline: 'Not receiving mail: the timer fetchMail is not running.',
        cause: `The Functions host has not started it, or all its runs fail. ${SEEN}`,
        code: 'timer-late',
        since: ago(60 * 30),
        affected: 'No mail is lost: it waits in the mailboxes.',
        who: 'you',
        fix: { label: 'View health', href: '/health' },
      },
    ]);
  });

  test.each([
    ['monitor', 'error', 'Fetching is not affected. Alerts are delayed.'],
    ['refreshTokens', 'warning', 'Fetching is not affected. A sign-in that is unused for 90 days expires.'],
    [
      'reviewSecrets',
      'warning',
      'Fetching is not affected. There would be no reminder before a secret expires.',
    ],
  ] as const)('%s has severity %s', (name, severity, affected) => {
    expect(found(name)).toMatchObject([{ subject: { id: name, name }, severity, affected }]);
  });

  test('and another one are two findings', () => {
    expect(found('refreshTokens', 'reviewSecrets').map(({ subject }) => subject.id)).toEqual([
      'refreshTokens',
      'reviewSecrets',
    ]);
  });

  test('and the monitor are one finding, and the email of active mailboxes waits', () => {
    const mailboxes = [mailbox('support'), mailbox('sales', { enabled: false })];
    const postroom = facts(mailboxes, { beats: beats('monitor', 'fetchMail') });
    expect(timerFindings(postroom, START)).toMatchObject([
      {
        subject: { kind: 'timer', id: 'timers', name: 'fetchMail' },
        severity: 'critical',
        headline: 'Not receiving mail: Postroom’s timers are not running.',
        cause: `The Functions host has not started them, or all their runs fail. ${SEEN}`,
        since: ago(60 * 30),
        affected: 'No mail is lost: it waits in the mailbox.',
      },
    ]);
  });
});

describe('work on a poison queue', () => {
  test('is reported by its queue', () => {
    expect(poisonFindings({ abandoned: [{ queue: 'fetch-shard', count: 1, since: ago(9) }] })).toEqual([
      {
        kind: 'poison-queue',
        subject: { kind: 'queue', id: 'fetch-shard', name: 'fetch-shard-poison' },
        severity: 'warning',
        headline: '1 job failed repeatedly: fetching mail.',
        cause:
          'The same queue message failed five times. The app’s log shows why, under the name of the queue.',
        code: 'poison-queue',
        since: ago(9),
        affected: 'No mail is lost: later runs do the same work.',
        who: 'you',
        fix: { label: 'View failed jobs', href: '/health' },
      },
    ]);
    expect(poisonFindings({ abandoned: [{ queue: 'vault-events', count: 2, since: '' }] })).toMatchObject([
      { headline: '2 jobs failed repeatedly: reading Key Vault events.' },
    ]);
  });
});

describe('unreadable email', () => {
  test('is reported by its number in powers of ten', () => {
    expect(quarantineFindings({ quarantined: { count: 1, since: ago(9) } })).toEqual([
      {
        kind: 'quarantine-grown',
        subject: { kind: 'installation', id: 'quarantine', name: 'Unimported email' },
        severity: 'warning',
        headline: '1 email could not be imported.',
        cause: 'Each is listed with its reason: try again, create a ticket, or dismiss it.',
        code: 'quarantine-grown',
        since: ago(9),
        affected: 'It is kept, but no ticket was created.',
        who: 'you',
        fix: { label: 'Open unimported email', href: '/unimported?show=waiting' },
        stage: '1 emails',
        size: 1,
      },
    ]);
    expect(quarantineFindings({ quarantined: { count: 99, since: '' } })).toMatchObject([
      {
        headline: '99 emails could not be imported.',
        affected: 'They are kept, but no ticket was created.',
        stage: '10 emails',
        size: 10,
      },
    ]);
    expect(quarantineFindings({ quarantined: { count: 100, since: '' } })).toMatchObject([{ size: 100 }]);
  });

  test('is no finding if there is none', () => {
    expect(quarantineFindings({ quarantined: undefined })).toEqual([]);
    expect(quarantineFindings({ quarantined: { count: 0, since: '' } })).toEqual([]);
  });
});

describe('a mail loop', () => {
  const loop = (minutes: number) => ({
    mailboxId: 'support',
    sender: 'robot@fabrikam.example',
    at: ago(minutes),
    ticketId: 't1',
    count: 40,
  });
  const found = (minutes: number) =>
    loopFindings(facts([mailbox('sales'), mailbox('support')], { state: { loops: [loop(minutes)] } }), START);

  test('is reported with its sender, and links to the conversation', () => {
    expect(found(5)).toEqual([
      {
        kind: 'mail-loop',
        subject: { kind: 'mailbox', id: 'support', name: 'support@contoso.example' },
        severity: 'warning',
        headline:
          'Possible mail loop with robot@fabrikam.example: 40 automatic messages to support@contoso.example within an hour.',
        cause:
          'An auto-responder, bounce or monitoring system keeps sending messages, perhaps because something replies to each one.',
        code: 'mail-loop',
        since: ago(5),
        affected: 'Every message is kept. Those over the limit are collapsed in the conversation.',
        who: 'you',
        fix: { label: 'Open the ticket', href: '/tickets/t1' },
      },
    ]);
  });

  test('is over after an hour, and one with a time in the future is ignored', () => {
    expect([found(60).length, found(60.1).length]).toEqual([1, 0]);
    expect([found(-60).length, found(-60.1).length]).toEqual([1, 0]);
  });

  test('that acknowledgements were stopped for says so', () => {
    const loops = [{ ...loop(5), stopsAcknowledgements: true as const }];
    expect(loopFindings(facts([mailbox('support')], { state: { loops } }), START)).toMatchObject([
      {
        kind: 'mail-loop',
        headline:
          'Possible mail loop with robot@fabrikam.example: support@contoso.example no longer sends it acknowledgements.',
        affected: 'Every message is kept and opens a ticket as before. Only acknowledgements are not sent.',
      },
    ]);
  });

  test('of a removed mailbox is ignored', () => {
    expect(loopFindings(facts([mailbox('sales')], { state: { loops: [loop(5)] } }), START)).toEqual([]);
  });
});

describe('unreadable rows', () => {
  const rows = (table: 'Mailboxes' | 'Accounts', count: number) =>
    Array.from({ length: count }, (_one, index) => ({ table, partitionKey: 'p', rowKey: `r${index + 1}` }));

  test('are one finding per table', () => {
    const unreadable = [...rows('Mailboxes', 1), ...rows('Accounts', 4)];
    expect(unreadableRowFindings({ unreadable }, START)).toEqual([
      {
        kind: 'row-unreadable',
        subject: { kind: 'table', id: 'Mailboxes', name: 'Table Mailboxes' },
        severity: 'error',
        headline: '1 row of the table Mailboxes cannot be read: p / r1.',
        cause: 'The data was changed outside Postroom, or by another version of it.',
        code: 'bad-row',
        since: iso(START),
        affected:
          'Not receiving mail from the mailbox of this row; all others work. No mail is lost: it waits there.',
        who: 'you',
        fix: inAzure,
      },
      {
        kind: 'row-unreadable',
        subject: { kind: 'table', id: 'Accounts', name: 'Table Accounts' },
        severity: 'warning',
        headline: '4 rows of the table Accounts cannot be read: p / r1, p / r2, p / r3 and 1 more.',
        cause: 'The data was changed outside Postroom, or by another version of it.',
        code: 'bad-row',
        since: iso(START),
        affected: 'These entries are left out; everything else works.',
        who: 'you',
        fix: inAzure,
      },
    ]);
  });

  test('state how many are left out, in the singular and in the plural', () => {
    const affected = (...args: Parameters<typeof rows>) =>
      unreadableRowFindings({ unreadable: rows(...args) }, START)[0]?.affected;
    expect(affected('Mailboxes', 2)).toBe(
      'Not receiving mail from the mailboxes of these rows; all others work. No mail is lost: it waits there.',
    );
    expect(affected('Accounts', 1)).toBe('These entries are left out; everything else works.');
  });

  test('are named up to three, and no row is no finding', () => {
    expect(unreadableRowFindings({ unreadable: rows('Accounts', 3) }, START)[0]?.headline).toBe(
      '3 rows of the table Accounts cannot be read: p / r1, p / r2, p / r3.',
    );
    expect(unreadableRowFindings({}, START)).toEqual([]);
  });
});

describe('a server that refuses to send email', () => {
  const refusal = {
    code: 'smtp-550',
    reason: '550 no',
    permanent: true,
    retryAt: undefined,
    asked: true,
  } as const;
  const test_ = { label: 'Test the connection of support@contoso.example', href: '/mailboxes/support/test' };

  test('is reported with its own message if there is no explanation', () => {
    expect(smtpRefused(mailbox('support'), refusal, START)).toEqual({
      kind: 'smtp-refused',
      subject: { kind: 'mailbox', id: 'support', name: 'support@contoso.example' },
      severity: 'error',
      headline: 'Cannot send as support@contoso.example: the mail server refuses it.',
      cause: 'Server message: 550 no',
      code: 'smtp-550',
      since: iso(START),
      affected: 'Receiving is not affected. Outgoing email is waiting.',
      who: 'you',
      fix: test_,
    });
  });

  test('is explained by its message, else by its code', () => {
    const reason =
      '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.';
    expect(smtpRefused(mailbox('support'), { ...refusal, reason }, START)).toMatchObject({
      code: 'smtp-auth-disabled-tenant',
      who: 'tenant-admin',
      cause: expect.stringContaining('Authenticated SMTP is off for the whole organization'),
    });
    expect(smtpRefused(mailbox('support'), { ...refusal, code: 'http-429' }, START)).toMatchObject({
      code: 'http-429',
      who: 'nobody: wait',
    });
  });

  test.each([
    ['no-relay', 'Cannot send as support@contoso.example: there is no SMTP relay.'],
    ['bad-relay', 'Cannot send as support@contoso.example: the URL of the SMTP relay is not valid.'],
    ['relay-refused', 'Cannot send as support@contoso.example: the SMTP relay refuses the sign-in.'],
  ] as const)(
    'is not blamed on a server or a token if the relay is missing or wrong: %s',
    (code, headline) => {
      expect(
        smtpRefused(mailbox('support'), { ...refusal, code, reason: '535 5.7.3 No.' }, START),
      ).toMatchObject({
        code,
        headline,
        who: 'you',
        cause: expect.stringContaining('smtp-relay-url'),
      });
    },
  );

  test('that was checked without an email blocks none', () => {
    expect(smtpRefused(mailbox('support'), refusal, START, 'warning')).toMatchObject({
      severity: 'warning',
      affected: 'Receiving is not affected. No email is waiting to be sent.',
    });
  });
});

describe('an unusable channel', () => {
  const failure = (
    secret: 'smtp-relay-url' | 'alert-webhook-url' | 'alert-webhook-key',
    code: ProblemCode,
  ) => ({
    secret,
    code,
    reason: 'It is no address.',
  });
  const of = (code: ProblemCode, reason = 'It is no address.') =>
    channelFindings([{ ...failure('smtp-relay-url', code), reason }], START, { isVaultBlamed: false })[0];

  test('is reported by its secret, with the channel used meanwhile', () => {
    expect(of('channel-malformed')).toEqual({
      kind: 'channel-unusable',
      subject: { kind: 'channel', id: 'smtp-relay-url', name: 'The relay' },
      severity: 'warning',
      headline: 'Alerts cannot be sent through the SMTP relay: the secret smtp-relay-url cannot be used.',
      cause:
        'It is no address. Create a new version of the secret, or delete it to turn this off. Postroom reads it again within two minutes.',
      code: 'channel-malformed',
      since: iso(START),
      affected: 'Fetching is not affected. Alerts are sent through a mailbox that can send, if there is one.',
      who: 'you',
      fix: inAzure,
    });
  });

  test.each<[ProblemCode, string, string]>([
    ['webhook-unsigned', 'x', 'x Set it to whsec_ and at least 24 random bytes in base64.'],
    ['secret-disabled', 'x', 'It was disabled in Key Vault.'],
    ['key-vault', 'x', 'Key Vault did not return it. Postroom retries every minute.'],
    ['key-vault', 'Key Vault did not get x (status 429)', 'The vault accepts 4,000 requests in ten seconds'],
    ['key-vault', 'AADSTS50173', 'Key Vault did not return it.'],
  ])('for %s (%s) has the cause: %s', (code, reason, cause) => {
    expect(of(code, reason)?.cause.startsWith(cause)).toBe(true);
  });

  test('because of the vault is no separate finding if the vault is blamed', () => {
    const failures = [
      failure('alert-webhook-url', 'key-vault-denied'),
      failure('alert-webhook-key', 'secret-disabled'),
    ];
    const ids = (isVaultBlamed: boolean) =>
      channelFindings(failures, START, { isVaultBlamed }).map(({ subject }) => subject.name);
    expect(ids(false)).toEqual(['The webhook', 'The key of the webhook']);
    expect(ids(true)).toEqual(['The key of the webhook']);
  });
});

describe('a stored email that the server does not release', () => {
  const refusal = { action: 'mark-seen', problem: 'It said: no.', since: ago(9), triedAt: ago(1) };
  const found = (
    afterFetch: { kind: 'mark-seen' | 'delete' } | { kind: 'move'; folder: string },
    change = {},
  ) =>
    refusalFindings(
      facts([mailbox('sales'), mailbox('support', { afterFetch, ...change })], {
        state: {
          cursors: new Map([['support', cursor({ refusal: { ...refusal, action: actionOf(afterFetch) } })]]),
        },
      }),
    );
  const actionOf = (afterFetch: { kind: string; folder?: string }): string =>
    afterFetch.kind === 'move' ? `move ${afterFetch.folder}` : afterFetch.kind;

  test('is reported with the server’s message if there is no explanation', () => {
    expect(found({ kind: 'mark-seen' })).toEqual([
      {
        kind: 'marking-refused',
        subject: { kind: 'mailbox', id: 'support', name: 'support@contoso.example' },
        severity: 'warning',
        headline: 'Imported email of support@contoso.example cannot be marked as read.',
        cause: 'It said: no.',
        code: 'imap-refused',
        since: ago(9),
        affected: 'New email still becomes tickets. Imported email stays unread in the mailbox.',
        who: 'you',
        fix: {
          label: 'Change what happens to stored email of support@contoso.example',
          href: '/mailboxes/support/edit',
        },
      },
    ]);
  });

  test('is reported by the intended action', () => {
    expect(found({ kind: 'delete' })[0]?.headline).toContain('cannot be deleted.');
    expect(found({ kind: 'move', folder: 'Done' })[0]?.headline).toContain('cannot be moved to “Done”.');
  });

  test('is explained if the catalogue has the message', () => {
    const problem = 'The mail server did not mark as read. It said: [NOPERM] You may only read here.';
    const known = facts([mailbox('support')], {
      state: { cursors: new Map([['support', cursor({ refusal: { ...refusal, problem } })]]) },
    });
    const [finding] = refusalFindings(known);
    expect(finding).toMatchObject({ code: 'imap-refused', who: 'tenant-admin' });
    expect(finding?.cause).toMatch(
      /^The account that signs in can read the mailbox.* You may only read here\.$/,
    );
  });

  test('is ignored for a mailbox that is paused or has a different setting now', () => {
    expect(found({ kind: 'delete' }, { enabled: false })).toEqual([]);
    expect(found({ kind: 'delete' }, { afterFetch: { kind: 'mark-seen' } })).toEqual([]);
  });
});
