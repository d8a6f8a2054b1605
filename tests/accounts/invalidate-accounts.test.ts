/** Ended sign-ins: their tokens are erased, whatever another process writes at the same moment. */

import { beforeEach, expect, test } from 'vitest';
import { type AccountStore, createAccountStore } from '../../shared/accounts/account-store.ts';
import { invalidateAccounts } from '../../shared/accounts/invalidate-accounts.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { openSeam, type SeamPoint } from '../../shared/platform/seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { sampleAccount } from '../harness/memory/sample-account.ts';

const AT = '2026-11-24T12:00:00.000Z';
const problem = { code: 'provider-changed', message: 'Sign in again.' } as const;
const account = sampleAccount({
  state: 'retrying',
  problem: { code: 'http-503', message: 'Busy.' },
  retryAt: '2026-11-24T12:05:00.000Z',
  refusedAsOf: '2026-11-01T09:00:00.000Z',
  refreshBegunAt: '2026-11-24T11:59:00.000Z',
});
const tokens = { ...account.tokens, access: undefined, refresh: undefined, previousRefresh: undefined };

let before: (point: SeamPoint) => Promise<void>;
let store: AccountStore;
/** The same rows, without the seam. */
let other: AccountStore;
beforeEach(() => {
  before = async () => {};
  const tables = new MemoryTables({
    ...openSeam,
    call: async (point, effect) => {
      await before(point);
      return effect();
    },
  });
  store = createAccountStore(tables);
  other = createAccountStore(tables.behind(openSeam));
});

test('an ended sign-in has no tokens and states the reason', async () => {
  await store.save(account);
  await invalidateAccounts(store, [account], problem, AT);
  expect((await store.get(account))?.account).toEqual({
    ...account,
    tokens,
    state: 'action-required',
    stateSince: AT,
    problem,
    retryAt: undefined,
    refusedAsOf: undefined,
    refreshBegunAt: undefined,
  });
});

test('an account that already required a person keeps the time since when', async () => {
  const asked = sampleAccount({
    state: 'action-required',
    problem: { code: codeFrom('before'), message: 'Before.' },
  });
  await store.save(asked);
  await invalidateAccounts(store, [asked], problem, AT);
  expect((await store.get(account))?.account).toMatchObject({ stateSince: account.stateSince, problem });
});

test('an app loses only its tokens', async () => {
  const app = { ...account, kind: 'app' as const };
  await store.save(app);
  await invalidateAccounts(store, [app], problem, AT);
  expect((await store.get(app))?.account).toEqual({ ...app, tokens });
});

test('a removed account is not restored, and does not stop the others', async () => {
  const gone = sampleAccount({ accountId: 'b'.repeat(26) });
  await store.save(account);
  await invalidateAccounts(store, [gone, account], problem, AT);
  expect(await store.get(gone)).toBeUndefined();
  expect((await store.get(account))?.account.problem).toEqual(problem);
});

test('a concurrent change by another process is kept, except for its tokens', async () => {
  await store.save(account);
  let writes = 0;
  before = async (point) => {
    if (point !== 'table.Accounts.commit' || writes === 2) return;
    writes += 1;
    await other.save({ ...account, user: `new-${writes}@contoso.example` });
  };
  await invalidateAccounts(store, [account], problem, AT);
  expect((await store.get(account))?.account).toMatchObject({
    user: 'new-2@contoso.example',
    tokens,
    state: 'action-required',
  });
});
