import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClientSecretCredential } from '@azure/identity';
import { exportJWK, SignJWT } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../dev/emulators/certificates.ts';
import {
  type EntraOptions,
  type RunningEntra,
  startEntra,
  type TenantAddress,
} from '../../dev/emulators/entra/entra.ts';
import {
  askToken,
  CLIENT,
  consent,
  REDIRECT,
  redeem,
  SECRET,
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

const APP_SCOPE = 'https://outlook.office.com/.default';

describe('an app', () => {
  it('authenticates with either its certificate or its secret', async () => {
    const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const strange = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwks = { keys: [{ ...(await exportJWK(own.publicKey)), kid: 'own', alg: 'RS256', use: 'sig' }] };
    const { at } = await start({
      tenants: [
        tenant({ clients: [{ id: CLIENT, secrets: [{ value: SECRET }], jwks, redirectUris: [REDIRECT] }] }),
      ],
    });
    const ask = async (
      key: typeof own.privateKey,
    ): Promise<{ status: number; body: Record<string, unknown> }> => {
      const assertion = await new SignJWT({})
        .setProtectedHeader({ alg: 'RS256', kid: 'own' })
        .setIssuer(CLIENT)
        .setSubject(CLIENT)
        .setAudience(at.tokenUrl)
        .setJti(randomUUID())
        .setExpirationTime('5m')
        .sign(key);
      const response = await fetch(at.tokenUrl, {
        method: 'POST',
        body: new URLSearchParams({
          client_id: CLIENT,
          grant_type: 'client_credentials',
          scope: APP_SCOPE,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion,
        }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    expect(await ask(own.privateKey)).toMatchObject({ status: 200 });
    expect(await ask(strange.privateKey)).toMatchObject({ status: 401, body: { error_codes: [700027] } });
    expect((await askToken(at, { grant_type: 'client_credentials', scope: APP_SCOPE })).status).toBe(200);
  });

  it('gets a new secret that is valid at once, stores it, and is told that the old one has expired', async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'postroom-idp-'));
    const { idp, at } = await start({ stateDir });
    idp.expireClientSecrets(CLIENT);
    idp.addClientSecret(CLIENT, { value: 'fresh' });
    const fields = { grant_type: 'client_credentials', scope: APP_SCOPE };
    expect((await askToken(at, fields)).body['error_codes']).toEqual([7000222]);
    expect((await askToken(at, { ...fields, client_secret: 'fresh' })).status).toBe(200);
    await idp.stop();
    const again = await start({ stateDir });
    expect((await askToken(again.at, { ...fields, client_secret: 'fresh' })).status).toBe(200);
    expect((await askToken(again.at, fields)).body['error_codes']).toEqual([7000222]);
    await again.idp.stop();
    rmSync(stateDir, { recursive: true });
  });

  it('that uses Azure’s own library signs in over https', async () => {
    const tls = await makeCertificates();
    const { idp, at } = await start({ tls });
    const credential = new ClientSecretCredential(at.id, CLIENT, SECRET, {
      authorityHost: idp.origin,
      disableInstanceDiscovery: true,
      tlsOptions: { ca: tls.ca },
    });
    expect((await credential.getToken(APP_SCOPE)).token.split('.')).toHaveLength(3);
  });
});

describe('directories', () => {
  it('respond under their ID, their domain and the aliases, whose issuer is a template', async () => {
    const { idp, at } = await start();
    const issuer = async (segment: string): Promise<unknown> => {
      const response = await fetch(`${idp.origin}/${segment}/v2.0/.well-known/openid-configuration`);
      return ((await response.json()) as { issuer: unknown }).issuer;
    };
    expect(await issuer(at.id)).toBe(`${idp.origin}/${at.id}/v2.0`);
    expect(await issuer('contoso.example')).toBe(at.issuer);
    expect(await issuer('organizations')).toBe(`${idp.origin}/{tenantid}/v2.0`);
    const byDomain = {
      ...at,
      authorizeUrl: at.authorizeUrl.replace(at.id, at.domain),
      tokenUrl: at.tokenUrl.replace(at.id, at.domain),
    };
    expect((await redeem(byDomain, await consent(byDomain))).status).toBe(200);
  });

  it('are separate: a user and an app of one are unknown in the other', async () => {
    const other = tenant({ domain: 'fabrikam.example', clients: [], users: [] });
    const { idp } = await start({ tenants: [tenant(), other] });
    const [, fabrikam] = idp.tenants;
    if (fabrikam === undefined) throw new Error('no second tenant');
    expect((await consent(fabrikam)).html).toContain('AADSTS700016');
    const reply = await askToken(fabrikam, { grant_type: 'client_credentials', scope: APP_SCOPE });
    expect(reply).toMatchObject({
      status: 400,
      body: { error: 'unauthorized_client', error_codes: [700016] },
    });
  });
});
