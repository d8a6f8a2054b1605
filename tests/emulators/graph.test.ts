import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { GraphPerson } from '../../dev/emulators/graph/caller.ts';
import { type GraphOptions, type RunningGraph, startGraph } from '../../dev/emulators/graph/graph.ts';
import type { SecretChange } from '../../dev/emulators/graph/graph-call.ts';
import { type GraphTokens, makeGraphTokens } from '../harness/stack/graph-tokens.ts';

const TENANT = '3a0c7f0e-0000-4000-8000-000000000001';
const DIANA = '10000000-0000-4000-8000-000000000001';
const ADAM = '10000000-0000-4000-8000-000000000002';
const NOBODY = '10000000-0000-4000-8000-000000000003';
const POSTROOM = '20000000-0000-4000-8000-000000000001';
const people: GraphPerson[] = [
  { id: DIANA, displayName: 'Diana', userPrincipalName: 'diana@contoso.example', may: 'register' },
  { id: ADAM, displayName: 'Adam', userPrincipalName: 'adam@contoso.example', may: 'admin' },
  { id: NOBODY, displayName: 'Nora', userPrincipalName: 'nora@contoso.example', may: 'nothing' },
];

let tokens: GraphTokens;
const open: RunningGraph[] = [];
const folders: string[] = [];
beforeAll(async () => {
  tokens = await makeGraphTokens();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((graph) => graph.stop()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function start(options: Partial<GraphOptions> = {}): Promise<RunningGraph> {
  const graph = await startGraph({ tenantId: TENANT, jwks: tokens.jwks, people, ...options });
  open.push(graph);
  return graph;
}

interface Answer {
  status: number;
  // Graph's rows differ by URL; each test reads the fields it requested.
  body: Record<string, unknown> & { error?: { code: string; message: string; details?: unknown } };
  headers: Headers;
}

async function ask(
  graph: RunningGraph,
  token: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(`${graph.url}/v1.0/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    body: (text === '' ? {} : JSON.parse(text)) as Answer['body'],
    headers: answer.headers,
  };
}

async function made(graph: RunningGraph, token: string): Promise<{ id: string; appId: string }> {
  const { body, status } = await ask(graph, token, 'POST', 'applications', { displayName: 'Installation' });
  expect(status).toBe(201);
  return { id: String(body['id']), appId: String(body['appId']) };
}

describe('the emulator of Microsoft Graph', () => {
  it('rejects a token that is missing, expired, for another service or signed by another', async () => {
    const graph = await start();
    const bare = await fetch(`${graph.url}/v1.0/me`);
    expect(bare.status).toBe(401);
    expect(((await bare.json()) as Answer['body']).error?.code).toBe('InvalidAuthenticationToken');
    const stranger = await (await makeGraphTokens()).person(DIANA);
    for (const token of [await tokens.person(DIANA, -60), await tokens.elsewhere(DIANA), stranger])
      expect((await ask(graph, token, 'GET', 'me')).status).toBe(401);
  });

  it('finds a stored application by ID, client ID, unique name and filter, also after a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postroom-graph-'));
    folders.push(folder);
    const graph = await start({ stateDir: folder });
    const token = await tokens.person(DIANA);
    const create = { prefer: 'create-if-missing' };
    const path = "applications(uniqueName='installation')";
    expect((await ask(graph, token, 'PATCH', path, { displayName: 'Installation' })).status).toBe(404);
    const first = await ask(graph, token, 'PATCH', path, { displayName: 'Installation' }, create);
    expect(first.status).toBe(201);
    expect((await ask(graph, token, 'PATCH', path, { displayName: 'Installation 2' }, create)).status).toBe(
      204,
    );
    await graph.stop();
    const again = await start({ stateDir: folder });
    for (const address of [
      `applications/${String(first.body['id'])}`,
      `applications(appId='${String(first.body['appId'])}')`,
      path,
    ])
      expect((await ask(again, token, 'GET', address)).body['displayName']).toBe('Installation 2');
    const listed = await ask(
      again,
      token,
      'GET',
      `applications?$filter=displayName eq 'Installation 2'&$select=appId`,
    );
    expect(listed.body['value']).toEqual([{ id: first.body['id'], appId: first.body['appId'] }]);
    expect(
      (await ask(again, token, 'GET', 'applications?$filter=startswith(displayName,%27D%27)')).status,
    ).toBe(400);
  });

  it('lets only an owner or an admin change an application', async () => {
    const graph = await start();
    const { id } = await made(graph, await tokens.person(DIANA));
    const change = { web: { redirectUris: ['https://desk.example/oauth/callback'] } };
    expect((await ask(graph, await tokens.person(ADAM), 'PATCH', `applications/${id}`, change)).status).toBe(
      204,
    );
    const refused = await ask(graph, await tokens.person(NOBODY), 'PATCH', `applications/${id}`, change);
    expect([refused.status, refused.body.error?.code]).toEqual([403, 'Authorization_RequestDenied']);
    const created = await ask(graph, await tokens.person(NOBODY), 'POST', 'applications', {
      displayName: 'x',
    });
    expect(created.body.error?.message).toBe('Insufficient privileges to complete the operation.');
    const plain = { web: { redirectUris: ['http://desk.example/oauth/callback'] } };
    expect((await ask(graph, await tokens.person(DIANA), 'PATCH', `applications/${id}`, plain)).status).toBe(
      400,
    );
  });

  it('returns a secret once, to an app that owns the application, and notifies listeners', async () => {
    const heard: SecretChange[] = [];
    const graph = await start({
      appPermissions: { [POSTROOM]: ['Application.ReadWrite.OwnedBy'] },
      onSecret: (change) => heard.push(change),
    });
    const postroom = await tokens.app(POSTROOM);
    const own = await made(graph, postroom);
    const foreign = await made(graph, await tokens.person(DIANA));
    const connectRequest = {
      passwordCredential: { displayName: 'postroom', endDateTime: '2027-01-01T00:00:00Z' },
    };
    const given = await ask(
      graph,
      postroom,
      'POST',
      `applications(appId='${own.appId}')/addPassword`,
      connectRequest,
    );
    expect(given.status).toBe(200);
    const secretText = String(given.body['secretText']);
    expect(secretText).toHaveLength(40);
    const shown = await ask(graph, postroom, 'GET', `applications/${own.id}`);
    expect(JSON.stringify(shown.body)).not.toContain(secretText);
    expect(shown.body['passwordCredentials']).toMatchObject([
      { keyId: given.body['keyId'], endDateTime: '2027-01-01T00:00:00Z', secretText: null },
    ]);
    expect(
      (await ask(graph, postroom, 'POST', `applications/${foreign.id}/addPassword`, connectRequest)).status,
    ).toBe(403);
    const stranger = await tokens.app('20000000-0000-4000-8000-000000000002');
    expect((await ask(graph, stranger, 'GET', `applications/${own.id}`)).status).toBe(403);

    const gone = { keyId: given.body['keyId'] };
    expect((await ask(graph, postroom, 'POST', `applications/${own.id}/removePassword`, gone)).status).toBe(
      204,
    );
    const twice = await ask(graph, postroom, 'POST', `applications/${own.id}/removePassword`, gone);
    expect(twice.body.error).toMatchObject({
      code: 'Request_BadRequest',
      message: `No password credential found with keyId '${String(gone.keyId)}'.`,
    });
    expect(heard.map(({ secretText: text }) => text)).toEqual([secretText, undefined]);
  });

  it('applies the tenant’s policy to secrets', async () => {
    const graph = await start({ policy: { longestDays: 180 } });
    const token = await tokens.person(DIANA);
    const { id } = await made(graph, token);
    const refused = await ask(graph, token, 'POST', `applications/${id}/addPassword`, {});
    expect(refused.body.error).toMatchObject({
      code: 'CredentialInvalidLifetimeAsPerAppPolicy',
      details: [{ code: 'InvalidKeyEndDate', target: 'EndDate' }],
    });
  });

  it('reports a new application as missing, like a replica that lags behind', async () => {
    const graph = await start({ settleRequests: 2 });
    const token = await tokens.person(DIANA);
    const { id, appId } = await made(graph, token);
    expect((await ask(graph, token, 'GET', `applications/${id}`)).body.error?.code).toBe(
      'Request_ResourceNotFound',
    );
    const early = await ask(graph, token, 'POST', 'servicePrincipals', { appId });
    expect(early.body.error?.details).toMatchObject([{ code: 'NoBackingApplicationObject' }]);
    expect((await ask(graph, token, 'POST', 'servicePrincipals', { appId })).status).toBe(201);
    const twice = await ask(graph, token, 'POST', 'servicePrincipals', { appId });
    expect([twice.status, twice.body.error?.code]).toEqual([409, 'Request_MultipleObjectsWithSameKeyValue']);
  });

  it('rejects a second federated credential of the same name, and finds the first', async () => {
    const graph = await start();
    const token = await tokens.person(DIANA);
    const { id } = await made(graph, token);
    const path = `applications/${id}/federatedIdentityCredentials`;
    const one = { name: 'postroom', issuer: 'https://i.example', subject: 's', audiences: ['api://a'] };
    expect((await ask(graph, token, 'POST', path, one)).status).toBe(201);
    const twice = await ask(graph, token, 'POST', path, one);
    expect(twice.body.error?.message).toBe('FederatedIdentityCredential with name postroom already exists.');
    expect((await ask(graph, token, 'PATCH', `${path}/postroom`, { subject: 't' })).status).toBe(204);
    expect((await ask(graph, token, 'GET', `${path}/postroom`)).body['subject']).toBe('t');
  });

  it('assigns a role of the application once, and deletes no enabled role', async () => {
    const graph = await start();
    const token = await tokens.person(DIANA);
    const { id, appId } = await made(graph, token);
    const role = { id: '5d1c9f0a-0000-4000-8000-000000000001', value: 'admin', displayName: 'Admin' };
    const roles = [{ ...role, description: 'x', isEnabled: true, allowedMemberTypes: ['User'] }];
    expect((await ask(graph, token, 'PATCH', `applications/${id}`, { appRoles: roles })).status).toBe(204);
    const dropped = await ask(graph, token, 'PATCH', `applications/${id}`, { appRoles: [] });
    expect(dropped.body.error?.code).toBe('CannotDeleteOrUpdateEnabledEntitlement');
    const { body } = await ask(graph, token, 'POST', 'servicePrincipals', { appId });
    const path = `servicePrincipals/${String(body['id'])}/appRoleAssignedTo`;
    const assignment = { principalId: DIANA, resourceId: body['id'], appRoleId: role.id };
    expect((await ask(graph, token, 'POST', path, assignment)).status).toBe(201);
    const twice = await ask(graph, token, 'POST', path, assignment);
    expect(twice.body.error?.message).toBe('Permission being assigned already exists on the object');
  });

  it('simulates failures with the messages and headers of the service', async () => {
    const graph = await start();
    const token = await tokens.person(DIANA);
    graph.faults.push({ match: { path: '/me$' }, status: 429 }, { match: { path: '/me$' }, status: 403 });
    const busy = await ask(graph, token, 'GET', 'me');
    expect([busy.status, busy.headers.get('retry-after'), busy.body.error?.code]).toEqual([
      429,
      '1',
      'TooManyRequests',
    ]);
    expect((await ask(graph, token, 'GET', 'me')).body.error?.code).toBe('Authorization_RequestDenied');
    expect((await ask(graph, token, 'GET', 'me')).body['displayName']).toBe('Diana');
    const consent = { clientId: 'c', consentType: 'AllPrincipals', resourceId: 'r', scope: 'SMTP.Send' };
    expect((await ask(graph, token, 'POST', 'oauth2PermissionGrants', consent)).status).toBe(403);
    expect(
      (await ask(graph, await tokens.person(ADAM), 'POST', 'oauth2PermissionGrants', consent)).status,
    ).toBe(201);
  });
});
