/** Signing in for ways of two resources, at an identity provider that issues each token for one of them. */
import { afterEach, describe, expect, test } from 'vitest';
import type { AccessToken } from '../../shared/accounts/access-token.ts';
import type { Account } from '../../shared/accounts/account.ts';
import { grantedWays } from '../../shared/accounts/account-resources.ts';
import type { Protocol } from '../../shared/providers/presets.ts';
import { AT_MAIL, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { tenant } from '../harness/stack/demo-directory.ts';
import { connectFurther } from './connect-further.ts';

const SUPPORT = 'support@contoso.example';
const AT_GRAPH = { host: 'graph.localhost' };
const HOUR = 3_600_000;
const apps: DemoApp[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.stop()));
});

async function connected(ways: readonly string[], options: Parameters<typeof startDemoApp>[0] = {}) {
  const app = await startDemoApp(options, { graph: 'http://graph.localhost:1' });
  apps.push(app);
  const visitor = new Visitor(app);
  const providerId = await visitor.addDemoProvider();
  const chosen = Object.fromEntries(ways.map((way) => [way, 'on']));
  const fields = { address: SUPPORT, ways: 'yes', ...chosen };
  const { callback, authorization } = await visitor.leave(providerId, fields, SUPPORT);
  const reply = await visitor.get(callback);
  const row = async (): Promise<Account> => {
    const [account] = await app.services.accounts.listOf(providerId);
    if (account === undefined) throw new Error(`not connected: ${reply.title}`);
    return account;
  };
  const get = async (use: { host: string }, by = app.services): Promise<Record<string, unknown>> =>
    claimsOf(await by.accessTokens.get(await row(), use));
  return { app, visitor, providerId, authorization, row, get };
}

function claimsOf(answer: AccessToken): Record<string, unknown> {
  if (answer.kind !== 'token') return { ...answer };
  const [, claims = ''] = answer.token.expose().split('.');
  return JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
}

const graphToken = { aud: 'https://graph.microsoft.com' };
const outlookToken = { aud: 'https://outlook.office.com' };

describe('a sign-in for ways of two resources', () => {
  test('asks for both at once, redeems the code for one and the refresh token for the other', async () => {
    const { app, authorization, row, get } = await connected(['imap', 'graph-send']);
    expect(authorization.searchParams.get('scope')).toBe(
      'https://outlook.office.com/IMAP.AccessAsUser.All https://graph.microsoft.com/Mail.Send openid profile email offline_access',
    );
    const asked = app.idp.tokenRequests().map(({ grantType }) => grantType);
    expect(asked.slice(asked.indexOf('authorization_code'))).toEqual(['authorization_code', 'refresh_token']);
    const account = await row();
    expect(grantedWays(account)).toEqual(['imap', 'graph-send']);
    expect(account).toMatchObject({ state: 'ok', refused: undefined, graph: { access: expect.any(String) } });
    expect(await get(AT_MAIL)).toMatchObject({ ...outlookToken, scp: 'IMAP.AccessAsUser.All' });
    expect(await get(AT_GRAPH)).toMatchObject({ ...graphToken, scp: 'Mail.Send' });
  });

  test('is refreshed for both by many processes at once, with one request each', async () => {
    const { app, get } = await connected(['imap', 'graph']);
    for (let round = 1; round <= 3; round++) {
      app.seam.skewMs = round * 2 * HOUR;
      const before = app.idp.tokenRequests().length;
      const processes = Array.from({ length: 8 }, () => app.another());
      const tokens = await Promise.all(processes.flatMap((one) => [get(AT_MAIL, one), get(AT_GRAPH, one)]));
      expect(new Set(tokens.map(({ aud }) => aud))).toEqual(new Set([outlookToken.aud, graphToken.aud]));
      expect(app.idp.tokenRequests().length - before).toBe(2);
    }
  });

  test('over Graph only asks for no mail server and gets no token for one', async () => {
    const { authorization, row, get } = await connected(['graph']);
    expect(authorization.searchParams.get('scope')).not.toContain('outlook');
    expect((await row()).tokens.access).toBeUndefined();
    expect(await get(AT_GRAPH)).toMatchObject({ ...graphToken, scp: 'Mail.ReadWrite' });
    expect(await get(AT_MAIL)).toMatchObject({ code: 'permission-not-granted' });
  });
});

test.each([
  ['imap', 'graph-send', 'graph.localhost'],
  ['graph', 'imap', 'localhost'],
])('after %s, %s is allowed by the same person, and what was connected keeps working', async (...ways) => {
  const [first, further, host] = ways;
  // An admin has consented: the emulator asks again only for the first resource of a request.
  const directory = tenant();
  const clients = directory.clients.map((client) => ({ ...client, adminConsented: true }));
  const { app, visitor, row, get } = await connected([first], { tenants: [{ ...directory, clients }] });
  const before = await row();
  expect(await get({ host })).toMatchObject({ code: 'permission-not-granted' });
  await connectFurther(visitor, before, [further as Protocol]);
  const after = await row();
  expect(after).toMatchObject({ accountId: before.accountId, state: 'ok', refused: undefined });
  expect(grantedWays(after)).toEqual(expect.arrayContaining([first, further]));
  app.seam.skewMs = 2 * HOUR;
  expect(await get(AT_MAIL)).toMatchObject(outlookToken);
  expect(await get(AT_GRAPH)).toMatchObject(graphToken);
});
