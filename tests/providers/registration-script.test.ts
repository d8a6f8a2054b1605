import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { permissionsFor } from '../../shared/providers/permissions.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { usualProtocols } from '../../shared/providers/provider.ts';
import { registrationScript } from '../../shared/providers/registration-script.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';

const GUID = '11111111-2222-3333-4444-555555555555';
const REDIRECT = 'https://desk.contoso.example/oauth/callback';

// Stands in for the Azure CLI: records its arguments, one per line, and responds as az does.
const AZ = `#!/usr/bin/env bash
printf '%s\\n' "$@" '--end--' >> "$AZ_LOG"
case "$*" in
  "ad app create"*) echo made-client-id ;;
  "ad app show"*) printf '%s\\n' https://other.example/callback ;;
  "ad app credential reset"*) [[ "$*" == *"--query password"* ]] && echo made-secret ;;
  "ad app federated-credential show"*) exit 3 ;;
  "account show"*) echo made-tenant-id ;;
esac
exit 0
`;

describe('the script for the Azure CLI', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'postroom-script-'));
    writeFileSync(join(folder, 'az'), AZ);
    chmodSync(join(folder, 'az'), 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function run(
    change: Partial<Provider>,
    identity?: { issuer: string; subject: string },
  ): { out: string; asked: string[][] } {
    const log = join(folder, 'asked');
    writeFileSync(log, '');
    const provider = sampleProvider({ preset: 'microsoft', tenant: GUID, clientId: '', ...change });
    const ran = spawnSync('bash', ['-s'], {
      input: registrationScript({ provider, redirectUri: REDIRECT, identity }),
      env: { PATH: `${folder}:/usr/bin:/bin`, AZ_LOG: log, HOME: folder },
      encoding: 'utf8',
    });
    expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 0, stderr: '' });
    const asked = readFileSync(log, 'utf8')
      .split('--end--\n')
      .map((call) => call.split('\n').slice(0, -1))
      .filter((call) => call.length > 0);
    return { out: ran.stdout, asked };
  }
  const callOf = (asked: string[][], start: string): string[] =>
    asked.find((call) => call.join(' ').startsWith(start)) ?? [];
  const optionOf = (call: string[], option: string): string | undefined => call[call.indexOf(option) + 1];

  it('creates the registration, with every permission and this installation’s redirect URI', () => {
    const { out, asked } = run({ name: `Bob's "installation" $HOME \`id\`` });
    expect(optionOf(callOf(asked, 'cloud set'), '--name')).toBe('AzureCloud');
    expect(optionOf(callOf(asked, 'login'), '--tenant')).toBe(GUID);
    const create = callOf(asked, 'ad app create');
    expect(optionOf(create, '--display-name')).toBe(`Bob's "installation" $HOME \`id\``);
    expect(optionOf(create, '--web-redirect-uris')).toBe(REDIRECT);
    const permissions = JSON.parse(
      optionOf(callOf(asked, 'ad app update'), '--required-resource-accesses') ?? '',
    );
    expect(permissions[0].resourceAccess).toEqual(
      permissionsFor(usualProtocols).map(({ id }) => ({ id, type: 'Scope' })),
    );
    expect(callOf(asked, 'ad app permission admin-consent')).toContain('made-client-id');
    expect(out).toContain('Directory (tenant) ID:   made-tenant-id');
    expect(out).toContain('Application (client) ID: made-client-id');
    expect(out).toContain('Client secret (value):   made-secret');
  });

  it.each([
    ['created', { clientId: '' }],
    ['updated', { clientId: GUID }],
  ])(
    'a multi-tenant app is %s as one, or no user of another tenant could sign in (AADSTS50194)',
    (_, change) => {
      const { out, asked } = run({ tenant: 'organizations', ...change });
      expect(callOf(asked, 'login')).not.toContain('--tenant');
      const call = asked.find((one) => one.includes('--sign-in-audience')) ?? [];
      expect(optionOf(call, '--sign-in-audience')).toBe('AzureADMultipleOrgs');
      expect(out).toContain('Directory (tenant) ID:   organizations');
      const single = run(change).asked.flat();
      expect(single).not.toContain('AzureADMultipleOrgs');
    },
  );

  it('creates no secret if the managed identity was chosen and is not known yet', () => {
    const { out, asked } = run({ credential: { kind: 'federated', setAt: '2026-11-01T00:00:00.000Z' } });
    expect(callOf(asked, 'ad app credential reset')).toEqual([]);
    expect(out).not.toContain('Client secret');
    expect(out).toContain('Step 4 is left out');
  });

  it('fixes the existing registration and keeps its other redirect URIs and secrets', () => {
    const { asked } = run({ clientId: GUID, cloud: 'china' });
    expect(optionOf(callOf(asked, 'cloud set'), '--name')).toBe('AzureChinaCloud');
    expect(callOf(asked, 'ad app create')).toEqual([]);
    const update = callOf(asked, `ad app update --id ${GUID} --web-redirect-uris`);
    expect(update.slice(-2)).toEqual(['https://other.example/callback', REDIRECT]);
    expect(callOf(asked, 'ad app credential reset')).toContain('--append');
  });

  it('uploads a certificate, or trusts the managed identity, and then creates no secret', () => {
    const certificate = {
      kind: 'certificate',
      vaultName: 'x',
      version: '1',
      setAt: '',
      expiresOn: '',
      certificate: 'QUJD',
    } as const;
    const uploaded = run({ credential: certificate });
    expect(callOf(uploaded.asked, 'ad app credential reset').join('\n')).toContain(
      '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----',
    );
    expect(uploaded.out).not.toContain('Client secret');

    const identity = { issuer: 'https://login.microsoftonline.com/t/v2.0', subject: 'the-identity' };
    const trusted = run({ credential: { kind: 'federated', setAt: '' } }, identity);
    const given = optionOf(callOf(trusted.asked, 'ad app federated-credential create'), '--parameters');
    expect(JSON.parse(given ?? '')).toMatchObject({ ...identity, audiences: ['api://AzureADTokenExchange'] });
    expect(trusted.out).not.toContain('Client secret');
  });
});
