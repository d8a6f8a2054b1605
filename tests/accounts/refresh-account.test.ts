/** One refresh: what the row contains before, during and after it, whatever the provider and storage do. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Account } from '../../shared/accounts/account.ts';
import { createRefresher } from '../../shared/accounts/refresh-account.ts';
import type { RefreshOutcome } from '../../shared/accounts/refresh-store.ts';
import { createTokenCipher } from '../../shared/accounts/token-encryption.ts';
import { silence } from '../../shared/accounts/token-failure.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import type { SeamPoint } from '../../shared/platform/seam.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { credential, granted, HOUR, isoAt, MINUTE, memorySignIn, NOW, refused } from './memory-sign-in.ts';

afterEach(() => void vi.useRealTimers());

async function postroom(change: Partial<Account> = {}, provider: Partial<Provider> = {}) {
  const world = await memorySignIn(change, provider);
  const refresher = createRefresher(world.deps);
  const holds = { held: true, renewed: 0 };
  const hold = async (): Promise<boolean> => {
    holds.renewed += 1;
    return holds.held;
  };
  const refresh = async (by = refresher): Promise<RefreshOutcome> => {
    const stored = await world.deps.accounts.get(world.account);
    if (stored === undefined) throw new Error('no row');
    return by.refresh(stored, 'outlook', hold);
  };
  const history = async () => (await world.deps.accounts.history(world.account)).slice(0, -1);
  return { ...world, refresher, holds, refresh, history };
}
const away = () => Promise.reject(new PostroomError('table-storage', 'Away.'));
const works = {
  state: 'ok',
  problem: undefined,
  retryAt: undefined,
  refusedAsOf: undefined,
  refreshBegunAt: undefined,
};
const between = (text: string | undefined, from: number, to: number): void => {
  const at = Date.parse(text ?? '') - NOW;
  expect(at).toBeGreaterThanOrEqual(from);
  expect(at).toBeLessThanOrEqual(to);
};

describe('a refresh', () => {
  test('records its start before it calls the provider, and stores the response', async () => {
    const { account, provider, hooks, asked, holds, refresh, row, opened, history } = await postroom();
    let begun: Account | undefined;
    hooks.answer = async () => {
      begun = await row();
      return granted('a2', 'r2', { scopes: ['imap'] });
    };
    const outcome = await refresh();
    expect(begun).toEqual({ ...account, kind: undefined, refreshBegunAt: isoAt(0) });
    expect(asked).toEqual(['r1']);
    expect(holds.renewed).toBe(1);
    const after = await row();
    expect(after).toEqual({
      ...account,
      kind: undefined,
      scopes: ['imap'],
      tokens: {
        ...after.tokens,
        accessExpiresAt: isoAt(HOUR),
        receivedAt: isoAt(0),
      },
    });
    expect(await opened()).toEqual(['a2', 'r2', 'r1']);
    expect(outcome).toMatchObject({ kind: 'refreshed', provider });
    expect(outcome.kind === 'refreshed' && outcome.token.expose()).toBe('a2');
    expect(outcome.kind === 'refreshed' && outcome.account).toEqual({ ...after, kind: undefined });
    expect(await history()).toMatchObject([{ result: 'refreshed', at: isoAt(0), times: 1 }]);
  });

  test('that succeeds clears the problem and sets since when the account works', async () => {
    const { refresh, row } = await postroom({
      state: 'retrying',
      problem: { code: 'no-answer', message: 'y' },
      retryAt: isoAt(-1),
      refusedAsOf: isoAt(-1),
      refreshBegunAt: isoAt(-5),
    });
    await refresh();
    expect(await row()).toMatchObject({ ...works, stateSince: isoAt(0) });
  });

  test('keeps the previous scopes if the provider names none', async () => {
    const { account, refresh, row } = await postroom();
    await refresh();
    expect((await row()).scopes).toEqual(account.scopes);
  });

  test('that never finished keeps its start time until the next one finishes', async () => {
    const { hooks, refresh, row } = await postroom({ refreshBegunAt: isoAt(-9 * MINUTE) });
    const seen: unknown[] = [];
    hooks.answer = async () => {
      seen.push((await row()).refreshBegunAt);
      return granted('a2');
    };
    await refresh();
    expect(seen).toEqual([isoAt(-9 * MINUTE)]);
    expect((await row()).refreshBegunAt).toBeUndefined();
  });

  test('of a changed row sends no request', async () => {
    const { deps, account, refresher, asked } = await postroom();
    const stored = await deps.accounts.get(account);
    await deps.accounts.save({ ...account, user: 'new@contoso.example' });
    if (stored === undefined) throw new Error('no row');
    expect(await refresher.refresh(stored, 'outlook', async () => true)).toEqual({ kind: 'changed' });
    expect(asked).toEqual([]);
  });

  test('sends no request once its lease is lost, and keeps the record of its start', async () => {
    const { asked, holds, refresh } = await postroom();
    holds.held = false;
    expect(await refresh()).toEqual({ kind: 'taken' });
    expect(asked).toEqual([]);
  });

  test('replaces the current credential by the next one once that has worked', async () => {
    const next = { ...credential, version: 'v2' };
    const { deps, hooks, provider, refresh } = await postroom({}, { nextCredential: next });
    hooks.answer = async () => ({ ...granted('a2'), credential: next }) as ReturnType<typeof granted>;
    await refresh();
    expect(await deps.providers.get(provider.id)).toMatchObject({
      credential: next,
      nextCredential: undefined,
    });
  });

  test('of an app uses its credential only, and records no start', async () => {
    const { account, asked, holds, hooks, refresh, row } = await postroom({ kind: 'app' });
    hooks.answer = async () => {
      expect((await row()).refreshBegunAt).toBeUndefined();
      return granted('a2', undefined, { scopes: ['other'] });
    };
    expect(await refresh()).toMatchObject({ kind: 'refreshed' });
    expect(asked).toEqual(['app: https://outlook.office365.com/.default']);
    expect(holds.renewed).toBe(1);
    expect((await row()).scopes).toEqual(account.scopes);
  });
});

describe('a received response', () => {
  /** Storage fails this often after the provider has responded. */
  async function failing(times: number, error = away) {
    const world = await postroom();
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    let left = times;
    world.hooks.before = async (point) => {
      if (world.asked.length === 0 || point !== 'table.Accounts.commit' || left === 0) return;
      left -= 1;
      await error();
    };
    return world;
  }
  async function timed<T>(work: Promise<T>): Promise<{ answer: T; waited: number }> {
    const start = Date.now();
    let waited = 0;
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    done.catch(() => undefined);
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      if (vi.getTimerCount() > 0) {
        await vi.advanceTimersByTimeAsync(50);
        waited += 50;
      }
    }
    expect(Date.now() - start).toBeLessThan(10_000);
    return { answer: await done, waited };
  }

  test('is stored with up to four attempts and growing pauses', async () => {
    const { refresh, opened } = await failing(3);
    const { answer, waited } = await timed(refresh());
    expect(answer).toMatchObject({ kind: 'refreshed' });
    expect(waited).toBe(1500);
    expect(await opened()).toEqual(['a2', 'r2', 'r1']);
  });

  test('that could not be stored is kept, and stored by the next refresh without another request', async () => {
    const { asked, refresh, opened, hooks, row } = await failing(4);
    await expect(timed(refresh())).rejects.toMatchObject({ code: 'table-storage' });
    hooks.before = async () => {};
    const outcome = await refresh();
    expect(outcome).toMatchObject({ kind: 'refreshed', provider: { id: 'p'.repeat(26) } });
    expect(outcome.kind === 'refreshed' && outcome.token.expose()).toBe('a2');
    expect(asked).toEqual(['r1']);
    expect(await opened()).toEqual(['a2', 'r2', 'r1']);
    expect(await row()).toMatchObject(works);
    // Nothing is pending any more, so the next refresh sends a request.
    await refresh();
    expect(asked).toEqual(['r1', 'r2']);
  });

  test('that was kept does not overwrite a newer row', async () => {
    const { asked, deps, account, refresh, row, hooks } = await failing(4);
    await expect(timed(refresh())).rejects.toMatchObject({ code: 'table-storage' });
    hooks.before = async () => {};
    await deps.accounts.save({ ...account, user: 'new@contoso.example' });
    expect(await refresh()).toEqual({ kind: 'changed' });
    expect((await row()).user).toBe('new@contoso.example');
    expect((await row()).tokens).toEqual(account.tokens);
    expect(await refresh()).toMatchObject({ kind: 'refreshed' });
    expect(asked).toEqual(['r1', 'r1']);
  });

  test('that was kept without an access token is stored, and the row is read again', async () => {
    const { hooks, refresh, opened } = await failing(4);
    hooks.answer = async () => granted(undefined, 'r2');
    await expect(timed(refresh())).rejects.toMatchObject({ code: 'table-storage' });
    hooks.before = async () => {};
    expect(await refresh()).toEqual({ kind: 'changed' });
    expect(await opened()).toEqual([undefined, 'r2', 'r1']);
  });

  test('counts as stored if only the response of storage was lost', async () => {
    const world = await postroom();
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    let lost = false;
    const accounts = {
      ...world.deps.accounts,
      replace: async (...change: Parameters<typeof world.deps.accounts.replace>) => {
        const written = await world.deps.accounts.replace(...change);
        if (world.asked.length === 0 || lost) return written;
        lost = true;
        return away();
      },
    };
    const { answer } = await timed(world.refresh(createRefresher({ ...world.deps, accounts })));
    expect(answer).toMatchObject({ kind: 'refreshed' });
    expect(await world.opened()).toEqual(['a2', 'r2', 'r1']);
  });

  test('does not overwrite a newer sign-in, nor restore a removed account', async () => {
    for (const remove of [false, true]) {
      const { deps, account, hooks, refresh, seal } = await postroom();
      const tokens = { ...account.tokens, refresh: await seal('newer', 'refresh') };
      hooks.answer = async () => {
        if (remove) await deps.accounts.remove(account);
        else await deps.accounts.save({ ...account, tokens });
        return granted('a2', 'r2');
      };
      expect(await refresh()).toEqual({ kind: 'changed' });
      const there = (await deps.accounts.get(account))?.account.tokens;
      expect(there).toEqual(remove ? undefined : tokens);
    }
  });

  test('for an app does not restore a token that was erased meanwhile', async () => {
    const { deps, account, hooks, refresh, row } = await postroom({ kind: 'app' });
    hooks.answer = async () => {
      await deps.accounts.save({ ...account, tokens: { ...account.tokens, access: undefined } });
      return granted('a2');
    };
    expect(await refresh()).toEqual({ kind: 'changed' });
    expect((await row()).tokens.access).toBeUndefined();
  });

  test('without an access token keeps the new refresh token, and is retried', async () => {
    const { hooks, refresh, opened, row, history } = await postroom();
    hooks.answer = async () => granted(undefined, 'r2');
    const outcome = await refresh();
    expect(outcome).toMatchObject({
      kind: 'retrying',
      account: { problem: { code: 'no-answer', message: 'The provider answered without an access token.' } },
    });
    expect(await opened()).toEqual([undefined, 'r2', 'r1']);
    expect(await row()).toMatchObject({ state: 'retrying', stateSince: isoAt(0), refreshBegunAt: undefined });
    expect(await history()).toMatchObject([{ result: 'retrying', code: 'no-answer', times: 1 }]);
  });
});

describe('a temporary failure', () => {
  test('stores its message, its pause and its IDs, and leaves the tokens unchanged', async () => {
    const { account, hooks, refresh, row, history } = await postroom();
    const ids = { suberror: 'sub', traceId: 'trace', correlationId: 'correlation' };
    hooks.answer = async () => refused('slow_down', { status: 429, retryAfterSeconds: 90, ...ids });
    const outcome = await refresh();
    const after = await row();
    expect(outcome).toEqual({ kind: 'retrying', account: { ...after, kind: undefined } });
    expect(after).toEqual({
      ...account,
      kind: undefined,
      state: 'retrying',
      stateSince: isoAt(0),
      problem: { code: 'slow_down', message: 'The provider’s own words.' },
      retryAt: isoAt(90_000),
      refreshBegunAt: undefined,
    });
    expect(await history()).toEqual([
      {
        at: isoAt(0),
        lastAt: isoAt(0),
        times: 1,
        result: 'retrying',
        code: 'slow_down',
        message: 'The provider’s own words.',
        ...ids,
      },
    ]);
  });

  test('stores no IDs if there are none', async () => {
    const { hooks, refresh, history } = await postroom();
    hooks.answer = async () => refused(undefined, { status: 503, sentence: undefined });
    await refresh();
    const [event] = await history();
    expect(event).toEqual({
      at: isoAt(0),
      lastAt: isoAt(0),
      times: 1,
      result: 'retrying',
      code: 'http-503',
      message: 'login.example answered with status 400.',
    });
  });

  test('that continues is one event and one state since its start, with longer pauses', async () => {
    const { hooks, state, refresh, row, history } = await postroom();
    hooks.answer = async () => refused('server_error', { status: 503 });
    await refresh();
    between((await row()).retryAt, 30_000, 37_500);
    state.now += MINUTE;
    await refresh();
    const after = await row();
    expect(after.stateSince).toBe(isoAt(0));
    between(after.retryAt, MINUTE + 60_000, MINUTE + 75_000);
    expect(await history()).toMatchObject([{ at: isoAt(0), times: 2, lastAt: isoAt(MINUTE) }]);
  });

  test('without a response keeps the record of the started refresh, because the request may have arrived', async () => {
    const { hooks, refresh, row } = await postroom();
    hooks.answer = async () => ({ kind: 'failed', failure: silence('No answer.') });
    await refresh();
    expect(await row()).toMatchObject({ state: 'retrying', refreshBegunAt: isoAt(0) });
  });

  test('with a response keeps the record of an earlier refresh that never finished', async () => {
    const { hooks, refresh, row } = await postroom({ refreshBegunAt: isoAt(-5) });
    hooks.answer = async () => refused('server_error', { status: 503 });
    await refresh();
    expect((await row()).refreshBegunAt).toBe(isoAt(-5));
  });

  test('does not overwrite a row that changed meanwhile', async () => {
    for (const answer of [refused('server_error', { status: 503 }), refused('invalid_grant')]) {
      const { deps, account, hooks, refresh, row } = await postroom();
      hooks.answer = async () => {
        await deps.accounts.save({ ...account, user: 'new@contoso.example' });
        return answer;
      };
      expect(await refresh()).toEqual({ kind: 'changed' });
      expect(await row()).toMatchObject({ user: 'new@contoso.example', state: 'ok' });
    }
  });
});

describe('a lasting refusal', () => {
  test('of the grant requires a new sign-in, and is never retried automatically', async () => {
    const { hooks, refresh, row, refresher, history } = await postroom();
    hooks.answer = async () => refused('invalid_grant');
    expect(await refresh()).toMatchObject({ kind: 'action-required', account: { state: 'action-required' } });
    expect(await history()).toMatchObject([
      { result: 'action-required', message: 'The provider’s own words.' },
    ]);
    const after = await row();
    expect(after).toMatchObject({
      state: 'action-required',
      stateSince: isoAt(0),
      problem: { code: 'invalid_grant', message: expect.stringContaining('has ended') },
      retryAt: undefined,
      refusedAsOf: undefined,
      refreshBegunAt: undefined,
    });
    expect(await refresher.mayTryAgain(after, after)).toBe(false);
  });

  test('of the grant mentions an earlier refresh that never finished', async () => {
    const { hooks, refresh, row } = await postroom({ refreshBegunAt: isoAt(-5) });
    hooks.answer = async () => refused('invalid_grant');
    await refresh();
    const after = await row();
    expect(after.problem?.message).toContain(`At ${isoAt(-5)} Postroom`);
    expect(after.refreshBegunAt).toBeUndefined();
  });

  test.each([
    ['invalid_client', {}],
    ['invalid_scope', {}],
    ['invalid_grant', { kind: 'app' }],
  ] as const)('as %s of %j recovers automatically once it is fixed', async (error, change) => {
    const { deps, hooks, provider, state, refresh, row, refresher } = await postroom({
      ...change,
      refreshBegunAt: isoAt(-5),
    });
    hooks.answer = async () => refused(error);
    await refresh();
    const after = await row();
    expect(after).toMatchObject({
      state: 'action-required',
      retryAt: isoAt(15 * MINUTE),
      refusedAsOf: provider.changedAt,
      refreshBegunAt: isoAt(-5),
    });
    expect(await refresher.mayTryAgain(after, after)).toBe(false);
    await deps.providers.save({ ...provider, changedAt: isoAt(0) });
    expect(await refresher.mayTryAgain(after, after)).toBe(true);
    await deps.providers.remove(provider.id);
    expect(await refresher.mayTryAgain(after, after)).toBe(false);
    state.now = NOW + 15 * MINUTE;
    expect(await refresher.mayTryAgain(after, after)).toBe(true);
    await deps.providers.save(provider);
    await refresh();
    expect((await row()).retryAt).toBe(isoAt(45 * MINUTE));
  });

  test('names the provider whose credential is refused', async () => {
    const { hooks, refresh, row } = await postroom();
    hooks.answer = async () => refused('invalid_client');
    await refresh();
    expect((await row()).problem?.message).toMatch(/^Contoso refuses the client ID/);
  });
});

describe('the previous refresh token', () => {
  async function withTwo(first: ReturnType<typeof refused>, second = granted('a2', 'r2')) {
    const world = await postroom();
    const previousRefresh = await world.seal('r0', 'refresh');
    await world.deps.accounts.save({
      ...world.account,
      tokens: { ...world.account.tokens, previousRefresh },
    });
    world.hooks.answer = async (token) => (token === 'r1' ? first : second);
    return world;
  }

  test('is used if the newest is refused, each under the lease', async () => {
    const { asked, holds, refresh, opened } = await withTwo(refused('invalid_grant'));
    expect(await refresh()).toMatchObject({ kind: 'refreshed' });
    expect(asked).toEqual(['r1', 'r0']);
    expect(holds.renewed).toBe(2);
    expect((await opened()).slice(0, 2)).toEqual(['a2', 'r2']);
  });

  test('if refused as well, leaves the message about the newest', async () => {
    const second = refused('invalid_grant', { sentence: 'Of the one before.' });
    const { refresh, row } = await withTwo(refused('invalid_grant'), second);
    await refresh();
    expect((await row()).problem?.message).toContain('The provider’s own words.');
  });

  test.each([
    ['the app is refused', refused('invalid_client')],
    ['the refusal passes', refused('invalid_grant', { status: 503 })],
    ['the refusal has a suberror', refused('invalid_grant', { suberror: 'consent_required' })],
    ['nothing can prove the app', { kind: 'unproven', reason: 'missing' } as const],
    ['the newest works', granted('a2', 'r2')],
  ])('is not used if %s', async (_what, first) => {
    const { asked, refresh } = await withTwo(first as ReturnType<typeof refused>);
    await refresh();
    expect(asked).toEqual(['r1']);
  });
});

describe('a provider that cannot be called', () => {
  test('because it was deleted needs a new sign-in', async () => {
    const { deps, provider, asked, refresh, row } = await postroom({
      retryAt: isoAt(-1),
      refusedAsOf: isoAt(-1),
    });
    await deps.providers.remove(provider.id);
    expect(await refresh()).toMatchObject({ kind: 'action-required' });
    expect(await row()).toMatchObject({
      state: 'action-required',
      problem: { code: 'provider-missing' },
      retryAt: undefined,
      refusedAsOf: undefined,
    });
    expect(asked).toEqual([]);
  });

  test('because its credential is missing is retried after ten minutes, or once it has changed', async () => {
    const { hooks, provider, refresh, row, history } = await postroom({ refreshBegunAt: isoAt(-5) });
    hooks.answer = async () => ({ kind: 'unproven', reason: 'disabled' });
    expect(await refresh()).toMatchObject({ kind: 'action-required' });
    expect(await row()).toMatchObject({
      state: 'action-required',
      problem: { code: 'secret-disabled' },
      retryAt: isoAt(10 * MINUTE),
      refusedAsOf: provider.changedAt,
      refreshBegunAt: isoAt(-5),
    });
    expect(await history()).toMatchObject([
      {
        result: 'action-required',
        code: 'secret-disabled',
        message: expect.stringContaining('is disabled'),
      },
    ]);
  });

  test('because its credential is missing keeps the record of an earlier started refresh', async () => {
    const { hooks, refresh, row } = await postroom();
    hooks.answer = async () => ({ kind: 'unproven', reason: 'missing' });
    await refresh();
    expect((await row()).refreshBegunAt).toBeUndefined();
  });

  test('because the stored sign-in cannot be decrypted needs a new one', async () => {
    const { deps, provider, asked, refresh, row } = await postroom();
    await deps.providers.save({ ...provider, clientId: 'another app' });
    expect(await refresh()).toMatchObject({ kind: 'action-required' });
    expect(await row()).toMatchObject({ state: 'action-required', problem: { code: 'tokens-unreadable' } });
    expect(asked).toEqual([]);
  });

  test('because there is no refresh token needs a new sign-in', async () => {
    const { deps, account, refresh, row } = await postroom();
    await deps.accounts.save({ ...account, tokens: { ...account.tokens, refresh: undefined } });
    await refresh();
    expect((await row()).problem?.code).toBe('tokens-unreadable');
  });

  test.each(['before it began', 'while it fetched its credential'])(
    'because the vault was unavailable %s is retried, and keeps the previous message about a refresh',
    async (when) => {
      const { deps, hooks, state, asked, refresh, row } = await postroom({ refusedAsOf: isoAt(-1) });
      const isBefore = when === 'before it began';
      state.isVaultAway = isBefore;
      hooks.answer = () => Promise.reject(new PostroomError('key-vault', 'Away.'));
      const sealer = isBefore ? createTokenCipher(deps.vault, deps.seam) : deps.sealer;
      expect(await refresh(createRefresher({ ...deps, sealer }))).toMatchObject({ kind: 'retrying' });
      const after = await row();
      expect(after).toMatchObject({
        state: 'retrying',
        problem: { code: 'key-vault', message: expect.stringContaining('does not respond') },
        refusedAsOf: undefined,
        refreshBegunAt: undefined,
      });
      between(after.retryAt, 30_000, 37_500);
      expect(asked).toHaveLength(isBefore ? 0 : 1);
    },
  );

  test('because the managed identity is unavailable is retried', async () => {
    const { hooks, refresh, row } = await postroom({ refreshBegunAt: isoAt(-5) });
    hooks.answer = () => Promise.reject(new PostroomError('no-identity', 'Away.'));
    await refresh();
    expect(await row()).toMatchObject({ problem: { code: 'no-identity' }, refreshBegunAt: isoAt(-5) });
  });

  test.each([
    ['key-vault', 'vault'],
    ['invalid_grant', 'refusal'],
  ])('does not overwrite a row that changed meanwhile: %s', async (_code, what) => {
    const { deps, account, hooks, refresh, row } = await postroom();
    hooks.answer = async () => {
      await deps.accounts.save({ ...account, user: 'new@contoso.example' });
      if (what === 'vault') throw new PostroomError('key-vault', 'Away.');
      return { kind: 'unproven', reason: 'missing' };
    };
    expect(await refresh()).toEqual({ kind: 'changed' });
    expect((await row()).user).toBe('new@contoso.example');
  });
});

describe('an internal error', () => {
  test('before the request removes the record of the started refresh', async () => {
    const { account, deps, refresh, row } = await postroom();
    const oauth = { ...deps.oauth, refresh: () => Promise.reject(new TypeError('a mistake')) };
    await expect(refresh(createRefresher({ ...deps, oauth }))).rejects.toThrow('a mistake');
    expect(await row()).toEqual({ ...account, kind: undefined });
  });

  test('after the request keeps it, because the token may be used up', async () => {
    const { hooks, refresh, row } = await postroom();
    hooks.answer = () => Promise.reject(new PostroomError('unexpected', 'A mistake.'));
    await expect(refresh()).rejects.toMatchObject({ code: 'unexpected' });
    expect((await row()).refreshBegunAt).toBe(isoAt(0));
  });
});

test('the history is read before the request, not while the response waits to be stored', async () => {
  const { hooks, state, refresh } = await postroom();
  let after: SeamPoint[] = [];
  hooks.answer = async () => {
    state.points = after = [];
    return granted('a2', 'r2');
  };
  await refresh();
  expect(after).toEqual(['table.Accounts.commit']);
});
