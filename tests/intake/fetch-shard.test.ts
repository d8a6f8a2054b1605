import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createActivityStore } from '../../shared/activity/activity-store.ts';
import { ticketIdOf } from '../../shared/intake/content-key.ts';
import { fetchShard, type ShardDeps } from '../../shared/intake/fetch-shard.ts';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import { InboxError } from '../../shared/mailboxes/inbox.ts';
import { createMailboxStore, mailHours } from '../../shared/mailboxes/mailbox-store.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import type { Seam, SeamPoint } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { mailboxOf, parserHere } from '../harness/memory/intake-world.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryFolder, openMemoryInbox } from '../harness/memory/memory-inbox.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const START = Date.parse('2026-11-24T10:20:00.000Z');
const SECOND = 1000;
const MINUTE = 60 * SECOND;

beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  vi.useFakeTimers({
    toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
    now: START,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What a mail server waits for at a call; undefined: it responds at once. */
type Mood = (point: SeamPoint) => Promise<void> | undefined;
const never = (): Promise<never> => new Promise(() => {});
const hangsAt =
  (bad: SeamPoint): Mood =>
  (point) =>
    point === bad ? never() : undefined;

const anotherMail = (id: string): Buffer =>
  Buffer.from(
    `From: kim@customer.example\r\nSubject: more\r\nMessage-ID: <${id}-more@customer.example>\r\n\r\nMore\r\n`,
  );

/** One shard of several mailboxes, each on a server with its own behavior. */
class ShardWorld {
  readonly folders = new Map<string, MemoryFolder>();
  readonly moods = new Map<string, Mood>();
  readonly deps: ShardDeps;
  readonly tables: MemoryTables;
  /** Runs before each call to storage. */
  beforeStorage: (point: SeamPoint) => void = () => {};

  constructor() {
    const seam: Seam = {
      now: () => Date.now(),
      call: (point, effect) => {
        this.beforeStorage(point);
        return effect();
      },
    };
    this.tables = new MemoryTables(seam);
    const { tables } = this;
    const mailboxes = createMailboxStore(tables);
    this.deps = {
      seam,
      tables,
      blobs: new MemoryBlobs(seam),
      ledger: createLedgerStore(tables),
      quarantine: createQuarantineStore({ tables }),
      parser: parserHere,
      ticketIdOf,
      accessTokens: { get: async () => ({ kind: 'token', token: new Secret('t') }) },
      openInbox: async ({ user }) => {
        const id = user.split('@')[0] ?? '';
        const folder = this.folders.get(id) ?? new MemoryFolder();
        return openMemoryInbox(folder, {
          ...seam,
          call: (point, effect) => this.moods.get(id)?.(point)?.then(effect) ?? effect(),
        });
      },
      saveCursor: mailboxes.saveCursor,
      mailboxes,
      activity: createActivityStore(tables),
    };
  }

  async connect(id: string, mails: number, mood?: Mood): Promise<void> {
    const folder = new MemoryFolder();
    for (let number = 1; number <= mails; number += 1)
      folder.deliver(
        Buffer.from(
          `From: kim@customer.example\r\nSubject: ${id} ${number}\r\nMessage-ID: <${id}-${number}@customer.example>\r\n\r\nHello\r\n`,
        ),
        new Date(START - MINUTE).toISOString(),
      );
    this.folders.set(id, folder);
    if (mood !== undefined) this.moods.set(id, mood);
    await this.deps.mailboxes.save({
      ...mailboxOf({ kind: 'mark-seen' }),
      id,
      address: `${id}@contoso.example`,
    });
  }

  run(): ReturnType<typeof fetchShard> {
    return fetchShard(this.deps, { shard: 0, mailboxIds: [...this.folders.keys()] });
  }

  /** IDs of mailboxes whose success is saved. */
  async worked(): Promise<string[]> {
    return [...(await this.deps.mailboxes.fetchState()).successes.keys()].sort();
  }

  messages(): number {
    return this.tables.dump('Tickets').filter(({ rowKey }) => rowKey.startsWith('m|')).length;
  }
}

describe('a shard with good and bad mailboxes', () => {
  test('saves the results of the good ones while a bad one still hangs, and ends in time', async () => {
    const world = new ShardWorld();
    await world.connect('throws', 1, () => {
      throw new Error('odd');
    });
    await world.connect('silent', 1, hangsAt('imap.search'));
    await world.connect('unreachable', 1, hangsAt('imap.connect'));
    await world.connect('dripping', 2, hangsAt('imap.sources'));
    await world.connect('good', 3);
    const run = world.run();
    await vi.waitFor(() => expect(world.messages()).toBe(3), { timeout: 60_000 });
    await vi.advanceTimersByTimeAsync(31 * SECOND);
    expect(await world.worked()).toEqual(['good']);

    await vi.advanceTimersByTimeAsync(4 * MINUTE + 45 * SECOND);
    const results = await run;
    expect(results.get('good')).toMatchObject({ kind: 'fetched', opened: 3 });
    const code = (id: string): unknown => {
      const result = results.get(id);
      return result?.kind === 'failed' ? result.failure.code : result;
    };
    expect(['throws', 'silent', 'unreachable', 'dripping'].map(code)).toEqual([
      'unexpected',
      'fetch-too-slow',
      'fetch-too-slow',
      'fetch-too-slow',
    ]);
    const { failing } = await world.deps.mailboxes.fetchState();
    expect(failing.get('silent')).toMatchObject({ state: 'retrying', code: 'fetch-too-slow' });
    expect(await world.worked()).toEqual(['good']);
    const activities = world.tables.dump('Activity');
    expect(activities, 'each is noted once').toHaveLength(5);
  });

  test('overwrites nothing that another run saved meanwhile', async () => {
    const world = new ShardWorld();
    await world.connect('silent', 1, hangsAt('imap.search'));
    const { promise, resolve } = Promise.withResolvers<void>();
    await world.connect('late', 1, (point) => (point === 'imap.search' ? promise : undefined));
    await world.connect('good', 2);
    const slow = world.run();
    await vi.waitFor(() => expect(world.messages()).toBe(2), { timeout: 60_000 });
    await vi.advanceTimersByTimeAsync(31 * SECOND);
    world.folders.get('good')?.deliver(anotherMail('good'), new Date().toISOString());
    const { mailboxes } = world.deps;
    await fetchShard(world.deps, { shard: 0, mailboxIds: ['good'] });
    const before = (await mailboxes.fetchState()).successes.get('good');
    resolve();
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    await slow;
    const { successes, hours } = await mailboxes.fetchState();
    expect([...successes.keys()].sort()).toEqual(['good', 'late']);
    expect(successes.get('good')).toBe(before);
    expect(mailHours({ hours }).reduce((sum, { emails }) => sum + emails, 0)).toBe(4);
  });

  test('releases a mailbox that was interrupted, and the next run imports all its email once', async () => {
    const world = new ShardWorld();
    await world.connect('dripping', 120, hangsAt('imap.sources'));
    let batches = 0;
    world.moods.set('dripping', (point) => {
      if (point === 'imap.sources') batches += 1;
      return batches > 1 && point === 'imap.sources' ? never() : undefined;
    });
    const run = world.run();
    await vi.waitFor(() => expect(world.messages()).toBeGreaterThan(0), { timeout: 60_000 });
    await vi.advanceTimersByTimeAsync(5 * MINUTE + SECOND);
    expect((await run).get('dripping')).toMatchObject({
      kind: 'failed',
      failure: { code: 'fetch-too-slow' },
    });
    world.moods.clear();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect((await world.run()).get('dripping'), 'its lease is free').toMatchObject({ kind: 'fetched' });
    expect(world.messages()).toBe(120);
    expect(world.tables.dump('Quarantine')).toEqual([]);
    expect(world.folders.get('dripping')?.mails.every(({ seen }) => seen)).toBe(true);
  });
});

describe('a shard of a hundred mailboxes', () => {
  test('looks at all of them at once, and imports from eight', async () => {
    const world = new ShardWorld();
    const ids = Array.from({ length: 100 }, (_, index) => `box-${String(index).padStart(2, '0')}`);
    const open = { now: 0, most: 0, importing: new Set<string>(), mostImporting: 0 };
    const second = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SECOND));
    for (const [index, id] of ids.entries()) {
      await world.connect(id, index < 12 ? 1 : 0, async (point) => {
        if (point === 'imap.status' && !open.importing.has(id)) {
          open.now += 1;
          open.most = Math.max(open.most, open.now);
          await second();
          open.now -= 1;
        }
        if (point !== 'imap.sources') return;
        open.importing.add(id);
        open.mostImporting = Math.max(open.mostImporting, open.importing.size);
        await second();
        open.importing.delete(id);
      });
      const mailbox = await world.deps.mailboxes.get(id);
      if (mailbox !== undefined)
        await world.deps.mailboxes.save({ ...mailbox, host: 'outlook.office365.com' });
    }
    const run = world.run();
    let isOver = false;
    void run.finally(() => {
      isOver = true;
    });
    for (; !isOver; await new Promise(setImmediate)) await vi.advanceTimersByTimeAsync(SECOND / 2);
    const results = [...(await run).values()];
    expect(open.most).toBe(100);
    expect(open.mostImporting).toBe(8);
    expect(results.filter((result) => result?.kind === 'fetched')).toHaveLength(12);
    expect(results.filter((result) => result?.kind === 'nothing-new')).toHaveLength(88);
    expect(await world.worked()).toEqual(ids);
  });
});

describe('a shard whose time is over', () => {
  test('in the middle of a backlog reports that there is more, and the next run fetches it without copies', async () => {
    const world = new ShardWorld();
    await world.connect('busy', 160);
    world.beforeStorage = (point) => {
      if (point === 'blob.putOnce') vi.setSystemTime(START + 4 * MINUTE);
    };
    expect((await world.run()).get('busy')).toMatchObject({ kind: 'fetched', more: true });
    expect(world.messages()).toBeGreaterThan(0);
    expect(world.messages()).toBeLessThan(160);
    expect((await world.run()).get('busy')).toMatchObject({ kind: 'fetched', more: false });
    expect(world.messages()).toBe(160);
    expect(world.tables.dump('Quarantine')).toEqual([]);
    expect((await world.run()).get('busy')).toEqual({ kind: 'nothing-new' });
  });

  test('begins the next run with the mailboxes that were not reached', async () => {
    const world = new ShardWorld();
    const ids = 'abcdefghijkl'.split('').map((letter) => `box-${letter}`);
    for (const id of ids) await world.connect(id, 1);
    world.beforeStorage = (point) => {
      if (point === 'blob.putOnce') vi.setSystemTime(Date.now() + 4 * MINUTE);
    };
    const first = await world.run();
    expect([...first.keys()]).toHaveLength(8);
    for (const id of first.keys()) world.folders.get(id)?.deliver(anotherMail(id), new Date().toISOString());
    const second = await world.run();
    expect([...second.keys()]).toHaveLength(8);
    expect(ids.filter((id) => !first.has(id) && !second.has(id))).toEqual([]);
    expect(await world.worked()).toEqual(ids);
  });
});

describe('a queue message that is late or duplicated', () => {
  const fails: Mood = () => {
    throw new InboxError('unavailable', 'the server is away');
  };
  const connectFailureFrom = async (world: ShardWorld, id: string) =>
    (await world.deps.mailboxes.fetchState()).failing.get(id);

  test('does not count as another failure: whether the mailbox is due is checked again', async () => {
    const world = new ShardWorld();
    await world.connect('away', 1, fails);
    await world.run();
    const first = await connectFailureFrom(world, 'away');
    for (let stale = 0; stale < 5; stale += 1) expect((await world.run()).size).toBe(0);
    expect(await connectFailureFrom(world, 'away')).toEqual(first);
  });

  test('fetches nothing twice within the configured minutes', async () => {
    const world = new ShardWorld();
    await world.connect('rare', 1);
    const mailbox = await world.deps.mailboxes.get('rare');
    if (mailbox === undefined) throw new Error('no mailbox');
    await world.deps.mailboxes.save({ ...mailbox, intervalMinutes: 30 });
    expect([...(await world.run()).keys()]).toEqual(['rare']);
    expect((await world.run()).size).toBe(0);
  });

  test('waits after failures for one minute, then two, four, and never more than thirty', async () => {
    const world = new ShardWorld();
    await world.connect('away', 1, fails);
    const waits: number[] = [];
    for (let failure = 0; failure < 7; failure += 1) {
      await world.run();
      const failure = await connectFailureFrom(world, 'away');
      const wait = Date.parse(failure?.nextTryAt ?? '') - Date.now();
      waits.push(Math.round(wait / MINUTE));
      vi.setSystemTime(Date.now() + wait);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30]);
  });

  test('fetches no mailbox that was paused meanwhile', async () => {
    const world = new ShardWorld();
    await world.connect('off', 1);
    const mailbox = await world.deps.mailboxes.get('off');
    if (mailbox === undefined) throw new Error('no mailbox');
    await world.deps.mailboxes.save({ ...mailbox, enabled: false });
    expect((await world.run()).size).toBe(0);
    expect(world.messages()).toBe(0);
  });
});

test('continues with the others if the failure of a mailbox cannot even be recorded', async () => {
  const world = new ShardWorld();
  await world.connect('bad', 1, () => {
    throw new InboxError('unavailable', 'the server is away');
  });
  for (const id of ['good-1', 'good-2']) await world.connect(id, 1);
  const { mailboxes } = world.deps;
  world.deps.mailboxes = {
    ...mailboxes,
    setFailure: () => Promise.reject(new PostroomError('table-storage', 'no answer')),
  };
  const results = await world.run();
  expect(results.get('bad')).toBeUndefined();
  expect(results.get('good-1')).toMatchObject({ kind: 'fetched' });
  expect(await world.worked()).toEqual(['good-1', 'good-2']);
});

describe('a clock that is set during the fetch of a shard', () => {
  const HOUR = 60 * MINUTE;
  test.each([HOUR, 24 * HOUR])('%i ms forward and back leaves no mailbox unfetched', async (jump) => {
    const world = new ShardWorld();
    await world.connect('five', 1);
    const mailbox = await world.deps.mailboxes.get('five');
    if (mailbox === undefined) throw new Error('no mailbox');
    await world.deps.mailboxes.save({ ...mailbox, intervalMinutes: 5 });
    vi.setSystemTime(START + jump);
    await world.run();
    vi.setSystemTime(START + MINUTE);
    world.folders.get('five')?.deliver(anotherMail('five'), new Date().toISOString());
    expect((await world.run()).get('five')).toMatchObject({ kind: 'fetched', opened: 1 });
    const state = await world.deps.mailboxes.fetchState();
    expect(state.successes.get('five'), 'the time of the set clock is gone').toBe(
      new Date(START + MINUTE).toISOString(),
    );
    expect((await world.run()).size, 'and the interval counts again').toBe(0);
  });

  test('back by a day in the middle of a run does not make the run longer than the host allows', async () => {
    const world = new ShardWorld();
    const { promise, resolve } = Promise.withResolvers<void>();
    for (let number = 1; number <= 8; number += 1)
      await world.connect(`first-${number}`, 1, (point) => (point === 'imap.search' ? promise : undefined));
    await world.connect('silent', 1, hangsAt('imap.search'));
    const run = world.run();
    await vi.advanceTimersByTimeAsync(SECOND);
    vi.setSystemTime(START - 24 * HOUR);
    resolve();
    await vi.waitFor(() => expect(world.messages()).toBe(8), { timeout: 60_000 });
    await vi.advanceTimersByTimeAsync(5 * MINUTE + 15 * SECOND);
    expect((await run).get('silent')).toMatchObject({ kind: 'failed', failure: { code: 'fetch-too-slow' } });
  });
});
