/** A fetch that the mail server's announcement of new email causes. */
import { beforeEach, expect, test, vi } from 'vitest';
import { type FetchTask, runTask } from '../../shared/intake/fetch-again.ts';
import { fetchShard } from '../../shared/intake/fetch-shard.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { type Design, IntakeWorld } from '../harness/memory/intake-world.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { tinyMail } from '../harness/memory/tiny-mails.ts';

const MINUTE = 60_000;
let queues: MemoryQueues;
let world: IntakeWorld;
/** What a run does; each run is a process of its own. */
let design: Design;

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.spyOn(console, 'log').mockImplementation(() => {});
  queues = new MemoryQueues(openSeam);
  design = fetchShard;
  world = new IntakeWorld({ design: (...given) => design(...given) });
  await world.run();
  // From now on, the mailbox is looked at every fifteen minutes.
  const store = createMailboxStore(world.tables);
  await store.saveAnnounced(world.mailbox.id, new Date(world.now + 24 * 60 * MINUTE).toISOString());
});

const asTask =
  (task: FetchTask): Design =>
  async (deps) => {
    await runTask({ ...deps, queues }, world.mailbox.id, task);
    return new Map();
  };
const imported = (): number => world.folder.all.filter((mail) => mail.settled).length;
const first = tinyMail('first');

test('it finds the email that the ordinary run leaves for a quarter of an hour', async () => {
  world.deliver([first]);
  await world.run();
  expect(imported()).toBe(0);
  design = asTask({ kind: 'new-mail' });
  await world.run();
  expect(imported()).toBe(1);
  expect(queues.sent).toEqual([]);
  expect([...world.violations]).toEqual([]);
});

test('its success counts: the next look is a quarter of an hour later', async () => {
  world.now += 14 * MINUTE;
  design = asTask({ kind: 'new-mail' });
  await world.run();
  design = fetchShard;
  const { result } = await world.run();
  expect(result).toBeUndefined();
});

test('it is repeated if another run is at work, which may have listed the folder too early', async () => {
  const other = await world.blobs.lease(`lease/${world.mailbox.id}`, 600);
  world.deliver([first]);
  design = asTask({ kind: 'new-mail' });
  await world.run();
  expect(imported()).toBe(0);
  expect(queues.sent).toEqual([
    {
      name: 'fetch-shard',
      value: { shard: 0, mailboxIds: [world.mailbox.id], task: { kind: 'new-mail', tries: 1 } },
      delaySeconds: 5,
    },
  ]);
  await other?.release();
  design = asTask({ kind: 'new-mail', tries: 1 });
  await world.run();
  expect(imported()).toBe(1);
  expect([...world.violations]).toEqual([]);
});

test('it is repeated for some minutes at most', async () => {
  await world.blobs.lease(`lease/${world.mailbox.id}`, 600);
  world.deliver([first]);
  design = asTask({ kind: 'new-mail', tries: 20 });
  await world.run();
  expect(queues.sent).toEqual([]);
});

test('a paused mailbox and a deleted one are left alone', async () => {
  world.deliver([first]);
  world.mailbox = { ...world.mailbox, enabled: false };
  design = asTask({ kind: 'new-mail' });
  await world.run();
  await createMailboxStore(world.tables).remove(world.mailbox.id);
  expect((await world.run()).error).toBeUndefined();
  expect(imported()).toBe(0);
});
