import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { GraphPerson } from '../../dev/emulators/graph/caller.ts';
import { type GraphOptions, type RunningGraph, startGraph } from '../../dev/emulators/graph/graph.ts';
import { type GraphTokens, makeGraphTokens } from '../harness/stack/graph-tokens.ts';

const command = join(import.meta.dirname, '..', '..', 'dev', 'register-app.ts');
const TENANT = '3a0c7f0e-0000-4000-8000-000000000001';
const DIANA = '10000000-0000-4000-8000-000000000001';
const IDENTITY = '30000000-0000-4000-8000-000000000001';

let tokens: GraphTokens;
let folder: string;
let graph: RunningGraph;

beforeAll(async () => {
  tokens = await makeGraphTokens();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postroom-register-'));
});
afterEach(async () => {
  await graph.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function world(
  options: Partial<GraphOptions> & { may?: GraphPerson['may']; signedIn?: boolean; azd?: boolean } = {},
): Promise<void> {
  const { may = 'register', signedIn = true, azd = true, ...others } = options;
  graph = await startGraph({
    tenantId: TENANT,
    jwks: tokens.jwks,
    people: [{ id: DIANA, displayName: 'Diana', userPrincipalName: 'diana@contoso.example', may }],
    ...others,
  });
  const answer = { accessToken: await tokens.person(DIANA), expires_on: 4_102_444_800, tokenType: 'Bearer' };
  program(
    'az',
    signedIn
      ? `console.log(${JSON.stringify(JSON.stringify(answer))});`
      : `console.error("ERROR: Please run 'az login' to setup account."); process.exit(1);`,
  );
  if (azd) program('azd', AZD);
}

/** The two azd commands that are used, over a file. */
const AZD = `
const fs = require('node:fs');
const file = ${JSON.stringify('$FILE')};
const values = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : { AZURE_ENV_NAME: 'Installation One' };
const [, verb, name, value] = process.argv.slice(2);
if (verb === 'set') fs.writeFileSync(file, JSON.stringify({ ...values, [name]: value }));
else console.log(JSON.stringify(values));
`;
const azdFile = (): string => join(folder, 'azd.json');
const azdValues = (): Record<string, string> =>
  existsSync(azdFile()) ? (JSON.parse(readFileSync(azdFile(), 'utf8')) as Record<string, string>) : {};
const setAzd = (more: Record<string, string>): void =>
  writeFileSync(azdFile(), JSON.stringify({ ...azdValues(), ...more }));

/** A program of this name on the command's PATH, in place of the real one. */
function program(name: string, script: string): void {
  const file = join(folder, name);
  writeFileSync(file, `#!${process.execPath}\n${script.replace('$FILE', azdFile())}`);
  chmodSync(file, 0o755);
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function run(
  args: readonly string[],
  environment: Record<string, string> = {},
  address = graph.url,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [command, ...args, '--graph', address], {
      env: { PATH: folder, HOME: folder, ...environment },
    });
    const ended: Ended = { code: null, stdout: '', stderr: '' };
    child.stdout.on('data', (data: Buffer) => {
      ended.stdout += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => {
      ended.stderr += data.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ ...ended, code }));
  });
}

const writes = (): number => graph.requests.filter(({ method }) => method !== 'GET').length;
const provisioned = { POSTROOM_URL: 'https://desk.example', POSTROOM_IDENTITY_PRINCIPAL_ID: IDENTITY };

describe('npm run register-app', () => {
  test('creates both registrations and stores their IDs, links them to the installation, and changes nothing when run again', async () => {
    await world({ settleRequests: 1 });
    const created = await run(['--create', '--json']);
    expect([created.code, created.stderr]).toEqual([0, '']);
    const ids = azdValues();
    expect(JSON.parse(created.stdout)).toEqual({
      signIn: { clientId: ids['POSTROOM_SIGN_IN_CLIENT_ID'], state: 'made' },
      mail: { clientId: ids['POSTROOM_MAIL_CLIENT_ID'], state: 'made' },
    });
    setAzd(provisioned);
    const finished = await run(['--finish']);
    expect([finished.code, finished.stderr]).toEqual([0, '']);
    expect(finished.stdout).toContain('You have the role admin now.');
    expect(finished.stdout).toContain(
      `https://login.microsoftonline.com/${TENANT}/adminconsent?client_id=${ids['POSTROOM_MAIL_CLIENT_ID']}&redirect_uri=https%3A%2F%2Fdesk.example%2Foauth%2Fcallback`,
    );
    expect(finished.stdout).toContain(
      `https://desk.example/providers/new?preset=microsoft&tenant=${TENANT}&clientId=${ids['POSTROOM_MAIL_CLIENT_ID']}&credential=federated`,
    );

    const [signIn, mail] = graph.directory.applications;
    expect(signIn?.displayName).toMatch(/^Postroom sign-in \(installation-one-[0-9a-f]{6}\)$/);
    expect(signIn?.web.redirectUris).toEqual(['https://desk.example/.auth/login/aad/callback']);
    expect(mail?.web.redirectUris).toEqual(['https://desk.example/oauth/callback']);
    expect(mail?.signInAudience).toBe('AzureADMyOrg');
    for (const application of [signIn, mail])
      expect(graph.directory.federated[application?.id ?? '']).toMatchObject([
        {
          subject: IDENTITY,
          issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`,
          audiences: ['api://AzureADTokenExchange'],
        },
      ]);
    const admin = signIn?.appRoles.find(({ value }) => value === 'admin');
    expect(graph.directory.assignments).toMatchObject([{ principalId: DIANA, appRoleId: admin?.id }]);
    // The permissions, by the names that the directory gives these IDs.
    const scopes = graph.directory.servicePrincipals[0]?.oauth2PermissionScopes ?? [];
    const asked = (application: typeof mail) => {
      expect(application?.requiredResourceAccess).toHaveLength(1);
      return application?.requiredResourceAccess[0]?.resourceAccess
        .map(({ id, type }) => `${type} ${scopes.find((scope) => scope.id === id)?.value}`)
        .toSorted();
    };
    const person = ['Scope email', 'Scope openid', 'Scope profile'];
    expect(asked(signIn)).toEqual(person);
    expect(asked(mail)).toEqual(
      [...person, 'Scope IMAP.AccessAsUser.All', 'Scope SMTP.Send', 'Scope offline_access'].toSorted(),
    );

    const before = [writes(), JSON.stringify(graph.directory), JSON.stringify(azdValues())];
    expect((await run(['--create', '--json'])).stdout).toContain('"state":"unchanged"');
    const again = await run(['--finish', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({
      signIn: { state: 'unchanged' },
      mail: { state: 'unchanged' },
      adminRole: 'there',
    });
    expect([writes(), JSON.stringify(graph.directory), JSON.stringify(azdValues())]).toEqual(before);
  });

  test('finds what an interrupted run had created, and keeps what people added', async () => {
    await world();
    graph.faults.push({ match: { method: 'POST', path: 'servicePrincipals$' }, status: 400 });
    expect((await run(['--create'])).code).toBe(1);
    expect(azdValues()['POSTROOM_SIGN_IN_CLIENT_ID']).toBeUndefined();
    expect((await run(['--create'])).code).toBe(0);
    expect(graph.directory.applications).toHaveLength(2);

    const [signIn] = graph.directory.applications;
    signIn?.web.redirectUris.push('https://old.example/.auth/login/aad/callback');
    // Someone has renamed our agent role and added another one.
    const [admin] = signIn?.appRoles ?? [];
    const own = { id: '40000000-0000-4000-8000-000000000001', value: 'auditor', origin: 'Application' };
    const shown = { displayName: 'A', description: 'A', isEnabled: true, allowedMemberTypes: ['User'] };
    if (signIn !== undefined && admin !== undefined) signIn.appRoles = [admin, { ...own, ...shown }];
    setAzd({ ...provisioned, POSTROOM_URL: 'https://new.example/' });
    await run(['--finish']);
    expect(signIn?.web.redirectUris).toEqual([
      'https://old.example/.auth/login/aad/callback',
      'https://new.example/.auth/login/aad/callback',
    ]);
    expect(signIn?.appRoles.map(({ value }) => value)).toEqual(['admin', 'auditor', 'agent']);

    setAzd({ POSTROOM_IDENTITY_PRINCIPAL_ID: '30000000-0000-4000-8000-000000000002' });
    await run(['--finish']);
    expect(graph.directory.federated[signIn?.id ?? '']?.map(({ subject }) => subject)).toEqual([
      '30000000-0000-4000-8000-000000000002',
    ]);
  });

  test('lets the identity rotate the secrets of the one registration, if an admin allows it', async () => {
    await world({ may: 'admin' });
    await run(['--create']);
    setAzd(provisioned);
    const { stdout, code } = await run(['--finish', '--rotation', '--json']);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { rotation: 'allowed' }]);
    const before = writes();
    expect(JSON.parse((await run(['--finish', '--rotation', '--json'])).stdout)).toMatchObject({
      rotation: 'there',
    });
    expect(writes()).toBe(before);
    const statusOf = async (clientId: string | undefined): Promise<number> => {
      const address = `${graph.url}/v1.0/applications(appId='${clientId}')/addPassword`;
      const headers = { authorization: `Bearer ${await tokens.app(IDENTITY)}` };
      return (await fetch(address, { method: 'POST', headers, body: '{}' })).status;
    };
    const ids = azdValues();
    expect(await statusOf(ids['POSTROOM_MAIL_CLIENT_ID'])).toBe(200);
    expect(await statusOf(ids['POSTROOM_SIGN_IN_CLIENT_ID'])).toBe(403);
  });

  test('finds its own role behind a page of others, and among them', async () => {
    await world({ pageSize: 2 });
    await run(['--create']);
    setAzd(provisioned);
    expect(JSON.parse((await run(['--finish', '--json'])).stdout)).toMatchObject({ adminRole: 'given' });
    const [mine] = graph.directory.assignments;
    if (mine === undefined) throw new Error('nothing was assigned');
    const others = Array.from({ length: 4 }, (_, index) => ({
      ...mine,
      id: `o${index}`,
      principalId: `p${index}`,
    }));
    graph.directory.assignments.unshift(...others);
    const before = writes();
    expect(JSON.parse((await run(['--finish', '--json'])).stdout)).toMatchObject({ adminRole: 'there' });
    expect(writes()).toBe(before);
    // Assigned by someone else, but not yet in the replica of the directory that is read.
    graph.faults.push({
      match: { method: 'GET', path: 'appRoleAssignedTo' },
      status: 200,
      body: { value: [] },
    });
    const { code, stdout } = await run(['--finish', '--json']);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { adminRole: 'there' }]);
  });

  test('sends its token to no other host, whatever the next link of a page is', async () => {
    await world();
    await run(['--create']);
    setAzd(provisioned);
    const elsewhere = {
      value: [],
      '@odata.nextLink': 'https://graph.example/v1.0/organization?$skiptoken=1',
    };
    graph.faults.push({ match: { method: 'GET', path: 'organization' }, status: 200, body: elsewhere });
    const { code, stderr } = await run(['--finish']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('a page of another host')]);
  });

  test('uses the credential that someone created by hand under another name', async () => {
    await world();
    await run(['--create']);
    setAzd(provisioned);
    const byHand = {
      id: 'by-hand',
      name: 'installation-identity',
      issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`,
      subject: IDENTITY,
      audiences: ['api://wrong'],
      description: null,
    };
    // Besides one with our own name, for a previous identity.
    const before = { ...byHand, id: 'before', name: 'postroom', subject: 'an-identity-of-before' };
    for (const { id } of graph.directory.applications)
      graph.directory.federated[id] = [{ ...before }, { ...byHand }];
    const { code, stderr } = await run(['--finish']);
    expect([code, stderr]).toEqual([0, '']);
    for (const { id } of graph.directory.applications)
      expect(graph.directory.federated[id]).toEqual([
        before,
        { ...byHand, audiences: ['api://AzureADTokenExchange'] },
      ]);
  });

  test('names who may allow the rotation if the deployer may not', async () => {
    await world();
    await run(['--create']);
    setAzd(provisioned);
    const { code, stderr } = await run(['--finish', '--rotation']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('Privileged Role Administrator')]);
    expect(graph.directory.applications[0]?.web.redirectUris).toHaveLength(1);
  });

  test('waits while Graph is busy', async () => {
    await world();
    graph.faults.push({
      match: { path: 'applications' },
      status: 429,
      times: 2,
      headers: { 'retry-after': '1' },
    });
    expect((await run(['--create'])).code).toBe(0);
    expect(graph.requests.filter(({ status }) => status === 429)).toHaveLength(2);
  });

  test.each([
    ['no user is signed in', { signedIn: false }, /^You are not signed in to Azure\. Run "az login"/],
    [
      'registering is not allowed',
      { may: 'nothing' as const },
      /role "Application Developer"[\s\S]*Authorization_RequestDenied/,
    ],
  ])('explains what to do when %s, and leaves nothing incomplete', async (_case, options, said) => {
    await world(options);
    const { code, stdout, stderr } = await run(['--create']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(said);
    expect(graph.directory.applications).toEqual([]);
  });

  test('explains what to do when the Azure CLI is missing', async () => {
    await world();
    rmSync(join(folder, 'az'));
    expect((await run(['--create'])).stderr).toContain('https://aka.ms/azure-cli');
  });

  test('explains what to do before provisioning, and about a deleted registration', async () => {
    await world();
    await run(['--create']);
    expect((await run(['--finish'])).stderr).toContain('Run "azd provision" first');
    graph.directory.applications.splice(0, 1);
    expect((await run(['--create'])).stderr).toMatch(/is not in this tenant\. Bring it back within 30 days/);
  });

  test('changes nothing if it is disabled', async () => {
    await world({ may: 'nothing' });
    setAzd({ POSTROOM_REGISTRATION: 'by-hand' });
    expect((await run(['--create'])).code).toBe(0);
    expect(graph.requests).toEqual([]);
  });

  test('works without azd, under a name that the caller gives', async () => {
    await world({ azd: false });
    expect((await run(['--create'])).stderr).toContain('--key my-installation');
    const { stdout } = await run(['--create', '--key', 'my-installation']);
    const ids = Object.fromEntries(
      [...stdout.matchAll(/export (\w+)=(\S+)/g)].map(([, name, id]) => [name, id]),
    );
    expect((await run(['--create', '--key', 'my-installation'])).stdout).toContain('unchanged');
    expect(graph.directory.applications).toHaveLength(2);
    const { stdout: finished } = await run(['--finish', '--json'], { ...ids, ...provisioned });
    expect(JSON.parse(finished)).toMatchObject({ adminRole: 'given' });
  });

  test('sends the signed-in user’s token only to Microsoft and this machine', async () => {
    await world();
    const { code, stderr } = await run(['--create'], {}, 'https://graph.example');
    expect([code, stderr]).toEqual([1, '--graph names a stand-in on this machine: http://localhost:PORT.\n']);
  });
});
