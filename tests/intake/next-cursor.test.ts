import { expect, test } from 'vitest';
import { nextCursor, type Progress } from '../../shared/intake/next-cursor.ts';
import type { Cursor } from '../../shared/mailboxes/cursor.ts';
import { ImapPosition, uidRef } from '../../shared/mailboxes/imap-position.ts';
import { cursorKind } from '../../shared/mailboxes/mailbox-state-records.ts';
import { type MessageRef, messageRef } from '../../shared/mailboxes/message-ref.ts';

const start: Cursor = {
  validity: '1',
  folderKey: 'f',
  position: { uid: 10 },
  left: [],
  waiting: [uidRef(3)],
  lastMailAt: undefined,
};
const refs = (...uids: readonly number[]): MessageRef[] => uids.map(uidRef);
const after = (progress: Partial<Progress>, position = new ImapPosition({ uid: 10 }, 11)): Cursor =>
  nextCursor(start, position, {
    read: [],
    deleted: [],
    isComplete: false,
    remaining: [],
    waiting: new Set(),
    unfetched: [],
    left: [],
    known: [],
    ...progress,
  });
const upTo = (count: number, from = 1): number[] => Array.from({ length: count }, (_, index) => from + index);
const missed = (uid: number) => ({
  ref: uidRef(uid),
  fingerprint: 'f',
  attempts: 1,
  since: '2026-11-24T10:00:00.000Z',
  failed: 'download' as const,
});

test('is at the highest message that was read, and never goes back', () => {
  expect(after({ read: refs(12, 15, 11) }).position).toEqual({ uid: 15 });
  expect(after({ read: refs(4) }).position).toEqual({ uid: 10 });
});

test('an unread message waits if it is below the cursor, and is found again if it is above', () => {
  const next = after({ read: refs(15), remaining: refs(2, 12, 16, 17) });
  expect(next).toMatchObject({ position: { uid: 15 }, waiting: refs(2, 12), backlog: 4 });
});

test('a waiting message that was read no longer waits', () => {
  expect(after({ read: refs(15) })).toMatchObject({ waiting: [], backlog: 0 });
});

test('messages that do not fit into the row stay above it', () => {
  const next = after({ read: refs(3000), waiting: new Set(refs(...upTo(1500, 100))) });
  expect(next.waiting).toHaveLength(1000);
  expect(next.position).toEqual({ uid: 1099 });
  expect(next.backlog).toBe(1500);
});

test('messages that the server did not return wait if there is room for them', () => {
  const next = after({ unfetched: upTo(260, 20).map(missed) });
  expect(next.unfetched).toHaveLength(250);
  expect(next.waiting).toEqual(refs(...upTo(10, 270)));
  expect(next).toMatchObject({ position: { uid: 279 }, backlog: 260 });
});

test('an unread message also waits if it is the highest that was read', () => {
  expect(after({ read: refs(15), remaining: refs(15, 16) })).toMatchObject({
    position: { uid: 15 },
    waiting: refs(15),
    backlog: 2,
  });
});

test('waiting messages are in the order of the refs', () => {
  const next = after({ read: refs(300), remaining: refs(9, 100), waiting: new Set(refs(200, 20)) });
  expect(next.waiting).toEqual(refs(9, 20, 100, 200));
});

test('a waiting message below the cursor counts once, and one above it counts too', () => {
  expect(after({ read: refs(15), remaining: refs(12, 13, 20) }).backlog).toBe(3);
  expect(after({ read: refs(15), remaining: refs(20) }).backlog).toBe(1);
});

test('keeps the latest of the messages to be left, as many as fit into the row', () => {
  const left = (count: number) => upTo(count).map((uid) => ({ ref: uidRef(uid), fingerprint: 'f' }));
  expect(after({ left: left(3) }).left).toEqual(left(3));
  expect(after({ left: left(1001) }).left).toEqual(left(1001).slice(1));
});

test('refs of the maximum length fit into the columns, and the others are found again', () => {
  const long = upTo(1000).map((index) => messageRef(String(index).padStart(150, '0')));
  const position = {
    covers: () => true,
    isLater: () => false,
    advance: () => position,
    uncover: (uncovered: readonly MessageRef[]) => ({ ...position, toData: () => uncovered.length }),
    toData: () => 0,
  };
  const next = nextCursor(start, position, {
    read: [],
    deleted: [],
    isComplete: false,
    remaining: long,
    waiting: new Set(),
    unfetched: long.map((ref) => ({ ...missed(1), ref })),
    left: long.map((ref) => ({ ref, fingerprint: '0123456789abcdef' })),
    known: [],
  });
  const row = cursorKind.toRow({ mailboxId: 'box', ...next });
  for (const column of ['waiting', 'left', 'unfetched'])
    expect(String(row[column]).length).toBeLessThanOrEqual(32_768);
  expect(next.waiting.length + Number(next.position)).toBe(1000);
  expect(next.left.at(-1)).toEqual({ ref: long.at(-1), fingerprint: '0123456789abcdef' });
});
