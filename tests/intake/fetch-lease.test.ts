import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ticketIdOf } from '../../shared/intake/content-key.ts';
import { type FetchDeps, type FetchResult, fetchMailbox } from '../../shared/intake/fetch-mailbox.ts';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { mailboxOf, parserHere } from '../harness/memory/intake-world.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryFolder, openMemoryInbox } from '../harness/memory/memory-inbox.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { tinyMail } from '../harness/memory/tiny-mails.ts';

const SECOND = 1000;
const mailbox = mailboxOf({ kind: 'mark-seen' });

let folder: MemoryFolder;
let blobs: MemoryBlobs;
let tables: MemoryTables;
/** The download of the second batch, of this many seconds. */
let slowSeconds: number;
let downloads: number;

beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
  folder = new MemoryFolder();
  for (let number = 1; number <= 150; number += 1)
    folder.deliver(tinyMail(`mail ${number}`).raw, new Date().toISOString());
  blobs = new MemoryBlobs({ ...openSeam, now: () => Date.now() });
  tables = new MemoryTables(openSeam);
  slowSeconds = 0;
  downloads = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

const seam: Seam = {
  now: () => Date.now(),
  async call(point, effect) {
    if (point === 'imap.sources') downloads += 1;
    if (point === 'imap.sources' && downloads === 2)
      await new Promise((resolve) => setTimeout(resolve, slowSeconds * SECOND));
    return effect();
  },
};

function fetchOnce(changed: Partial<FetchDeps> = {}): Promise<FetchResult> {
  const deps: FetchDeps = {
    seam,
    tables,
    blobs,
    ledger: createLedgerStore(tables),
    quarantine: createQuarantineStore({ tables }),
    parser: parserHere,
    ticketIdOf,
    accessTokens: { get: async () => ({ kind: 'token', token: new Secret('t') }) },
    openInbox: () => openMemoryInbox(folder, seam),
    saveCursor: createMailboxStore(tables).saveCursor,
    ...changed,
  };
  return fetchMailbox(deps, mailbox, undefined, { deadline: Date.now() + 240 * SECOND });
}

const stored = (): number => tables.dump('Tickets').filter(({ rowKey }) => rowKey.startsWith('m|')).length;

test('a mailbox that another run has is skipped', async () => {
  await blobs.lease(`lease/${mailbox.id}`, 60);
  expect(await fetchOnce()).toEqual({ kind: 'busy' });
  expect(stored()).toBe(0);
  expect(downloads).toBe(0);
});

test('a run keeps its lease however long it takes, and releases it at its end', async () => {
  slowSeconds = 130;
  const running = fetchOnce();
  for (let second = 0; second < 125; second += 5) {
    await vi.advanceTimersByTimeAsync(5 * SECOND);
    expect(await blobs.lease(`lease/${mailbox.id}`, 15), `after ${second} s`).toBeUndefined();
  }
  await vi.advanceTimersByTimeAsync(20 * SECOND);
  expect(await running).toMatchObject({ kind: 'fetched', opened: 150, more: false });
  expect(await blobs.lease(`lease/${mailbox.id}`, 15)).toBeDefined();
});

test('a run that lost its lease starts no other batch, and reports that there is more', async () => {
  slowSeconds = 25;
  const lost: MemoryBlobs = Object.assign(Object.create(blobs) as MemoryBlobs, {
    putOnce: blobs.putOnce.bind(blobs),
    read: blobs.read.bind(blobs),
    stream: blobs.stream.bind(blobs),
    lease: async () => ({ renew: async () => false, release: async () => {} }),
  });
  const running = fetchOnce({ blobs: lost });
  await vi.advanceTimersByTimeAsync(30 * SECOND);
  expect(await running).toMatchObject({ kind: 'fetched', opened: 100, more: true });
  expect(downloads).toBe(2);
});
