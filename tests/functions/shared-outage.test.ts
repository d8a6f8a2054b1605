/** After an outage of a shared dependency: the built services with a real sign-in, fetched minute by minute. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Services, servicesOn } from '../../functions/services.ts';
import { parseShardMessage } from '../../functions/triggers/fetch-shard.ts';
import { fetchShard } from '../../shared/intake/fetch-shard.ts';
import { queueDueMailboxes } from '../../shared/intake/queue-due-mailboxes.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { mailboxOf, parserHere } from '../harness/memory/intake-world.ts';
import { MemoryFolder, openMemoryInbox } from '../harness/memory/memory-inbox.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { ALEX, connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';

const MINUTE = 60_000;
const SUPPORT = ['support-1', 'support-2', 'support-3', 'support-4', 'support-5'];
const ALONE = ['alex-1', 'alex-2'];

let app: DemoApp;
let queues: MemoryQueues;
let services: Services;
let asked: string[];

beforeEach(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  app = await startDemoApp();
  queues = new MemoryQueues(app.seam);
  services = servicesOn({ ...app.services, queues }, { pauseMs: 5 });
  services.intake.parser = parserHere;
  services.intake.openInbox = () => openMemoryInbox(new MemoryFolder(), app.seam);
  const { providerId, account } = await connectSupport(app);
  // Another person at the same provider: another account with its own pause.
  const other = new Visitor(app, ALEX);
  const { callback } = await other.leave(
    providerId,
    { address: 'alex@contoso.example' },
    'alex@contoso.example',
  );
  await other.get(callback);
  const accounts = await services.accounts.listOf(providerId);
  const alex = accounts.find(({ accountId }) => accountId !== account.accountId);
  if (alex === undefined) throw new Error('Alex is not connected');
  for (const [ids, accountId] of [
    [SUPPORT, account.accountId],
    [ALONE, alex.accountId],
  ] as const)
    for (const id of ids)
      await services.mailboxes.save({ ...mailboxOf({ kind: 'mark-seen' }), id, providerId, accountId });
  // Every token is due, so the token dependencies are needed from now on.
  app.seam.skewMs = 2 * 60 * MINUTE;
  asked = [];
});
afterEach(() => app.stop());

/** A run of the timer, and of the queue until it is empty; returns the mailboxes that worked. */
async function minute(): Promise<Set<string>> {
  app.seam.skewMs += MINUTE;
  await queueDueMailboxes(services, app.seam.now());
  const worked = new Set<string>();
  for (let message = queues.sent.shift(); message !== undefined; message = queues.sent.shift()) {
    const shard = parseShardMessage(message.value);
    for (const [id, result] of await fetchShard(services.intake, shard)) {
      asked.push(id);
      if (result?.kind === 'nothing-new') worked.add(id);
    }
  }
  return worked;
}

async function minutes(count: number): Promise<void> {
  for (let each = 0; each < count; each += 1) await minute();
}

/** Minutes until the next attempt of the mailbox that waits longest. */
async function longestWait(): Promise<number> {
  const { failing } = await services.mailboxes.fetchState();
  const times = [...failing.values()].map(({ nextTryAt }) => Date.parse(nextTryAt));
  return (Math.max(...times) - app.seam.now()) / MINUTE;
}

const outages: [string, code: string, begin: () => void, end: () => void][] = [
  [
    'the vault',
    'key-vault',
    () => {
      app.seam.around = (point, effect) =>
        point.startsWith('vault.')
          ? Promise.reject(new PostroomError('key-vault', 'Key Vault did not answer'))
          : effect();
    },
    () => {
      app.seam.around = undefined;
    },
  ],
  [
    'the token endpoint',
    'http-503',
    () => {
      app.idp.faults.push({ match: { path: '/token' }, times: 9_999, status: 503 });
    },
    () => {
      app.idp.faults.length = 0;
    },
  ],
  [
    'blob storage',
    'blob-storage',
    () => {
      app.seam.around = (point, effect) =>
        point.startsWith('blob.')
          ? Promise.reject(new PostroomError('blob-storage', 'Blob Storage did not answer'))
          : effect();
    },
    () => {
      app.seam.around = undefined;
    },
  ],
];

describe.each(outages)('an outage of %s', (_what, code, begin, end) => {
  test('makes everything that waited for it due within a minute when it ends', async () => {
    begin();
    await minutes(45);
    const { failing } = await services.mailboxes.fetchState();
    expect([...failing.keys()].sort()).toEqual([...ALONE, ...SUPPORT]);
    expect(new Set([...failing.values()].map((trouble) => trouble.code))).toEqual(new Set([code]));
    expect(await longestWait(), 'without the end of the outage they wait for long').toBeGreaterThan(10);
    end();
    expect([...(await minute())].sort()).toEqual([...ALONE, ...SUPPORT]);
    expect((await services.mailboxes.fetchState()).failing.size).toBe(0);
  });

  test('does not cause requests of all mailboxes each minute', async () => {
    begin();
    await minutes(30);
    asked = [];
    await minutes(10);
    expect(asked.length, 'one probe a minute, and their own tries, which have become rare').toBeLessThan(20);
  });
});

test('a pause that began before the clock was set back is over, for mailboxes and their accounts alike', async () => {
  app.seam.skewMs += 60 * MINUTE;
  app.idp.faults.push({ match: { path: '/token' }, times: 9_999, status: 429 });
  await minutes(3);
  const { failing } = await services.mailboxes.fetchState();
  expect(new Set([...failing.values()].map(({ code }) => code))).toEqual(new Set(['http-429']));
  app.idp.faults.length = 0;
  app.seam.skewMs -= 60 * MINUTE;
  expect([...(await minute())].sort()).toEqual([...ALONE, ...SUPPORT]);
});

test('a mailbox with its own failure keeps its own backoff when a shared outage ends', async () => {
  const [begin, end] = [outages[0]?.[2], outages[0]?.[3]];
  const { openInbox } = services.intake;
  const own = (): Promise<never> => Promise.reject(new TypeError('its own'));
  await services.mailboxes.save({
    ...mailboxOf({ kind: 'mark-seen' }),
    ...(await box('alex-1')),
    id: 'own',
    address: 'own@contoso.example',
  });
  services.intake.openInbox = (address, protocol) =>
    address.user === 'own@contoso.example' ? own() : openInbox(address, protocol);
  await minutes(12);
  const before = (await services.mailboxes.fetchState()).failing.get('own');
  expect(before).toMatchObject({ code: 'unexpected', failures: 4 });
  begin?.();
  await minute();
  end?.();
  asked = [];
  await minutes(2);
  expect(asked).not.toContain('own');
  expect((await services.mailboxes.fetchState()).failing.get('own')).toEqual(before);
});

async function box(id: string) {
  const mailbox = await services.mailboxes.get(id);
  if (mailbox === undefined) throw new Error(`no mailbox ${id}`);
  return mailbox;
}
