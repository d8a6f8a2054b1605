import { afterEach, describe, expect, it } from 'vitest';
import { remoteControl } from '../../dev/emulators/entra/control.ts';
import { type RunningEntra, startEntra, type TenantAddress } from '../../dev/emulators/entra/entra.ts';
import type { Trouble } from '../../dev/emulators/entra/troubles.ts';
import {
  askToken,
  CLIENT,
  consent,
  REDIRECT,
  redeem,
  refresh,
  SCOPE,
  SECRET,
  tenant,
} from '../harness/stack/demo-directory.ts';

const running: RunningEntra[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((provider) => provider.stop()));
});

async function start(): Promise<{ idp: RunningEntra; at: TenantAddress }> {
  const idp = await startEntra({ tenants: [tenant()] });
  running.push(idp);
  const [at] = idp.tenants;
  if (at === undefined) throw new Error('no tenant');
  return { idp, at };
}

describe('a simulated sign-in failure', () => {
  it.each<[trouble: Trouble, error: string, code: number]>([
    ['declined', 'access_denied', 65004],
    ['approval-needed', 'access_denied', 90094],
    ['not-consented', 'consent_required', 65001],
    ['blocked-by-policy', 'access_denied', 53003],
    ['sign-in-unavailable', 'temporarily_unavailable', 90033],
  ])('%s returns as %s with AADSTS%i, the support IDs and the state', async (trouble, error, code) => {
    const { idp, at } = await start();
    idp.addTrouble(trouble);
    const { callback } = await consent(at);
    expect(callback?.searchParams.get('error')).toBe(error);
    const description = callback?.searchParams.get('error_description');
    expect(description).toMatch(
      new RegExp(`^AADSTS${code}: .+\r\nTrace ID: .+\r\nCorrelation ID: .+\r\nTimestamp: .+Z$`),
    );
    expect(callback?.searchParams.get('state')).toBe('state-1');
    expect((await consent(at)).callback?.searchParams.has('code')).toBe(true);
  });

  it('is configured in the directory, as in Entra: no approval, no redirect URI', async () => {
    const { idp, at } = await start();
    idp.setTenant('contoso.example', { userConsent: false });
    expect((await consent(at)).titles.at(-1)).toContain('Need admin approval');
    idp.setTenant('contoso.example', { userConsent: true });
    idp.setApp(CLIENT, { redirectUris: [`${REDIRECT}/`] });
    const stuck = await consent(at);
    expect(stuck.callback).toBeUndefined();
    expect(stuck.html).toContain('AADSTS50011');
    expect(stuck.html).toMatch(
      /Request Id: [\w-]+<.*Correlation Id: [\w-]+<.*Timestamp: .*Message: AADSTS50011/,
    );
    idp.setApp(CLIENT, { redirectUris: ['http://localhost:7071/elsewhere', REDIRECT] });
    expect((await consent(at)).callback?.searchParams.has('code')).toBe(true);
  });

  it('with admin_consent=True also reports a refusal by an admin', async () => {
    const { at } = await start();
    const query = new URLSearchParams({
      client_id: CLIENT,
      redirect_uri: REDIRECT,
      state: 's',
      scope: SCOPE,
    });
    const response = await fetch(
      `${at.authorizeUrl.replace('/oauth2/v2.0/authorize', '')}/v2.0/adminconsent?${query}`,
      { method: 'POST', body: new URLSearchParams({ action: 'cancel' }), redirect: 'manual' },
    );
    const { searchParams } = new URL(response.headers.get('location') ?? '');
    expect(searchParams.get('admin_consent')).toBe('True');
    expect(searchParams.get('error')).toBe('consent_required');
    expect(searchParams.get('error_description')).toMatch(/^AADSTS65004: /);
    expect(searchParams.get('state')).toBe('s');
    expect(searchParams.has('tenant')).toBe(false);
  });
});

describe('a simulated token endpoint failure', () => {
  it.each<[trouble: Trouble, status: number, error: string, code: number]>([
    ['second-factor-needed', 400, 'interaction_required', 50076],
    ['grant-revoked', 400, 'invalid_grant', 50173],
    ['grant-idle', 400, 'invalid_grant', 700082],
    ['consent-removed', 400, 'invalid_grant', 65001],
    ['throttled', 429, 'temporarily_unavailable', 90055],
    ['unavailable', 503, 'temporarily_unavailable', 90033],
  ])('%s returns %i, %s and AADSTS%i the requested number of times', async (trouble, status, error, code) => {
    const { idp, at } = await start();
    const first = await redeem(at, await consent(at));
    idp.addTrouble(trouble, { times: 2 });
    const refused = await refresh(at, first.body.refresh_token);
    expect(refused).toMatchObject({ status, body: { error, error_codes: [code] } });
    expect((await refresh(at, first.body.refresh_token)).status).toBe(status);
    expect((await refresh(at, first.body.refresh_token)).status).toBe(200);
  });

  it('affects only one app if requested', async () => {
    const { idp, at } = await start();
    const first = await redeem(at, await consent(at));
    idp.addTrouble('consent-removed', { times: 2, clientId: 'another' });
    expect((await refresh(at, first.body.refresh_token)).status).toBe(200);
    idp.addTrouble('consent-removed', { times: 2, clientId: CLIENT });
    expect((await refresh(at, first.body.refresh_token)).body).toMatchObject({
      error_codes: [65001],
      suberror: 'consent_required',
    });
  });

  it('states its duration, is delayed, or closes the connection', async () => {
    const { idp, at } = await start();
    const ask = (): Promise<Response> =>
      fetch(at.tokenUrl, { method: 'POST', body: new URLSearchParams({ client_id: CLIENT }) });
    idp.addTrouble('throttled', { retryAfterSeconds: 77 });
    expect((await ask()).headers.get('retry-after')).toBe('77');
    idp.addTrouble('slow', { delayMs: 120 });
    const before = performance.now();
    await ask();
    expect(performance.now() - before).toBeGreaterThan(115);
    idp.addTrouble('connection-lost');
    await expect(ask()).rejects.toThrow();
  });

  it('of a secret removed in the portal takes effect at once', async () => {
    const { idp, at } = await start();
    const fields = { grant_type: 'client_credentials', scope: 'https://outlook.office.com/.default' };
    idp.setApp(CLIENT, { secrets: [{ value: 'another' }] });
    expect((await askToken(at, fields)).body['error_codes']).toEqual([7000215]);
    idp.setApp(CLIENT, { secrets: [{ value: SECRET }] });
    expect((await askToken(at, fields)).status).toBe(200);
  });

  it('can be requested over http, which lists the known ones', async () => {
    const { idp, at } = await start();
    const control = remoteControl(idp.origin);
    await control.addTrouble('declined');
    expect((await consent(at)).callback?.searchParams.get('error')).toBe('access_denied');
    await expect(control.addTrouble('toString' as Trouble)).rejects.toThrow('declined');
  });
});
