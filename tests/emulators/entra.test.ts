import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { remoteControl } from '../../dev/emulators/entra/control.ts';
import {
  type EntraOptions,
  type RunningEntra,
  startEntra,
  type TenantAddress,
} from '../../dev/emulators/entra/entra.ts';
import { aadstsBody } from '../../dev/emulators/entra/error-bodies.ts';
import { signInAs } from '../../dev/emulators/entra/headless-sign-in.ts';
import {
  askToken,
  CLIENT,
  consent,
  REDIRECT,
  redeem,
  refresh,
  SCOPE,
  tenant,
} from '../harness/stack/demo-directory.ts';

const running: RunningEntra[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((provider) => provider.stop()));
});

async function start(options: Partial<EntraOptions> = {}): Promise<{ idp: RunningEntra; at: TenantAddress }> {
  const idp = await startEntra({ tenants: [tenant()], ...options });
  running.push(idp);
  const [at] = idp.tenants;
  if (at === undefined) throw new Error('no tenant');
  return { idp, at };
}

describe('a consent', () => {
  it('leads from the account picker through the consent page to a code, an id_token and both mail tokens', async () => {
    const { idp, at } = await start();
    const end = await consent(at);
    expect(end.titles.map((title) => title.split(' – ')[0])).toEqual([
      'Pick an account',
      'Permissions requested',
    ]);
    expect(end.callback?.searchParams.get('state')).toBe('state-1');
    expect(end.callback?.searchParams.has('iss')).toBe(false);
    expect(end.callback?.searchParams.has('session_state')).toBe(true);

    const { status, body } = await redeem(at, end);
    expect(status, JSON.stringify(body)).toBe(200);
    const keys = createLocalJWKSet({ keys: [idp.signingKey.publicJwk] });
    const id = await jwtVerify(body.id_token ?? '', keys, { issuer: at.issuer, audience: CLIENT });
    expect(id.payload).toMatchObject({
      tid: at.id,
      oid: at.users[0]?.oid,
      preferred_username: 'support@contoso.example',
      nonce: 'nonce-1',
    });
    const access = await jwtVerify(body.access_token ?? '', keys, {
      issuer: at.accessTokenIssuer,
      audience: 'https://outlook.office.com',
    });
    expect(access.payload).toMatchObject({
      ver: '1.0',
      upn: 'support@contoso.example',
      scp: 'IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send',
    });
    expect(decodeProtectedHeader(body.access_token ?? '').typ).toBe('JWT');
    expect(body.access_token?.length).toBeGreaterThan(2300);
    expect(body.access_token?.length).toBeLessThan(2800);
    expect(body.refresh_token?.length).toBeGreaterThan(950);
    expect(body['scope']).not.toContain('offline');
  });

  it('without profile reveals neither the username nor the address', async () => {
    const { at } = await start();
    const { body } = await redeem(
      at,
      await consent(at, { scope: SCOPE.replace('profile email', '').trim() }),
    );
    const claims = decodeJwt(body.id_token ?? '');
    expect(claims['oid']).toBeUndefined();
    expect(claims['preferred_username']).toBeUndefined();
  });

  it('is requested once, also in another browser, and again when the app requires it', async () => {
    const { at } = await start();
    await consent(at);
    expect((await consent(at)).titles).toHaveLength(1);
    expect((await consent(at, { prompt: 'consent' })).titles).toHaveLength(2);
  });

  it('that is declined returns as AADSTS65004 with the state', async () => {
    const { at } = await start();
    const end = await consent(at, {}, ({ title }) =>
      title.startsWith('Permissions') ? { action: 'cancel' } : { username: 'alex@contoso.example' },
    );
    expect(end.callback?.searchParams.get('error')).toBe('access_denied');
    expect(end.callback?.searchParams.get('error_description')).toMatch(/^AADSTS65004: /);
    expect(end.callback?.searchParams.get('state')).toBe('state-1');
  });

  it('ends at "Need admin approval" if users may not consent, until an admin has', async () => {
    const { at } = await start({ tenants: [tenant({ userConsent: false })] });
    const stuck = await consent(at);
    expect(stuck.titles.at(-1)).toContain('Need admin approval');

    const query = new URLSearchParams({
      client_id: CLIENT,
      redirect_uri: REDIRECT,
      state: 's',
      scope: SCOPE,
    });
    const address = `${at.authorizeUrl.replace('/oauth2/v2.0/authorize', '')}/v2.0/adminconsent?${query}`;
    const form = (action: string): Promise<Response> =>
      fetch(address, { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' });
    const page = await fetch(address);
    expect(await page.text()).toContain('Accept for your organization');
    const refused = new URL((await form('cancel')).headers.get('location') ?? '');
    expect(refused.searchParams.get('error')).toBe('consent_required');
    const accepted = new URL((await form('accept')).headers.get('location') ?? '');
    expect(accepted.searchParams.get('admin_consent')).toBe('True');
    expect(accepted.searchParams.get('tenant')).toBe(at.id);
    expect(accepted.searchParams.get('state')).toBe('s');

    const end = await consent(at);
    expect(end.titles).toHaveLength(1);
    expect(end.callback?.searchParams.has('code')).toBe(true);
  });
});

describe('the account picker', () => {
  it('is prefilled with the hinted account, and appears if the browser is signed in as another', async () => {
    const { at } = await start();
    const jar = new Map<string, string>();
    await consent(at, {}, signInAs('alex@contoso.example'), jar);
    expect((await consent(at, {}, () => undefined, jar)).titles).toEqual([]);
    const end = await consent(
      at,
      { login_hint: 'support@contoso.example' },
      signInAs('support@contoso.example'),
      jar,
    );
    expect(end.titles[0]).toContain('Sign in');
    const { body } = await redeem(at, end);
    expect(decodeJwt(body.access_token ?? '')['upn']).toBe('support@contoso.example');
  });

  it('appears again on select_account and switches without a script', async () => {
    const { at } = await start();
    const jar = new Map<string, string>();
    await consent(at, {}, signInAs('alex@contoso.example'), jar);
    const end = await consent(at, { prompt: 'select_account' }, signInAs('support@contoso.example'), jar);
    expect(end.titles[0]).toContain('Pick an account');
    const { body } = await redeem(at, end);
    expect(decodeJwt(body.access_token ?? '')['upn']).toBe('support@contoso.example');
  });

  it('rejects a hint together with select_account on its own page', async () => {
    const { at } = await start();
    const end = await consent(at, { prompt: 'select_account', login_hint: 'alex@contoso.example' });
    expect(end.callback).toBeUndefined();
    expect(end.status).toBe(400);
    expect(end.html).toContain('AADSTS90023');
  });

  it('asks for a password only if there is one, and reports a wrong one', async () => {
    const { at } = await start();
    const wrong = await consent(at, {}, ({ title, html }) =>
      html.includes('role="alert"')
        ? undefined
        : title.startsWith('Pick')
          ? { username: 'locked@contoso.example' }
          : { username: 'locked@contoso.example', password: 'no' },
    );
    expect(wrong.html).toContain('AADSTS50126');
    const right = await consent(at, {}, signInAs('locked@contoso.example', 'open-sesame'));
    expect(right.callback?.searchParams.has('code')).toBe(true);
    const nobody = await consent(at, { login_hint: 'x@contoso.example' }, signInAs('x@contoso.example'));
    expect(nobody.html).toContain('AADSTS50034');
  });

  it('is skipped for prompt=none without a session, which returns an error to the app', async () => {
    const { at } = await start();
    const end = await consent(at, { prompt: 'none' });
    expect(end.callback?.searchParams.get('error')).toBe('login_required');
    expect(end.callback?.searchParams.get('error_description')).toMatch(/^AADSTS50058/);
  });
});

describe('an authorization request that cannot be trusted', () => {
  it('with another redirect URI stays on a page (AADSTS50011)', async () => {
    const { at } = await start();
    const end = await consent(at, { redirect_uri: `${REDIRECT}/` });
    expect(end.status).toBe(400);
    expect(end.html).toContain('AADSTS50011');
  });

  it('of an unknown app stays on a page (AADSTS700016)', async () => {
    const { at } = await start();
    expect((await consent(at, { client_id: 'nobody' })).html).toContain('AADSTS700016');
  });

  it('with an unknown scope returns AADSTS650053', async () => {
    const { at } = await start();
    const end = await consent(at, { scope: 'https://outlook.office.com/IMAP.Everything' });
    expect(end.callback?.searchParams.get('error_description')).toMatch(/^AADSTS650053/);
  });

  it('at an unknown tenant returns AADSTS90002', async () => {
    const { idp } = await start();
    const response = await fetch(`${idp.origin}/nowhere.example/oauth2/v2.0/token`, { method: 'POST' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_tenant', error_codes: [90002] });
  });
});

describe('refresh tokens', () => {
  it('rotate and leave the old one valid, as in Entra', async () => {
    const { at } = await start();
    const first = await redeem(at, await consent(at));
    const second = await refresh(at, first.body.refresh_token);
    expect(second.status).toBe(200);
    expect(second.body.refresh_token).not.toBe(first.body.refresh_token);
    expect((await refresh(at, first.body.refresh_token)).status).toBe(200);
    expect((await refresh(at, second.body.refresh_token)).status).toBe(200);
  });

  it('under strict rotation expire when used, and their reuse ends the grant', async () => {
    const { at } = await start({ strictRotation: true });
    const first = await redeem(at, await consent(at));
    const second = await refresh(at, first.body.refresh_token);
    expect(second.status).toBe(200);
    expect(await refresh(at, first.body.refresh_token)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant', error_codes: [50173] },
    });
    expect((await refresh(at, second.body.refresh_token)).status).toBe(400);
  });

  it('are also issued after prompt=consent and may be requested again in the scope of a refresh', async () => {
    const { at } = await start();
    const first = await redeem(at, await consent(at, { prompt: 'consent' }));
    const again = await askToken(at, {
      grant_type: 'refresh_token',
      refresh_token: first.body.refresh_token ?? '',
      scope: SCOPE,
    });
    expect(again.status, JSON.stringify(again.body)).toBe(200);
  });

  it('end with AADSTS50173 when the user is revoked, and AADSTS700082 when they were unused for too long', async () => {
    const { at } = await start({ refreshTokenSeconds: 1 });
    const first = await redeem(at, await consent(at));
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect((await refresh(at, first.body.refresh_token)).body['error_codes']).toEqual([700082]);
    const lasting = await start();
    const second = await redeem(lasting.at, await consent(lasting.at));
    lasting.idp.revokeUser('support@contoso.example');
    expect((await refresh(lasting.at, second.body.refresh_token)).body['error_codes']).toEqual([50173]);
  });
});

describe('the token endpoint', () => {
  it('distinguishes an expired, a wrong and a missing secret', async () => {
    const { at } = await start();
    const fields = { grant_type: 'client_credentials', scope: 'https://outlook.office.com/.default' };
    const codes = async (secret: string): Promise<unknown> =>
      (await askToken(at, { ...fields, client_secret: secret })).body['error_codes'];
    expect(await codes('old')).toEqual([7000222]);
    expect(await codes('nonsense')).toEqual([7000215]);
    expect(await codes('')).toEqual([7000218]);
    const good = await askToken(at, fields);
    expect(good.status).toBe(200);
    expect(decodeJwt(good.body.access_token ?? '')['roles']).toContain('IMAP.AccessAsApp');
  });

  it('rejects a code used twice, a wrong verifier, nonsense, two resources and a missing field', async () => {
    const { at } = await start();
    const end = await consent(at);
    await redeem(at, end);
    expect((await redeem(at, end)).body['error_codes']).toEqual([54005]);
    const challenged = await consent(at, { code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' });
    const wrong = await askToken(at, {
      grant_type: 'authorization_code',
      code: challenged.callback?.searchParams.get('code') ?? '',
      redirect_uri: REDIRECT,
      code_verifier: 'b'.repeat(43),
    });
    expect(wrong.body['error_codes']).toEqual([501481]);
    expect((await refresh(at, 'nonsense')).body['error_codes']).toEqual([9002313]);
    const two = await askToken(at, {
      grant_type: 'refresh_token',
      refresh_token: 'x',
      scope: 'https://outlook.office.com/SMTP.Send https://graph.microsoft.com/Mail.Send',
    });
    expect(two.body['error_codes']).toEqual([28000]);
    expect((await askToken(at, { grant_type: 'refresh_token' })).body['error_codes']).toEqual([900144]);
    expect((await askToken(at, { grant_type: 'password' })).body['error_codes']).toEqual([70003]);
  });

  it('has Entra’s field names in its errors, and no secret', async () => {
    const { at } = await start();
    const { body } = await askToken(at, { grant_type: 'client_credentials', client_secret: 'nonsense' });
    expect(Object.keys(body)).toEqual([
      'error',
      'error_description',
      'error_codes',
      'timestamp',
      'trace_id',
      'correlation_id',
      'error_uri',
    ]);
    expect(JSON.stringify(body)).not.toContain('nonsense');
  });

  it('fails as configured, the configured number of times', async () => {
    const { idp, at } = await start();
    const first = await redeem(at, await consent(at));
    idp.faults.push({
      match: { path: '/token$', params: { grant_type: 'refresh_token' } },
      times: 2,
      status: 400,
      body: aadstsBody(50076, 'interaction_required', 'MFA is needed.', { suberror: 'basic_action' }),
    });
    expect((await refresh(at, first.body.refresh_token)).body['suberror']).toBe('basic_action');
    expect((await refresh(at, first.body.refresh_token)).status).toBe(400);
    expect((await refresh(at, first.body.refresh_token)).status).toBe(200);
    idp.faults.push({ match: ({ path }) => path.endsWith('/token'), destroy: true });
    await expect(refresh(at, first.body.refresh_token)).rejects.toThrow();
    idp.faults.push({ match: {}, status: 429, headers: { 'retry-after': '7' }, body: {} });
    expect((await refresh(at, first.body.refresh_token)).status).toBe(429);
  });
});

describe('control over http', () => {
  it('creates a token, adds a fault and revokes a user', async () => {
    const { idp, at } = await start();
    const control = remoteControl(idp.origin);
    const token = await control.mintAccessToken({ upn: 'alex@contoso.example', ttlSeconds: -60 });
    const claims = decodeJwt(token);
    expect(claims['upn']).toBe('alex@contoso.example');
    expect(claims.exp).toBeLessThan(Date.now() / 1000);
    await control.addFault({ match: { path: '/token$' }, status: 503, body: {} });
    const first = await redeem(at, await consent(at));
    expect(first.status).toBe(503);
    const second = await redeem(at, await consent(at));
    await control.revokeUser('support@contoso.example');
    expect((await refresh(at, second.body.refresh_token)).body['error_codes']).toEqual([50173]);
    expect((await control.tokenRequests()).map(({ grantType }) => grantType)).toEqual([
      'authorization_code',
      'refresh_token',
    ]);
    await expect(control.revokeUser('nobody@contoso.example')).rejects.toThrow('nobody@contoso.example');
  });

  it('is not available to web pages', async () => {
    const { idp } = await start();
    const response = await fetch(`${idp.origin}/.control/clearFaults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'https://evil.example' },
      body: '[]',
    });
    expect(response.status).toBe(403);
    const plain = await fetch(`${idp.origin}/.control/clearFaults`, { method: 'POST', body: '[]' });
    expect(plain.status).toBe(403);
  });
});
