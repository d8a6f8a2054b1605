/** A refresh is made once, its response is stored once, and a server error ends no grant. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Services } from '../../functions/services.ts';
import type { AccessToken } from '../../shared/accounts/access-token.ts';
import type { Account } from '../../shared/accounts/account.ts';
import { tokenContext } from '../../shared/accounts/account.ts';
import { askAppToken, saveAppAccount } from '../../shared/accounts/app-account.ts';
import type { SeamPoint } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { AT_MAIL, connectSupport, type DemoApp, startDemoApp } from '../harness/pages/demo-app.ts';

const HOUR = 3_600_000;
const apps: DemoApp[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.stop()));
});

async function start(
  options: Parameters<typeof startDemoApp>[0] = {},
): Promise<{ app: DemoApp; account: Account; asked: (grantType?: string) => number }> {
  const app = await startDemoApp(options);
  apps.push(app);
  const { account } = await connectSupport(app);
  const asked = (wanted = 'refresh_token'): number =>
    app.idp.tokenRequests().filter(({ grantType }) => grantType === wanted).length;
  return { app, account, asked };
}

const tokenOf = (answer: AccessToken): string => {
  if (answer.kind !== 'token') throw new Error(`${answer.kind}: ${answer.code} ${answer.message}`);
  return answer.token.expose();
};
const storedAccount = async ({ services }: DemoApp, account: Account): Promise<Account> => {
  const stored = await services.accounts.get(account);
  if (stored === undefined) throw new Error('no row');
  return stored.account;
};

/** Records every call to the outside; `act` runs around the first one of a point. */
function watch(
  app: DemoApp,
  at?: SeamPoint,
  act: (effect: () => Promise<unknown>) => Promise<unknown> = (effect) => effect(),
): SeamPoint[] {
  const points: SeamPoint[] = [];
  let done = false;
  app.seam.around = async (point, effect) => {
    points.push(point);
    if (point !== at || done) return effect();
    done = true;
    return act(effect);
  };
  return points;
}

const count = (points: readonly SeamPoint[], wanted: SeamPoint): number =>
  points.filter((point) => point === wanted).length;

describe('of several callers in one process', () => {
  it('one sends the request and the others wait for its response, without a lease or a read of their own', async () => {
    const { app, account, asked } = await start();
    app.seam.skewMs = 2 * HOUR;
    const points = watch(app);
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map(() => app.services.accessTokens.get(account, AT_MAIL)),
    );
    expect(new Set(answers.map(tokenOf)).size).toBe(1);
    expect(asked()).toBe(1);
    expect(count(points, 'blob.lease')).toBe(1);
    // Before the lease and under it.
    expect(count(points, 'table.Accounts.get')).toBeLessThanOrEqual(3);
  });
});

/** Another process refreshes just before this one acquires the lease. */
function refreshedBefore(app: DemoApp, account: Account, other: Services): SeamPoint[] {
  return watch(app, 'blob.lease', async (effect) => {
    const { around } = app.seam;
    app.seam.around = undefined;
    tokenOf(await other.accessTokens.get(account, AT_MAIL));
    app.seam.around = around;
    return effect();
  });
}

describe('under the lease the row is read again, so', () => {
  it('a token that another process has just received is returned, without a request or a write', async () => {
    const { app, account, asked } = await start();
    app.seam.skewMs = 2 * HOUR;
    const points = refreshedBefore(app, account, app.another());
    const token = tokenOf(await app.services.accessTokens.get(account, AT_MAIL));
    expect(asked()).toBe(1);
    expect(count(points, 'table.Accounts.commit')).toBe(0);
    app.seam.around = undefined;
    expect(tokenOf(await app.another().accessTokens.get(account, AT_MAIL))).toBe(token);
  });

  it('an app sends no second request either', async () => {
    const { app, account: person, asked } = await start();
    const provider = await app.services.providers.get(person.providerId);
    if (provider === undefined) throw new Error('no provider');
    const given = await askAppToken(app.services.oauth, provider);
    if (given.kind !== 'token') throw new Error(given.kind);
    const connectRequest = { address: 'support@contoso.example', by: 'alex' };
    const account = await saveAppAccount(app.services, provider, given, connectRequest);
    app.seam.skewMs = 2 * HOUR;
    const before = asked('client_credentials');
    refreshedBefore(app, account, app.another());
    tokenOf(await app.services.accessTokens.get(account, AT_MAIL));
    expect(asked('client_credentials')).toBe(before + 1);
  });
});

describe('a received response', () => {
  it.each([1, 2, 3])('is stored although storage fails %i times', async (failures) => {
    const { app, account, asked } = await start({ strictRotation: true });
    app.seam.skewMs = 2 * HOUR;
    let answered = false;
    let left = failures;
    app.seam.around = async (point, effect) => {
      if (answered && point === 'table.Accounts.commit' && left > 0) {
        left -= 1;
        throw new Error('storage is away');
      }
      const result = await effect();
      if (point === 'token.refresh') answered = true;
      return result;
    };
    const token = tokenOf(await app.services.accessTokens.get(account, AT_MAIL));
    app.seam.around = undefined;
    // A process with an empty cache reads it from the row.
    expect(tokenOf(await app.another().accessTokens.get(account, AT_MAIL))).toBe(token);
    expect(asked()).toBe(1);
  });

  it('does not overwrite a newer sign-in, whose tokens stay in the row and are returned', async () => {
    const { app, account, asked } = await start();
    const { accounts, sealer, providers } = app.services;
    const provider = await providers.get(account.providerId);
    if (provider === undefined) throw new Error('no provider');
    app.seam.skewMs = 2 * HOUR;
    const inAnHour = new Date(app.seam.now() + HOUR).toISOString();
    const newer: Account = {
      ...account,
      tokens: {
        access: await sealer.seal(
          new Secret('of-the-newer-sign-in'),
          tokenContext(account, 'access', provider),
        ),
        refresh: await sealer.seal(new Secret('newer'), tokenContext(account, 'refresh', provider)),
        previousRefresh: undefined,
        accessExpiresAt: inAnHour,
        refreshAt: inAnHour,
        receivedAt: new Date(app.seam.now()).toISOString(),
      },
    };
    watch(app, 'token.refresh', async (effect) => {
      const result = await effect();
      app.seam.around = undefined;
      await accounts.save(newer);
      return result;
    });
    expect(tokenOf(await app.services.accessTokens.get(account, AT_MAIL))).toBe('of-the-newer-sign-in');
    expect((await storedAccount(app, account)).tokens).toEqual(newer.tokens);
    expect(asked()).toBe(1);
  });

  it('and then lost leaves the record of the started refresh, which tells the person why the grant has ended', async () => {
    const { app, account } = await start({ strictRotation: true });
    app.seam.skewMs = 2 * HOUR;
    watch(app, 'token.refresh', async (effect) => {
      await effect();
      throw new Error('socket hang up');
    });
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('retrying');
    app.seam.around = undefined;
    const { refreshBegunAt } = await storedAccount(app, account);
    expect(Date.parse(refreshBegunAt ?? '')).toBeGreaterThanOrEqual(Date.now() + 2 * HOUR - 60_000);
    app.seam.skewMs = 3 * HOUR;
    expect(await app.another().accessTokens.get(account, AT_MAIL)).toMatchObject({
      kind: 'action-required',
      message: expect.stringContaining('was stopped before the response was stored'),
    });
  });
});

describe('a server error ends no grant, whatever error code comes with the status', () => {
  it.each([408, 425, 429, 500, 502, 503])('%i', async (status) => {
    const { app, account } = await start();
    app.seam.skewMs = 2 * HOUR;
    const body = { error: 'invalid_grant', error_description: 'The grant has ended.' };
    app.idp.addFault({ match: { path: '/token' }, status, body });
    expect(await app.services.accessTokens.get(account, AT_MAIL)).toMatchObject({ kind: 'retrying' });
    expect(await storedAccount(app, account)).toMatchObject({
      state: 'retrying',
      retryAt: expect.any(String),
    });
    app.idp.clearFaults();
    app.seam.skewMs = 3 * HOUR;
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
  });
});

describe('encryption', () => {
  it('uses a new nonce each time, because a repeated nonce under one key reveals the key stream', async () => {
    const { app } = await start();
    const { sealer } = app.services;
    const sealed = await Promise.all(
      Array.from({ length: 500 }, () => sealer.seal(new Secret('same'), 'same')),
    );
    expect(new Set(sealed).size).toBe(500);
    // NIST SP 800-38D section 8.2.2: the first 96 bits are random.
    const nonces = sealed.map((text) => Buffer.from(text.split('.')[2] ?? '', 'base64url').subarray(0, 12));
    expect(new Set(nonces.map((nonce) => nonce.toString('hex'))).size).toBe(500);
  });
});
