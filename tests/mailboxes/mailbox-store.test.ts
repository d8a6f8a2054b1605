import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Cursor } from '../../shared/mailboxes/cursor.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import type { FetchFailure, Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { mailboxKind } from '../../shared/mailboxes/mailbox-records.ts';
import { failureKind } from '../../shared/mailboxes/mailbox-state-records.ts';
import { createMailboxStore, lastSuccessOf } from '../../shared/mailboxes/mailbox-store.ts';
import { routeOf } from '../../shared/outbox/send-mail.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const login = { host: 'mail.contoso.example', port: 587, providerId: 'q', accountId: 'b' };
const before: Omit<Mailbox, 'id'> = {
  address: 'support@contoso.example',
  protocol: 'imap',
  host: 'mail.contoso.example',
  port: 993,
  folder: 'INBOX',
  providerId: 'p',
  accountId: 'a',
  enabled: true,
  intervalMinutes: 1,
  afterFetch: { kind: 'mark-seen' },
  createdAt: '2026-11-24T08:00:00.000Z',
};

describe('a stored mailbox', () => {
  test('that does not send is read as it was', async () => {
    const mailboxes = createMailboxStore(new MemoryTables(openSeam));
    await mailboxes.save({ ...before, id: 'old' });
    const mailbox = await mailboxes.get('old');
    expect(mailbox).toEqual({ ...before, id: 'old' });
    expect(mailbox && routeOf(mailbox)).toBeUndefined();
  });

  test('keeps how it is read, a server and an account for sending, and who may join a ticket', async () => {
    const mailboxes = createMailboxStore(new MemoryTables(openSeam));
    const mailbox: Mailbox = { ...before, id: 'new', protocol: 'pop3', colleaguesJoin: true, sending: login };
    await mailboxes.save(mailbox);
    expect(await mailboxes.get('new')).toEqual(mailbox);
    expect(routeOf(mailbox)).toEqual({
      kind: 'mailbox',
      host: 'mail.contoso.example',
      port: 587,
      user: 'support@contoso.example',
      account: { providerId: 'q', accountId: 'b' },
    });
    const sending = { ...login, protocol: 'graph-send' as const };
    await mailboxes.save({ ...mailbox, sending });
    const overGraph = await mailboxes.get('new');
    expect(overGraph?.sending).toEqual(sending);
    expect(overGraph && routeOf(overGraph)).toMatchObject({ kind: 'mailbox', protocol: 'graph-send' });
    const relay = { protocol: 'relay' as const };
    await mailboxes.save({ ...mailbox, sending: relay });
    const overRelay = await mailboxes.get('new');
    expect(overRelay?.sending).toEqual(relay);
    expect(overRelay && routeOf(overRelay)).toEqual({ kind: 'relay' });
  });
});

describe('the store of mailboxes', () => {
  const NOW = Date.parse('2026-11-24T10:00:00.000Z');
  const at = (minute: number): string => new Date(NOW + minute * 60_000).toISOString();
  const failure: FetchFailure = {
    state: 'action-required',
    code: codeFrom('invalid_grant'),
    problem: 'Ended.',
    since: at(0),
    failures: 3,
    triedAt: at(1),
    nextTryAt: at(2),
  };
  const cursor: Cursor = {
    validity: '1',
    folderKey: 'f',
    position: { uid: 10 },
    left: [],
    waiting: [uidRef(3)],
    lastMailAt: at(-5),
    backlog: 4,
  };
  let tables: MemoryTables;
  let store: ReturnType<typeof createMailboxStore>;
  beforeEach(() => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    tables = new MemoryTables(openSeam);
    store = createMailboxStore(tables);
  });
  const put = (table: 'Mailboxes' | 'MailboxState', partitionKey: string, row: Record<string, unknown>) =>
    tables.open(table).commit(partitionKey, [{ kind: 'put', row: { partitionKey, ...row } as never }]);

  test('returns no mailbox that was never saved', async () => {
    expect(await store.get('none')).toBeUndefined();
    expect(await store.list()).toEqual([]);
    expect(await store.removed()).toEqual([]);
  });

  test('keeps the address of a deleted mailbox, and deletes its failure', async () => {
    await store.save({ ...before, id: 'one' });
    await store.setFailure('one', failure);
    await store.remove('one');
    await store.remove('never');
    expect(await store.list()).toEqual([]);
    expect(await store.removed()).toEqual([{ id: 'one', address: 'support@contoso.example' }]);
    expect((await store.fetchState()).failing.size).toBe(0);
  });

  test('reads back the state that a fetch stored', async () => {
    await store.saveCursor('one', cursor);
    await store.setFailure('one', failure);
    await store.setFailure('two', { ...failure, state: 'retrying' });
    await store.saveRecovery('vault|p', at(3));
    const state = await store.fetchState();
    expect(state.cursors.get('one')).toMatchObject({
      position: { uid: 10 },
      waiting: [uidRef(3)],
      lastMailAt: at(-5),
      backlog: 4,
    });
    expect(state.failing).toEqual(
      new Map([
        ['one', failure],
        ['two', { ...failure, state: 'retrying' }],
      ]),
    );
    expect(state.recoveries).toEqual(new Map([['vault|p', at(3)]]));
    expect(state.loops).toEqual([]);
    await store.setFailure('one', undefined);
    expect([...(await store.fetchState()).failing.keys()]).toEqual(['two']);
  });

  test('finds the latest success of a mailbox that was in two shards', async () => {
    await store.saveSuccesses(
      0,
      new Map([
        ['one', at(1)],
        ['two', at(5)],
      ]),
    );
    await store.saveSuccesses(
      11,
      new Map([
        ['one', at(2)],
        ['two', at(4)],
      ]),
    );
    const { successes, shards, hours } = await store.fetchState();
    expect(successes).toEqual(
      new Map([
        ['one', at(2)],
        ['two', at(5)],
      ]),
    );
    expect([...shards.keys()]).toEqual([0, 11]);
    expect(shards.get(11)).toEqual(
      new Map([
        ['one', at(2)],
        ['two', at(4)],
      ]),
    );
    expect([...hours.values()]).toEqual([[], []]);
  });

  test('returns what is known about the health of a mailbox', async () => {
    for (const id of ['well', 'new', 'ill']) await store.save({ ...before, id });
    await store.saveSuccesses(0, new Map([['well', at(7)]]));
    await store.saveCursor('well', cursor);
    await store.setFailure('ill', failure);
    const health = await store.health();
    expect(health.get('well')).toEqual({
      mailboxId: 'well',
      state: 'ok',
      since: at(7),
      problem: undefined,
      lastSuccessAt: at(7),
      lastMailAt: at(-5),
      nextTryAt: undefined,
      backlog: 4,
    });
    expect(health.get('new')).toMatchObject({ state: 'ok', since: before.createdAt, backlog: undefined });
    expect(health.get('ill')).toMatchObject({
      state: 'action-required',
      since: at(0),
      problem: 'Ended.',
      nextTryAt: at(2),
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ...['address', 'protocol', 'host', 'folder', 'providerId', 'accountId', 'createdAt', 'port', 'v'].map(
      (name): [string, Record<string, unknown>] => [`no ${name}`, { [name]: undefined }],
    ),
    ['an unknown protocol', { protocol: 'smtp' }],
    ['an interval that is no number', { intervalMinutes: '1' }],
    ['on as a text', { enabled: 'yes' }],
    ['nothing to do afterwards', { afterFetch: undefined }],
    ['null to do afterwards', { afterFetch: 'null' }],
    ['an empty thing to do afterwards', { afterFetch: '{}' }],
    ['a move to nowhere', { afterFetch: '{"kind":"move"}' }],
    ['an unknown action after the import', { afterFetch: '{"kind":"burn"}' }],
    ['half a server for sending', { sending: '{"host":"smtp.contoso.example"}' }],
    ['a number as its server for sending', { sending: 7 }],
  ])('skips a row that contains %s, and lists the others', async (_what, columns) => {
    await store.save({ ...before, id: 'good' });
    await put('Mailboxes', 'mailbox', { ...mailboxKind.toRow({ ...before, id: 'odd' }), ...columns });
    expect((await store.list()).map(({ id }) => id)).toEqual(['good']);
    expect(unreadableRows(tables)).toEqual([{ table: 'Mailboxes', partitionKey: 'mailbox', rowKey: 'odd' }]);
    await expect(store.get('odd')).rejects.toMatchObject({ code: 'bad-row' });
  });

  test.each([
    ['successes', '{}'],
    ['successes', '[["one"]]'],
    ['successes', '[["one","x","y"]]'],
    ['successes', '[["one",1]]'],
    ['successes', '[7]'],
    ['successes', '["ab"]'],
    ['successes', '[["one","x"],7]'],
    ['successes', '[["one","x"],["three",7]]'],
    ['hours', '{}'],
    ['hours', '[[1,1]]'],
    ['hours', '[["2026-11-24T10","1"]]'],
    ['hours', '["ab"]'],
    ['hours', '[["2026-11-24T10",1,0],7]'],
  ])('skips the row of a shard whose %s are %s, and reads the others', async (column, json) => {
    await store.saveSuccesses(1, new Map([['two', at(1)]]));
    await put('MailboxState', 'state', {
      rowKey: 'shard|00000',
      v: 1,
      successes: '[["one","x"]]',
      hours: '[]',
      [column]: json,
    });
    const { shards, successes } = await store.fetchState();
    expect([...shards.keys()]).toEqual([1]);
    expect([...successes.keys()]).toEqual(['two']);
    expect(unreadableRows(tables)).toEqual([
      { table: 'MailboxState', partitionKey: 'state', rowKey: 'shard|00000' },
    ]);
    expect(vi.mocked(console.warn)).toHaveBeenCalledWith(
      expect.stringContaining(
        `MailboxState/state/shard|00000: the column ${column} does not contain what Postroom wrote there`,
      ),
    );
  });

  test.each([
    ['since', 'soon'],
    ['triedAt', 7],
    ['failures', 'many'],
    ['state', 'ill'],
    ['code', undefined],
  ])('treats a failure whose %s is %j as due, and reports it until it ends', async (column, value) => {
    await put('MailboxState', 'state', {
      ...failureKind.toRow({ mailboxId: 'one', ...failure }),
      [column]: value,
    });
    expect((await store.fetchState()).failing.get('one')).toEqual({
      state: 'retrying',
      code: 'bad-row',
      problem: '',
      since: '1970-01-01T00:00:00.000Z',
      failures: 1,
      triedAt: '1970-01-01T00:00:00.000Z',
      nextTryAt: '1970-01-01T00:00:00.000Z',
    });
    expect(unreadableRows(tables)).toEqual([
      { table: 'MailboxState', partitionKey: 'state', rowKey: 'one|health' },
    ]);
    await store.setFailure('one', undefined);
    expect((await store.fetchState()).failing.size).toBe(0);
    expect(unreadableRows(tables)).toEqual([]);
  });

  test.each([
    ['over|vault|p', { at: 'soon' }],
    ['loop|one', { at: at(0) }],
  ])(
    'reads the state of mailboxes without the row %s if it contains something else',
    async (rowKey, columns) => {
      await store.saveCursor('one', cursor);
      await put('MailboxState', 'state', { rowKey, v: 1, ...columns });
      const { cursors, recoveries, loops } = await store.fetchState();
      expect([cursors.size, recoveries.size, loops.length]).toEqual([1, 0, 0]);
      expect(unreadableRows(tables)).toEqual([{ table: 'MailboxState', partitionKey: 'state', rowKey }]);
    },
  );

  test('lists the deleted mailboxes without an unreadable row', async () => {
    await store.save({ ...before, id: 'one' });
    await store.remove('one');
    await put('Mailboxes', 'removed', { rowKey: 'two', v: 1, address: 7 });
    expect((await store.removed()).map(({ id }) => id)).toEqual(['one']);
    expect(unreadableRows(tables)).toEqual([{ table: 'Mailboxes', partitionKey: 'removed', rowKey: 'two' }]);
  });

  test('ignores rows of another kind', async () => {
    await put('MailboxState', 'state', { rowKey: 'one|something' });
    const { cursors, failing, shards } = await store.fetchState();
    expect([cursors.size, failing.size, shards.size]).toEqual([0, 0, 0]);
  });

  test('uses the latest success, and none in the future', () => {
    const last = (successes: [string, string][], shard: [string, string][] = []): string | undefined =>
      lastSuccessOf({ successes: new Map(successes), shards: new Map([[0, new Map(shard)]]) }, 'one', NOW);
    expect(last([])).toBeUndefined();
    expect(last([['two', at(-1)]])).toBeUndefined();
    expect(last([['one', at(-2)]], [['one', at(-1)]])).toBe(at(-1));
    expect(last([['one', at(-1)]], [['one', at(-2)]])).toBe(at(-1));
    expect(last([['one', at(24 * 60)]], [['one', at(-2)]])).toBe(at(-2));
  });
});
