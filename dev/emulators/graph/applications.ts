import { randomUUID } from 'node:crypto';
import { mayChange, mayCreate, mayRead } from './caller.ts';
import type { Application, AppRole } from './directory.ts';
import { answerFederated } from './federated-credentials.ts';
import type { GraphCall, GraphReply } from './graph-call.ts';
import { badRequest, GraphError, notFound, wrongMethod } from './graph-error.ts';
import { filterRows, type Segment, selectFields } from './graph-path.ts';
import { addPassword, removePassword } from './passwords.ts';

const CONTEXT = 'https://graph.microsoft.com/v1.0/$metadata#applications';

/** Answers everything below `/v1.0/applications`. */
export function answerApplications(call: GraphCall, segments: readonly Segment[]): GraphReply {
  const [root, ...rest] = segments;
  if (root === undefined) throw notFound('applications');
  const { directory, method, query, caller } = call;
  mayRead(caller);
  // `applications/{id}/…` or `applications(appId='…')/…`
  const key = root.key ?? (rest[0] === undefined ? undefined : (['id', rest[0].name] as const));
  const below = root.key === undefined ? rest.slice(1) : rest;
  if (key === undefined) {
    if (method === 'GET')
      return {
        body: {
          '@odata.context': CONTEXT,
          value: filterRows(directory.applications, query).map((row) => selectFields(row, query)),
        },
      };
    if (method === 'POST') return { status: 201, body: entity(create(call, {})) };
    throw wrongMethod();
  }
  const [field, wanted] = key;
  const found = directory.applications.find((candidate) => candidate[field] === wanted);
  if (found === undefined) return createMissing(call, key);
  if (isStale(call, found)) throw staleAnswer(call, below, wanted);
  const [action, ...further] = below;
  if (action === undefined) return answerOne(call, found);
  if (action.name === 'federatedIdentityCredentials') return answerFederated(call, found, action, further);
  mayChange(caller, directory, found);
  if (action.name === 'addPassword' && method === 'POST') return addPassword(call, found);
  if (action.name === 'removePassword' && method === 'POST') return removePassword(call, found);
  if (action.name === 'owners') return answerOwners(call, found, further);
  throw badRequest(`Resource not found for the segment '${action.name}'.`);
}

const entity = (application: Application): Record<string, unknown> => ({
  '@odata.context': `${CONTEXT}/$entity`,
  ...application,
});

function answerOne(call: GraphCall, found: Application): GraphReply {
  const { directory, method, query, caller, body } = call;
  if (method === 'GET') return { body: { ...selectFields(entity(found), query) } };
  mayChange(caller, directory, found);
  if (method === 'PATCH') {
    change(found, body);
    directory.save();
    return { status: 204 };
  }
  if (method === 'DELETE') {
    directory.applications.splice(directory.applications.indexOf(found), 1);
    directory.save();
    return { status: 204 };
  }
  throw wrongMethod();
}

/** "Upsert application": PATCH by uniqueName creates, if the header asks for it. */
function createMissing(call: GraphCall, [field, wanted]: readonly [string, string]): GraphReply {
  if (call.method !== 'PATCH' || field !== 'uniqueName' || call.prefer !== 'create-if-missing')
    throw notFound(wanted);
  return { status: 201, body: entity(create(call, { uniqueName: wanted })) };
}

function create(call: GraphCall, more: { uniqueName?: string }): Application {
  const { directory, caller, body } = call;
  mayCreate(caller);
  if (typeof body['displayName'] !== 'string' || body['displayName'] === '')
    throw badRequest("Invalid value specified for property 'displayName' of resource 'Application'.", {
      code: 'InvalidValue',
      target: 'displayName',
    });
  const made: Application = {
    id: randomUUID(),
    appId: randomUUID(),
    uniqueName: more.uniqueName ?? null,
    displayName: '',
    signInAudience: 'AzureADandPersonalMicrosoftAccount',
    createdDateTime: new Date().toISOString(),
    web: { redirectUris: [] },
    requiredResourceAccess: [],
    appRoles: [],
    passwordCredentials: [],
  };
  change(made, body);
  directory.applications.push(made);
  // Who creates an application owns it.
  directory.owners[made.id] = [caller.id];
  call.fresh.set(made.id, call.settleRequests);
  directory.save();
  return made;
}

const READ_ONLY = ['id', 'appId', 'uniqueName', 'createdDateTime', 'passwordCredentials'];

function change(application: Application, input: Record<string, unknown>): void {
  for (const name of READ_ONLY)
    if (name in input) throw badRequest(`Property '${name}' is read-only and cannot be set.`);
  const roles = input['appRoles'] as AppRole[] | undefined;
  if (roles !== undefined) checkRoles(application.appRoles, roles);
  const web = input['web'] as Application['web'] | undefined;
  for (const address of web?.redirectUris ?? []) checkRedirect(address);
  // Of `web`, what is not named stays as it was; lists are replaced whole.
  Object.assign(
    application,
    input,
    web !== undefined && { web: { ...application.web, ...web } },
    roles !== undefined && { appRoles: roles.map((role) => ({ ...role, origin: 'Application' })) },
  );
}

function checkRoles(before: readonly AppRole[], after: readonly AppRole[]): void {
  const lost = before.find((role) => role.isEnabled && !after.some(({ id }) => id === role.id));
  if (lost !== undefined)
    throw new GraphError(
      400,
      'CannotDeleteOrUpdateEnabledEntitlement',
      'Permission (scope or role) cannot be deleted or updated unless disabled first.',
    );
  if (after.some(({ origin }) => origin !== undefined))
    throw badRequest("Property 'origin' is read-only and cannot be set.", {
      code: 'InvalidUpdate',
      target: 'appRoles',
    });
  if (new Set(after.map(({ value }) => value)).size !== after.length)
    throw badRequest('Request contains duplicate values for appRoles.');
}

function checkRedirect(address: string): void {
  const { protocol, hostname } = new URL(address);
  if (protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1'].includes(hostname)))
    return;
  throw badRequest("Invalid value specified for property 'web' of resource 'Application'.", {
    code: 'InvalidValue',
    target: 'web',
  });
}

function answerOwners(call: GraphCall, { id }: Application, below: readonly Segment[]): GraphReply {
  const { directory, method, body } = call;
  directory.owners[id] ??= [];
  const owners = directory.owners[id];
  if (method === 'GET') return { body: { value: owners.map((owner) => ({ id: owner })) } };
  const added = String(body['@odata.id'] ?? '')
    .split('/')
    .at(-1);
  if (method !== 'POST' || below[0]?.name !== '$ref' || added === undefined || added === '')
    throw wrongMethod();
  if (owners.includes(added))
    throw badRequest(
      "One or more added object references already exist for the following modified properties: 'owners'.",
    );
  owners.push(added);
  directory.save();
  return { status: 204 };
}

/** Graph writes to one replica and reads from another: for some requests a new application is not there yet. */
function isStale({ fresh }: GraphCall, { id }: Application): boolean {
  const left = fresh.get(id) ?? 0;
  if (left > 0) fresh.set(id, left - 1);
  return left > 0;
}

function staleAnswer(call: GraphCall, below: readonly Segment[], wanted: string): GraphError {
  if (below[0]?.name === 'removePassword')
    return badRequest(`No password credential found with keyId '${String(call.body['keyId'])}'.`);
  return notFound(wanted);
}
