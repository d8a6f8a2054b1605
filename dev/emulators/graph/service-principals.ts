import { randomUUID } from 'node:crypto';
import { mayChange, mayRead } from './caller.ts';
import type { AppRoleAssignment, PermissionGrant, ServicePrincipal } from './directory.ts';
import type { GraphCall, GraphReply } from './graph-call.ts';
import { alreadyThere, badRequest, denied, notFound, wrongMethod } from './graph-error.ts';
import { filterRows, type Segment, selectFields } from './graph-path.ts';

/** Answers everything below `/v1.0/servicePrincipals`. */
export function answerServicePrincipals(call: GraphCall, segments: readonly Segment[]): GraphReply {
  const [root, ...rest] = segments;
  const { directory, method, query, caller } = call;
  mayRead(caller);
  const key = root?.key ?? (rest[0] === undefined ? undefined : (['id', rest[0].name] as const));
  const below = root?.key === undefined ? rest.slice(1) : rest;
  if (key === undefined) {
    if (method === 'GET')
      return {
        body: { value: filterRows(directory.servicePrincipals, query).map((row) => shown(call, row)) },
      };
    if (method === 'POST') return { status: 201, body: create(call) };
    throw wrongMethod();
  }
  const [field, wanted] = key;
  // A managed identity has a service principal that nobody made here.
  if (below[0]?.name === 'appRoleAssignments') return answerPermissions(call, wanted);
  const found = directory.servicePrincipals.find((candidate) => candidate[field] === wanted);
  if (found === undefined) throw notFound(wanted);
  const [action] = below;
  if (action?.name === 'appRoleAssignedTo') return answerAssignments(call, found);
  if (action !== undefined) throw badRequest(`Resource not found for the segment '${action.name}'.`);
  if (method === 'GET') return { body: selectFields(shown(call, found), query) };
  if (method !== 'PATCH') throw wrongMethod();
  changeable(call, found.appId);
  Object.assign(found, call.body);
  directory.save();
  return { status: 204 };
}

/** The roles of an application's service principal are those of the application. */
function shown({ directory }: GraphCall, principal: ServicePrincipal): ServicePrincipal {
  const application = directory.applications.find(({ appId }) => appId === principal.appId);
  return application === undefined ? principal : { ...principal, appRoles: application.appRoles };
}

function changeable({ directory, caller }: GraphCall, appId: string): void {
  const application = directory.applications.find((candidate) => candidate.appId === appId);
  if (application === undefined) throw denied();
  mayChange(caller, directory, application);
}

function create(call: GraphCall): ServicePrincipal {
  const { directory, body, fresh } = call;
  const appId = String(body['appId'] ?? '');
  const application = directory.applications.find((candidate) => candidate.appId === appId);
  const left = fresh.get(application?.id ?? '') ?? 0;
  if (application === undefined || left > 0) {
    if (application !== undefined) fresh.set(application.id, left - 1);
    throw badRequest(
      `The appId '${appId}' of the service principal does not reference a valid application object.`,
      {
        code: 'NoBackingApplicationObject',
        target: 'appId',
      },
    );
  }
  changeable(call, appId);
  if (directory.servicePrincipals.some((candidate) => candidate.appId === appId))
    throw alreadyThere(
      `The service principal cannot be created, updated, or restored because the service principal name ${appId} is already in use.`,
    );
  const made: ServicePrincipal = {
    appRoleAssignmentRequired: false,
    tags: [],
    ...body,
    id: randomUUID(),
    appId,
    displayName: application.displayName,
    servicePrincipalType: 'Application',
    appRoles: [],
    oauth2PermissionScopes: [],
  };
  directory.servicePrincipals.push(made);
  directory.save();
  return made;
}

function answerAssignments(call: GraphCall, resource: ServicePrincipal): GraphReply {
  const { directory, method, query, body } = call;
  const all = directory.assignments.filter(({ resourceId }) => resourceId === resource.id);
  if (method === 'GET') return { body: { value: filterRows(all, query) } };
  if (method !== 'POST') throw wrongMethod();
  changeable(call, resource.appId);
  const { principalId, resourceId, appRoleId } = body as Partial<AppRoleAssignment>;
  if (principalId === undefined || appRoleId === undefined || resourceId !== resource.id)
    throw badRequest('Not a valid reference update.');
  if (!shown(call, resource).appRoles.some(({ id, isEnabled }) => id === appRoleId && isEnabled))
    throw badRequest('Permission being assigned was not found on application');
  if (all.some((one) => one.principalId === principalId && one.appRoleId === appRoleId))
    throw badRequest('Permission being assigned already exists on the object', {
      code: 'InvalidUpdate',
      target: 'appRoleId',
    });
  const made: AppRoleAssignment = {
    id: randomUUID(),
    principalId,
    principalType: 'User',
    resourceId,
    appRoleId,
  };
  directory.assignments.push(made);
  directory.save();
  return { status: 201, body: made };
}

/** Application permissions of an app: given out by an admin alone. */
function answerPermissions({ directory, method, caller, body }: GraphCall, principalId: string): GraphReply {
  const all = directory.assignments.filter((one) => one.principalId === principalId);
  if (method === 'GET') return { body: { value: all } };
  if (method !== 'POST') throw wrongMethod();
  if (caller.kind === 'app' || caller.may !== 'admin') throw denied();
  const { resourceId, appRoleId } = body as Partial<AppRoleAssignment>;
  const resource = directory.servicePrincipals.find(({ id }) => id === resourceId);
  const role = resource?.appRoles.find(({ id }) => id === appRoleId);
  if (resource === undefined || role === undefined)
    throw badRequest('Permission being assigned was not found on application');
  if (all.some((one) => one.appRoleId === role.id))
    throw badRequest('Permission being assigned already exists on the object');
  const made: AppRoleAssignment = {
    id: randomUUID(),
    principalId,
    principalType: 'ServicePrincipal',
    resourceId: resource.id,
    appRoleId: role.id,
  };
  directory.assignments.push(made);
  directory.permissions[principalId] = [...(directory.permissions[principalId] ?? []), role.value];
  directory.save();
  return { status: 201, body: made };
}

/** Answers `/v1.0/oauth2PermissionGrants`: consent for everybody needs an admin. */
export function answerGrants(call: GraphCall): GraphReply {
  const { directory, method, query, caller, body } = call;
  if (method === 'GET') return { body: { value: filterRows(directory.grants, query) } };
  if (method !== 'POST') throw wrongMethod();
  if (caller.kind === 'app' || caller.may !== 'admin') throw denied();
  const { clientId, consentType, resourceId, scope, principalId } = body as Partial<PermissionGrant>;
  if (clientId === undefined || consentType === undefined || resourceId === undefined || scope === undefined)
    throw badRequest('A required property of OAuth2PermissionGrant is missing.');
  if (directory.grants.some((one) => one.clientId === clientId && one.resourceId === resourceId))
    throw alreadyThere('Permission entry already exists.');
  const made: PermissionGrant = {
    id: randomUUID(),
    clientId,
    consentType,
    principalId: principalId ?? null,
    resourceId,
    scope,
  };
  directory.grants.push(made);
  directory.save();
  return { status: 201, body: made };
}
