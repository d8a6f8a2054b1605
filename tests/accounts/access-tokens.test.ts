import { afterEach, describe, expect, it } from 'vitest';
import { aadstsBody } from '../../dev/emulators/entra/error-bodies.ts';
import type { AccessToken } from '../../shared/accounts/access-token.ts';
import { type Account, tokenContext } from '../../shared/accounts/account.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { AT_MAIL, connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { CLIENT } from '../harness/stack/demo-directory.ts';

const apps: DemoApp[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.stop()));
});

async function start(
  options: Parameters<typeof startDemoApp>[0] = {},
): Promise<{ app: DemoApp; account: Account; providerId: string; refreshes: () => number }> {
  const app = await startDemoApp(options);
  apps.push(app);
  const { account, providerId } = await connectSupport(app);
  const refreshes = (): number =>
    app.idp.tokenRequests().filter(({ grantType }) => grantType === 'refresh_token').length;
  return { app, account, providerId, refreshes };
}

const HOUR = 3_600_000;
const tokenOf = (answer: AccessToken): string => {
  if (answer.kind !== 'token') throw new Error(`${answer.kind}: ${answer.code} ${answer.message}`);
  return answer.token.expose();
};
const row = async (app: DemoApp, account: Account): Promise<Account> => {
  const stored = await app.services.accounts.get(account);
  if (stored === undefined) throw new Error('no row');
  return stored.account;
};

describe('an access token', () => {
  it('is returned without calling the provider until ten or eleven minutes before its expiry, in any process', async () => {
    const { app, account, refreshes } = await start();
    const first = tokenOf(await app.services.accessTokens.get(account, AT_MAIL));
    app.seam.skewMs = 48 * 60_000;
    expect(tokenOf(await app.services.accessTokens.get(account, AT_MAIL))).toBe(first);
    expect(tokenOf(await app.another().accessTokens.get(account, AT_MAIL))).toBe(first);
    expect(refreshes()).toBe(0);
    app.seam.skewMs = 50 * 60_000;
    expect(tokenOf(await app.services.accessTokens.get(account, AT_MAIL))).not.toBe(first);
    expect(refreshes()).toBe(1);
  });

  it('is refreshed after half its lifetime if that is less than twenty minutes', async () => {
    const { app, account, refreshes } = await start({ accessTokenSeconds: 300 });
    app.seam.skewMs = 100_000;
    await app.services.accessTokens.get(account, AT_MAIL);
    expect(refreshes()).toBe(0);
    app.seam.skewMs = 151_000;
    await app.services.accessTokens.get(account, AT_MAIL);
    expect(refreshes()).toBe(1);
  });

  it('is replaced once the mail server has refused it', async () => {
    const { app, account, refreshes } = await start();
    const first = tokenOf(await app.services.accessTokens.get(account, AT_MAIL));
    const second = tokenOf(await app.services.accessTokens.get(account, { ...AT_MAIL, rejected: first }));
    expect(second).not.toBe(first);
    expect(tokenOf(await app.another().accessTokens.get(account, { ...AT_MAIL, rejected: first }))).toBe(
      second,
    );
    expect(refreshes()).toBe(1);
  });

  it('is refreshed once for all concurrent callers in all processes', async () => {
    const { app, account, refreshes } = await start();
    app.seam.skewMs = 2 * HOUR;
    const processes = [app.services, app.another(), app.another(), app.another()];
    const answers = await Promise.all(
      processes.flatMap(({ accessTokens }) => [1, 2, 3].map(() => accessTokens.get(account, AT_MAIL))),
    );
    expect(new Set(answers.map(tokenOf)).size).toBe(1);
    expect(refreshes()).toBe(1);
  });

  it.each([
    ['0', 0, false],
    ['"600" as a string', '600', true],
    ['nothing', undefined, true],
    ['nonsense', 'soon', true],
    ['null', null, true],
  ])('survives an expires_in of %s', async (_name, expiresIn, lasts) => {
    const { app, account } = await start();
    app.seam.skewMs = 2 * HOUR;
    app.idp.addFault({
      match: { path: 'token' },
      status: 200,
      body: { token_type: 'Bearer', access_token: 'odd-1', refresh_token: 'next-1', expires_in: expiresIn },
    });
    expect(tokenOf(await app.services.accessTokens.get(account, AT_MAIL))).toBe('odd-1');
    app.idp.addFault({
      match: { path: 'token' },
      status: 200,
      body: { token_type: 'Bearer', access_token: 'odd-2' },
    });
    expect(tokenOf(await app.services.accessTokens.get(account, AT_MAIL))).toBe(lasts ? 'odd-1' : 'odd-2');
  });
});

describe('a temporary failure', () => {
  it.each([
    ['throttling', { status: 429, headers: { 'retry-after': '120' }, body: {} }],
    [
      'an outage',
      { status: 503, body: aadstsBody(90033, 'temporarily_unavailable', 'A transient error has occurred.') },
    ],
    ['a gateway in between', { status: 502, body: 'bad gateway' }],
    [
      'an assertion from a different clock, reported as invalid_client',
      { status: 401, body: aadstsBody(700024, 'invalid_client', 'Not within its valid time range.') },
    ],
    ['a refusal without an OAuth body', { status: 403, body: { message: 'blocked' } }],
    [
      'a redirect, which is not followed',
      { status: 307, headers: { location: 'http://127.0.0.1:1/' }, body: {} },
    ],
    ['a cut connection', { destroy: true }],
  ])('(%s) is retried and never requires a person', async (_name, fault) => {
    const { app, account } = await start();
    app.seam.skewMs = 2 * HOUR;
    app.idp.addFault({ match: { path: 'token' }, ...fault });
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('retrying');
    expect((await row(app, account)).state).toBe('retrying');
    app.seam.skewMs = 2 * HOUR + 121_000;
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    expect(await row(app, account)).toMatchObject({ state: 'ok', problem: undefined, retryAt: undefined });
  });

  it('is not retried before Retry-After, not even by another process', async () => {
    const { app, account, refreshes } = await start();
    app.seam.skewMs = 2 * HOUR;
    app.idp.addFault({ match: { path: 'token' }, status: 429, headers: { 'retry-after': '120' }, body: {} });
    const answer = await app.services.accessTokens.get(account, AT_MAIL);
    expect(answer).toMatchObject({ kind: 'retrying', code: 'http-429' });
    const asked = refreshes();
    expect((await app.another().accessTokens.get(account, AT_MAIL)).kind).toBe('retrying');
    expect(app.idp.tokenRequests().filter(({ grantType }) => grantType === 'refresh_token').length).toBe(
      asked,
    );
  });

  it('keeps the current token in use while it is valid', async () => {
    const { app, account } = await start();
    const first = tokenOf(await app.services.accessTokens.get(account, AT_MAIL));
    app.seam.skewMs = 55 * 60_000;
    app.idp.addFault({ match: { path: 'token' }, times: 5, status: 503, body: {} });
    expect(tokenOf(await app.services.accessTokens.get(account, AT_MAIL))).toBe(first);
    app.seam.skewMs = 61 * 60_000;
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('retrying');
  });

  it('writes the state once, not at each attempt', async () => {
    const { app, account } = await start();
    app.seam.skewMs = 2 * HOUR;
    app.idp.addFault({ match: { path: 'token' }, times: 3, status: 503, body: {} });
    await app.services.accessTokens.get(account, AT_MAIL);
    const { stateSince } = await row(app, account);
    app.seam.skewMs = 2 * HOUR + 60_000;
    await app.services.accessTokens.get(account, AT_MAIL);
    expect((await row(app, account)).stateSince).toBe(stateSince);
  });
});

describe('a lasting failure', () => {
  it('of the grant requires a person, with the number and the message, and stops calling the provider', async () => {
    const { app, account, refreshes } = await start();
    app.seam.skewMs = 2 * HOUR;
    app.idp.revokeUser('support@contoso.example');
    const answer = await app.services.accessTokens.get(account, AT_MAIL);
    expect(answer).toMatchObject({ kind: 'action-required', code: 'AADSTS50173' });
    expect(answer.kind === 'action-required' && answer.message).toContain('due to it being revoked');
    const asked = refreshes();
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('action-required');
    expect((await app.another().accessTokens.get(account, AT_MAIL)).kind).toBe('action-required');
    expect(refreshes()).toBe(asked);
    expect(JSON.stringify(answer)).not.toContain('Trace ID');
  });

  it('of MFA requires a person at once and never falls back to the previous token', async () => {
    const { app, account, refreshes } = await start();
    app.seam.skewMs = 2 * HOUR;
    await app.services.accessTokens.get(account, AT_MAIL);
    app.seam.skewMs = 4 * HOUR;
    const body = {
      ...aadstsBody(50076, 'invalid_grant', 'You must use multi-factor authentication.'),
      suberror: 'basic_action',
    };
    app.idp.addFault({ match: { path: 'token' }, status: 400, body });
    expect(await app.services.accessTokens.get(account, AT_MAIL)).toMatchObject({
      kind: 'action-required',
      code: 'AADSTS50076',
    });
    // Requests that met a fault are not counted; the previous token would have been a second one.
    expect(refreshes()).toBe(1);
  });

  it('of the client secret names the provider, and ends automatically once the secret is replaced', async () => {
    const { app, account, providerId } = await start();
    app.seam.skewMs = 2 * HOUR;
    app.idp.expireClientSecrets(CLIENT);
    const answer = await app.services.accessTokens.get(account, AT_MAIL);
    expect(answer).toMatchObject({ kind: 'action-required', code: 'AADSTS7000222' });
    expect(answer.kind === 'action-required' && answer.message).toContain('Replace the provider’s secret');

    app.idp.addClientSecret(CLIENT, { value: 'brand-new-secret' });
    const visitor = new Visitor(app);
    const fields = {
      name: 'Demo',
      clientId: CLIENT,
      secret: 'brand-new-secret',
      expiresOn: '2030-01-01',
    };
    expect((await visitor.post(`/providers/${providerId}/edit`, fields)).status).toBe(303);
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    expect((await row(app, account)).state).toBe('ok');
  });

  it('of a removed account or provider is reported as such', async () => {
    const { app, account } = await start();
    await app.services.providers.remove(account.providerId);
    app.seam.skewMs = 2 * HOUR;
    expect(await app.services.accessTokens.get(account, AT_MAIL)).toMatchObject({
      kind: 'action-required',
      code: 'provider-missing',
    });
    await app.services.accounts.remove(account);
    expect(await app.services.accessTokens.get(account, AT_MAIL)).toMatchObject({
      kind: 'action-required',
      code: 'account-missing',
    });
  });
});

describe('a changed clock', () => {
  it('set far ahead and back again costs one refresh each, and requires no person', async () => {
    const { app, account, refreshes } = await start();
    app.seam.skewMs = 400 * 24 * HOUR;
    const ahead = tokenOf(await app.services.accessTokens.get(account, AT_MAIL));
    expect(refreshes()).toBe(1);
    app.seam.skewMs = 0;
    // By the row's times the token is valid for a year; the provider knows better.
    expect(tokenOf(await app.services.accessTokens.get(account, AT_MAIL))).not.toBe(ahead);
    expect(tokenOf(await app.another().accessTokens.get(account, AT_MAIL))).not.toBe(ahead);
    expect(refreshes()).toBe(2);
    expect((await row(app, account)).state).toBe('ok');
  });

  it('does not turn a pause of two minutes into one of a year', async () => {
    const { app, account } = await start();
    app.seam.skewMs = 400 * 24 * HOUR;
    app.idp.addFault({ match: { path: 'token' }, status: 429, headers: { 'retry-after': '120' }, body: {} });
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('retrying');
    app.seam.skewMs = 2 * HOUR;
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
  });
});

describe('the history', () => {
  it('has a row for each refresh and none for a cached token', async () => {
    const { app, account } = await start();
    const { accessTokens, accounts } = app.services;
    await accessTokens.get(account, AT_MAIL);
    expect((await accounts.history(account)).map(({ result }) => result)).toEqual(['signed-in']);
    const written = app.tables.changes;
    await accessTokens.get(account, AT_MAIL);
    expect(app.tables.changes).toBe(written);
    app.seam.skewMs = 2 * HOUR;
    await accessTokens.get(account, AT_MAIL);
    // The record of a started refresh, the account with its history, and a row of activity.
    expect(app.tables.changes).toBe(written + 4);
    app.idp.revokeUser('support@contoso.example');
    app.seam.skewMs = 4 * HOUR;
    await accessTokens.get(account, AT_MAIL);
    expect(await accounts.history(account)).toMatchObject([
      { result: 'action-required', code: 'AADSTS50173', traceId: expect.any(String) },
      { result: 'refreshed' },
      { result: 'signed-in' },
    ]);
  });

  it('is deleted with its account', async () => {
    const { app, account } = await start();
    await app.services.accounts.remove(account);
    expect(await app.services.accounts.history(account)).toEqual([]);
    expect(await app.services.accounts.listOf(account.providerId)).toEqual([]);
  });

  it('contains no part of a token', async () => {
    const { app, account } = await start();
    app.seam.skewMs = 2 * HOUR;
    const token = tokenOf(await app.services.accessTokens.get(account, AT_MAIL));
    const text = JSON.stringify(await app.services.accounts.history(account));
    expect(text).not.toContain(token);
    expect(text).not.toContain((await row(app, account)).tokens.refresh);
  });
});

describe('a credential that is not in the vault', () => {
  it('is read again after ten minutes, because its return is not announced', async () => {
    const { app, account, refreshes } = await start();
    const name = `provider-${account.providerId}`;
    const versions = app.vault.versions.get(name) ?? [];
    app.vault.versions.delete(name);
    app.seam.skewMs = 2 * HOUR;
    expect(await app.services.accessTokens.get(account, AT_MAIL)).toMatchObject({ kind: 'action-required' });
    app.vault.versions.set(name, versions);
    app.seam.skewMs = 2 * HOUR + 9 * 60_000;
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('action-required');
    app.seam.skewMs = 2 * HOUR + 10 * 60_000;
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    expect(refreshes()).toBe(1);
  });
});

describe('rotation', () => {
  it.each([
    ['a provider that leaves the old token alive', false],
    ['a strict provider', true],
  ])('continues for many refreshes at %s', async (_name, strictRotation) => {
    const { app, account } = await start({ strictRotation });
    for (let hour = 1; hour <= 5; hour++) {
      app.seam.skewMs = hour * 2 * HOUR;
      const process = hour % 2 === 0 ? app.services : app.another();
      expect((await process.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    }
    expect((await row(app, account)).tokens.previousRefresh).toBeDefined();
  });

  it('survives a crash between response and storing if the old token stays valid', async () => {
    const { app, account } = await start();
    app.seam.skewMs = 2 * HOUR;
    die(app, 'token.refresh');
    await expect(app.services.accessTokens.get(account, AT_MAIL)).rejects.toThrow('process died');
    app.seam.around = undefined;
    app.seam.skewMs = 2 * HOUR + 61_000;
    expect((await app.another().accessTokens.get(account, AT_MAIL)).kind).toBe('token');
  });

  it('ends as action-required with that cause, never in a loop, if a strict provider answered a process that crashed', async () => {
    const { app, account, refreshes } = await start({ strictRotation: true });
    app.seam.skewMs = 2 * HOUR;
    die(app, 'token.refresh');
    await expect(app.services.accessTokens.get(account, AT_MAIL)).rejects.toThrow('process died');
    app.seam.around = undefined;
    app.seam.skewMs = 2 * HOUR + 61_000;
    const answer = await app.another().accessTokens.get(account, AT_MAIL);
    expect(answer.kind).toBe('action-required');
    expect(answer.kind === 'action-required' && answer.message).toContain(
      'was stopped before the response was stored',
    );
    const asked = refreshes();
    await app.another().accessTokens.get(account, AT_MAIL);
    expect(refreshes()).toBe(asked);
  });

  it('keeps a rotated token through a storage outage that outlasts the retries', async () => {
    const { app, account, refreshes } = await start({ strictRotation: true });
    app.seam.skewMs = 2 * HOUR;
    let answered = false;
    app.seam.around = async (point, effect) => {
      if (answered && point === 'table.Accounts.commit') throw new Error('storage is away');
      const result = await effect();
      if (point === 'token.refresh') answered = true;
      return result;
    };
    await expect(app.services.accessTokens.get(account, AT_MAIL)).rejects.toThrow('storage is away');
    app.seam.around = undefined;
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    expect(refreshes()).toBe(1);
    app.seam.skewMs = 4 * HOUR;
    expect((await app.another().accessTokens.get(account, AT_MAIL)).kind).toBe('token');
  });

  it('stores a rotated token even if the response has no access token', async () => {
    const { app, account } = await start();
    const before = (await row(app, account)).tokens.refresh;
    app.seam.skewMs = 2 * HOUR;
    app.idp.addFault({
      match: { path: 'token' },
      status: 200,
      body: { token_type: 'Bearer', refresh_token: 'rotated' },
    });
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('retrying');
    const { tokens } = await row(app, account);
    expect(tokens.refresh).not.toBe(before);
    expect(tokens.previousRefresh).toBe(before);
    // The previous token still works at this provider, and is tried when the new one is refused.
    app.seam.skewMs = 2 * HOUR + 40_000;
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
  });
});

describe('a row in the table', () => {
  it('cannot be decrypted for another account, purpose, provider or registration, nor after a change', async () => {
    const { app, account } = await start();
    const { sealer, providers } = app.services;
    const sealed = (await row(app, account)).tokens.refresh ?? '';
    const provider = await providers.get(account.providerId);
    if (provider === undefined) throw new Error('no provider');
    const context = tokenContext(account, 'refresh', provider);
    expect((await sealer.open(sealed, context)).expose().length).toBeGreaterThan(100);
    const moved = { ...account, providerId: 'b'.repeat(26) };
    const endpoints = (token: string): Provider['endpoints'] => ({
      kind: 'manual',
      authorization: 'https://id.example/authorize',
      token,
    });
    const byHand: Provider = {
      ...provider,
      preset: 'custom',
      endpoints: endpoints('https://id.example/token'),
    };
    const others = [
      tokenContext(account, 'access', provider),
      tokenContext({ ...account, accountId: 'b'.repeat(26) }, 'refresh', provider),
      tokenContext(moved, 'refresh', provider),
      tokenContext(account, 'refresh', { ...provider, clientId: 'other' }),
      tokenContext(account, 'refresh', { ...provider, cloud: 'china' }),
      tokenContext(account, 'refresh', byHand),
      tokenContext(account, 'refresh', { ...byHand, endpoints: endpoints('https://other.example/token') }),
      tokenContext(account, 'refresh', { ...byHand, mailHosts: { imap: 'imap.other.example' } }),
    ];
    expect(new Set([context, ...others]).size).toBe(others.length + 1);
    for (const other of others)
      await expect(sealer.open(sealed, other)).rejects.toThrow('cannot be decrypted');
    const last = sealed.endsWith('A') ? 'B' : 'A';
    await expect(sealer.open(sealed.slice(0, -5) + last.repeat(5), context)).rejects.toThrow(
      'cannot be decrypted',
    );
  });

  it('requires a person when the encryption key is gone', async () => {
    const { app, account } = await start();
    app.vault.versions.delete('postroom-encryption-key');
    app.seam.skewMs = 2 * HOUR;
    expect(await app.another().accessTokens.get(account, AT_MAIL)).toMatchObject({
      kind: 'action-required',
      code: 'tokens-unreadable',
    });
  });
});

/** The process crashes right after the effect of this point: nothing later reaches the outside. */
function die(app: DemoApp, at: string): void {
  let dead = false;
  app.seam.around = async (point, effect) => {
    if (dead) throw new Error('process died');
    const result = await effect();
    if (point !== at) return result;
    dead = true;
    throw new Error('process died');
  };
}
