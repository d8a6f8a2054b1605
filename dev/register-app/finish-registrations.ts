import type { Cloud } from '../../shared/providers/clouds.ts';
import { allowRotation } from './allow-rotation.ts';
import type { PostroomEnvironment } from './azd-environment.ts';
import { CLIENT_ID_NAMES, type RegistrationResult } from './create-registrations.ts';
import { type GraphClient, type GraphRow, RegisterAppError, writeUnlessThere } from './graph-client.ts';
import { ADMIN_ROLE, type FederatedIdentity, lacking, lackingIdentity, type Purpose } from './wanted.ts';

export interface FinishResult {
  signIn: RegistrationResult;
  mail: RegistrationResult;
  /** `given`, `there` already, or `nobody`: the deployer is an app, not a person. */
  adminRole: 'given' | 'there' | 'nobody';
  /** Whether the identity may change the secrets of the registration for mail; undefined: not requested. */
  rotation?: 'allowed' | 'there';
  /** The URL where an admin of the tenant consents for the organization. */
  adminConsentLink: string;
  /** The installation's page for the provider, with the IDs filled in. */
  providerLink: string;
}

type Hosts = Pick<Cloud, 'loginHost' | 'exchangeAudience' | 'graph'>;

/**
 * Connects both registrations to the provisioned installation: its redirect URIs, its managed identity as
 * their credential, and the role `admin` for the deployer.
 * @param rotation also allows the identity to change the secrets of the registration for mail, and no other
 * @throws RegisterAppError `not-provisioned`, `gone`, and those of the client
 */
export async function finishRegistrations(
  graph: GraphClient,
  environment: PostroomEnvironment,
  hosts: Hosts,
  { rotation = false } = {},
): Promise<FinishResult> {
  const url = needed(environment, 'POSTROOM_URL').replace(/\/+$/, '');
  const principalId = needed(environment, 'POSTROOM_IDENTITY_PRINCIPAL_ID');
  const tenantId = String((await graph.list('organization?$select=id'))[0]?.['id'] ?? '');
  const identity: FederatedIdentity = {
    name: 'postroom',
    issuer: `https://${hosts.loginHost}/${tenantId}/v2.0`,
    subject: principalId,
    audiences: [hosts.exchangeAudience],
  };
  const tie = (purpose: Purpose, redirectUri: string): Promise<RegistrationResult> =>
    tieTogether(graph, environment, { purpose, redirectUri, identity });
  // The platform and functions/pages/sign-in/consent.tsx define both URLs; neither can be configured.
  const signIn = await tie('sign-in', `${url}/.auth/login/aad/callback`);
  const mail = await tie('mail', `${url}/oauth/callback`);
  return {
    signIn,
    mail,
    adminRole: await giveAdminRole(graph, signIn.clientId),
    ...(rotation && { rotation: await allowRotation(graph, mail.clientId, principalId, hosts) }),
    adminConsentLink: `https://${hosts.loginHost}/${tenantId}/adminconsent?client_id=${mail.clientId}&redirect_uri=${encodeURIComponent(`${url}/oauth/callback`)}`,
    providerLink: `${url}/providers/new?preset=microsoft&tenant=${tenantId}&clientId=${mail.clientId}&credential=federated`,
  };
}

function needed(environment: PostroomEnvironment, name: string): string {
  const value = environment.get(name);
  if (value !== undefined) return value;
  throw new RegisterAppError(
    'not-provisioned',
    `${name} is not known yet. Run "azd provision" first; without azd, set it from the outputs of the deployment (docs/operations.md).`,
  );
}

interface Tie {
  purpose: Purpose;
  redirectUri: string;
  identity: FederatedIdentity;
}

async function tieTogether(
  graph: GraphClient,
  environment: PostroomEnvironment,
  { purpose, redirectUri, identity }: Tie,
): Promise<RegistrationResult> {
  const name = CLIENT_ID_NAMES[purpose];
  const clientId = needed(environment, name);
  const found = await graph.find(`applications(appId='${encodeURIComponent(clientId)}')`);
  if (found === undefined)
    throw new RegisterAppError(
      'gone',
      `The registration ${clientId} (${name}) is not in this tenant. Run "npm run register-app -- --create" to see what can be done.`,
    );
  const path = `applications/${String(found['id'])}`;
  const changes = lacking(found, purpose, redirectUri);
  if (changes !== undefined) await graph.write('PATCH', path, changes);
  const tied = await trustIdentity(graph, path, identity);
  return { clientId, state: changes !== undefined || tied ? 'changed' : 'unchanged' };
}

/** True when something was written. A re-created identity has another subject. */
async function trustIdentity(
  graph: GraphClient,
  application: string,
  wanted: FederatedIdentity,
): Promise<boolean> {
  const path = `${application}/federatedIdentityCredentials`;
  const all = await graph.list(path);
  // It may have been created manually under another name. Entra accepts a single credential of one issuer
  // and subject, so this is the one, even if another of our name exists for an earlier identity.
  const found =
    all.find(({ issuer, subject }) => issuer === wanted.issuer && subject === wanted.subject) ??
    all.find(({ name }) => name === wanted.name);
  if (found === undefined) {
    await graph.write('POST', path, { ...wanted });
    return true;
  }
  const changes = lackingIdentity(found, wanted);
  if (changes === undefined) return false;
  await graph.write('PATCH', `${path}/${String(found['id'])}`, changes);
  return true;
}

async function giveAdminRole(graph: GraphClient, clientId: string): Promise<FinishResult['adminRole']> {
  const me = await whoDeploys(graph);
  if (me === undefined) return 'nobody';
  const principal = await graph.find(`servicePrincipals(appId='${clientId}')`);
  // The role's ID belongs to the application: it may have been created manually.
  const application = await graph.find(`applications(appId='${clientId}')`);
  const roles = (application?.['appRoles'] ?? []) as readonly { id: string; value: string }[];
  const roleId = roles.find(({ value }) => value === ADMIN_ROLE.value)?.id ?? ADMIN_ROLE.id;
  const resourceId = String(principal?.['id']);
  const path = `servicePrincipals/${resourceId}/appRoleAssignedTo`;
  const assigned = await graph.list(path);
  if (assigned.some(({ principalId, appRoleId }) => principalId === me['id'] && appRoleId === roleId))
    return 'there';
  const assignment = { principalId: me['id'], resourceId, appRoleId: roleId };
  return (await writeUnlessThere(graph.write('POST', path, assignment, { young: true }))) ? 'given' : 'there';
}

/** Undefined when an app is signed in, as in a workflow: Graph rejects `/me` for apps. */
async function whoDeploys(graph: GraphClient): Promise<GraphRow | undefined> {
  try {
    return await graph.find('me?$select=id');
  } catch (error) {
    if (error instanceof RegisterAppError && error.code === 'refused') return undefined;
    throw error;
  }
}
