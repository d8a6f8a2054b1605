import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createReconciliationStore } from '../../shared/intake/reconciliation-records.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { iso, START } from '../harness/memory/sample-findings.ts';
import { ACCOUNT, PROVIDER, sampleAccount, WatchedPostroom } from './monitored-postroom.ts';

let postroom: WatchedPostroom;
beforeEach(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  postroom = new WatchedPostroom();
  await postroom.account();
  await postroom.mailbox('support');
  await postroom.mailbox('sales');
  await postroom.minutes(20);
});

const problem = { code: 'AADSTS50173', message: 'The sign-in of sam@contoso.example has ended.' } as const;
const dead = async (changes: Parameters<WatchedPostroom['account']>[0] = {}): Promise<void> => {
  const { code, message } = changes.problem ?? problem;
  await postroom.account({
    state: 'action-required',
    ...changes,
    problem: { code, message },
  } as typeof changes);
  await postroom.stop('support', code, message);
  await postroom.stop('sales', code, message);
};

describe('one fault is one alert', () => {
  test('no alert is opened while all works, and an idle minute writes almost nothing', async () => {
    const before = postroom.tables.changes;
    await postroom.minutes(60);
    expect(postroom.heard()).toEqual([]);
    // One row of the shard per minute, and two heartbeats every fourth.
    expect(postroom.tables.changes - before).toBeLessThanOrEqual(60 + 2 * 16);
  });

  test('an ended sign-in names both mailboxes, and links to a new sign-in', async () => {
    await dead();
    await postroom.minutes(60);
    expect(postroom.heard()).toEqual(['opened consent-dead']);
    const [finding] = await postroom.open();
    expect(finding).toMatchObject({
      headline:
        'Not receiving mail from sales@contoso.example and support@contoso.example: someone has to sign in again.',
      code: 'AADSTS50173',
      who: 'mailbox-owner',
      subject: { kind: 'account', id: ACCOUNT },
    });
    expect(finding?.fix.href).toMatch(`/providers/${PROVIDER}/connect?mailbox=`);
    await postroom.account();
    await postroom.fix('support');
    await postroom.fix('sales');
    await postroom.minutes(2);
    expect(postroom.heard()).toEqual(['opened consent-dead', 'closed consent-dead']);
  });

  test.each([
    ['AADSTS7000222', 'The provided client secret keys are expired.', 'secret-expired'],
    ['AADSTS7000215', 'Invalid client secret provided.', 'secret-refused'],
    ['secret-missing', 'The client secret of Contoso is not in Key Vault.', 'secret-refused'],
  ])(
    'a credential that is refused with %s stops a provider, not two mailboxes',
    async (code, message, kind) => {
      await dead({ refusedAsOf: iso(START), problem: { code: codeFrom(code), message } });
      await postroom.minutes(60);
      expect(postroom.heard()).toEqual([`opened ${kind}`]);
      const [finding] = await postroom.open();
      expect(finding).toMatchObject({ code, subject: { kind: 'provider', id: PROVIDER }, who: 'you' });
      expect(finding?.fix.href).toBe(`/providers/${PROVIDER}/edit`);
    },
  );

  test('a replaced secret resolves the alert once the sign-in works, and no mailbox requires one until its next attempt', async () => {
    const expired = {
      code: 'AADSTS7000222',
      message: 'The provided client secret keys are expired.',
    } as const;
    await dead({ refusedAsOf: iso(START), problem: expired });
    await postroom.minutes(5);
    // As caused by another mailbox of the account, or by an email that is sent.
    await postroom.account();
    await postroom.fix('support');
    await postroom.minutes(2);
    expect(postroom.heard()).toEqual(['opened secret-expired', 'closed secret-expired']);
    // An attempt that never comes resolves nothing.
    await postroom.minutes(20);
    expect(postroom.heard().at(-1)).toBe('opened consent-dead');
  });

  test('a missing encryption key is one alert for all accounts, and no new sign-in is requested first', async () => {
    const problem = {
      code: 'tokens-unreadable',
      message: 'The stored sign-in cannot be read: the encryption key is gone.',
    } as const;
    await postroom.account({ state: 'action-required', problem });
    await postroom.account({ accountId: 'b'.repeat(26), state: 'action-required', problem });
    await postroom.mailbox('sales', { accountId: 'b'.repeat(26) });
    for (const id of ['support', 'sales']) await postroom.stop(id, problem.code, problem.message);
    await postroom.minutes(5);
    expect(postroom.heard()).toEqual(['opened consent-dead']);
    expect((await postroom.open())[0]?.fix.href).toContain('portal.azure.com');
  });

  test('if the provider was deleted, the alert links to the mailbox, where another one can be chosen', async () => {
    await dead({ problem: { code: 'provider-missing', message: 'The provider was deleted.' } });
    await postroom.providers.remove(PROVIDER);
    await postroom.minutes(1);
    expect((await postroom.open())[0]?.fix.href).toMatch(/^\/mailboxes\/\w+\/edit$/);
  });

  test('IMAP disabled for one mailbox is an alert of that mailbox, at once', async () => {
    await postroom.stop(
      'support',
      'imap-no-access',
      'The mail server said: User is authenticated but not connected.',
    );
    await postroom.minutes(1);
    const [finding] = await postroom.open();
    expect(finding).toMatchObject({
      kind: 'mailbox-silent',
      subject: { kind: 'mailbox', id: 'support' },
      fix: { href: '/mailboxes/support/test' },
    });
    expect(finding?.cause).not.toBe('');
    await postroom.fix('support');
    await postroom.minutes(1);
    expect(postroom.heard()).toEqual(['opened mailbox-silent', 'closed mailbox-silent']);
  });

  test('a server that does not respond is one alert for both mailboxes, within 15 minutes, not at the first failure', async () => {
    for (const id of ['support', 'sales'])
      await postroom.stop(id, 'imap-unavailable', 'The mail server does not answer.', 'retrying');
    await postroom.minutes(12);
    expect(postroom.heard()).toEqual([]);
    await postroom.minutes(3);
    expect(postroom.heard()).toEqual(['opened mailbox-silent']);
    expect((await postroom.open())[0]?.subject).toEqual({
      kind: 'server',
      id: 'outlook.office365.com',
      name: 'outlook.office365.com',
    });
  });

  test('a provider that throttles is one alert for both mailboxes', async () => {
    const busy = { code: 'http-429', message: 'login.example answered with status 429.' } as const;
    await postroom.account({ state: 'retrying', problem: busy, retryAt: iso(postroom.now + 60_000) });
    for (const id of ['support', 'sales']) await postroom.stop(id, busy.code, busy.message, 'retrying');
    await postroom.minutes(15);
    expect(postroom.heard()).toEqual(['opened mailbox-silent']);
    expect((await postroom.open())[0]).toMatchObject({ subject: { kind: 'provider' }, code: 'http-429' });
  });

  test('a mailbox with a long interval is silent after three intervals', async () => {
    await postroom.mailbox('weekly', { intervalMinutes: 60 });
    await postroom.minutes(1);
    postroom.works.delete('weekly');
    await postroom.minutes(179);
    expect(postroom.heard()).toEqual([]);
    await postroom.minutes(4);
    expect(postroom.heard()).toEqual(['opened mailbox-silent']);
  });

  test.each([1, 5, 7, 60])(
    'an interval of %i minutes: alerts within 15 minutes or three intervals after the last fetch, with a reason or without',
    async (intervalMinutes) => {
      const promised = Math.max(15, 3 * intervalMinutes);
      await postroom.mailbox('reason', { intervalMinutes, host: 'mail.example' });
      await postroom.mailbox('none', { intervalMinutes });
      await postroom.minutes(1);
      await postroom.stop('reason', 'imap-unavailable', 'The mail server does not answer.', 'retrying');
      postroom.works.delete('none');
      await postroom.minutes(promised - 3);
      expect(postroom.heard()).toEqual([]);
      await postroom.minutes(3);
      expect(postroom.heard()).toEqual(['opened mailbox-silent', 'opened mailbox-silent']);
    },
  );

  test('fetches that neither succeed nor fail are reported within 15 minutes', async () => {
    postroom.works.delete('support');
    await postroom.minutes(12);
    expect(postroom.heard()).toEqual([]);
    await postroom.minutes(3);
    expect(postroom.heard()).toEqual(['opened mailbox-silent']);
    expect((await postroom.open())[0]).toMatchObject({ code: 'fetches-do-not-end', severity: 'error' });
  });

  test('a mailbox that is resumed after days is not silent before its first fetch', async () => {
    await postroom.mailbox('old', { enabled: false });
    postroom.works.delete('old');
    await postroom.minutes(60);
    await postroom.mailbox('old');
    postroom.works.delete('old');
    await postroom.minutes(1);
    postroom.works.add('old');
    await postroom.minutes(5);
    expect(postroom.heard()).toEqual([]);
  });

  test('a vault that denies access is its own alert, with none for the affected mailboxes', async () => {
    postroom.broken = /^vault\./;
    for (const id of ['support', 'sales'])
      await postroom.stop(
        id,
        'key-vault-denied',
        'Postroom could not finish a fetch (Key Vault did not get x (status 403)).',
        'retrying',
      );
    await postroom.minutes(60);
    expect(postroom.heard().filter((line) => line.startsWith('opened'))).toEqual(['opened vault-failing']);
    expect((await postroom.open())[0]).toMatchObject({ code: 'key-vault-denied', severity: 'critical' });
    postroom.broken = undefined;
    await postroom.fix('support');
    await postroom.fix('sales');
    await postroom.minutes(2);
    expect(postroom.heard().at(-1)).toBe('closed vault-failing');
    expect(await postroom.open()).toEqual([]);
  });

  test('unavailable storage is alerted from memory, once, then stored and closed when it is back', async () => {
    postroom.broken = /^(?:table|queue|blob)\./;
    await postroom.minutes(30);
    expect(postroom.heard()).toEqual(['opened storage-failing']);
    expect(postroom.alerts.inMemory()).toHaveLength(1);
    postroom.broken = undefined;
    await postroom.minutes(3);
    expect(postroom.heard()).toEqual(['opened storage-failing', 'closed storage-failing']);
    expect((await postroom.alerts.past({ limit: 10 })).alerts).toHaveLength(1);
  });

  test('if only blobs are unavailable, fetches name them as the reason, and storage is blamed', async () => {
    await postroom.stop(
      'support',
      'blob-storage',
      'Postroom could not finish a fetch (blob-storage: …).',
      'retrying',
    );
    await postroom.minutes(1);
    expect(postroom.heard()).toEqual(['opened storage-failing']);
  });

  test('unimported email is reported once, again at ten times the number, and resolved when each was handled', async () => {
    const unimported = (from: number, to: number): Promise<void> =>
      postroom.quarantine.put(
        'support',
        Array.from({ length: to - from }, (_, index) => ({
          kind: 'quarantined' as const,
          reason: 'cannot be read',
          at: iso(postroom.now),
          from: undefined,
          subject: undefined,
          size: 9,
          rawBlob: 'raw/x',
          contentKey: `k${from + index}`,
          place: 'INBOX|1|1',
        })),
      );
    await unimported(0, 1);
    await postroom.minutes(5);
    await unimported(1, 3);
    await postroom.minutes(5);
    await unimported(3, 12);
    await postroom.minutes(24 * 60);
    expect(postroom.heard().slice(0, 2)).toEqual(['opened quarantine-grown', 'changed quarantine-grown']);
    expect(postroom.heard()).not.toContain('closed quarantine-grown');
    const { entries } = await postroom.quarantine.page('support', { limit: 20 });
    for (const [place, entry] of entries.entries()) {
      await postroom.minutes(1);
      expect(postroom.heard().includes('closed quarantine-grown'), `after ${place}`).toBe(false);
      await postroom.quarantine.markHandled(entry, {
        outcome: 'dismissed',
        at: iso(postroom.now),
        by: 'Alex',
      });
    }
    await postroom.minutes(1);
    expect(postroom.heard().at(-1)).toBe('closed quarantine-grown');
  });

  test('email that a check found missing is reported until a check finds none', async () => {
    await postroom.mailbox('support');
    const check = (missing: number): Promise<void> =>
      createReconciliationStore(postroom.tables).saveCheck({
        mailboxId: 'support',
        folder: 'INBOX',
        startedAt: iso(postroom.now),
        checkedAt: iso(postroom.now),
        count: { inLedger: 10, waiting: 0, older: 0, missing },
        missing: [],
      });
    await check(3);
    await postroom.minutes(2);
    expect(postroom.heard()).toEqual(['opened email-missing']);
    expect((await postroom.open())[0]).toMatchObject({
      headline: '3 emails in support@contoso.example are missing from Postroom.',
      fix: { href: '/mailboxes/support/check' },
    });
    await check(0);
    await postroom.minutes(1);
    expect(postroom.heard()).toEqual(['opened email-missing', 'closed email-missing']);
  });
});

test('an alert contains nothing of an account but its name', async () => {
  await dead();
  await postroom.minutes(1);
  expect(JSON.stringify(postroom.tables.dump('Alerts'))).not.toContain(sampleAccount.tokens.refresh);
});
