/** Which email of a newly connected folder is fetched, and what happens to it on the server. */
import { describe, expect, it } from 'vitest';
import { fetchShard } from '../../shared/intake/fetch-shard.ts';
import { countFirstFetch } from '../../shared/mailboxes/count-first-fetch.ts';
import type { Cursor } from '../../shared/mailboxes/cursor.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { verifyMailbox } from '../../shared/mailboxes/verify-mailbox.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { IntakeWorld } from '../harness/memory/intake-world.ts';
import { openMemoryInbox } from '../harness/memory/memory-inbox.ts';

const DAY_MS = 86_400_000;

class Office {
  /** Every cursor that a fetch saved. */
  readonly cursors: Cursor[] = [];
  readonly world: IntakeWorld;
  #count = 0;

  constructor(settings: Partial<Mailbox> = {}) {
    this.world = new IntakeWorld({
      design: (deps, shard) =>
        fetchShard(
          {
            ...deps,
            saveCursor: async (id, cursor) => {
              this.cursors.push(cursor);
              await deps.saveCursor(id, cursor);
            },
          },
          shard,
        ),
    });
    this.world.mailbox = { ...this.world.mailbox, ...settings };
  }

  /** @param at ISO time, or days before now */
  deliver(count: number, at: string | number, { seen = false, headers = [] as string[] } = {}): void {
    const receivedAt = typeof at === 'string' ? at : new Date(this.world.now - at * DAY_MS).toISOString();
    for (let each = 0; each < count; each += 1) {
      this.#count += 1;
      const raw = `From: kim@customer.example\r\nSubject: ${this.#count}\r\nMessage-ID: <${this.#count}@c>\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\nHi ${this.#count}\r\n`;
      this.world.folder.deliver(Buffer.from(raw), receivedAt).seen = seen;
    }
  }

  get #connect() {
    return {
      accessTokens: { get: async () => ({ kind: 'token', token: new Secret('token') }) as const },
      openInbox: () => openMemoryInbox(this.world.folder, openSeam),
      mailboxes: createMailboxStore(this.world.tables),
      seam: { now: () => this.world.now },
    };
  }

  connect() {
    return verifyMailbox(this.#connect, this.world.mailbox);
  }

  count() {
    return countFirstFetch(this.#connect, this.world.mailbox);
  }

  async run() {
    const { result, error } = await this.world.run();
    expect(error).toBeUndefined();
    return result;
  }

  async subjects(): Promise<number[]> {
    const { tickets } = await this.world.tickets.page('open', { limit: 1000 });
    return tickets.map(({ subject }) => Number(subject)).sort((a, b) => a - b);
  }
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('the first fetch', () => {
  it('imports only unread email, and counts it before', async () => {
    const office = new Office();
    office.deliver(3, '2026-09-01T10:00:00.000Z');
    office.deliver(2, '2026-11-01T10:00:00.000Z', { seen: true });
    expect(await office.count()).toEqual({ kind: 'counted', unread: 3, since: undefined });
    expect(await office.connect()).toEqual({ kind: 'opened', unread: 3, total: 5, first: 3 });
    expect(await office.run()).toMatchObject({ opened: 3, more: false });
    expect(await office.subjects()).toEqual([1, 2, 3]);
    expect(office.cursors.at(-1)?.first).toBeUndefined();
  });

  it('imports all email since a day, read or unread, and never older email', async () => {
    const office = new Office({ fetchSince: '2026-10-01' });
    office.deliver(2, '2026-09-30T23:59:59.000Z');
    office.deliver(1, '2026-10-01T00:00:00.000Z', { seen: true });
    office.deliver(1, '2026-10-02T00:00:00.000Z');
    expect(await office.count()).toEqual({ kind: 'counted', unread: 3, since: 2 });
    expect(await office.connect()).toMatchObject({ unread: 3, first: 2 });
    await office.run();
    await office.run();
    office.deliver(1, 0);
    await office.run();
    expect(await office.run()).toEqual({ kind: 'nothing-new' });
    expect(await office.subjects()).toEqual([3, 4, 5]);
  });

  it('of a mailbox that never opened does the same', async () => {
    const office = new Office({ fetchSince: '2026-10-01' });
    office.deliver(1, '2026-09-30T10:00:00.000Z');
    office.deliver(1, '2026-10-02T00:00:00.000Z', { seen: true });
    await office.run();
    await office.run();
    expect(await office.subjects()).toEqual([2]);
  });

  it('continues in steps within one run, and saves its progress', async () => {
    const office = new Office({ fetchSince: '2026-10-01' });
    office.deliver(520, '2026-10-02T00:00:00.000Z', { seen: true });
    await office.connect();
    office.deliver(2, 0);
    expect(await office.run()).toMatchObject({ opened: 522, more: false });
    expect(office.cursors.map(({ first }) => first?.done)).toEqual([250, 500, undefined]);
    expect(await office.subjects()).toEqual(range(1, 522));
    expect(await office.run()).toEqual({ kind: 'nothing-new' });
  });

  it('loses nothing and duplicates nothing, at whatever call its process crashes', async () => {
    type Kind = 'crashBefore' | 'crashAfter';
    const begun = async (faultAt: (call: number) => Kind | undefined): Promise<[Office, number]> => {
      const office = new Office({ fetchSince: '2026-10-01', afterFetch: { kind: 'leave' } });
      office.deliver(3, '2026-10-02T00:00:00.000Z', { seen: true });
      await office.connect();
      const { seam } = await office.world.run({ faultAt });
      return [office, seam.calls.length];
    };
    const [, calls] = await begun(() => undefined);
    expect(calls).toBeGreaterThan(15);
    for (const kind of ['crashBefore', 'crashAfter'] as const)
      for (let at = 1; at <= calls; at += 1) {
        const [office] = await begun((call) => (call === at ? kind : undefined));
        for (let run = 0; run < 3; run += 1) await office.run();
        expect([kind, at, await office.subjects()]).toEqual([kind, at, [1, 2, 3]]);
        expect(office.cursors.at(-1)?.first).toBeUndefined();
      }
  });

  it('starts again if the server renumbers its messages meanwhile, and duplicates nothing', async () => {
    const office = new Office({ fetchSince: '2026-10-01', afterFetch: { kind: 'leave' } });
    office.deliver(300, '2026-10-02T00:00:00.000Z', { seen: true });
    await office.connect();
    let searches = 0;
    const secondPiece = (point: string): boolean => {
      if (point === 'imap.search') searches += 1;
      return point === 'imap.search' && searches > 3;
    };
    await office.world.run({ faultAt: (_, point) => (secondPiece(point) ? 'failBefore' : undefined) });
    expect(office.cursors.at(-1)?.first?.done).toBe(250);
    office.world.folder.renumber();
    for (let run = 0; run < 3; run += 1) await office.run();
    expect(await office.subjects()).toEqual(range(1, 300));
    expect(office.cursors.at(-1)?.first).toBeUndefined();
  });

  it('can be reconfigured until it has begun, and not afterwards', async () => {
    const office = new Office();
    office.deliver(2, '2026-09-01T10:00:00.000Z');
    expect(await office.connect()).toMatchObject({ first: 2 });
    office.world.mailbox = { ...office.world.mailbox, fetchSince: '2026-10-01' };
    expect(await office.connect()).toMatchObject({ first: 0 });
    office.deliver(1, 0);
    await office.run();
    expect(await office.connect()).toEqual({ kind: 'opened', unread: 2, total: 3 });
    expect(await office.subjects()).toEqual([3]);
  });
});

describe('stored email on the server', () => {
  it('is left unchanged if the mailbox is set so, and fetched once', async () => {
    const office = new Office({ afterFetch: { kind: 'leave' } });
    office.deliver(2, 1);
    await office.connect();
    await office.run();
    expect(office.world.folder.mails.map(({ seen }) => seen)).toEqual([false, false]);
    expect(await office.run()).toEqual({ kind: 'nothing-new' });
    office.deliver(1, 0);
    expect(await office.run()).toMatchObject({ opened: 1, skipped: 0 });
    expect(await office.run()).toEqual({ kind: 'nothing-new' });
    expect(await office.subjects()).toEqual([1, 2, 3]);
  });

  it('is deleted after its days, once a day, and nothing that is not a ticket', async () => {
    const office = new Office({ afterFetch: { kind: 'delete-later', days: 7 }, classes: { list: 'skip' } });
    office.deliver(1, 30, { seen: true });
    await office.connect();
    office.deliver(2, 0);
    office.deliver(1, 0, { headers: ['List-Id: <a.b>'] });
    await office.run();
    expect(office.world.folder.mails).toHaveLength(4);
    expect(office.world.folder.mails.every(({ seen }) => seen)).toBe(true);
    office.world.now += 6 * DAY_MS;
    office.deliver(1, 0);
    await office.run();
    expect(office.world.folder.removed).toHaveLength(0);
    office.world.now += 2 * DAY_MS;
    await office.run();
    expect(office.world.folder.removed.map(({ uid }) => uid)).toEqual([2, 3]);
    expect(office.world.folder.mails.map(({ uid }) => uid)).toEqual([1, 4, 5]);
    expect(await office.subjects()).toEqual([2, 3, 5]);
    const saved = office.cursors.length;
    await office.run();
    expect(office.cursors).toHaveLength(saved);
  });

  it('that the server does not delete stops no import, and is deleted the next day', async () => {
    const office = new Office({ afterFetch: { kind: 'delete-later', days: 7 } });
    office.deliver(1, 0);
    await office.run();
    office.world.now += 8 * DAY_MS;
    office.deliver(1, 0);
    const { result } = await office.world.run({
      faultAt: (_, point) => (point === 'imap.delete' ? 'failBefore' : undefined),
    });
    expect(result).toMatchObject({ kind: 'fetched', opened: 1 });
    await office.run();
    expect(office.world.folder.removed).toEqual([]);
    office.world.now += DAY_MS;
    await office.run();
    expect(office.world.folder.removed.map(({ uid }) => uid)).toEqual([1]);
  });

  it('that was skipped on purpose is not deleted with the rest', async () => {
    const office = new Office({ afterFetch: { kind: 'delete' }, classes: { list: 'skip' } });
    office.deliver(1, 0, { headers: ['List-Id: <a.b>'] });
    office.deliver(1, 0);
    await office.run();
    expect(office.world.folder.mails.map(({ uid, seen }) => [uid, seen])).toEqual([[1, true]]);
    expect(office.world.folder.removed.map(({ uid }) => uid)).toEqual([2]);
    expect(await office.run()).toEqual({ kind: 'nothing-new' });
  });
});
