/** The real compiler with the templates: they compile, and the snapshots are their output. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Bicep,
  cleanEnvironment,
  environmentOf,
  findBicep,
  preferredBicep,
} from '../../dev/infra/bicep-compiler.ts';
import { type CheckResult, checkInfra, checkNames, snapshot } from '../../dev/infra/infra-checks.ts';
import {
  at,
  committed,
  infra,
  type Json,
  ofType,
  type Resource,
  readSnapshot,
  settingsOf,
} from '../harness/memory/installation-resources.ts';
import { keysIn, vaultReferences, wrongSignIn } from './installation-rules.ts';

const bicep = await findBicep();
if (bicep.kind === 'absent') console.warn(`THE INFRASTRUCTURE IS NOT COMPILED HERE. ${bicep.reason}`);

// The compiler needs seconds for each of these, and more on a busy machine.
const LIMIT_MS = 300_000;

test('parameter files do not read a developer’s variables', () => {
  const environment = {
    AZURE_LOCATION: 'eastus',
    azure_env_name: 'x',
    POSTROOM_MONITOR_EMAIL: 'a',
    PATH: '/bin',
  };
  expect(cleanEnvironment(environment)).toEqual({ PATH: '/bin' });
});

test('the compiler needs no ICU, unless it is requested', () => {
  expect(environmentOf({})).toEqual({ DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1', DOTNET_TieredPGO: '0' });
  const own = { DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '0', DOTNET_TieredPGO: '1' };
  expect(environmentOf(own)).toEqual(own);
});

describe('of two compilers', () => {
  const named = (version: string): Bicep => ({
    kind: 'found',
    version,
    run: () => Promise.reject(new Error()),
  });
  const right = named('Bicep CLI version 0.49.2 (b34271ac51)');
  const other = named('Bicep CLI version 0.40.2 (aaaaaaaaaa)');

  test('the one that made the snapshots is preferred', async () => {
    const asked = () => Promise.reject(new Error('not needed'));
    expect(await preferredBicep(right, asked)).toBe(right);
    expect(await preferredBicep(other, () => Promise.resolve(right))).toBe(right);
  });

  test('another is used only if there is no better one, and that is reported', async () => {
    const absent = { kind: 'absent', reason: 'There is no network.' } as const;
    const taken = await preferredBicep(other, () => Promise.resolve(absent));
    expect(taken).toMatchObject({ kind: 'found', version: expect.stringContaining('taken with 0.49.2') });
    expect(taken).toMatchObject({ version: expect.stringContaining('There is no network.') });
    expect(await preferredBicep(undefined, () => Promise.resolve(absent))).toBe(absent);
  });
});

describe.skipIf(bicep.kind === 'absent')('the compiler', { timeout: LIMIT_MS }, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postroom-infra-test-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function compiler() {
    if (bicep.kind === 'absent') throw new Error(bicep.reason);
    return bicep;
  }

  const check = (source: string, names?: readonly string[]): Promise<CheckResult[]> =>
    checkInfra(compiler(), source, folder, names);

  test('finds no error, no warning, no difference to the snapshots', async () => {
    const results = await check(infra);
    expect(results.map(({ check: name }) => name)).toEqual(checkNames);
    expect(results.filter(({ ok }) => !ok)).toEqual([]);
  });

  test('creates a template without keys, whose secrets are marked as such all the way to the vault', async () => {
    const template = JSON.parse(await readFile(join(folder, 'resources.json'), 'utf8')) as Json;
    expect(keysIn(template)).toEqual([]);
    const whole = JSON.parse(await readFile(join(folder, 'main.json'), 'utf8')) as Json;
    const secrets = at(template, 'resources.secrets.properties.template');
    for (const one of [whole, at(whole, 'resources.installation.properties.template'), template, secrets])
      for (const name of ['smtpRelayUrl', 'alertWebhookUrl', 'alertWebhookKey'])
        expect(at(one, `parameters.${name}.type`)).toBe('securestring');
  });

  test('changes the app one step at a time', async () => {
    const template = JSON.parse(await readFile(join(folder, 'resources.json'), 'utf8')) as Json;
    const resources = at(template, 'resources.app.properties.template.resources') as Record<string, Json>;
    const steps = Object.entries(resources).filter(([name]) => name.startsWith('site::'));
    const names = steps.map(([name]) => name);
    const after = steps.map(([, step]) =>
      (at(step, 'dependsOn') as readonly string[]).filter((name) => names.includes(name)),
    );
    expect(names).toHaveLength(4);
    expect(after).toEqual([[], ...names.slice(0, -1).map((name) => [name])]);
  });

  test('creates the same resources whatever the deployment is called', async () => {
    const copy = join(folder, 'again');
    await cp(infra, copy, { recursive: true });
    const { code, stderr } = await snapshot(compiler(), copy, 'hardened', 'overwrite', 'another-deployment');
    expect([code, stderr]).toEqual([0, '']);
    const again = readSnapshot(join(copy, 'hardened.snapshot.json'));
    expect(again.map(({ id }) => id)).toEqual(committed('hardened').map(({ id }) => id));
    expect(again).toEqual(committed('hardened'));
  });

  test('rejects unused, outdated or badly formatted code', async () => {
    const small = join(folder, 'small');
    await mkdir(small);
    await cp(join(infra, 'bicepconfig.json'), join(small, 'bicepconfig.json'));
    await cp(join(infra, 'modules', 'types.bicep'), join(small, 'types.bicep'));
    const tidy = await readFile(join(infra, 'modules', 'identity.bicep'), 'utf8');
    const untidy = tidy.replace('userAssignedIdentities@2024-11-30', 'userAssignedIdentities@2023-01-31');
    expect(untidy).not.toBe(tidy);
    await writeFile(join(small, 'tidy.bicep'), tidy);
    await writeFile(join(small, 'untidy.bicep'), `${untidy}param  spare string\n`);
    const [lint, format] = await check(small, ['build and lint', 'format']);
    expect(lint?.said).toMatch(/untidy\.bicep.*no-unused-params/);
    expect(lint?.said).toMatch(/untidy\.bicep.*use-recent-api-versions/);
    expect(lint?.said).not.toMatch(/\btidy\.bicep/);
    expect(format?.said).toMatch(/: untidy\.bicep$/);
  });

  test('describes a change of a resource in words', async () => {
    const copy = join(folder, 'open');
    await cp(infra, copy, { recursive: true });
    const storage = join(copy, 'modules', 'storage.bicep');
    const text = await readFile(storage, 'utf8');
    await writeFile(storage, text.replace('allowSharedKeyAccess: false', 'allowSharedKeyAccess: true'));
    const [result] = await check(copy, ['snapshot main']);
    expect(result?.ok).toBe(false);
    expect(result?.said).toContain('allowSharedKeyAccess');
  });

  describe('before any resource is created', () => {
    const made = async (name: string, lines: string): Promise<{ code: number; said: string }> => {
      const copy = join(folder, name);
      await cp(infra, copy, { recursive: true });
      await writeFile(
        join(copy, 'tried.bicepparam'),
        `using 'main.bicep'\nparam environmentName = 'x'\n${lines}`,
      );
      const { code, stdout, stderr } = await snapshot(compiler(), copy, 'tried', 'overwrite');
      return { code, said: stdout + stderr };
    };

    test.each(['usgovvirginia', 'switzerlandnorth'])(
      '%s is rejected: another cloud, or a region without the plan',
      async (region) => {
        const { code, said } = await made(region, `param location = '${region}'\n`);
        expect(code).not.toBe(0);
        expect(said).toMatch(/BCP033|BCP036/);
      },
    );

    test('the readiness alert is off at the first provisioning of azd, and on at every later one', async () => {
      const enabledWith = async (
        name: string,
        variables: Readonly<Record<string, string>>,
      ): Promise<Json | undefined> => {
        const copy = join(folder, name);
        await cp(infra, copy, { recursive: true });
        let text = await readFile(join(infra, 'main.bicepparam'), 'utf8');
        // The compiler runs without azd variables, so their defaults are used.
        for (const [variable, value] of Object.entries(variables))
          text = text.replaceAll(
            `readEnvironmentVariable('${variable}', '')`,
            `readEnvironmentVariable('${variable}', '${value}')`,
          );
        await writeFile(join(copy, 'tried.bicepparam'), text);
        const { code, stderr } = await snapshot(compiler(), copy, 'tried', 'overwrite');
        expect([code, stderr]).toEqual([0, '']);
        const [alert] = ofType(
          readSnapshot(join(copy, 'tried.snapshot.json')),
          'Microsoft.Insights/metricAlerts',
        );
        return at(alert?.properties, 'enabled');
      };
      expect(await enabledWith('first', { AZURE_ENV_NAME: 'installation' })).toBe(false);
      const later = { AZURE_ENV_NAME: 'installation', POSTROOM_URL: 'https://desk.example' };
      expect(await enabledWith('later', later)).toBe(true);
    });

    test('zone redundancy is rejected where there are no zones', async () => {
      const { code, said } = await made('no-zones', "param location = 'ukwest'\nparam shape = 'hardened'\n");
      expect(code).not.toBe(0);
      expect(said).toContain('ukwest has no availability zones');
      const other =
        "param location = 'ukwest'\nparam shape = 'hardened'\nparam storageRedundancyOption = 'Standard_GRS'\n";
      expect(await made('no-zones-needed', other)).toMatchObject({ code: 0 });
    });
  });

  describe('an installation with sign-in, alerts and its own domain', () => {
    let postroom: Resource[];
    beforeAll(async () => {
      const copy = join(folder, 'full');
      await cp(infra, copy, { recursive: true });
      await writeFile(join(copy, 'full.bicepparam'), FULL);
      const { code, stderr } = await snapshot(compiler(), copy, 'full', 'overwrite');
      expect(stderr).toBe('');
      expect(code).toBe(0);
      postroom = readSnapshot(join(copy, 'full.snapshot.json'));
    }, LIMIT_MS);

    test('authenticates the sign-in with the managed identity', () => {
      expect(wrongSignIn(postroom)).toEqual([]);
      const signIn = postroom.find(({ name }) => name.endsWith('/authsettingsV2'));
      const registration = at(signIn?.properties, 'identityProviders.azureActiveDirectory.registration');
      expect(at(signIn?.properties, 'platform.enabled')).toBe(true);
      expect(at(registration, 'clientId')).toBe('33333333-3333-3333-3333-333333333333');
      expect(String(at(registration, 'openIdIssuer'))).toContain('11111111-1111-1111-1111-111111111111');
    });

    test('has no setting for what the app reads from the vault', () => {
      const settings = settingsOf(postroom);
      for (const name of ['SMTP_RELAY_URL', 'ALERT_WEBHOOK_URL', 'ALERT_WEBHOOK_KEY'])
        expect(settings).not.toHaveProperty(name);
      expect(vaultReferences(postroom)).toEqual([]);
      expect(postroom.flatMap(({ properties }) => keysIn(properties))).toEqual([]);
    });

    test('admits only users of the tenant whose sign-in it accepts', () => {
      expect(settingsOf(postroom)['WEBSITE_AUTH_AAD_ALLOWED_TENANTS']).toBe(
        '11111111-1111-1111-1111-111111111111',
      );
    });

    test('shows neither the URL of a webhook nor of a relay, which both grant access', () => {
      expect(FULL).toContain('?sig=planted');
      expect(JSON.stringify(postroom)).not.toContain('planted');
    });

    test('is found at its own domain, in any spelling', () => {
      expect(settingsOf(postroom)['PUBLIC_URL']).toBe('https://desk.example');
      const [watch] = ofType(postroom, 'Microsoft.Insights/webtests');
      expect(at(watch?.properties, 'Request.RequestUrl')).toBe('https://desk.example/health/ready');
    });

    test('sends no alert before it was deployed', () => {
      const [alert] = ofType(postroom, 'Microsoft.Insights/metricAlerts');
      expect(at(alert?.properties, 'enabled')).toBe(false);
    });

    test('allows a deleted vault to be recovered for the configured time', () => {
      const [vault] = ofType(postroom, 'Microsoft.KeyVault/vaults');
      expect(at(vault?.properties, 'softDeleteRetentionInDays')).toBe(7);
    });

    test('has other names in another resource group', () => {
      const [here] = ofType(postroom, 'Microsoft.Storage/storageAccounts');
      const [there] = ofType(committed('main'), 'Microsoft.Storage/storageAccounts');
      expect(here?.name).toMatch(/^postroom[a-z0-9]{13}$/);
      expect(here?.name).not.toBe(there?.name);
    });

    test('emails its alerts to the one address', () => {
      const [people] = ofType(postroom, 'Microsoft.Insights/actionGroups');
      expect(at(people?.properties, 'emailReceivers.0.emailAddress')).toBe('it@example.org');
      expect(at(people?.properties, 'armRoleReceivers')).toEqual([]);
    });
  });
});

const FULL = `using 'main.bicep'
param environmentName = 'full'
param location = 'swedencentral'
param shape = 'hardened'
param readinessAlert = false
param signInClientId = '33333333-3333-3333-3333-333333333333'
param monitorEmail = 'it@example.org'
param publicUrl = 'https://desk.example/'
param smtpRelayUrl = 'smtps://installation:planted@relay.example:465'
param alertWebhookUrl = 'https://hooks.example/installation?sig=planted'
param alertWebhookKey = 'whsec_planted'
param vaultRecoveryDays = 7
`;
