import { expect, test } from 'vitest';
import { inPieces } from '../../shared/intake/fetch-session.ts';
import { UnfetchedList } from '../../shared/intake/unfetched.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import { fingerprintOf, type MessageMeta } from '../../shared/mailboxes/message-ref.ts';

const NOW = '2026-11-24T10:00:00.000Z';
const LATER = '2026-11-24T10:05:00.000Z';
const facts = (uid: number, changes: Partial<MessageMeta> = {}): MessageMeta => ({
  ref: uidRef(uid),
  size: 100,
  receivedAt: '2026-11-24T09:00:00.000Z',
  messageId: `<${uid}@customer.example>`,
  ...changes,
});
const scope = { folderKey: 'f', validity: '1' };
/** As the next fetch finds it. */
const next = (list: UnfetchedList): UnfetchedList => new UnfetchedList(list.list);

test('counts one attempt per fetch, whatever is tried in it, and keeps the time of the first', () => {
  const first = new UnfetchedList([]);
  first.count(facts(1), 'download', NOW);
  first.count(facts(1), 'download', NOW);
  expect(first.list).toMatchObject([{ ref: uidRef(1), attempts: 1, since: NOW }]);
  const second = next(first);
  second.count(facts(1), 'download', LATER);
  expect(second.list).toMatchObject([{ ref: uidRef(1), attempts: 2, since: NOW }]);
});

test('reverts the count of this fetch, and nothing earlier', () => {
  const list = new UnfetchedList([]);
  list.count(facts(1), 'download', NOW);
  list.revert(facts(1));
  expect(list.list).toEqual([]);
  list.count(facts(1), 'download', NOW);
  const second = next(list);
  second.revert(facts(1));
  second.count(facts(1), 'download', LATER);
  second.revert(facts(1));
  expect(second.list).toMatchObject([{ ref: uidRef(1), attempts: 1, since: NOW }]);
});

test('reverts one attempt of a fetch that tried twice', () => {
  const list = new UnfetchedList([]);
  list.count(facts(1), 'download', NOW);
  list.count(facts(1), 'storage', NOW);
  list.revert(facts(1));
  expect(list.list).toEqual([]);
});

test('lists unfetched messages by UID, and removes fetched ones', () => {
  const list = new UnfetchedList([]);
  for (const uid of [3, 1, 2]) list.count(facts(uid), 'download', NOW);
  expect(list.list.map(({ ref }) => ref)).toEqual([1, 2, 3].map(uidRef));
  list.forget(uidRef(2));
  expect(list.list).toEqual(
    [1, 3].map((uid) => ({
      ref: uidRef(uid),
      fingerprint: fingerprintOf(facts(uid)),
      attempts: 1,
      since: NOW,
      failed: 'download',
    })),
  );
  expect(list.has(facts(2))).toBe(false);
});

test('treats another message at the same UID as another one', () => {
  const list = new UnfetchedList([]);
  list.count(facts(1), 'download', NOW);
  expect(list.has(facts(1))).toBe(true);
  expect(list.has(facts(1, { size: 101 }))).toBe(false);
  const second = next(list);
  second.count(facts(1, { size: 101 }), 'download', LATER);
  expect(second.list).toMatchObject([{ ref: uidRef(1), attempts: 1, since: LATER }]);
});

test('stops after three attempts: the message is in quarantine under its place, always the same', () => {
  let list = new UnfetchedList([]);
  for (let fetch = 1; fetch <= 3; fetch += 1) {
    expect(list.isSpent(facts(1))).toBe(false);
    list = next(list);
    list.count(facts(1), 'download', NOW);
  }
  expect(list.isSpent(facts(1))).toBe(true);
  const told = new Map([[uidRef(1), facts(1)]]);
  const [spent] = list.spent(scope, told);
  expect(spent).toMatchObject({
    left: { ref: uidRef(1), fingerprint: fingerprintOf(facts(1)) },
    entry: {
      kind: 'quarantined',
      at: '2026-11-24T09:00:00.000Z',
      size: 100,
      reason: expect.stringContaining('did not return it'),
    },
  });
  expect(next(list).spent(scope, told)).toEqual([spent]);
  expect(list.spent({ ...scope, validity: '2' }, told)[0]?.entry.contentKey).not.toBe(
    spent?.entry.contentKey,
  );
});

test('has the time when a message was first missed if the server returns no details', () => {
  let list = new UnfetchedList([]);
  for (let fetch = 1; fetch <= 3; fetch += 1) {
    list = next(list);
    list.count({ ref: uidRef(7) }, 'download', fetch === 1 ? NOW : LATER);
  }
  expect(list.spent(scope, new Map())[0]?.entry).toMatchObject({ at: NOW, size: 0 });
  expect(list.has(facts(7)), 'what it is was not known').toBe(true);
});

test('includes the message of storage, if there was one', () => {
  let list = new UnfetchedList([]);
  for (let fetch = 1; fetch <= 3; fetch += 1) {
    list = next(list);
    list.count(facts(1), 'storage', NOW, 'row-refused: status 413');
    list.count(facts(1), 'storage', NOW);
    list.count(facts(2), 'storage', NOW);
  }
  list.count(facts(3), 'storage', NOW, 'row-refused: status 413');
  expect(list.spent(scope, new Map()).map(({ entry }) => entry.reason)).toEqual([
    'it could not be stored: row-refused: status 413; it is still on the mail server, unread',
    'it could not be stored; it is still on the mail server, unread',
  ]);
});

test('a range is split into about as many parts as each has items, in order', () => {
  const items = Array.from({ length: 50 }, (_, index) => index);
  expect(inPieces(items).flat()).toEqual(items);
  expect(inPieces(items)).toHaveLength(8);
  expect(inPieces([1, 2])).toEqual([[1], [2]]);
  expect(inPieces([])).toEqual([]);
});
