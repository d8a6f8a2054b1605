/** Typed rows: what Postroom writes it reads back, and a row that it did not write like this stops only itself. */
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openRecords } from '../../shared/platform/open-records.ts';
import {
  type ColumnGroup,
  converted,
  flag,
  group,
  json,
  objectOf,
  oneOf,
  optional,
  recordKind,
  shortText,
  text,
  time,
  whole,
} from '../../shared/platform/records.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import type { Row } from '../../shared/platform/tables.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

interface Letter {
  box: string;
  id: string;
  subject: string;
  pages: number;
  urgent: boolean;
  state: 'sent' | 'read';
  sentAt: string;
  readAt?: string | undefined;
  to: readonly string[];
  note: string;
  stamp: Stamp;
  sender: { name: string; title?: string | undefined };
}

/** Of which a row holds either the value or the name of who knows it. */
type Stamp = { cents: number } | { askAt: string };
const stamp: ColumnGroup<Stamp> = {
  readAll: ({ stampCents, stampAskAt }) =>
    stampCents === undefined ? { askAt: text.read(stampAskAt) } : { cents: whole.read(stampCents) },
  writeAll: (value) => ('cents' in value ? { stampCents: value.cents } : { stampAskAt: value.askAt }),
};

const kind = recordKind<Letter>()({
  table: 'Activity',
  version: 3,
  keysOf: ({ box, id }) => ({ partitionKey: box, rowKey: `l|${id}` }),
  fromKeys: ({ partitionKey, rowKey }) => ({ box: partitionKey, id: rowKey.slice(2) }),
  columns: {
    subject: text,
    pages: whole,
    urgent: flag,
    state: oneOf('sent', 'read'),
    sentAt: time,
    readAt: optional(time),
    to: json(z.array(z.string())),
    note: shortText(5),
    stamp,
    sender: json(objectOf<Letter['sender']>({ name: z.string(), title: z.string().optional() })),
  },
});

const letter: Letter = {
  box: 'b',
  id: '1',
  subject: 'Hello',
  pages: 2,
  urgent: false,
  state: 'sent',
  sentAt: '2026-11-24T10:00:00.000Z',
  readAt: undefined,
  to: ['pat@customer.example'],
  note: 'quick',
  stamp: { cents: 95 },
  sender: { name: 'Kim', title: undefined },
};

describe('a kind of row', () => {
  test('writes each field into its keys or its column, with the version of its schema', () => {
    expect(kind.toRow(letter)).toEqual({
      partitionKey: 'b',
      rowKey: 'l|1',
      v: 3,
      subject: 'Hello',
      pages: 2,
      urgent: false,
      state: 'sent',
      sentAt: '2026-11-24T10:00:00.000Z',
      readAt: undefined,
      to: '["pat@customer.example"]',
      note: 'quick',
      stampCents: 95,
      sender: '{"name":"Kim"}',
    });
  });

  test('reads back what it wrote', () => {
    expect(kind.fromRow(kind.toRow(letter))).toEqual(letter);
    const read = { ...letter, readAt: '2026-11-25T10:00:00.000Z', urgent: true, state: 'read' as const };
    expect(kind.fromRow(kind.toRow(read))).toEqual(read);
    const titled = { ...letter, stamp: { askAt: 'the office' }, sender: { name: 'Kim', title: 'Dr' } };
    expect(kind.fromRow(kind.toRow(titled))).toEqual(titled);
  });

  test('truncates short text with an ellipsis, so that no column exceeds its limit', () => {
    expect(kind.toRow({ ...letter, note: 'quickly' })['note']).toBe('quic…');
  });

  test.each<[string, Partial<Row>]>([
    ['v', { v: 2 }],
    ['v', { v: undefined }],
    ['subject', { subject: 7 }],
    ['subject', { subject: undefined }],
    ['pages', { pages: '2' }],
    ['urgent', { urgent: 'yes' }],
    ['state', { state: 'lost' }],
    ['sentAt', { sentAt: 'yesterday' }],
    ['sentAt', { sentAt: 7 }],
    ['readAt', { readAt: 'soon' }],
    ['to', { to: 'pat' }],
    ['to', { to: '[7]' }],
    ['to', { to: undefined }],
    ['note', { note: 7 }],
    ['stamp', { stampCents: 'many' }],
    ['stamp', { stampCents: undefined }],
    ['sender', { sender: '{"title":"Dr"}' }],
  ])('names the row and the column %s that hold something else: %j', (column, change) => {
    expect(() => kind.fromRow({ ...kind.toRow(letter), ...change })).toThrow(
      expect.objectContaining({
        code: 'bad-row',
        message: `Activity/b/l|1: the column ${column} does not contain what Postroom wrote there`,
      }),
    );
  });
});

test('a row with a key that Postroom did not write is refused', () => {
  const days = recordKind<{ day: string }>()({
    table: 'Activity',
    version: 1,
    keysOf: ({ day }) => ({ partitionKey: 'day', rowKey: day }),
    fromKeys: ({ rowKey }) => ({ day: time.read(rowKey) }),
    columns: {},
  });
  expect(days.fromRow(days.toRow({ day: '2026-11-24' }))).toEqual({ day: '2026-11-24' });
  expect(() => days.fromRow(days.toRow({ day: 'soon' }))).toThrow(
    'Activity/day/soon: the column RowKey does not contain what Postroom wrote there',
  );
});

test('an object has a column for each of its fields, named after both', () => {
  const sender = group<{ name: string; city?: string | undefined }>('sender', {
    name: text,
    city: optional(text),
  });
  const row = { partitionKey: 'b', rowKey: '1' };
  expect(sender.writeAll({ name: 'Pat' })).toEqual({ senderName: 'Pat', senderCity: undefined });
  expect(sender.readAll({ ...row, senderName: 'Pat' })).toEqual({ name: 'Pat', city: undefined });
  expect(sender.readAll({ ...row, senderName: 'Sam', senderCity: 'Bonn' })).toEqual({
    name: 'Sam',
    city: 'Bonn',
  });
  expect(() => sender.readAll({ ...row, senderName: 7 })).toThrow('not text');
});

test('a converted column stores another form of its field', () => {
  const words = converted(text, {
    read: (stored) => stored.split(' '),
    write: (value: readonly string[]) => value.join(' '),
  });
  expect(words.write(['a', 'b'])).toBe('a b');
  expect(words.read('a b')).toEqual(['a', 'b']);
  expect(() => words.read(7)).toThrow('not text');
});

describe('the rows of a kind', () => {
  let tables: MemoryTables;
  const letters = () => openRecords(tables, kind);
  beforeEach(() => {
    tables = new MemoryTables(openSeam);
  });

  test('are found by their keys', async () => {
    await letters().put(letter);
    expect((await letters().get('b', 'l|1'))?.record).toEqual(letter);
    expect(await letters().get('b', 'l|2')).toBeUndefined();
  });

  test('are inserted once', async () => {
    expect(await letters().insert(letter)).toBe(true);
    expect(await letters().insert({ ...letter, subject: 'Again' })).toBe(false);
    expect((await letters().get('b', 'l|1'))?.record.subject).toBe('Hello');
  });

  test('are replaced and removed only if unchanged since they were read', async () => {
    await letters().put(letter);
    const { etag = '' } = (await letters().get('b', 'l|1')) ?? {};
    expect(await letters().replace({ ...letter, pages: 3 }, etag)).toBe(true);
    expect(await letters().replace({ ...letter, pages: 4 }, etag)).toBe(false);
    expect(await letters().remove('b', 'l|1', etag)).toBe(false);
    expect((await letters().get('b', 'l|1'))?.record.pages).toBe(3);
    expect(await letters().remove('b', 'l|1')).toBe(true);
    expect(await letters().remove('b', 'l|1')).toBe(true);
    expect(await letters().get('b', 'l|1')).toBeUndefined();
  });

  test('are found if they can be read; one that cannot is reported until it can', async () => {
    expect(await letters().find('b', 'l|1')).toBeUndefined();
    await letters().put(letter);
    expect(await letters().find('b', 'l|1')).toEqual(letter);
    const spoiled = { ...kind.toRow(letter), to: '{' };
    await tables.open('Activity').commit('b', [{ kind: 'put', row: spoiled }]);
    expect(await letters().find('b', 'l|1')).toBeUndefined();
    await letters().find('b', 'l|2');
    expect(unreadableRows(tables).map(({ rowKey }) => rowKey)).toEqual(['l|1']);
    await letters().put(letter);
    await letters().find('b', 'l|1');
    expect(unreadableRows(tables)).toEqual([]);
  });

  test('are listed without one that cannot be read, which is reported', async () => {
    for (const id of ['1', '2', '3']) await letters().put({ ...letter, id });
    const spoiled = { ...kind.toRow({ ...letter, id: '2' }), to: '{' };
    await tables.open('Activity').commit('b', [{ kind: 'put', row: spoiled }]);
    expect((await letters().list('b')).map(({ id }) => id)).toEqual(['1', '3']);
    expect(unreadableRows(tables)).toEqual([{ table: 'Activity', partitionKey: 'b', rowKey: 'l|2' }]);
    await expect(letters().get('b', 'l|2')).rejects.toMatchObject({ code: 'bad-row' });
  });

  test('are listed by a prefix of their key, or by a range', async () => {
    for (const id of ['1', '2', '3']) await letters().put({ ...letter, id });
    await tables.open('Activity').commit('b', [{ kind: 'put', row: { partitionKey: 'b', rowKey: 'other' } }]);
    expect((await letters().list('b', { prefix: 'l|' })).map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect((await letters().list('b', { from: 'l|2', to: 'm' })).map(({ id }) => id)).toEqual(['2', '3']);
    expect(unreadableRows(tables)).toEqual([]);
  });

  test('of several partitions are merged on one page, and the next page continues after it', async () => {
    for (const [box, id] of [
      ['b', '1'],
      ['c', '2'],
      ['b', '3'],
      ['other', '4'],
    ] as const)
      await letters().put({ ...letter, box, id });
    const first = await letters().page(['b', 'c'], { limit: 2 });
    expect(first.records.map(({ id }) => id)).toEqual(['1', '2']);
    expect(first.next).toBe('l|2');
    const second = await letters().page(['b', 'c'], { after: first.next, limit: 2 });
    expect(second).toEqual({ records: [{ ...letter, id: '3' }], next: undefined });
  });

  test('omit one that cannot be read from its page, and report it until that page is read without it', async () => {
    for (const id of ['1', '2', '3', '4']) await letters().put({ ...letter, id });
    const spoiled = { ...kind.toRow({ ...letter, id: '2' }), to: '{' };
    await tables.open('Activity').commit('b', [{ kind: 'put', row: spoiled }]);
    const first = await letters().page(['b'], { limit: 2 });
    expect([first.records.map(({ id }) => id), first.next]).toEqual([['1'], 'l|2']);
    await letters().page(['b'], { after: first.next, limit: 2 });
    expect(unreadableRows(tables).map(({ rowKey }) => rowKey)).toEqual(['l|2']);
    await letters().put({ ...letter, id: '2' });
    await letters().page(['b'], { limit: 2 });
    expect(unreadableRows(tables)).toEqual([]);
  });
});
