import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { FetchSession } from '../../shared/intake/fetch-session.ts';
import { placeOf } from '../../shared/intake/ledger.ts';
import { createLedgerStore, type LedgerStore } from '../../shared/intake/ledger-store.ts';
import { isTryDue, listedDigest, withoutUnmarked } from '../../shared/intake/unmarked.ts';
import type { Cursor, Refusal } from '../../shared/mailboxes/cursor.ts';
import { ImapPosition, uidRef } from '../../shared/mailboxes/imap-position.ts';
import { fingerprintOf, type MessageMeta, type MessageRef } from '../../shared/mailboxes/message-ref.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';
import { MemoryFolder, openMemoryInbox } from '../harness/memory/memory-inbox.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const MINUTE = 60_000;
const since = Date.parse('2026-11-24T10:00:00.000Z');
const refs = (...uids: readonly number[]): MessageRef[] => uids.map(uidRef);
const at = (minutes: number): string => new Date(since + minutes * MINUTE).toISOString();

describe('a server that refuses to mark', () => {
  test.each([
    [0, 2],
    [2, 2],
    [4, 4],
    [8, 8],
    [16, 15],
    [600, 15],
  ])('tried %i minutes after its first refusal is tried again %i minutes later', (tried, later) => {
    const refusal = { action: 'mark-seen', problem: '', since: at(0), triedAt: at(tried) };
    expect(isTryDue(refusal, since + (tried + later) * MINUTE - 1)).toBe(false);
    expect(isTryDue(refusal, since + (tried + later) * MINUTE)).toBe(true);
  });

  test('is tried at once if its last attempt is in the future: the clock was set back', () => {
    const refusal = { action: 'mark-seen', problem: '', since: at(0), triedAt: at(60) };
    expect(isTryDue(refusal, since)).toBe(true);
  });

  test('has lists distinguished by their contents, whatever their order', () => {
    expect(listedDigest(refs(3, 1, 2))).toBe(listedDigest(refs(1, 2, 3)));
    expect(listedDigest(refs(1, 2, 3))).not.toBe(listedDigest(refs(1, 2, 4)));
    expect(listedDigest(refs(1, 2, 3))).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('stored email that the server refuses to mark', () => {
  const mailbox = mailboxOf({ kind: 'mark-seen' });
  const NOT_DUE = since + MINUTE;
  const DUE = since + 2 * MINUTE;
  let folder: MemoryFolder;
  let ledger: LedgerStore;
  let asked: string[];
  beforeEach(() => {
    folder = new MemoryFolder('17');
    ledger = createLedgerStore(new MemoryTables(openSeam));
    asked = [];
  });

  const numbers = (from: number, to: number): number[] =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const deliver = (count: number): void => {
    for (let each = 1; each <= count; each += 1)
      folder.deliver(Buffer.from(`Message-ID: <${each}@customer.example>\r\n\r\n`), at(-60));
  };
  const factsOf = async (): Promise<MessageMeta[]> =>
    (await openMemoryInbox(folder, openSeam)).fetchMeta(folder.mails.map(({ uid }) => uidRef(uid)));
  /** Imports email with these UIDs; its dispositions are in the ledger. */
  async function taken(uids: readonly number[], state: 'received' | 'done' = 'done'): Promise<void> {
    const found = (await factsOf())
      .filter(({ ref }) => refs(...uids).includes(ref))
      .map((facts) => ({
        ...facts,
        place: placeOf({ folderKey: 'f', validity: '17' }, facts),
        key: `key of ${fingerprintOf(facts)}`,
        rawBlob: '',
      }));
    const { mine } = await ledger.claim(mailbox.id, found, { alone: false, present: new Set() });
    if (state === 'done') await ledger.complete(mailbox.id, mine);
  }
  const refusal = (listed: readonly number[], action = 'mark-seen'): Refusal => ({
    action,
    problem: 'NO',
    since: at(0),
    triedAt: at(0),
    listed: listedDigest(refs(...listed)),
  });
  const cursor = (uid: number, wish: Partial<Cursor> = {}): Cursor => ({
    validity: '17',
    folderKey: 'f',
    position: { uid },
    left: [],
    waiting: [],
    lastMailAt: undefined,
    ...wish,
  });
  const uid = (known: Cursor | undefined): number =>
    z.object({ uid: z.int() }).parse(known?.position ?? { uid: 0 }).uid;
  async function toFetch(now: number, known: Cursor | undefined, listed = numbers(1, folder.uidNext - 1)) {
    const seam: Seam = {
      now: () => now,
      call: (point, effect) => {
        asked.push(point);
        return effect();
      },
    };
    const session = new FetchSession(await openMemoryInbox(folder, seam), () => {
      throw new Error('a session broke off');
    });
    asked.length = 0;
    const position = new ImapPosition({ uid: uid(known) }, folder.uidNext);
    return withoutUnmarked({ ledger, seam }, mailbox, session, { refs: refs(...listed), position }, known);
  }

  test('is fetched with all the rest if nothing was refused, or a different action than the current one', async () => {
    deliver(3);
    await taken([1, 2]);
    const moved = refusal([1, 2], 'move Done');
    expect(await toFetch(NOT_DUE, undefined)).toEqual({ refs: refs(1, 2, 3), refusal: undefined });
    expect(await toFetch(NOT_DUE, cursor(2))).toEqual({ refs: refs(1, 2, 3), refusal: undefined });
    expect(await toFetch(NOT_DUE, cursor(2, { refusal: moved }))).toEqual({
      refs: refs(1, 2, 3),
      refusal: moved,
    });
    expect(asked).toEqual([]);
  });

  test('is skipped, without a request, until its next attempt; new and waiting email is not', async () => {
    deliver(6);
    await taken([1, 2, 3, 4]);
    const known = cursor(4, {
      waiting: refs(2),
      unfetched: [{ ref: uidRef(3), fingerprint: '', attempts: 1, since: at(0), failed: 'download' }],
      refusal: refusal([1, 2, 3, 4]),
    });
    expect(await toFetch(NOT_DUE, known)).toEqual({ refs: refs(2, 3, 5, 6), refusal: known.refusal });
    expect(asked).toEqual([]);
  });

  test('is cleared if everything found is new', async () => {
    deliver(3);
    const known = cursor(2, { refusal: refusal([1, 2]) });
    expect(await toFetch(DUE, known, [3])).toEqual({ refs: refs(3), refusal: known.refusal });
    expect(asked).toEqual([]);
  });

  test('is retried when it is due, the oldest hundred first', async () => {
    deliver(130);
    for (const start of [1, 51, 101]) await taken(numbers(start, Math.min(start + 49, 125)));
    const known = cursor(125, { refusal: refusal(numbers(1, 125)) });
    expect(await toFetch(DUE, known)).toEqual({
      refs: refs(...numbers(1, 100), ...numbers(126, 130)),
      refusal: known.refusal,
    });
  });

  test('is compared with the ledger when the list has changed: what was never imported is fetched', async () => {
    deliver(5);
    await taken([1, 2, 4]);
    await taken([3], 'received');
    const known = cursor(5, { refusal: refusal([1, 2, 3]) });
    const now = refusal([1, 2, 3, 4, 5]);
    expect(await toFetch(NOT_DUE, known)).toEqual({ refs: refs(3, 5), refusal: now });
    const [second] = folder.mails.filter(({ uid }) => uid === 2);
    if (second !== undefined) second.raw = Buffer.from('Another mail at this UID\r\n\r\n');
    expect(await toFetch(NOT_DUE, known)).toEqual({ refs: refs(2, 3, 5), refusal: now });
    expect(await toFetch(NOT_DUE, { ...known, folderKey: 'another' })).toMatchObject({
      refs: refs(1, 2, 3, 4, 5),
    });
    expect(await toFetch(NOT_DUE, { ...known, folderKey: undefined })).toMatchObject({
      refs: refs(1, 2, 3, 4, 5),
    });
  });

  test('is compared up to the newest thousand', async () => {
    deliver(1010);
    const known = cursor(1010, { refusal: refusal([1, 2, 3]) });
    const { refs: wanted } = await toFetch(NOT_DUE, known);
    expect(wanted).toEqual(refs(...numbers(11, 1010)));
  });
});
