import { beforeEach, describe, expect, test } from 'vitest';
import { createActivityStore } from '../../shared/activity/activity-store.ts';
import { ticketIdOf } from '../../shared/intake/content-key.ts';
import { askingAgain, runTask } from '../../shared/intake/fetch-again.ts';
import type { ShardDeps } from '../../shared/intake/fetch-shard.ts';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import { mailboxesToCheck } from '../../shared/intake/queue-checks.ts';
import { judgeOf, reconcileFolder } from '../../shared/intake/reconcile-folder.ts';
import { createReconciliationStore, type FolderCheck } from '../../shared/intake/reconciliation-records.ts';
import type { Cursor } from '../../shared/mailboxes/cursor.ts';
import { goOnFrom, uidOf, uidRef } from '../../shared/mailboxes/imap-position.ts';
import type { Inbox } from '../../shared/mailboxes/inbox.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import type { MessageMeta } from '../../shared/mailboxes/message-ref.ts';
import { type VerifiedMailbox, verifyMailbox } from '../../shared/mailboxes/verify-mailbox.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { IntakeWorld, mailboxOf, parserHere } from '../harness/memory/intake-world.ts';
import { openMemoryInbox } from '../harness/memory/memory-inbox.ts';

const letter = (id: string): Uint8Array =>
  Buffer.from(
    `From: kim@customer.example\r\nTo: support@contoso.example\r\nSubject: ${id}\r\nMessage-ID: <${id}@customer.example>\r\n\r\nHello\r\n`,
  );
const at = (minute: number): string => `2026-11-24T09:${String(minute).padStart(2, '0')}:00.000Z`;

let world: IntakeWorld;
let deps: ShardDeps;
beforeEach(async () => {
  world = new IntakeWorld();
  const { tables, blobs } = world;
  const mailboxes = createMailboxStore(tables);
  deps = {
    seam: { ...openSeam, now: () => world.now },
    tables,
    blobs,
    ledger: createLedgerStore(tables),
    quarantine: createQuarantineStore({ tables }),
    parser: parserHere,
    ticketIdOf,
    accessTokens: { get: async () => ({ kind: 'token', token: new Secret('t') }) },
    openInbox: () => openMemoryInbox(world.folder, openSeam),
    saveCursor: mailboxes.saveCursor,
    mailboxes,
    activity: createActivityStore(tables),
  };
  for (const [minute, id] of ['a', 'b', 'c'].entries()) world.folder.deliver(letter(id), at(minute));
  await world.run();
});

const check = (): Promise<FolderCheck | undefined> =>
  createReconciliationStore(world.tables).check('support');
/** As after an unforeseen fault: it is below the cursor, has been read, and was never fetched. */
const lose = (id: string): void => {
  const mail = world.folder.deliver(letter(id), at(30));
  mail.seen = true;
};
const moveCursorPast = async (): Promise<void> => {
  const cursor = (await deps.mailboxes.fetchState()).cursors.get('support');
  if (cursor === undefined) throw new Error('not fetched');
  await deps.saveCursor('support', { ...cursor, position: { uid: world.folder.uidNext - 1 } });
};
const subjects = (): string[] =>
  world.tables
    .dump('Tickets')
    .filter(({ rowKey }) => rowKey.startsWith('m|'))
    .map((row) => String(row['subject']))
    .sort();

describe('the check of a folder', () => {
  test('accounts for every message of it', async () => {
    expect(await reconcileFolder(deps, world.mailbox)).toEqual({
      count: { inLedger: 3, waiting: 0, older: 0, missing: 0 },
      missing: [],
    });
    expect(await check()).toMatchObject({
      folder: 'INBOX',
      count: { inLedger: 3, missing: 0 },
      missing: [],
      checkedAt: new Date(world.now).toISOString(),
    });
  });

  test('finds a missing message, lists it, and one click fetches it; then the folder is complete', async () => {
    lose('lost');
    await moveCursorPast();
    await world.run();
    expect(subjects(), 'no ordinary fetch sees it').toEqual(['a', 'b', 'c']);
    await runTask(deps, 'support', { kind: 'check' });
    expect(await check()).toMatchObject({
      count: { inLedger: 3, missing: 1 },
      missing: [{ ref: uidRef(4), receivedAt: at(30), messageId: '<lost@customer.example>' }],
    });
    await runTask(deps, 'support', { kind: 'fetch-missing' });
    expect(subjects()).toEqual(['a', 'b', 'c', 'lost']);
    expect(await check()).toMatchObject({ count: { inLedger: 4, missing: 0 }, missing: [] });
    const { entries } = await createActivityStore(world.tables).page({ kind: 'fetch', limit: 5 }, world.now);
    expect(entries[0]?.what).toBe('1 missing email recovered: 1 ticket opened.');
    // A duplicate queue message has no further effect.
    await runTask(deps, 'support', { kind: 'fetch-missing' });
    expect(subjects()).toHaveLength(4);
  });

  test('counts new and unread email as waiting', async () => {
    world.folder.deliver(letter('new'), at(40));
    expect((await reconcileFolder(deps, world.mailbox))?.count).toEqual({
      inLedger: 3,
      waiting: 1,
      older: 0,
      missing: 0,
    });
  });

  test('reports nothing missing after the server renumbered its messages', async () => {
    world.folder.renumber();
    expect((await reconcileFolder(deps, world.mailbox))?.count).toMatchObject({ inLedger: 3, missing: 0 });
  });

  test('does not report email that had been read before the mailbox was connected', async () => {
    const old = world.folder.deliver(letter('old'), '2026-10-01T00:00:00.000Z');
    old.seen = true;
    await moveCursorPast();
    expect((await reconcileFolder(deps, world.mailbox))?.count).toEqual({
      inLedger: 3,
      waiting: 0,
      older: 1,
      missing: 0,
    });
  });

  test('of a mailbox that cannot be opened keeps the last count, with the reason', async () => {
    await reconcileFolder(deps, world.mailbox);
    const closed: ShardDeps = {
      ...deps,
      accessTokens: { get: async () => ({ kind: 'retrying', code: 'imap-unavailable', message: 'Away.' }) },
    };
    expect(await reconcileFolder(closed, world.mailbox)).toBeUndefined();
    expect(await check()).toMatchObject({ count: { inLedger: 3 }, problem: 'Away.' });
  });

  test('of 100,000 messages reads page by page and keeps no message in memory', async () => {
    const TOTAL = 100_000;
    const refs = Array.from({ length: TOTAL }, (_, index) => uidRef(index + 1));
    let largest = 0;
    const huge: Pick<Inbox, 'validity' | 'list' | 'all' | 'fetchMeta' | 'close'> = {
      validity: '1700000000',
      list: async ({ position }) => ({
        refs: [],
        position: goOnFrom(position, { uidNext: TOTAL + 1, isVoid: false }).position,
        isSetBack: false,
        witness: undefined,
      }),
      all: async () => refs,
      fetchMeta: async (asked) => {
        largest = Math.max(largest, asked.length);
        return asked.map((ref) => ({ ref, size: uidOf(ref), receivedAt: at(1), messageId: `<${ref}@x>` }));
      },
      close: async () => {},
    };
    const lookUp: ShardDeps['ledger']['lookUp'] = async (_mailbox, _scope, metas) =>
      new Map(
        metas
          .filter(({ ref }) => uidOf(ref) % 1000 !== 0)
          .map(({ ref }) => [ref, { place: '', key: '', copy: false }]),
      );
    await deps.saveCursor('support', {
      validity: '1700000000',
      position: { uid: TOTAL },
      left: [],
      waiting: [],
      lastMailAt: undefined,
    });
    const before = process.memoryUsage().heapUsed;
    const finding = await reconcileFolder(
      { ...deps, openInbox: async () => huge as Inbox, ledger: { ...deps.ledger, lookUp } },
      world.mailbox,
    );
    expect(finding?.count).toEqual({ inLedger: 99_900, waiting: 0, older: 0, missing: 100 });
    expect(largest).toBe(1000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60 * 1024 * 1024);
  });
});

describe('the check of a folder whose first fetch', () => {
  const seen = (id: string, receivedAt: string): void => {
    world.folder.deliver(letter(id), receivedAt).seen = true;
  };
  const verify = (): Promise<VerifiedMailbox> => verifyMailbox(deps, world.mailbox);
  beforeEach(async () => {
    world = new IntakeWorld();
    const mailboxes = createMailboxStore(world.tables);
    deps = {
      ...deps,
      tables: world.tables,
      blobs: world.blobs,
      ledger: createLedgerStore(world.tables),
      quarantine: createQuarantineStore(world),
      saveCursor: mailboxes.saveCursor,
      mailboxes,
    };
    world.mailbox = { ...world.mailbox, fetchSince: '2026-10-01' };
    seen('older', '2026-09-30T12:00:00.000Z');
    world.folder.deliver(letter('older, unread'), '2026-09-30T12:00:00.000Z');
    for (const id of ['a', 'b', 'c']) seen(id, '2026-10-02T12:00:00.000Z');
    await verify();
  });

  test('has not begun counts what it will import as waiting, and what is before its day as older', async () => {
    world.folder.deliver(letter('new'), at(40));
    expect((await reconcileFolder(deps, world.mailbox))?.count).toEqual({
      inLedger: 0,
      waiting: 4,
      older: 2,
      missing: 0,
    });
  });

  test('is in progress counts what it imported as known, and the rest as waiting', async () => {
    await world.run();
    const cursor = (await deps.mailboxes.fetchState()).cursors.get('support');
    if (cursor === undefined) throw new Error('not fetched');
    for (const id of ['d', 'e']) seen(id, '2026-10-03T12:00:00.000Z');
    const upTo = { uid: world.folder.uidNext - 1 };
    const first = {
      since: '2026-10-01T00:00:00.000Z',
      upTo,
      at: uidRef(5),
      total: 5,
      done: 3,
      startedAt: at(0),
    };
    await deps.saveCursor('support', { ...cursor, position: upTo, first });
    expect((await reconcileFolder(deps, world.mailbox))?.count).toEqual({
      inLedger: 3,
      waiting: 2,
      older: 2,
      missing: 0,
    });
  });

  test('is complete reports what it should have imported, however old, and nothing from before its day', async () => {
    await world.run();
    seen('lost', '2026-10-05T12:00:00.000Z');
    await moveCursorPast();
    expect((await reconcileFolder(deps, world.mailbox))?.count).toEqual({
      inLedger: 3,
      waiting: 0,
      older: 2,
      missing: 1,
    });
  });
});

describe('the check of a folder whose email is left unchanged', () => {
  test('recognizes fetched unread email, and reports unread email that no fetch lists any more', async () => {
    world.mailbox = { ...world.mailbox, afterFetch: { kind: 'leave' } };
    world.folder.deliver(letter('d'), at(20));
    await world.run();
    expect(world.folder.mails.filter((mail) => !mail.seen)).toHaveLength(1);
    expect((await reconcileFolder(deps, world.mailbox))?.count).toEqual({
      inLedger: 4,
      waiting: 0,
      older: 0,
      missing: 0,
    });
    world.folder.deliver(letter('e'), at(21));
    await moveCursorPast();
    expect((await reconcileFolder(deps, world.mailbox))?.count).toMatchObject({ inLedger: 4, missing: 1 });
    await runTask(deps, 'support', { kind: 'check' });
    await runTask({ ...deps, mailboxes: { ...deps.mailboxes, get: async () => world.mailbox } }, 'support', {
      kind: 'fetch-missing',
    });
    expect(subjects()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

describe('after an outage', () => {
  const fail = (since: string): Promise<void> =>
    deps.mailboxes.setFailure('support', {
      state: 'retrying',
      code: 'imap-unavailable',
      problem: 'Away.',
      since,
      failures: 3,
      triedAt: since,
      nextTryAt: since,
    });
  const recovered = () => createReconciliationStore(world.tables).recovered('support');

  test('the number of recovered emails is stored, and shown as an activity', async () => {
    await fail(at(20));
    for (const id of ['d', 'e']) world.folder.deliver(letter(id), at(25));
    await world.run();
    expect(await recovered()).toMatchObject({
      since: at(20),
      until: new Date(world.now).toISOString(),
      emails: 2,
      more: false,
    });
    const { entries } = await createActivityStore(world.tables).page({ kind: 'fetch', limit: 1 }, world.now);
    expect(entries[0]?.what).toBe('Fetching works again, 2 emails recovered: 2 tickets opened.');
    const known = await createReconciliationStore(world.tables).all();
    expect(known.recovered.get('support')?.emails).toBe(2);
  });

  test('without new email none were recovered; without an outage, nothing is stored', async () => {
    expect(await recovered()).toBeUndefined();
    await fail(at(20));
    await world.run();
    expect(await recovered()).toMatchObject({ emails: 0 });
    await createReconciliationStore(world.tables).remove('support');
    expect(await recovered()).toBeUndefined();
  });
});

describe('a message that is not in the ledger', () => {
  const cursor: Cursor = {
    validity: '1',
    folderKey: 'f',
    position: { uid: 10 },
    left: [{ ref: uidRef(3), fingerprint: 'x' }],
    waiting: [uidRef(4)],
    unfetched: [{ ref: uidRef(5), fingerprint: '', attempts: 1, since: at(0), failed: 'download' }],
    lastMailAt: undefined,
  };
  const told = (uid: number, receivedAt = at(1)): MessageMeta => ({
    ref: uidRef(uid),
    size: 1,
    receivedAt,
    messageId: '',
  });
  const { createdAt } = mailboxOf({ kind: 'mark-seen' });
  // The next fetch lists 6, which is unread, and all beyond 10.
  const isNext = (ref: MessageMeta['ref']): boolean => uidOf(ref) === 6 || uidOf(ref) > 10;
  const judge = judgeOf({ createdAt }, cursor, { isKnown: true, isNext });
  const nothingNext = (): boolean => false;

  test.each([
    [2, 'missing'],
    [3, 'inLedger'],
    [4, 'waiting'],
    [5, 'waiting'],
    [6, 'waiting'],
    [10, 'missing'],
    [11, 'waiting'],
  ])('UID %i is %s', (uid, verdict) => {
    expect(judge(uidRef(uid), told(uid))).toBe(verdict);
  });

  test('is missing if the server returns no details, and older if it is from before the mailbox', () => {
    expect(judge(uidRef(2), undefined)).toBe('missing');
    expect(judge(uidRef(2), told(2, '2026-10-01T00:00:00.000Z'))).toBe('older');
  });

  test('waits before the first fetch unless it is older, and is missing under another UIDVALIDITY', () => {
    const judgeWith = (isKnown: boolean): unknown =>
      judgeOf({ createdAt }, undefined, { isKnown, isNext: nothingNext })(uidRef(2), told(2));
    expect(judgeWith(false)).toBe('waiting');
    expect(judgeWith(true)).toBe('missing');
  });

  test('is searched again after the cursor is reset, without its failures', () => {
    expect(askingAgain(cursor, [3, 5, 2].map(uidRef))).toMatchObject({
      left: [],
      unfetched: [],
      waiting: [2, 3, 4, 5].map(uidRef),
      position: { uid: 10 },
    });
  });
});

describe('a check is due', () => {
  const now = Date.parse('2026-11-24T12:00:00.000Z');
  const iso = (minutesAgo: number): string => new Date(now - minutesAgo * 60_000).toISOString();
  const mailbox = mailboxOf({ kind: 'mark-seen' });
  const cursors = new Map([['support', {} as Cursor]]);
  const state = { cursors, failing: new Map() };
  const row = (startedAgo: number, checkedAgo?: number): FolderCheck => ({
    mailboxId: 'support',
    folder: 'INBOX',
    missing: [],
    startedAt: iso(startedAgo),
    ...(checkedAgo !== undefined && { checkedAt: iso(checkedAgo) }),
  });
  const due = (check?: FolderCheck, recoveredAgo?: number): boolean =>
    mailboxesToCheck(
      [mailbox],
      state,
      {
        checks: new Map(check === undefined ? [] : [['support', check]]),
        recovered: new Map(
          recoveredAgo === undefined
            ? []
            : [
                [
                  'support',
                  { mailboxId: 'support', since: iso(900), until: iso(recoveredAgo), emails: 1, more: false },
                ],
              ],
        ),
      },
      now,
    ).length === 1;

  test.each([
    ['of a mailbox that never had one', due(), true],
    ['once a day', due(row(1441, 1440)), true],
    ['not earlier', due(row(1400, 1399)), false],
    ['after an outage', due(row(100, 99), 20), true],
    ['not twice for one outage', due(row(100, 99), 120), false],
    ['not while one runs', due(row(14)), false],
    ['again if one crashed', due(row(16)), true],
  ])('%s', (_when, is, expected) => {
    expect(is).toBe(expected);
  });

  test('not of a mailbox that was never fetched, is paused or cannot be fetched', () => {
    const none = { checks: new Map(), recovered: new Map() };
    expect(mailboxesToCheck([mailbox], { cursors: new Map(), failing: new Map() }, none, now)).toEqual([]);
    expect(mailboxesToCheck([{ ...mailbox, enabled: false }], state, none, now)).toEqual([]);
    const failing = new Map([['support', {} as never]]);
    expect(mailboxesToCheck([mailbox], { cursors, failing }, none, now)).toEqual([]);
  });
});
