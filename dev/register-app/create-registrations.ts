import { randomBytes } from 'node:crypto';
import type { PostroomEnvironment } from './azd-environment.ts';
import { type GraphClient, type GraphRow, RegisterAppError } from './graph-client.ts';
import { lacking, newRegistration, type Purpose } from './wanted.ts';

/** The result for one registration. */
export interface RegistrationResult {
  clientId: string;
  state: 'made' | 'changed' | 'unchanged';
}

export interface CreateResult {
  signIn: RegistrationResult;
  mail: RegistrationResult;
}

export const CLIENT_ID_NAMES: Readonly<Record<Purpose, string>> = {
  'sign-in': 'POSTROOM_SIGN_IN_CLIENT_ID',
  mail: 'POSTROOM_MAIL_CLIENT_ID',
};
/**
 * Part of the unique names of both registrations; saved before anything is created, so that a second run
 * finds them.
 */
export const KEY_NAME = 'POSTROOM_REGISTRATION';
export const KEY_FORM = /^[a-z0-9][a-z0-9-]{2,40}$/;

/**
 * Creates or updates the registrations for sign-in and for mail, and saves their client IDs.
 * @throws RegisterAppError `no-key`, `gone`, and those of the client
 */
export async function createRegistrations(
  graph: GraphClient,
  environment: PostroomEnvironment,
  wishedKey: string | undefined,
): Promise<CreateResult> {
  const key = await keepKey(environment, wishedKey);
  // Sequential: if both failed in parallel, the second failure would go unnoticed.
  const signIn = await ensure(graph, environment, key, 'sign-in');
  return { signIn, mail: await ensure(graph, environment, key, 'mail') };
}

async function keepKey(environment: PostroomEnvironment, wished: string | undefined): Promise<string> {
  const kept = environment.get(KEY_NAME) ?? wished;
  if (kept === undefined && environment.kind === 'process')
    throw new RegisterAppError(
      'no-key',
      'There is no azd environment here to remember what was made. Name the installation yourself, the same each time:\n  npm run register-app -- --create --key my-installation',
    );
  const postroom =
    environment
      .get('AZURE_ENV_NAME')
      ?.toLowerCase()
      .replaceAll(/[^a-z0-9-]/g, '-') ?? 'installation';
  const key = kept ?? `${postroom.slice(0, 30)}-${randomBytes(3).toString('hex')}`;
  if (!KEY_FORM.test(key))
    throw new RegisterAppError(
      'no-key',
      `"${key}" cannot name an installation: 3 to 41 small letters, digits and hyphens, please.`,
    );
  if (environment.get(KEY_NAME) === undefined) await environment.set(KEY_NAME, key);
  return key;
}

async function ensure(
  graph: GraphClient,
  environment: PostroomEnvironment,
  key: string,
  purpose: Purpose,
): Promise<RegistrationResult> {
  const name = CLIENT_ID_NAMES[purpose];
  const known = environment.get(name);
  const path =
    known === undefined
      ? `applications(uniqueName='postroom-${purpose}-${key}')`
      : `applications(appId='${encodeURIComponent(known)}')`;
  const found = await graph.find(path);
  if (found === undefined && known !== undefined)
    throw new RegisterAppError(
      'gone',
      `The registration ${known} (${name}) is not in this tenant. Bring it back within 30 days (App registrations → Deleted applications), sign in to the right tenant with "az login --tenant", or forget it with "azd env set ${name} ''" and run this again.`,
    );
  const result =
    found === undefined ? await make(graph, path, key, purpose) : await correct(graph, found, purpose);
  await ensureServicePrincipal(graph, result);
  if (known === undefined) await environment.set(name, result.clientId);
  return result;
}

/** By its unique name: if someone else creates it in between, it is found and not created twice. */
async function make(
  graph: GraphClient,
  path: string,
  key: string,
  purpose: Purpose,
): Promise<RegistrationResult> {
  const made = await graph.write('PATCH', path, newRegistration(purpose, key), { createMissing: true });
  const row = made['appId'] === undefined ? await graph.find(path) : made;
  return { clientId: String(row?.['appId']), state: 'made' };
}

async function correct(graph: GraphClient, found: GraphRow, purpose: Purpose): Promise<RegistrationResult> {
  const changes = lacking(found, purpose);
  if (changes !== undefined) await graph.write('PATCH', `applications/${String(found['id'])}`, changes);
  return { clientId: String(found['appId']), state: changes === undefined ? 'unchanged' : 'changed' };
}

/** The service principal in this tenant: without it no one can sign in or be assigned a role. */
async function ensureServicePrincipal(graph: GraphClient, { clientId }: RegistrationResult): Promise<void> {
  const path = `servicePrincipals(appId='${clientId}')`;
  if ((await graph.find(path)) !== undefined) return;
  await graph.write('POST', 'servicePrincipals', { appId: clientId }, { young: true });
}
