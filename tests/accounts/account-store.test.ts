/** The table of accounts: a saved account is read back complete, and a stale copy never overwrites a newer row. */
import { beforeEach, describe, expect, test } from 'vitest';
import { signInHistoryKind } from '../../shared/accounts/account-records.ts';
import { type AccountStore, createAccountStore } from '../../shared/accounts/account-store.ts';
import type { SignInEvent } from '../../shared/accounts/sign-in-history.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import type { Row } from '../../shared/platform/tables.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { sampleAccount } from '../harness/memory/sample-account.ts';

const account = sampleAccount();
const { providerId, accountId } = account;

let points: string[];
let tables: MemoryTables;
let store: AccountStore;
beforeEach(() => {
  points = [];
  tables = new MemoryTables({
    ...openSeam,
    call: (point, effect) => {
      points.push(point);
      return effect();
    },
  });
  store = createAccountStore(tables);
});

const put = async (change: Partial<Row>): Promise<void> => {
  await store.save(account);
  const row = tables.dump('Accounts').find(({ rowKey }) => rowKey === accountId);
  if (row === undefined) throw new Error('no row');
  const next = { ...row, ...change, partitionKey: providerId, rowKey: accountId };
  await tables.open('Accounts').commit(providerId, [{ kind: 'put', row: next }]);
};

describe('an account', () => {
  test.each([
    ['of a person', account],
    [
      'that needs a person',
      sampleAccount({
        state: 'action-required',
        problem: { code: 'AADSTS50173', message: 'Connect the mailbox again.' },
        refusedAsOf: '2026-11-01T09:00:00.000Z',
        scopes: [],
      }),
    ],
    [
      'that tries again, of an app without what a person has',
      sampleAccount({
        kind: 'app',
        identity: {
          issuer: 'i',
          subject: 's',
          tenantId: undefined,
          objectId: undefined,
          user: undefined,
          name: undefined,
        },
        tokens: {
          access: undefined,
          accessExpiresAt: '2026-11-24T11:00:00.000Z',
          receivedAt: '2026-11-24T10:00:00.000Z',
          refreshAt: '2026-11-24T10:50:00.000Z',
          refresh: undefined,
          previousRefresh: undefined,
        },
        state: 'retrying',
        problem: { code: 'http-503', message: '' },
        retryAt: '2026-11-24T10:05:00.000Z',
        refreshBegunAt: '2026-11-24T10:00:00.000Z',
      }),
    ],
  ])('%s is read back as it was saved', async (_what, one) => {
    await store.save(one);
    expect((await store.get(one))?.account).toEqual(one);
    expect(await store.listOf(providerId)).toEqual([one]);
  });

  test('that is not there is undefined', async () => {
    expect(await store.get(account)).toBeUndefined();
    expect(await store.history(account)).toEqual([]);
  });

  test.each([
    ['provider', { providerId: 'x', accountId }],
    ['provider with more before it', { providerId: `x${providerId}`, accountId }],
    ['provider with more behind it', { providerId: `${providerId}x`, accountId }],
    ['account', { providerId, accountId: `~${accountId}` }],
    ['account in capitals', { providerId, accountId: accountId.toUpperCase() }],
  ])('with an invalid %s is not looked up', async (_what, ref) => {
    expect(await store.get(ref)).toBeUndefined();
    expect(points).toEqual([]);
  });

  test('is removed with its own history only', async () => {
    const other = sampleAccount({ accountId: 'b'.repeat(26) });
    await store.save(account);
    await store.save(other);
    await store.remove(account);
    expect(await store.listOf(providerId)).toEqual([other]);
    expect(tables.dump('Accounts').map(({ rowKey }) => rowKey)).toEqual([
      other.accountId,
      `~${other.accountId}`,
    ]);
  });

  test.each([
    ['identity', 'identityIssuer'],
    ['identity', 'identityTenantId'],
    ['tokens', 'tokensAccessExpiresAt'],
  ])('without its %s is rejected, naming it: %s', async (field, column) => {
    await put({ [column]: 7 });
    await expect(store.get(account)).rejects.toMatchObject({
      code: 'bad-row',
      message: `Accounts/${providerId}/${accountId}: the column ${field} does not contain what Postroom wrote there`,
    });
  });

  test.each(['kind', 'user', 'scopes', 'stateSince', 'problem', 'consentedBy', 'state'])(
    'without %s is rejected, naming it, and left out of a list',
    async (column) => {
      await put({ [column]: 7 });
      await expect(store.get(account)).rejects.toMatchObject({
        code: 'bad-row',
        message: `Accounts/${providerId}/${accountId}: the column ${column} does not contain what Postroom wrote there`,
      });
      expect(await store.listOf(providerId)).toEqual([]);
      expect(unreadableRows(tables, 'Accounts')).toEqual([
        { table: 'Accounts', partitionKey: providerId, rowKey: accountId },
      ]);
    },
  );
});

test.each<[string, Partial<Row>]>([
  ['needs a person and has no problem', { state: 'action-required' }],
  ['tries again and has no problem', { state: 'retrying', retryAt: '2026-11-24T10:05:00.000Z' }],
  ['tries again at no time', { state: 'retrying', problem: '{"code":"http-503","message":""}' }],
])('an account that %s is rejected: no such state exists', async (_what, columns) => {
  await put(columns);
  await expect(store.get(account)).rejects.toMatchObject({
    code: 'bad-row',
    message: `Accounts/${providerId}/${accountId}: the columns of its state do not belong together`,
  });
  expect(await store.listOf(providerId)).toEqual([]);
});

describe('a change', () => {
  test('is written over the row that was read, and its result can be saved again', async () => {
    await store.save(account);
    const first = await store.get(account);
    const second = await store.replace(sampleAccount({ user: 'two' }), first?.etag ?? '');
    expect(second).toEqual({ account: sampleAccount({ user: 'two' }), etag: expect.stringMatching(/./) });
    const third = await store.replace(sampleAccount({ user: 'three' }), second?.etag ?? '');
    expect(third?.account.user).toBe('three');
    expect(await store.get(account)).toEqual(third);
  });

  test('to a row that has changed meanwhile is not written, and neither is its history', async () => {
    await store.save(account);
    const read = await store.get(account);
    await store.save(sampleAccount({ user: 'other' }));
    const before = tables.dump('Accounts');
    expect(await store.replace(sampleAccount({ user: 'mine' }), read?.etag ?? '', [])).toBeUndefined();
    expect(tables.dump('Accounts')).toEqual(before);
  });

  test('to a removed account does not restore it', async () => {
    await store.save(account);
    const read = await store.get(account);
    await store.remove(account);
    expect(await store.replace(account, read?.etag ?? '')).toBeUndefined();
    expect(tables.dump('Accounts')).toEqual([]);
  });

  test('saves its history if it has one, and otherwise leaves the history unchanged', async () => {
    const event = { at: 'a', result: 'refreshed' as const, times: 1, lastAt: 'a' };
    await store.save(account);
    const read = await store.get(account);
    const next = await store.replace(account, read?.etag ?? '', [event]);
    expect(await store.history(account)).toEqual([event]);
    await store.replace(account, next?.etag ?? '');
    expect(await store.history(account)).toEqual([event]);
  });
});

describe('a history', () => {
  const event = (at: string): SignInEvent => ({ at, result: 'refreshed', times: 1, lastAt: at });

  test('is read back as it was written', async () => {
    const failed = {
      ...event('a'),
      result: 'action-required' as const,
      code: 'AADSTS50173',
      suberror: 'bad_token',
      message: 'The grant was revoked.',
      traceId: 't',
      correlationId: 'c',
      times: 3,
    };
    await store.save(account);
    const read = await store.get(account);
    await store.replace(account, read?.etag ?? '', [failed, event('b')]);
    expect(await store.history(account)).toEqual([failed, event('b')]);
  });

  test.each([undefined, 7, '', '{', '{}', '[{}]'])(
    'containing %j counts as empty and is reported until it is written again',
    async (events) => {
      await store.save(account);
      const rowKey = `~${accountId}`;
      const spoiled = { partitionKey: providerId, rowKey, v: 1, ...(events !== undefined && { events }) };
      await tables.open('Accounts').commit(providerId, [{ kind: 'put', row: spoiled }]);
      expect(await store.history(account)).toEqual([]);
      expect(unreadableRows(tables)).toEqual([{ table: 'Accounts', partitionKey: providerId, rowKey }]);
      await store.save(account);
      expect(await store.history(account)).toHaveLength(1);
      expect(unreadableRows(tables)).toEqual([]);
    },
  );
});

test('records a consent before earlier events', async () => {
  await store.save(account);
  await store.save(sampleAccount({ consentedAt: '2026-11-24T10:00:00.000Z' }));
  expect((await store.history(account)).map(({ at, result }) => [at, result])).toEqual([
    ['2026-11-24T10:00:00.000Z', 'signed-in'],
    ['2026-11-20T10:00:00.000Z', 'signed-in'],
  ]);
});

test('the row of a history names its account', () => {
  const record = { providerId, accountId, events: [] };
  expect(signInHistoryKind.fromRow(signInHistoryKind.toRow(record))).toEqual(record);
});
