/** A provider that repeats request secrets in its errors: none of them is stored or shown. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { IN_A_YEAR } from '../harness/memory/in-a-year.ts';
import { AT_MAIL, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { startTokenServer, type TokenServer } from '../harness/stack/hostile-servers.ts';

const SECRET = 'hunter2"pass';

let app: DemoApp;
let visitor: Visitor;
let server: TokenServer;
beforeEach(async () => {
  [app, server] = await Promise.all([startDemoApp(), startTokenServer()]);
  visitor = new Visitor(app, { id: 'alex', roles: ['admin'] });
});
afterEach(async () => {
  await Promise.all([app.stop(), server.stop()]);
});

async function register(): Promise<string> {
  const saved = await visitor.post('/providers/new', {
    preset: 'custom',
    name: 'Own',
    clientId: 'client-1',
    scopes: 'mail',
    endpoints: 'manual',
    authorizationEndpoint: `${server.origin}/authorize`,
    tokenEndpoint: `${server.origin}/token`,
    imapHost: 'localhost',
    credential: 'secret',
    secret: SECRET,
    expiresOn: IN_A_YEAR,
  });
  return /^\/providers\/([a-z2-7]{26})/.exec(saved.location ?? '')?.[1] ?? '';
}

const everything = (): string =>
  JSON.stringify(
    (['Providers', 'Accounts', 'Activity', 'Audit'] as const).map((name) => app.tables.dump(name)),
  );

it('stores and shows no short secret of a check, wherever it appears in the response', async () => {
  server.answer = (body) => ({
    status: 401,
    body: {
      error: 'invalid_client',
      suberror: body.get('client_secret'),
      error_description: `Bad secret ${body.get('client_secret')} in ${body}`,
    },
  });
  const id = await register();
  const { html } = await visitor.get(`/providers/${id}`);
  expect(html).toContain('Bad secret [secret]');
  expect(html + everything()).not.toMatch(/hunter2|pass/);
});

it('stores and shows no secret or refresh token of a refresh', async () => {
  const id = await register();
  const started = await visitor.post(`/providers/${id}/connect`, { who: 'self', address: 'o@corp.example' });
  const state = /[?&;]state=([\w-]+)/.exec((await visitor.get(started.location ?? '')).html)?.[1] ?? '';
  await visitor.get(`/oauth/callback/${id}?${new URLSearchParams({ code: 'c1', state })}`);
  const [account] = await app.services.accounts.listOf(id);
  if (account === undefined) throw new Error('not connected');
  server.answer = (body) => ({
    status: 400,
    body: {
      error: 'invalid_grant',
      suberror: body.get('client_secret'),
      error_description: `No ${body.get('client_secret')} and no ${body.get('refresh_token')}`,
    },
  });
  app.seam.skewMs = 3 * 3_600_000;
  expect(await app.services.accessTokens.get(account, AT_MAIL)).toMatchObject({
    kind: 'action-required',
    message: expect.stringContaining('No [secret] and no [secret]'),
  });
  const { html } = await visitor.get(`/accounts/${id}/${account.accountId}`);
  expect(html + everything()).not.toMatch(/hunter2|refresh-token-\d/);
});

it('stores and shows neither code nor verifier of a failed sign-in', async () => {
  const id = await register();
  const started = await visitor.post(`/providers/${id}/connect`, { who: 'self', address: 'o@corp.example' });
  const state = /[?&;]state=([\w-]+)/.exec((await visitor.get(started.location ?? '')).html)?.[1] ?? '';
  let verifier = '';
  server.answer = (body) => {
    verifier = body.get('code_verifier') ?? '';
    return { status: 400, body: { error: 'word_of_its_own', error_description: `You said ${body}` } };
  };
  const code = 'code~canary';
  const { html } = await visitor.get(`/oauth/callback/${id}?${new URLSearchParams({ code, state })}`);
  expect(verifier).toHaveLength(43);
  expect(html).toContain('You said');
  for (const word of [verifier, 'canary', 'hunter2']) expect(html).not.toContain(word);
});
