import { beforeEach, expect, test, vi } from 'vitest';
import {
  createQuarantineStore,
  type NewEntry,
  type QuarantineStore,
} from '../../shared/intake/quarantine-store.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import type { RowRange } from '../../shared/platform/tables.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const entry = (minute: number, wish: Partial<NewEntry> = {}): NewEntry => ({
  kind: 'quarantined',
  reason: 'too odd',
  at: new Date(Date.UTC(2026, 10, 24, 10, minute)).toISOString(),
  from: 'kim@customer.example',
  subject: `mail ${minute}`,
  size: 100,
  rawBlob: `raw/box/1-${minute}.eml`,
  contentKey: `key${minute}`,
  place: `at|0000000001|${String(minute).padStart(10, '0')}`,
  ...wish,
});

let tables: MemoryTables;
let store: QuarantineStore;
beforeEach(() => {
  tables = new MemoryTables(openSeam);
  store = createQuarantineStore({ tables });
});

test('entries are listed newest first, page by page, each once', async () => {
  await store.put('box', [entry(1), entry(3), entry(2), entry(5), entry(4)]);
  const first = await store.page('box', { limit: 2 });
  const second = await store.page('box', { after: first.next, limit: 2 });
  const third = await store.page('box', { after: second.next, limit: 2 });
  const subjects = [first, second, third].map(({ entries }) => entries.map(({ subject }) => subject));
  expect(subjects).toEqual([['mail 5', 'mail 4'], ['mail 3', 'mail 2'], ['mail 1']]);
  expect(third.next).toBeUndefined();
});

test('a full last page has no next one', async () => {
  await store.put('box', [entry(1), entry(2)]);
  expect((await store.page('box', { limit: 2 })).next).toBeUndefined();
});

test('an entry is found by its key, only in its own mailbox', async () => {
  await store.put('box', [entry(1, { kind: 'skipped', from: undefined, rawBlob: undefined })]);
  const [shown] = (await store.page('box', { limit: 10 })).entries;
  const key = shown?.key ?? '';
  expect(await store.get('box', key)).toEqual({
    key,
    mailboxId: 'box',
    kind: 'skipped',
    reason: 'too odd',
    at: '2026-11-24T10:01:00.000Z',
    from: undefined,
    subject: 'mail 1',
    size: 100,
    rawBlob: undefined,
  });
  expect(await store.get('other', key)).toBeUndefined();
});

test('storing the same again changes nothing; two copies of an email are two entries', async () => {
  await store.put('box', [entry(1)]);
  await store.put('box', [entry(1)]);
  expect((await store.page('box', { limit: 10 })).entries).toHaveLength(1);
  await store.put('box', [entry(1, { place: 'at|0000000001|0000000009' })]);
  expect((await store.page('box', { limit: 10 })).entries).toHaveLength(2);
});

test('existing entries are distinguished from missing ones', async () => {
  const copy = entry(1, { place: 'at|0000000001|0000000009' });
  await store.put('box', [entry(1), entry(2)]);
  expect(await store.missing('box', [entry(1), copy, entry(2), entry(3)])).toEqual([copy, entry(3)]);
});

test('more entries than fit into a transaction are all stored', async () => {
  await store.put(
    'box',
    Array.from({ length: 250 }, (_, index) => entry(index)),
  );
  expect((await store.page('box', { limit: 500 })).entries).toHaveLength(250);
});

test('an endless sender, subject or reason is cut, so that the entry fits into a row', async () => {
  const long = 'x'.repeat(100_000);
  await store.put('box', [entry(1, { from: long, subject: long, reason: long })]);
  const [shown] = (await store.page('box', { limit: 1 })).entries;
  expect(shown?.subject?.length).toBeLessThanOrEqual(1000);
  expect(shown?.reason).not.toBe('');
});

test('entries of several mailboxes are listed together, newest first, page by page', async () => {
  await store.put('box', [entry(1), entry(4), entry(5), entry(7)]);
  await store.put('other', [entry(2), entry(3), entry(6)]);
  await store.put('third', [entry(9)]);
  const minutes = async (after?: string): Promise<{ shown: unknown[]; next: string | undefined }> => {
    const { entries, next } = await store.pageOfAll(['box', 'other'], { after, limit: 3 });
    return { shown: entries.map(({ mailboxId, subject }) => [mailboxId, subject]), next };
  };
  const first = await minutes();
  const second = await minutes(first.next);
  const third = await minutes(second.next);
  expect([first, second, third].map(({ shown }) => shown)).toEqual([
    [
      ['box', 'mail 7'],
      ['other', 'mail 6'],
      ['box', 'mail 5'],
    ],
    [
      ['box', 'mail 4'],
      ['other', 'mail 3'],
      ['other', 'mail 2'],
    ],
    [['box', 'mail 1']],
  ]);
  expect(third.next).toBeUndefined();
});

test('a page reads one row more than it shows, and no other', async () => {
  const asked: (RowRange | undefined)[] = [];
  const watched = createQuarantineStore({
    tables: {
      open: (name) => {
        const table = tables.open(name);
        return {
          ...table,
          list: (partitionKey, range) => {
            asked.push(range);
            return table.list(partitionKey, range);
          },
        };
      },
    },
  });
  await store.put('box', [entry(1), entry(2), entry(3)]);
  const { next } = await watched.page('box', { limit: 2 });
  await watched.page('box', { after: next, limit: 2 });
  expect(asked).toEqual([{ limit: 3 }, { after: next, limit: 3 }]);
});

test('an entry whose row cannot be read is left out of its page and reported, and is not found by its key', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  await store.put('box', [entry(1), entry(2), entry(3)]);
  const [, spoiled] = tables.dump('Quarantine');
  if (spoiled === undefined) throw new Error('nothing is in quarantine');
  const { partitionKey, rowKey } = spoiled;
  await tables.open('Quarantine').commit('box', [{ kind: 'put', row: { ...spoiled, size: '100' } }]);
  const { entries, next } = await store.pageOfAll(['box', 'other'], { limit: 2 });
  expect(entries.map(({ subject }) => subject)).toEqual(['mail 3']);
  expect((await store.page('box', { after: next, limit: 2 })).entries.map(({ subject }) => subject)).toEqual([
    'mail 1',
  ]);
  expect(unreadableRows(tables)).toEqual([{ table: 'Quarantine', partitionKey, rowKey }]);
  await expect(store.get('box', rowKey)).rejects.toMatchObject({ code: 'bad-row' });
  await store.put('box', [entry(2)]);
  expect((await store.get('box', rowKey))?.subject).toBe('mail 2');
});
