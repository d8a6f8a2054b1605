import type { Cloud } from '../../shared/providers/clouds.ts';
import { allowRotation } from './allow-rotation.ts';
import type { PostroomEnvironment } from './azd-environment.ts';
import { CLIENT_ID_NAMES, type RegistrationResult } from './create-registrations.ts';
import { type GraphClient, type GraphRow, RegisterAppError, writeUnlessThere } from './graph-client.ts';
import { ADMIN_ROLE, type FederatedIdentity, lacking, lackingIdentity, type Purpose } from './wanted.ts';

export interface FinishResult {
  signIn: RegistrationResult;
  mail: RegistrationResult;
  /** `given`, `there` already, or `nobody`: who deployed is an app, not a person. */
  adminRole: 'given' | 'there' | 'nobody';
  /** Whether the identity may change the secrets of the registration for mail; undefined: nobody asked. */
  rotation?: 'allowed' | 'there';
  /** Where an admin of the tenant accepts the permissions for everybody. */
  adminConsentLink: string;
  /** The installation's own page for the provider, with the ids filled in. */
  providerLink: string;
}

type Hosts = Pick<Cloud, 'loginHost' | 'exchangeAudience' | 'graph'>;

/**
 * Ties both registrations to the installation that was provisioned: its addresses, its managed identity as their credential,
 * and the role `admin` for who deployed.
 * @param rotation also lets the identity change the secrets of the registration for mail, and no other
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
  // Both addresses are made by the platform and by functions/pages/sign-in/consent.tsx; neither can be chosen.
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

/** True when something had to be written. An identity that was made anew has another subject. */
async function trustIdentity(
  graph: GraphClient,
  application: string,
  wanted: FederatedIdentity,
): Promise<boolean> {
  const path = `${application}/federatedIdentityCredentials`;
  const all = await graph.list(path);
  // Somebody may have made it by hand under another name. Of one issuer and subject Entra takes a single one, so this one
  // is it, also when there is one of our name besides for an identity of before.
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
  // The role's id is the application's own: somebody may have made it by hand.
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

/** Undefined when an app is signed in, as in a workflow: Graph refuses `/me` for those. */
async function whoDeploys(graph: GraphClient): Promise<GraphRow | undefined> {
  try {
    return await graph.find('me?$select=id');
  } catch (error) {
    if (error instanceof RegisterAppError && error.code === 'refused') return undefined;
    throw error;
  }
}
