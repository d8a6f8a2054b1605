import { beforeEach, describe, expect, test, vi } from 'vitest';
import { iso, START } from '../harness/memory/sample-conditions.ts';
import { ACCOUNT, PROVIDER, sampleAccount, WatchedDesk } from './watched-desk.ts';

let desk: WatchedDesk;
beforeEach(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  desk = new WatchedDesk();
  await desk.account();
  await desk.mailbox('support');
  await desk.mailbox('sales');
  await desk.minutes(20);
});

const problem = { code: 'AADSTS50173', message: 'The sign-in of sam@contoso.example has ended.' };
const dead = async (changes: Parameters<WatchedDesk['account']>[0] = {}): Promise<void> => {
  const { code, message } = changes.problem ?? problem;
  await desk.account({ state: 'needs-person', problem: { code, message }, ...changes });
  await desk.stop('support', code, message);
  await desk.stop('sales', code, message);
};

describe('one fault is one notice', () => {
  test('nothing is said while all goes well, and an idle minute writes next to nothing', async () => {
    const before = desk.tables.changes;
    await desk.minutes(60);
    expect(desk.heard()).toEqual([]);
    // One row of the shard a minute, and two heartbeats every fourth.
    expect(desk.tables.changes - before).toBeLessThanOrEqual(60 + 2 * 16);
  });

  test('a dead sign-in names both mailboxes, and the link signs in again', async () => {
    await dead();
    await desk.minutes(60);
    expect(desk.heard()).toEqual(['opened consent-dead']);
    const [condition] = await desk.open();
    expect(condition).toMatchObject({
      headline:
        'sales@contoso.example and support@contoso.example are not fetched: somebody has to sign in again.',
      code: 'AADSTS50173',
      who: 'mailbox-owner',
      subject: { kind: 'account', id: ACCOUNT },
    });
    expect(condition?.fix.href).toMatch(`/providers/${PROVIDER}/connect?mailbox=`);
    await desk.account();
    await desk.mend('support');
    await desk.mend('sales');
    await desk.minutes(2);
    expect(desk.heard()).toEqual(['opened consent-dead', 'closed consent-dead']);
  });

  test.each([
    ['AADSTS7000222', 'The provided client secret keys are expired.', 'secret-expired'],
    ['AADSTS7000215', 'Invalid client secret provided.', 'secret-refused'],
    ['secret-missing', 'The client secret of Contoso is not in Key Vault.', 'secret-refused'],
  ])(
    'a credential that is refused with %s stops a provider, not two mailboxes',
    async (code, message, kind) => {
      await dead({ refusedAsOf: iso(START), problem: { code, message } });
      await desk.minutes(60);
      expect(desk.heard()).toEqual([`opened ${kind}`]);
      const [condition] = await desk.open();
      expect(condition).toMatchObject({ code, subject: { kind: 'provider', id: PROVIDER }, who: 'you' });
      expect(condition?.fix.href).toBe(`/providers/${PROVIDER}/edit`);
    },
  );

  test('a secret that was replaced is over once the sign-in works, and no mailbox is said to need one until its next try', async () => {
    const expired = { code: 'AADSTS7000222', message: 'The provided client secret keys are expired.' };
    await dead({ refusedAsOf: iso(START), problem: expired });
    await desk.minutes(5);
    // As another mailbox of the account, or a mail that is sent, brings it about.
    await desk.account();
    await desk.mend('support');
    await desk.minutes(2);
    expect(desk.heard()).toEqual(['opened secret-expired', 'closed secret-expired']);
    // A try that never comes is no mending.
    await desk.minutes(20);
    expect(desk.heard().at(-1)).toBe('opened consent-dead');
  });

  test('a data key that is gone is one notice for all accounts, and nobody has to sign in again first', async () => {
    const problem = {
      code: 'tokens-unreadable',
      message: 'The stored sign-in cannot be read: the data key is gone.',
    };
    await desk.account({ state: 'needs-person', problem });
    await desk.account({ accountId: 'b'.repeat(26), state: 'needs-person', problem });
    await desk.mailbox('sales', { accountId: 'b'.repeat(26) });
    for (const id of ['support', 'sales']) await desk.stop(id, problem.code, problem.message);
    await desk.minutes(5);
    expect(desk.heard()).toEqual(['opened consent-dead']);
    expect((await desk.open())[0]?.fix.href).toContain('portal.azure.com');
  });

  test('where the provider itself was deleted the link leads to the mailbox, which chooses another one', async () => {
    await dead({ problem: { code: 'provider-missing', message: 'The provider was deleted.' } });
    await desk.providers.remove(PROVIDER);
    await desk.minutes(1);
    expect((await desk.open())[0]?.fix.href).toMatch(/^\/mailboxes\/\w+\/edit$/);
  });

  test('IMAP that is switched off for one mailbox is that mailbox’s notice, at once', async () => {
    await desk.stop(
      'support',
      'imap-no-access',
      'The mail server said: User is authenticated but not connected.',
    );
    await desk.minutes(1);
    const [condition] = await desk.open();
    expect(condition).toMatchObject({
      kind: 'mailbox-silent',
      subject: { kind: 'mailbox', id: 'support' },
      fix: { href: '/mailboxes/support/test' },
    });
    expect(condition?.cause).not.toBe('');
    await desk.mend('support');
    await desk.minutes(1);
    expect(desk.heard()).toEqual(['opened mailbox-silent', 'closed mailbox-silent']);
  });

  test('a server that does not answer is one notice for both mailboxes, within 15 minutes, not at the first hiccup', async () => {
    for (const id of ['support', 'sales'])
      await desk.stop(id, 'imap-unavailable', 'The mail server does not answer.', 'retrying');
    await desk.minutes(12);
    expect(desk.heard()).toEqual([]);
    await desk.minutes(3);
    expect(desk.heard()).toEqual(['opened mailbox-silent']);
    expect((await desk.open())[0]?.subject).toEqual({
      kind: 'server',
      id: 'outlook.office365.com',
      name: 'outlook.office365.com',
    });
  });

  test('a provider that is throttling is one notice for both mailboxes', async () => {
    const busy = { code: 'http-429', message: 'login.example answered with status 429.' };
    await desk.account({ state: 'retrying', problem: busy });
    for (const id of ['support', 'sales']) await desk.stop(id, busy.code, busy.message, 'retrying');
    await desk.minutes(15);
    expect(desk.heard()).toEqual(['opened mailbox-silent']);
    expect((await desk.open())[0]).toMatchObject({ subject: { kind: 'provider' }, code: 'http-429' });
  });

  test('a mailbox with a long interval has three of them', async () => {
    await desk.mailbox('weekly', { intervalMinutes: 60 });
    await desk.minutes(1);
    desk.works.delete('weekly');
    await desk.minutes(179);
    expect(desk.heard()).toEqual([]);
    await desk.minutes(4);
    expect(desk.heard()).toEqual(['opened mailbox-silent']);
  });

  test.each([1, 5, 7, 60])(
    'an interval of %i minutes: told within 15 minutes or three intervals after the last fetch, with a reason or without',
    async (intervalMinutes) => {
      const promised = Math.max(15, 3 * intervalMinutes);
      await desk.mailbox('reason', { intervalMinutes, host: 'mail.example' });
      await desk.mailbox('none', { intervalMinutes });
      await desk.minutes(1);
      await desk.stop('reason', 'imap-unavailable', 'The mail server does not answer.', 'retrying');
      desk.works.delete('none');
      await desk.minutes(promised - 3);
      expect(desk.heard()).toEqual([]);
      await desk.minutes(3);
      expect(desk.heard()).toEqual(['opened mailbox-silent', 'opened mailbox-silent']);
    },
  );

  test('fetches that neither succeed nor fail are noticed within 15 minutes', async () => {
    desk.works.delete('support');
    await desk.minutes(12);
    expect(desk.heard()).toEqual([]);
    await desk.minutes(3);
    expect(desk.heard()).toEqual(['opened mailbox-silent']);
    expect((await desk.open())[0]).toMatchObject({ code: 'fetches-do-not-end', severity: 'error' });
  });

  test('a mailbox that is resumed after days is not silent for the moment before its first fetch', async () => {
    await desk.mailbox('old', { enabled: false });
    desk.works.delete('old');
    await desk.minutes(60);
    await desk.mailbox('old');
    desk.works.delete('old');
    await desk.minutes(1);
    desk.works.add('old');
    await desk.minutes(5);
    expect(desk.heard()).toEqual([]);
  });

  test('a vault that keeps us out is its own notice, and none for the mailboxes that feel it', async () => {
    desk.broken = /^vault\./;
    for (const id of ['support', 'sales'])
      await desk.stop(
        id,
        'key-vault-denied',
        'Postroom could not finish a fetch (Key Vault did not get x (status 403)).',
        'retrying',
      );
    await desk.minutes(60);
    expect(desk.heard().filter((line) => line.startsWith('opened'))).toEqual(['opened vault-failing']);
    expect((await desk.open())[0]).toMatchObject({ code: 'key-vault-refused', severity: 'critical' });
    desk.broken = undefined;
    await desk.mend('support');
    await desk.mend('sales');
    await desk.minutes(2);
    expect(desk.heard().at(-1)).toBe('closed vault-failing');
    expect(await desk.open()).toEqual([]);
  });

  test('storage that is away is told from memory, once, and stored and closed when it is back', async () => {
    desk.broken = /^(?:table|queue|blob)\./;
    await desk.minutes(30);
    expect(desk.heard()).toEqual(['opened storage-failing']);
    expect(desk.notices.held()).toHaveLength(1);
    desk.broken = undefined;
    await desk.minutes(3);
    expect(desk.heard()).toEqual(['opened storage-failing', 'closed storage-failing']);
    expect((await desk.notices.past({ limit: 10 })).notices).toHaveLength(1);
  });

  test('blobs alone that are away stop fetches with their name, and storage is blamed', async () => {
    await desk.stop(
      'support',
      'blob-storage',
      'Postroom could not finish a fetch (blob-storage: …).',
      'retrying',
    );
    await desk.minutes(1);
    expect(desk.heard()).toEqual(['opened storage-failing']);
  });

  test('mail that could not be read is said once, and again when it is ten times as much, and forgotten after a day', async () => {
    const hour = iso(desk.now).slice(0, 13);
    const quarantined = async (count: number): Promise<void> => {
      const known = await desk.mailboxes.fetchState();
      await desk.mailboxes.saveSuccesses(1, known.shards.get(1) ?? new Map(), [
        { hour, mails: 20, quarantined: count },
      ]);
    };
    await quarantined(1);
    await desk.minutes(5);
    await quarantined(3);
    await desk.minutes(5);
    await quarantined(12);
    await desk.minutes(5);
    expect(desk.heard()).toEqual(['opened quarantine-grown', 'changed quarantine-grown']);
    await desk.minutes(24 * 60);
    expect(desk.heard().at(-1)).toBe('closed quarantine-grown');
  });
});

test('nothing of an account but its name is in a notice', async () => {
  await dead();
  await desk.minutes(1);
  expect(JSON.stringify(desk.tables.dump('Notices'))).not.toContain(sampleAccount.tokens.refresh);
});
