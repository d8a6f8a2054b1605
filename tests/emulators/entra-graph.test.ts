import { decodeJwt } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import type { CookieJar } from '../../dev/cookie-jar.ts';
import { type RunningEntra, startEntra, type TenantAddress } from '../../dev/emulators/entra/entra.ts';
import { askToken, consent, redeem, SCOPE, tenant } from '../harness/stack/demo-directory.ts';

const GRAPH = 'https://graph.microsoft.com';
const READ_WRITE = `${GRAPH}/Mail.ReadWrite`;
const SEND = `${GRAPH}/Mail.Send`;

const running: RunningEntra[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((provider) => provider.stop()));
});

async function start(): Promise<TenantAddress> {
  const idp = await startEntra({ tenants: [tenant()] });
  running.push(idp);
  const [at] = idp.tenants;
  if (at === undefined) throw new Error('no tenant');
  return at;
}

const refreshed = (
  at: TenantAddress,
  token: string | undefined,
  scope: string,
): ReturnType<typeof askToken> =>
  askToken(at, { grant_type: 'refresh_token', refresh_token: token ?? '', scope });

describe('tokens for Microsoft Graph', () => {
  it('come from the same refresh token as those for Outlook, each for one resource', async () => {
    const at = await start();
    const first = await redeem(at, await consent(at, { scope: `${SCOPE} ${READ_WRITE} ${SEND}` }));
    expect(decodeJwt(first.body.access_token ?? '')['aud']).toBe('https://outlook.office.com');
    const graph = await refreshed(at, first.body.refresh_token, `${READ_WRITE} ${SEND} offline_access`);
    expect(graph.status, JSON.stringify(graph.body)).toBe(200);
    expect(decodeJwt(graph.body.access_token ?? '')).toMatchObject({
      aud: GRAPH,
      scp: 'Mail.ReadWrite Mail.Send',
      upn: 'support@contoso.example',
    });
    const outlook = await refreshed(at, graph.body.refresh_token, `${SCOPE}`);
    expect(decodeJwt(outlook.body.access_token ?? '')['aud']).toBe('https://outlook.office.com');
    const both = await refreshed(at, first.body.refresh_token, `${SCOPE} ${SEND}`);
    expect(both.body['error_codes']).toEqual([28000]);
  });

  it('need a consent of their own, which adds to the earlier one', async () => {
    const at = await start();
    const first = await redeem(at, await consent(at));
    const early = await refreshed(at, first.body.refresh_token, READ_WRITE);
    expect([early.body['error'], early.body['error_codes']]).toEqual(['invalid_grant', [65001]]);
    expect(early.body['suberror']).toBe('consent_required');
    const more = await consent(at, { scope: `${READ_WRITE} offline_access openid profile` });
    expect(more.titles.at(-1)).toContain('Permissions requested');
    const second = await redeem(at, more);
    expect(decodeJwt(second.body.access_token ?? '')['scp']).toBe('Mail.ReadWrite');
    // A refresh token is bound to the person and the app, not to what was asked for at the time.
    for (const token of [first.body.refresh_token, second.body.refresh_token]) {
      const graph = await refreshed(at, token, READ_WRITE);
      expect(graph.status, JSON.stringify(graph.body)).toBe(200);
      const outlook = await refreshed(at, token, SCOPE);
      expect(decodeJwt(outlook.body.access_token ?? '')['scp']).toContain('IMAP.AccessAsUser.All');
    }
  });

  it('are asked for on the consent page, when a request adds them to scopes of Outlook already granted', async () => {
    const at = await start();
    const jar: CookieJar = new Map();
    const before = await redeem(at, await consent(at, {}, undefined, jar));
    const more = await consent(at, { scope: `${SCOPE} ${READ_WRITE}` }, undefined, jar);
    expect(more.titles.at(-1)).toContain('Permissions requested');
    const both = await redeem(at, more);
    expect(decodeJwt(both.body.access_token ?? '')['aud']).toBe('https://outlook.office.com');
    for (const { body } of [before, both])
      expect((await refreshed(at, body.refresh_token, READ_WRITE)).status).toBe(200);
    const again = await consent(at, { scope: `${SCOPE} ${READ_WRITE}` }, undefined, jar);
    expect(again.titles, 'nothing is left to ask for').toEqual([]);
  });

  it('are refused for a misspelt permission and for .default beside another one', async () => {
    const at = await start();
    const first = await redeem(at, await consent(at));
    const wrong = await refreshed(at, first.body.refresh_token, `${GRAPH}/Mail.ReadWriteAll`);
    expect(wrong.body['error_codes']).toEqual([70011]);
    const mixed = await refreshed(at, first.body.refresh_token, `${GRAPH}/.default ${READ_WRITE}`);
    expect(mixed.body['error_codes']).toEqual([70011]);
  });

  it('carry the application permissions of an app', async () => {
    const at = await start();
    const { body } = await askToken(at, { grant_type: 'client_credentials', scope: `${GRAPH}/.default` });
    expect(decodeJwt(body.access_token ?? '')).toMatchObject({
      aud: GRAPH,
      idtyp: 'app',
      roles: ['Mail.ReadWrite', 'Mail.Send'],
    });
  });
});
