import { expect, test } from 'vitest';
import { nextCursor, type Progress } from '../../shared/intake/next-cursor.ts';
import type { Cursor } from '../../shared/mailboxes/cursor.ts';

const start: Cursor = {
  uidValidity: '1',
  folderKey: 'f',
  uid: 10,
  left: [],
  waiting: [3],
  lastMailAt: undefined,
};
const after = (progress: Partial<Progress>): Cursor =>
  nextCursor(start, {
    read: [],
    remaining: [],
    waiting: new Set(),
    unfetched: [],
    left: [],
    told: [],
    ...progress,
  });
const told = (uid: number) => ({
  uid,
  size: 1,
  receivedAt: '2026-11-24T10:00:00.000Z',
  messageId: `<${uid}>`,
});
const upTo = (count: number, from = 1): number[] => Array.from({ length: count }, (_, index) => from + index);
const missed = (uid: number) => ({
  uid,
  fingerprint: 'f',
  attempts: 1,
  since: '2026-11-24T10:00:00.000Z',
  failed: 'download' as const,
});

test('stands at the highest that was read, and never goes back', () => {
  expect(after({ read: [12, 15, 11] }).uid).toBe(15);
  expect(after({ read: [4] }).uid).toBe(10);
});

test('what was not come to waits where it stands below, and is found again where it stands above', () => {
  const next = after({ read: [15], remaining: [2, 12, 16, 17] });
  expect(next).toMatchObject({ uid: 15, waiting: [2, 12], backlog: 4 });
});

test('what waited and was come to waits no longer', () => {
  expect(after({ read: [15] })).toMatchObject({ waiting: [], backlog: 0 });
});

test('more than its row has room for stays above it', () => {
  const next = after({ read: [3000], waiting: new Set(upTo(1500, 100)) });
  expect(next.waiting).toHaveLength(1000);
  expect(next.uid).toBe(1099);
  expect(next.backlog).toBe(1500);
});

test('more that the server did not hand out than there is room for waits instead', () => {
  const next = after({ unfetched: upTo(260, 20).map(missed) });
  expect(next.unfetched).toHaveLength(250);
  expect(next.waiting).toEqual(upTo(10, 270));
  expect(next).toMatchObject({ uid: 279, backlog: 260 });
});

test('what was not come to waits also where it is the highest that was read', () => {
  expect(after({ read: [15], remaining: [15, 16] })).toMatchObject({ uid: 15, waiting: [15], backlog: 2 });
});

test('what waits is in the order of the UIDs', () => {
  const next = after({ read: [300], remaining: [9, 100], waiting: new Set([200, 20]) });
  expect(next.waiting).toEqual([9, 20, 100, 200]);
});

test('what waits below the cursor counts once, and what stands above it counts too', () => {
  expect(after({ read: [15], remaining: [12, 13, 20] }).backlog).toBe(3);
  expect(after({ read: [15], remaining: [20] }).backlog).toBe(1);
});

test('keeps the latest of the messages that are left alone, as many as its row has room for', () => {
  const left = (count: number) => upTo(count).map((uid) => ({ uid, fingerprint: 'f' }));
  expect(after({ left: left(3) }).left).toEqual(left(3));
  expect(after({ left: left(1001) }).left).toEqual(left(1001).slice(1));
});

test('the highest message that the server told of is remembered, until it tells of a higher one or another in its place', () => {
  const last = after({ told: [told(7), told(9), told(8)] }).last;
  expect(last).toEqual({ uid: 9, fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) });
  const then = (...all: ReturnType<typeof told>[]) =>
    nextCursor(
      { ...start, last },
      { read: [], remaining: [], waiting: new Set(), unfetched: [], left: [], told: all },
    ).last;
  expect(then()).toEqual(last);
  expect(then(told(8))).toEqual(last);
  expect(then(told(12))?.uid).toBe(12);
  expect(then({ ...told(9), size: 2 })).toMatchObject({
    uid: 9,
    fingerprint: expect.not.stringMatching(last?.fingerprint ?? ''),
  });
});
