/** A token for a mail server: cached, read or refreshed once, and sent only to the provider's own servers. */
import { describe, expect, test } from 'vitest';
import type { AccessToken } from '../../shared/accounts/access-token.ts';
import type { Account } from '../../shared/accounts/account.ts';
import { createAccessTokens } from '../../shared/accounts/get-access-token.ts';
import { lifetimeOf } from '../../shared/accounts/grant.ts';
import { createTokenCipher } from '../../shared/accounts/token-encryption.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import type { SeamPoint } from '../../shared/platform/seam.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { granted, HOUR, isoAt, MINUTE, memorySignIn, NOW, refused } from './memory-sign-in.ts';

const host = 'outlook.office365.com';
const lease = (account: Account): string => `lease/account-${account.accountId}`;

/** Starts with a sign-in whose access token has expired, or is valid for another 50 minutes. */
async function postroom(
  options: { fresh?: boolean; account?: Partial<Account>; provider?: Partial<Provider> } = {},
) {
  const world = await memorySignIn(options.account, options.provider);
  if (options.fresh === true) {
    const tokens = { ...world.account.tokens, ...lifetimeOf(3600, NOW, 0) };
    await world.deps.accounts.save({ ...world.account, tokens });
  }
  world.state.points = [];
  const tokens = createAccessTokens(world.deps);
  const count = (wanted: SeamPoint): number => world.state.points.filter((point) => point === wanted).length;
  const get = async (
    use: { host?: string; rejected?: string; tryNow?: boolean } = {},
    by = tokens,
  ): Promise<ReturnType<typeof shown>> => shown(await by.get(world.account, { host, ...use }));
  const renew = async (again?: boolean, by = tokens) =>
    shown(await by.renew(world.account, again === undefined ? undefined : { again }));
  const another = (change: Partial<typeof world.deps> = {}) =>
    createAccessTokens({
      ...world.deps,
      sealer: createTokenCipher(world.deps.vault, world.deps.seam),
      ...change,
    });
  return { ...world, tokens, count, get, renew, another };
}
/** A token as a test reads it: its text, or why there is none. */
const shown = (answer: AccessToken) => (answer.kind === 'token' ? answer.token.expose() : answer);

describe('a valid token', () => {
  test('is read from the row with its expiry and user, without a request or a lease', async () => {
    const { tokens, account, asked, state } = await postroom({ fresh: true });
    const answer = await tokens.get(account, { host });
    expect(answer).toEqual({
      kind: 'token',
      token: expect.anything(),
      expiresAt: isoAt(HOUR),
      user: account.user,
    });
    expect(shown(answer)).toBe('a1');
    expect(asked).toEqual([]);
    expect(state.points).not.toContain('blob.lease');
  });

  test('is returned from the cache for 90 seconds without reading the row', async () => {
    const { get, count, state } = await postroom({ fresh: true });
    await get();
    for (const later of [0, 89_999]) {
      state.now = NOW + later;
      expect(await get()).toBe('a1');
    }
    expect(count('table.Accounts.get')).toBe(1);
    state.now = NOW + 90_000;
    expect(await get()).toBe('a1');
    expect(count('table.Accounts.get')).toBe(2);
  });

  test('is read from the row again after the clock was set back', async () => {
    const { get, count, state } = await postroom({ fresh: true });
    await get();
    state.now = NOW - 1;
    await get();
    expect(count('table.Accounts.get')).toBe(2);
  });

  test('is read from the row again once a refresh is due', async () => {
    const { get, asked, state } = await postroom({ fresh: true });
    state.now = NOW + 50 * MINUTE - 1;
    expect(await get()).toBe('a1');
    state.now = NOW + 50 * MINUTE;
    expect(await get()).toBe('a2');
    expect(asked).toEqual(['r1']);
  });

  test('is removed from the cache on request', async () => {
    const { get, count, tokens, account } = await postroom({ fresh: true });
    await get();
    tokens.forget(account);
    await get();
    expect(count('table.Accounts.get')).toBe(2);
  });

  test('is not returned for an account that was removed', async () => {
    const { get, deps, account } = await postroom({ fresh: true });
    await deps.accounts.remove(account);
    expect(await get()).toEqual({
      kind: 'action-required',
      code: 'account-missing',
      message: 'The account that signs in was removed. Connect the mailbox again.',
    });
  });

  test('is returned from the cache while storage is unavailable, until it expires', async () => {
    const { get, state, hooks } = await postroom({ fresh: true });
    await get();
    hooks.before = async (point) => {
      if (point.startsWith('table.')) throw new PostroomError('table-storage', 'Away.');
    };
    state.now = NOW + HOUR - 1;
    expect(await get()).toBe('a1');
    await expect(get({ host: 'evil.example' })).rejects.toThrow('Away.');
    await expect(get({ rejected: 'a1' })).rejects.toMatchObject({ code: 'table-storage' });
    state.now = NOW + HOUR;
    await expect(get()).rejects.toMatchObject({ code: 'table-storage' });
  });

  test('is not returned after any other error, nor by a process that never had it', async () => {
    const { get, hooks, state, another } = await postroom({ fresh: true });
    await get();
    state.now = NOW + 2 * MINUTE;
    hooks.before = () => Promise.reject(new PostroomError('bad-row', 'A mistake.'));
    await expect(get()).rejects.toMatchObject({ code: 'bad-row' });
    hooks.before = () => Promise.reject(new Error('table-storage'));
    await expect(get()).rejects.toThrow('table-storage');
    hooks.before = () => Promise.reject(new PostroomError('table-storage', 'Away.'));
    await expect(get({}, another())).rejects.toMatchObject({ code: 'table-storage' });
  });
});

describe('a mail server', () => {
  test('of the provider gets the token, whatever the case of its name', async () => {
    const { get } = await postroom({ fresh: true });
    expect(await get({ host: 'SMTP.Office365.com' })).toBe('a1');
  });

  test('of someone else gets no token, not even a cached one', async () => {
    const { get, account } = await postroom({ fresh: true });
    const none = {
      kind: 'action-required',
      code: 'mail-host-refused',
      message: `The sign-in of ${account.user} can be used only at outlook.office365.com, smtp.office365.com, not at evil.example. Correct the mailbox’s server, or the mail servers of its provider.`,
    };
    expect(await get({ host: 'evil.example' })).toEqual(none);
    expect(await get()).toBe('a1');
    expect(await get({ host: 'evil.example' })).toEqual(none);
  });

  test('gets no token if the provider names no mail servers', async () => {
    const provider = { preset: 'custom', tenant: undefined, mailHosts: undefined } as const;
    const { get } = await postroom({ fresh: true, provider });
    expect(await get()).toMatchObject({
      message: expect.stringContaining('cannot be used at any mail server'),
    });
  });

  test('that waits for another caller’s token is checked on its own', async () => {
    const { get } = await postroom();
    const [good, evil] = await Promise.all([get(), get({ host: 'evil.example' })]);
    expect(good).toBe('a2');
    expect(evil).toMatchObject({ code: 'mail-host-refused' });
  });
});

describe('a token that is due for a refresh', () => {
  test('is refreshed once for all waiting callers, under the lease, which is then released', async () => {
    const { get, asked, count, deps, account } = await postroom();
    expect(await Promise.all([get(), get(), get()])).toEqual(['a2', 'a2', 'a2']);
    expect(asked).toEqual(['r1']);
    expect(count('blob.lease')).toBe(1);
    expect(count('blob.renew')).toBe(1);
    expect(await deps.blobs.lease(lease(account), 60)).toBeDefined();
  });

  test('is cached as received, and recorded in the activity', async () => {
    const { get, count, tables, asked, state } = await postroom();
    await get();
    state.points = [];
    expect(await get()).toBe('a2');
    expect(state.points).toEqual([]);
    expect(asked).toEqual(['r1']);
    expect(count('blob.lease')).toBe(0);
    expect(tables.dump('Activity')).toHaveLength(1);
  });

  test('is read again under the lease, so a token that another process received is returned', async () => {
    const { get, asked, another, hooks, tokens } = await postroom();
    const other = another();
    let isFirst = true;
    hooks.before = async (point) => {
      if (point !== 'blob.lease' || !isFirst) return;
      isFirst = false;
      expect(await get({}, other)).toBe('a2');
    };
    expect(await get({}, tokens)).toBe('a2');
    expect(asked).toEqual(['r1']);
  });

  test('is awaited while another process refreshes it', async () => {
    const { get, deps, account, asked, count, hooks } = await postroom();
    const held = await deps.blobs.lease(lease(account), 60);
    let looks = 0;
    hooks.before = async (point) => {
      if (point !== 'blob.lease') return;
      looks += 1;
      if (looks === 4) await held?.release();
    };
    expect(await get()).toBe('a2');
    expect(asked).toEqual(['r1']);
    expect(count('blob.lease')).toBe(5);
  });

  test('is retried later if another process takes too long, and used while it is valid', async () => {
    for (const isGood of [false, true]) {
      const { get, deps, account, asked, count, state } = await postroom({ fresh: isGood });
      state.now = isGood ? NOW + 55 * MINUTE : NOW;
      await deps.blobs.lease(lease(account), 60);
      state.points = [];
      expect(await get()).toEqual(
        isGood
          ? 'a1'
          : {
              kind: 'retrying',
              code: 'refresh-busy',
              message: 'Another process is renewing the sign-in. Postroom tries again.',
            },
      );
      expect(count('blob.lease')).toBe(41);
      expect(asked).toEqual([]);
    }
  });

  test('is left to the process that acquired the lease meanwhile, and used while it is valid', async () => {
    for (const isGood of [false, true]) {
      const { get, account, asked, deps, hooks, state } = await postroom({ fresh: isGood });
      state.now = isGood ? NOW + 55 * MINUTE : NOW;
      hooks.before = async (point) => {
        if (point !== 'blob.renew') return;
        hooks.before = async () => {};
        state.now += 2 * MINUTE;
        await deps.blobs.lease(lease(account), 60);
      };
      expect(await get()).toEqual(isGood ? 'a1' : expect.objectContaining({ code: 'refresh-busy' }));
      expect(asked).toEqual([]);
    }
  });

  test('is read again if the row changes during the refresh', async () => {
    const { get, deps, account, asked, hooks } = await postroom();
    hooks.answer = async () => {
      if (asked.length === 1) await deps.accounts.save({ ...account, user: 'new@contoso.example' });
      return granted(`a of try ${asked.length}`);
    };
    expect(await get()).toBe('a of try 2');
    expect(asked).toEqual(['r1', 'r1']);
  });

  test('is retried later if the row changes each time', async () => {
    const { get, deps, account, asked, hooks } = await postroom();
    hooks.answer = async () => {
      await deps.accounts.save({ ...account, user: `new-${asked.length}@contoso.example` });
      return granted('a2');
    };
    expect(await get()).toMatchObject({ kind: 'retrying', code: 'refresh-busy' });
    expect(asked).toHaveLength(40);
  });

  test('is returned even if the lease cannot be released', async () => {
    const { get, hooks } = await postroom();
    hooks.before = async (point) => {
      if (point === 'blob.release') throw new PostroomError('blob-storage', 'Away.');
    };
    expect(await get()).toBe('a2');
  });

  test('is requested again after an error, which every waiting caller receives', async () => {
    const { get, hooks } = await postroom();
    hooks.before = async (point) => {
      if (point === 'blob.lease') throw new PostroomError('blob-storage', 'Away.');
    };
    const answers = await Promise.allSettled([get(), get()]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    hooks.before = async () => {};
    expect(await get()).toBe('a2');
  });
});

describe('a token that a mail server has just refused', () => {
  test('is not returned again, although it is still valid', async () => {
    const { get, asked } = await postroom({ fresh: true });
    expect(await get()).toBe('a1');
    expect(await get({ rejected: 'a1' })).toBe('a2');
    expect(asked).toEqual(['r1']);
  });

  test('does not prevent the token of another process from being returned', async () => {
    const { get, another, asked, state } = await postroom({ fresh: true });
    await get();
    expect(await get({ rejected: 'a1' }, another())).toBe('a2');
    expect(await get({ rejected: 'a1' })).toBe('a2');
    expect(await get({ rejected: 'other' })).toBe('a2');
    expect(asked).toEqual(['r1']);
    expect(state.now).toBe(NOW);
  });

  test('is not returned to a waiting caller that was refused with it', async () => {
    const { get, asked } = await postroom({ fresh: true });
    const [first, second] = await Promise.all([get(), get({ rejected: 'a1' })]);
    expect([first, second]).toEqual(['a1', 'a2']);
    expect(asked).toEqual(['r1']);
  });

  test('is not used while the provider fails', async () => {
    const { get, hooks } = await postroom({ fresh: true });
    hooks.answer = async () => refused('server_error', { status: 503 });
    expect(await get({ rejected: 'a1' })).toMatchObject({ kind: 'retrying', code: 'server_error' });
    expect(await get()).toBe('a1');
  });
});

describe('while the provider fails temporarily', () => {
  async function failing(fresh = false) {
    const world = await postroom({ fresh });
    world.hooks.answer = async () => refused('server_error', { status: 503, retryAfterSeconds: 60 });
    if (fresh) world.state.now = NOW + 55 * MINUTE;
    return world;
  }
  const retrying = (retryAt: string) => ({
    kind: 'retrying',
    code: 'server_error',
    message: 'The provider’s own words.',
    retryAt,
  });

  test('the result says until when the provider is not called, and it is not', async () => {
    const { get, asked, state } = await failing();
    expect(await get()).toEqual(retrying(isoAt(MINUTE)));
    state.now = NOW + MINUTE - 1;
    expect(await get()).toEqual(retrying(isoAt(MINUTE)));
    expect(asked).toHaveLength(1);
    state.now = NOW + MINUTE;
    await get();
    expect(asked).toHaveLength(2);
  });

  test('the pause ends at once for a caller who knows that the cause may be gone', async () => {
    const { get, renew, asked } = await failing();
    await get();
    await get({ tryNow: false });
    await renew(false);
    expect(asked).toHaveLength(1);
    await get({ tryNow: true });
    expect(asked).toHaveLength(2);
    await renew(true);
    expect(asked).toHaveLength(3);
  });

  test('the current token is used until it expires', async () => {
    const { get, state, tokens, account, asked } = await failing(true);
    expect(await get()).toBe('a1');
    expect(asked).toHaveLength(1);
    const answer = await tokens.get(account, { host });
    expect(answer).toMatchObject({ kind: 'token', expiresAt: isoAt(HOUR), user: account.user });
    expect(answer).not.toHaveProperty('hosts');
    expect(asked).toHaveLength(1);
    state.now = NOW + HOUR;
    expect(await get()).toMatchObject({ kind: 'retrying' });
  });

  test('a token of another registration is not used', async () => {
    const { get, deps, provider, hooks } = await failing(true);
    hooks.answer = async () => {
      await deps.providers.save({ ...provider, clientId: 'another app' });
      return refused('server_error', { status: 503 });
    };
    expect(await get()).toBe('a1');
    expect(await get()).toMatchObject({ kind: 'retrying' });
  });
});

describe('a sign-in that requires a person', () => {
  const problem = { code: codeFrom('invalid_grant'), message: 'Connect the mailbox again.' };

  test('is reported at once, without calling the provider', async () => {
    const { get, renew, asked } = await postroom({
      fresh: true,
      account: { state: 'action-required', problem },
    });
    expect(await get()).toEqual({ kind: 'action-required', ...problem });
    expect(await renew()).toEqual({ kind: 'action-required', ...problem });
    expect(asked).toEqual([]);
  });

  test('is reported with the message of the refusal just received', async () => {
    const { get, hooks } = await postroom();
    hooks.answer = async () => refused('invalid_grant');
    expect(await get()).toEqual({
      kind: 'action-required',
      code: 'invalid_grant',
      message: expect.stringContaining('has ended'),
    });
  });

  test('can be retried by a person, who does not get the previous token', async () => {
    const { renew, asked, row } = await postroom({
      fresh: true,
      account: { state: 'action-required', problem },
    });
    expect(await renew(true)).toBe('a2');
    expect(asked).toEqual(['r1']);
    expect(await row()).toMatchObject({ state: 'ok', problem: undefined });
  });

  test('is retried automatically once its pause is over, whatever else waits', async () => {
    const account = { state: 'action-required', problem, retryAt: isoAt(15 * MINUTE) } as const;
    const { get, asked, state } = await postroom({ fresh: true, account });
    expect(await get()).toMatchObject({ kind: 'action-required' });
    state.now = NOW + 15 * MINUTE;
    expect(await get()).toBe('a2');
    expect(asked).toEqual(['r1']);
  });

  test('is retried once the refused settings have changed, even during its pause', async () => {
    const refusedAsOf = '2026-11-01T09:00:00.000Z';
    const account = { state: 'action-required', problem, refusedAsOf, retryAt: isoAt(15 * MINUTE) } as const;
    const { get, deps, provider, asked } = await postroom({ account });
    expect(await get()).toMatchObject({ kind: 'action-required' });
    await deps.providers.save({ ...provider, changedAt: isoAt(0) });
    expect(await get()).toBe('a2');
    expect(asked).toEqual(['r1']);
  });

  test('that has ended is never refreshed again', async () => {
    const tokens = { refresh: undefined } as unknown as Account['tokens'];
    const { get, renew, asked } = await postroom({ fresh: true, account: { tokens } });
    expect(await get()).toEqual({
      kind: 'action-required',
      code: 'unknown',
      message: 'The account does not work, and the reason is unknown. Connect it again.',
    });
    expect(await renew(true)).toMatchObject({ kind: 'action-required' });
    expect(asked).toEqual([]);
  });
});

describe('a requested refresh', () => {
  test('calls the provider although the token is valid, and caches the result', async () => {
    const { get, renew, asked, tokens, account, state } = await postroom({ fresh: true });
    await get();
    state.now = NOW + 1000;
    const answer = await tokens.renew(account);
    expect(shown(answer)).toBe('a2');
    expect(answer).not.toHaveProperty('hosts');
    expect(await get()).toBe('a2');
    expect(asked).toEqual(['r1']);
    state.now = NOW + 2000;
    await renew();
    expect(asked).toEqual(['r1', 'r2']);
  });

  test('accepts a token that another process has received meanwhile', async () => {
    const { renew, asked, another, hooks, state } = await postroom({ fresh: true });
    state.now = NOW + 1000;
    const other = another();
    let isFirst = true;
    hooks.before = async (point) => {
      if (point !== 'blob.lease' || !isFirst) return;
      isFirst = false;
      await renew(undefined, other);
    };
    expect(await renew()).toBe('a2');
    expect(asked).toEqual(['r1']);
  });

  test('makes its own request after one that had started before it', async () => {
    const { renew, asked, hooks, state } = await postroom({ fresh: true });
    state.now = NOW + 1000;
    hooks.answer = async () => {
      state.now += 1000;
      return granted(`a of try ${asked.length}`);
    };
    const first = renew();
    state.now = NOW + 5000;
    const second = renew();
    expect(await Promise.all([first, second])).toEqual(['a of try 1', 'a of try 1']);
    expect(asked).toHaveLength(1);
  });
});

describe('without the means to decrypt it', () => {
  test('a token is retried while the vault is unavailable', async () => {
    const { get, another, state } = await postroom({ fresh: true });
    state.isVaultAway = true;
    expect(await get({}, another())).toEqual({
      kind: 'retrying',
      code: 'key-vault',
      message: 'Key Vault does not respond: Away. Postroom retries automatically.',
    });
  });

  test('a token of another registration is replaced', async () => {
    const { get, deps, provider, asked } = await postroom({ fresh: true });
    await deps.providers.save({ ...provider, clientId: 'another app' });
    expect(await get()).toMatchObject({ kind: 'action-required', code: 'tokens-unreadable' });
    expect(asked).toEqual([]);
  });

  test('a token of a deleted provider is not used', async () => {
    const { get, deps, provider } = await postroom({ fresh: true });
    await deps.providers.remove(provider.id);
    expect(await get()).toMatchObject({ kind: 'action-required', code: 'provider-missing' });
  });

  test('an account whose row has no access token is refreshed', async () => {
    const tokens = { access: undefined, ...lifetimeOf(3600, NOW, 0) } as unknown as Account['tokens'];
    const { get, asked } = await postroom({ account: { tokens } });
    expect(await get()).toBe('a2');
    expect(asked).toEqual(['r1']);
  });
});

test('two accounts are refreshed in parallel, and each gets its own token', async () => {
  const { tokens, deps, account, seal, hooks } = await postroom();
  const ref = { providerId: account.providerId, accountId: 'b'.repeat(26) };
  await deps.accounts.save({
    ...account,
    ...ref,
    kind: 'app',
    tokens: { ...account.tokens, refresh: undefined },
  });
  let waiting = 0;
  hooks.answer = async (what) => {
    waiting += 1;
    while (waiting < 2) await new Promise((resolve) => setImmediate(resolve));
    return granted(`token for ${what}`);
  };
  expect(await seal('x', 'access')).toBeDefined();
  const answers = await Promise.all([tokens.get(account, { host }), tokens.get(ref, { host })]);
  expect(answers.map(shown)).toEqual([
    'token for r1',
    'token for app: https://outlook.office365.com/.default',
  ]);
});
