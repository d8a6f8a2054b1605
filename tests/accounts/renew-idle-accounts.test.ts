import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Account } from '../../shared/accounts/account.ts';
import { isIdle, renewIdleAccounts } from '../../shared/accounts/renew-idle-accounts.ts';
import { connectSupport, type DemoApp, startDemoApp } from '../harness/pages/demo-app.ts';

const DAY = 86_400_000;
const NONE = { idle: 0, renewed: 0, refused: 0, broken: 0, left: 0 };

let app: DemoApp;
let account: Account;
beforeEach(async () => {
  app = await startDemoApp();
  ({ account } = await connectSupport(app));
});
afterEach(() => app.stop());

const refreshes = (): number =>
  app.idp.tokenRequests().filter(({ grantType }) => grantType === 'refresh_token').length;

/** More accounts with the same grant, as if others had signed in on other days. */
async function others(...usedDaysAgo: number[]): Promise<void> {
  for (const [index, days] of usedDaysAgo.entries())
    await app.services.accounts.save({
      ...account,
      accountId: `${'b'.repeat(25)}${'abcdefgh'[index]}`,
      tokens: { ...account.tokens, receivedAt: new Date(Date.now() - days * DAY).toISOString() },
    });
}

test('a grant unused for a week is used, and again a week later', async () => {
  app.seam.skewMs = 6 * DAY;
  expect(await renewIdleAccounts(app.services)).toEqual(NONE);
  app.seam.skewMs = 7 * DAY;
  expect(await renewIdleAccounts(app.services)).toEqual({ ...NONE, idle: 1, renewed: 1 });
  expect(await renewIdleAccounts(app.services)).toEqual(NONE);
  app.seam.skewMs = 14 * DAY;
  expect(await renewIdleAccounts(app.another())).toEqual({ ...NONE, idle: 1, renewed: 1 });
  expect(refreshes()).toBe(2);
});

test('each grant stays valid over a year of days', async () => {
  for (let day = 1; day <= 365; day++) {
    app.seam.skewMs = day * DAY;
    await renewIdleAccounts(app.services);
  }
  expect(refreshes()).toBe(52);
  expect((await app.services.accounts.get(account))?.account.state).toBe('ok');
});

test('a refusal is counted, shown on the account, and not retried', async () => {
  app.idp.revokeUser('support@contoso.example');
  app.seam.skewMs = 7 * DAY;
  expect(await renewIdleAccounts(app.services)).toEqual({ ...NONE, idle: 1, refused: 1 });
  expect((await app.services.accounts.get(account))?.account).toMatchObject({
    state: 'action-required',
    problem: { code: 'AADSTS50173' },
  });
  expect(await renewIdleAccounts(app.services)).toEqual(NONE);
});

test('one that throws and one that is refused do not stop the others', async () => {
  await others(30, 29, 28);
  const { get } = app.services.accounts;
  const broken = `${'b'.repeat(25)}b`;
  app.services.accounts.get = (ref) => {
    if (ref.accountId === broken) throw new Error('storage is away');
    return get(ref);
  };
  const answer = await renewIdleAccounts({ ...app.services, accounts: app.services.accounts });
  app.services.accounts.get = get;
  // The tokens of the two others decrypt only for their first owner, so they cannot be refreshed.
  expect(answer).toEqual({ ...NONE, idle: 3, broken: 1, refused: 2 });
});

test('the longest idle are refreshed first, and the rest is left for tomorrow when time runs out', async () => {
  await others(10, 30, 20, 40, 50, 9);
  const asked: string[] = [];
  const answer = await renewIdleAccounts({
    ...app.services,
    accessTokens: {
      renew: async ({ accountId }) => {
        asked.push(accountId.slice(-1));
        app.seam.skewMs += 3 * 60_000;
        return { kind: 'retrying', code: 'no-answer', message: '' };
      },
    },
  });
  expect(asked).toEqual(['e', 'd']);
  expect(answer).toEqual({ ...NONE, idle: 6, refused: 2, left: 4 });
});

test('an account that requires a person is not idle', () => {
  const later = Date.parse(account.consentedAt) + 8 * DAY;
  const problem = { code: 'http-503', message: 'Away.' } as const;
  const retrying = { state: 'retrying' as const, problem, retryAt: account.consentedAt };
  expect(isIdle(account, later)).toBe(true);
  expect(isIdle({ ...account, ...retrying }, later)).toBe(true);
  expect(isIdle({ ...account, ...retrying, state: 'action-required' }, later)).toBe(false);
});
