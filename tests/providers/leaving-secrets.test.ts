/** What is sent to a token endpoint: never a secret that was entered for another one. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Account } from '../../shared/accounts/account.ts';
import { reencryptTokens } from '../../shared/accounts/reencrypt-tokens.ts';
import { IN_A_YEAR } from '../harness/memory/in-a-year.ts';
import { AT_MAIL, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { startTokenServer, type TokenServer } from '../harness/stack/hostile-servers.ts';

const OWNER = 'victim@corp.example';
const SECRET = 'secret-canary-of-the-real-one';
const HOUR = 3_600_000;

let app: DemoApp;
let visitor: Visitor;
let honest: TokenServer;
let hostile: TokenServer;

beforeEach(async () => {
  [app, honest, hostile] = await Promise.all([startDemoApp(), startTokenServer(), startTokenServer()]);
  visitor = new Visitor(app, { id: 'alex', roles: ['admin'] });
});
afterEach(async () => {
  await Promise.all([app.stop(), honest.stop(), hostile.stop()]);
});

const common = { name: 'Own', clientId: 'client-1', scopes: 'mail', imapHost: 'localhost' };
const manual = (authorization: TokenServer, token: TokenServer): Record<string, string> => ({
  ...common,
  endpoints: 'manual',
  authorizationEndpoint: `${authorization.origin}/authorize`,
  tokenEndpoint: `${token.origin}/token`,
});
const discovery = (server: TokenServer): Record<string, string> => ({
  ...common,
  endpoints: 'discovery',
  issuer: server.origin,
});
const withSecret = (secret: string): Record<string, string> => ({
  credential: 'secret',
  secret,
  expiresOn: IN_A_YEAR,
});

async function register(fields: Record<string, string>): Promise<string> {
  const reply = await visitor.post('/providers/new', { preset: 'custom', ...fields, ...withSecret(SECRET) });
  const id = /^\/providers\/([a-z2-7]{26})/.exec(reply.location ?? '')?.[1];
  if (id === undefined) throw new Error(`not saved: ${reply.status} ${reply.html}`);
  return id;
}

/** The URL to which the honest provider redirects the owner's browser, with a code. */
async function wayBack(providerId: string): Promise<string> {
  const started = await visitor.post(`/providers/${providerId}/connect`, { who: 'self', address: OWNER });
  const { html } = await visitor.get(started.location ?? '');
  const authorization = /url=([^"]+)"/.exec(html)?.[1]?.replaceAll('&amp;', '&') ?? '';
  expect(authorization.startsWith(honest.origin)).toBe(true);
  const state = new URL(authorization).searchParams.get('state') ?? '';
  return `/oauth/callback/${providerId}?${new URLSearchParams({ code: 'code-canary', state })}`;
}

async function connect(providerId: string): Promise<Account> {
  await visitor.get(await wayBack(providerId));
  const [account] = await app.services.accounts.listOf(providerId);
  if (account === undefined) throw new Error('not connected');
  return account;
}

const edit = (id: string, fields: Record<string, string>) => visitor.post(`/providers/${id}/edit`, fields);
const said = (server: TokenServer): string => server.heard.join('\n');

describe('a stored client secret', () => {
  it.each<[string, () => Record<string, string>, () => Record<string, string>]>([
    ['another token endpoint', () => manual(honest, honest), () => manual(honest, hostile)],
    ['other endpoints', () => manual(honest, honest), () => manual(hostile, hostile)],
    ['another issuer', () => discovery(honest), () => discovery(hostile)],
    ['an issuer in place of endpoints', () => manual(honest, honest), () => discovery(hostile)],
  ])('is not sent to %s: the form requires it again', async (_what, before, after) => {
    const id = await register(before());
    for (const keep of [{}, { credential: 'keep' }, { credential: 'keep', signInAgain: 'on' }]) {
      const reply = await edit(id, { ...after(), ...keep });
      expect(reply.status).toBe(422);
      expect(reply.html).toContain('href="#secret"');
    }
    await visitor.post(`/providers/${id}/check`, {});
    expect(hostile.heard).toEqual([]);
    expect(said(honest)).toContain(SECRET);
  });

  it('is not sent while it is the next one either', async () => {
    const id = await register(manual(honest, honest));
    honest.answer = () => ({ status: 401, body: { error: 'invalid_client' } });
    await edit(id, { ...manual(honest, honest), ...withSecret('next-canary') });
    expect((await app.services.providers.get(id))?.nextCredential).toBeDefined();
    expect((await edit(id, { ...manual(honest, hostile), credential: 'keep' })).status).toBe(422);
    expect(hostile.heard).toEqual([]);
  });

  it('is replaced by the new one with the new endpoints, and is retired with the waiting one', async () => {
    const id = await register(manual(honest, honest));
    honest.answer = () => ({ status: 401, body: { error: 'invalid_client' } });
    await edit(id, { ...manual(honest, honest), ...withSecret('next-canary') });
    expect((await edit(id, { ...manual(honest, hostile), ...withSecret('for-the-new-one') })).status).toBe(
      303,
    );
    await visitor.post(`/providers/${id}/check`, {});
    expect(said(hostile)).toContain('for-the-new-one');
    expect(said(hostile)).not.toMatch(/canary/);
    expect(await app.services.providers.get(id)).toMatchObject({ nextCredential: undefined, retired: [] });
    const versions = await app.vault.versionsOf(`provider-${id}`);
    expect(versions.filter(({ enabled }) => enabled)).toHaveLength(1);
  });
});

describe('two admins at once', () => {
  const between = (change: (id: string) => Promise<unknown>, id: string, point: string): void => {
    app.seam.around = async (at, effect) => {
      if (at !== point) return effect();
      app.seam.around = undefined;
      await change(id);
      return effect();
    };
  };

  it('send no secret to endpoints that changed while it was entered for others', async () => {
    const id = await register(manual(honest, honest));
    const moved = () => edit(id, { ...manual(hostile, hostile), ...withSecret('for-the-new-one') });
    between(moved, id, 'vault.set');
    const reply = await edit(id, { ...manual(honest, honest), ...withSecret('late-canary') });
    expect(reply.status).toBe(409);
    expect(reply.html).toContain('Someone else has changed this provider in the meantime');
    await visitor.post(`/providers/${id}/check`, {});
    expect(said(hostile)).toContain('for-the-new-one');
    expect(said(hostile)).not.toContain('canary');
    expect(said(honest)).not.toContain('for-the-new-one');
  });

  it('leave no newer secret to endpoints for which a certificate was kept', async () => {
    const id = await register(manual(honest, honest));
    await edit(id, { ...manual(honest, honest), credential: 'certificate', expiresOn: IN_A_YEAR });
    await app.services.providers.change(id, (current) => ({
      ...current,
      credential: current.nextCredential ?? current.credential,
      nextCredential: undefined,
    }));
    expect((await app.services.providers.get(id))?.credential?.kind).toBe('certificate');
    const secretCame = () => edit(id, { ...manual(honest, honest), ...withSecret('late-canary') });
    between(secretCame, id, 'table.Providers.commit');
    const reply = await edit(id, { ...manual(honest, hostile), credential: 'keep' });
    expect(reply.status).toBe(409);
    expect(said(hostile)).not.toContain('canary');
  });
});

describe('the sign-ins of a provider that becomes another registration', () => {
  it('end with their tokens erased, and are never refreshed again', async () => {
    const id = await register(manual(honest, honest));
    const account = await connect(id);
    const next = { ...manual(honest, hostile), ...withSecret('for-the-new-one'), signInAgain: 'on' };
    expect((await edit(id, next)).status).toBe(303);
    const [row] = app.tables.dump('Accounts').filter(({ rowKey }) => rowKey === account.accountId);
    expect(row).toMatchObject({
      state: 'action-required',
      problem: expect.stringContaining('"code":"provider-changed"'),
    });
    for (const column of ['tokensAccess', 'tokensRefresh', 'tokensPreviousRefresh'])
      expect(row?.[column], column).toBeUndefined();

    const path = `/accounts/${id}/${account.accountId}`;
    expect((await visitor.post(`${path}/check`, {})).location).toBe(`${path}?flash=ended`);
    expect(await app.services.accessTokens.renew(account, { again: true })).toMatchObject({
      kind: 'action-required',
      code: 'provider-changed',
    });
    app.seam.skewMs = 3 * HOUR;
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('action-required');
    expect((await app.another().accessTokens.get(account, AT_MAIL)).kind).toBe('action-required');
    expect(said(hostile)).not.toMatch(/refresh-token-|canary/);
  });

  it('leave nothing to the new endpoints while the rows exist: a token can only be decrypted for its own', async () => {
    const id = await register(manual(honest, honest));
    const account = await connect(id);
    // As between two writes, or after the table was edited by hand.
    await app.services.providers.change(id, (current) => ({
      ...current,
      endpoints: {
        kind: 'manual',
        authorization: `${honest.origin}/authorize`,
        token: `${hostile.origin}/token`,
      },
    }));
    app.seam.skewMs = 3 * HOUR;
    expect(await app.another().accessTokens.get(account, AT_MAIL)).toMatchObject({
      kind: 'action-required',
      code: 'tokens-unreadable',
    });
    expect(said(hostile)).not.toContain('refresh-token-');
  });

  it('are not moved to the new endpoints by a rotation of the encryption key', async () => {
    const id = await register(manual(honest, honest));
    const account = await connect(id);
    const before = (await app.services.accounts.get(account))?.account.tokens;
    await app.services.providers.change(id, (current) => ({ ...current, endpoints: undefined }));
    await app.services.sealer.rotate();
    expect(await reencryptTokens(app.services)).toEqual({ reencrypted: 0, left: 1 });
    expect((await app.services.accounts.get(account))?.account.tokens).toEqual(before);
  });
});

describe('a sign-in in progress', () => {
  it('sends neither its code nor its verifier nor a secret to a token endpoint that changed meanwhile', async () => {
    const id = await register(manual(honest, honest));
    const back = await wayBack(id);
    expect((await edit(id, { ...manual(honest, hostile), ...withSecret('for-the-new-one') })).status).toBe(
      303,
    );
    expect((await visitor.get(back)).title).toBe('The provider was changed in the meantime');
    expect(said(hostile)).not.toMatch(/code|verifier|canary/);
    expect(await app.services.accounts.listOf(id)).toEqual([]);
  });
});

describe('the audit log', () => {
  it('has an endpoint before a secret is sent to it', async () => {
    const actions: string[] = [];
    hostile.onHeard = async () => {
      const { entries } = await app.services.audit.page({ kind: 'provider', limit: 5 });
      actions.push(...entries.map(({ action }) => action));
    };
    const id = await register(manual(hostile, hostile));
    expect(actions).toEqual(['created']);
    actions.length = 0;
    await edit(id, { ...manual(honest, hostile), ...withSecret('another') });
    expect(actions).toEqual(['changed', 'created']);
  });
});
