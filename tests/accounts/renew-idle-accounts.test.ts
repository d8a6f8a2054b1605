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

/** More accounts of the same grant, as if others had signed in on other days. */
async function others(...usedDaysAgo: number[]): Promise<void> {
  for (const [index, days] of usedDaysAgo.entries())
    await app.services.accounts.save({
      ...account,
      accountId: `${'b'.repeat(25)}${'abcdefgh'[index]}`,
      tokens: { ...account.tokens, receivedAt: new Date(Date.now() - days * DAY).toISOString() },
    });
}

test('a grant that nobody used for a week is used, and then again a week later', async () => {
  app.seam.skewMs = 6 * DAY;
  expect(await renewIdleAccounts(app.services)).toEqual(NONE);
  app.seam.skewMs = 7 * DAY;
  expect(await renewIdleAccounts(app.services)).toEqual({ ...NONE, idle: 1, renewed: 1 });
  expect(await renewIdleAccounts(app.services)).toEqual(NONE);
  app.seam.skewMs = 14 * DAY;
  expect(await renewIdleAccounts(app.another())).toEqual({ ...NONE, idle: 1, renewed: 1 });
  expect(refreshes()).toBe(2);
});

test('over a year of days each grant lives on', async () => {
  for (let day = 1; day <= 365; day++) {
    app.seam.skewMs = day * DAY;
    await renewIdleAccounts(app.services);
  }
  expect(refreshes()).toBe(52);
  expect((await app.services.accounts.get(account))?.account.state).toBe('ok');
});

test('a refusal is counted, shows on the account, and is not asked for again', async () => {
  app.idp.revokeUser('support@contoso.example');
  app.seam.skewMs = 7 * DAY;
  expect(await renewIdleAccounts(app.services)).toEqual({ ...NONE, idle: 1, refused: 1 });
  expect((await app.services.accounts.get(account))?.account).toMatchObject({
    state: 'action-required',
    problem: { code: 'AADSTS50173' },
  });
  expect(await renewIdleAccounts(app.services)).toEqual(NONE);
});

test('one that breaks and one that is refused stop no other', async () => {
  await others(30, 29, 28);
  const { get } = app.services.accounts;
  const broken = `${'b'.repeat(25)}b`;
  app.services.accounts.get = (ref) => {
    if (ref.accountId === broken) throw new Error('storage is away');
    return get(ref);
  };
  const answer = await renewIdleAccounts({ ...app.services, accounts: app.services.accounts });
  app.services.accounts.get = get;
  // The tokens of the two others open under their first owner alone: they cannot be renewed.
  expect(answer).toEqual({ ...NONE, idle: 3, broken: 1, refused: 2 });
});

test('those that idled longest come first, and the rest is for tomorrow when the time is over', async () => {
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

test('who waits for a person does not idle', () => {
  const later = Date.parse(account.consentedAt) + 8 * DAY;
  const problem = { code: 'http-503', message: 'Away.' } as const;
  const retrying = { state: 'retrying' as const, problem, retryAt: account.consentedAt };
  expect(isIdle(account, later)).toBe(true);
  expect(isIdle({ ...account, ...retrying }, later)).toBe(true);
  expect(isIdle({ ...account, ...retrying, state: 'action-required' }, later)).toBe(false);
});
