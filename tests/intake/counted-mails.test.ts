import { beforeEach, expect, test, vi } from 'vitest';
import { createActivityStore } from '../../shared/activity/activity-store.ts';
import { ticketIdOf } from '../../shared/intake/content-key.ts';
import { fetchShard, type ShardDeps } from '../../shared/intake/fetch-shard.ts';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import { createMailboxStore, mailHours } from '../../shared/mailboxes/mailbox-store.ts';
import type { Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { mailboxOf, parserHere } from '../harness/memory/intake-world.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryFolder, openMemoryInbox } from '../harness/memory/memory-inbox.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const START = Date.parse('2026-11-24T10:20:00.000Z');
let now: number;
/** What the first stored email does to the clock. */
let afterFirstMail: number;
let folder: MemoryFolder;
let deps: ShardDeps;

beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  now = START;
  afterFirstMail = START;
  folder = new MemoryFolder();
  const seam: Seam = {
    now: () => now,
    call: async (point, effect) => {
      if (point === 'blob.putOnce') now = Math.max(now, afterFirstMail);
      return effect();
    },
  };
  const tables = new MemoryTables(seam);
  const mailboxes = createMailboxStore(tables);
  await mailboxes.save(mailboxOf({ kind: 'mark-seen' }));
  deps = {
    seam,
    tables,
    blobs: new MemoryBlobs(seam),
    ledger: createLedgerStore(tables),
    quarantine: createQuarantineStore({ tables }),
    parser: parserHere,
    ticketIdOf,
    accessTokens: { get: async () => ({ kind: 'token', token: new Secret('t') }) },
    openInbox: () => openMemoryInbox(folder, seam),
    saveCursor: mailboxes.saveCursor,
    mailboxes,
    activity: createActivityStore(tables),
  };
});

function deliver(count: number): void {
  for (let number = 1; number <= count; number++)
    folder.deliver(
      Buffer.from(
        `From: kim@customer.example\r\nSubject: ${number}\r\nMessage-ID: <${number}@customer.example>\r\n\r\nHello ${number}\r\n`,
      ),
      '2026-11-24T10:00:00.000Z',
    );
}
const run = (): ReturnType<typeof fetchShard> => fetchShard(deps, { shard: 0, mailboxIds: ['support'] });
const counted = async (): Promise<unknown> => mailHours(await deps.mailboxes.fetchState());

test('the emails of a run are counted in the hour of the run, and an idle run adds nothing', async () => {
  deliver(3);
  await run();
  expect(await counted()).toEqual([{ hour: '2026-11-24T10', emails: 3, quarantined: 0 }]);
  now += 3_600_000;
  await run();
  expect(await counted()).toEqual([{ hour: '2026-11-24T10', emails: 3, quarantined: 0 }]);
});

test('emails that do not fit into a run’s time are the backlog, until the next run', async () => {
  deliver(160);
  afterFirstMail = START + 5 * 60_000;
  await run();
  const backlog = async (): Promise<number | undefined> =>
    (await deps.mailboxes.health()).get('support')?.backlog;
  const left = await backlog();
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(160);
  expect(await counted()).toEqual([{ hour: '2026-11-24T10', emails: 160 - Number(left), quarantined: 0 }]);
  await run();
  expect(await backlog()).toBe(0);
  expect(await counted()).toEqual([{ hour: '2026-11-24T10', emails: 160, quarantined: 0 }]);
});

test('waiting email that was deleted on the server no longer counts, and an idle run then writes nothing', async () => {
  deliver(160);
  afterFirstMail = START + 5 * 60_000;
  await run();
  const cursor = async () => (await deps.mailboxes.fetchState()).cursors.get('support');
  expect((await cursor())?.backlog).toBeGreaterThan(0);
  folder.mails = folder.mails.filter(({ seen }) => seen);
  await run();
  const after = await cursor();
  expect(after).toMatchObject({ backlog: 0, waiting: [] });
  const save = vi.spyOn(deps, 'saveCursor');
  await run();
  expect(save).not.toHaveBeenCalled();
});
