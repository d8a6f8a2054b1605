/**
 * Creates and updates the two app registrations of an installation, with the deployer's own `az login`:
 *
 *   npm run register-app -- --create     before provisioning: creates both, saves their IDs in the azd environment
 *   npm run register-app -- --finish     after it: redirect URIs, the managed identity as their credential, the role admin
 *
 * With `-- --finish --rotation` the identity may also change the secrets of the registration for mail, so that
 * Postroom can rotate them automatically. `azd up` runs the first two (azure.yaml). Settings that are already correct
 * are not changed, so it can be run repeatedly. `--key NAME`: distinguishes the registrations, without azd;
 * `--cloud NAME` or `POSTROOM_CLOUD`: one of Microsoft's other clouds; `--json`; `--graph URL`: an emulator of
 * Microsoft Graph on this machine.
 */
import { parseArgs } from 'node:util';
import { AzureCliCredential } from '@azure/identity';
import { clouds, isCloudName } from '../shared/providers/clouds.ts';
import { openPostroomEnvironment, type PostroomEnvironment } from './register-app/azd-environment.ts';
import {
  CLIENT_ID_NAMES,
  type CreateResult,
  createRegistrations,
  KEY_NAME,
} from './register-app/create-registrations.ts';
import { type FinishResult, finishRegistrations } from './register-app/finish-registrations.ts';
import { graphClient, RegisterAppError } from './register-app/graph-client.ts';
import { runCommand } from './run-command.ts';

const USAGE = 'One of: npm run register-app -- --create, npm run register-app -- --finish';
const BY_HAND = 'by-hand';

function createdInWords({ signIn, mail }: CreateResult, environment: PostroomEnvironment): string {
  const lines = [
    `Registration for signing in: ${signIn.clientId}, ${signIn.state}.`,
    `Registration for mail: ${mail.clientId}, ${mail.state}.`,
  ];
  if (environment.kind === 'azd') return [...lines, 'Both ids are in the azd environment.'].join('\n');
  return [
    ...lines,
    'There is no azd environment here to keep them. Set both before you finish:',
    `  export ${CLIENT_ID_NAMES['sign-in']}=${signIn.clientId}`,
    `  export ${CLIENT_ID_NAMES.mail}=${mail.clientId}`,
  ].join('\n');
}

const adminWords: Readonly<Record<FinishResult['adminRole'], string>> = {
  given: 'You have the role admin now. Who is signed in already signs in again to have it.',
  there: 'You have the role admin already.',
  nobody: 'An app deploys, not a person: give the role admin to somebody under Enterprise applications.',
};

function finishedInWords({ signIn, mail, adminRole, ...links }: FinishResult): string {
  return [
    `Registration for signing in: ${signIn.clientId}, ${signIn.state}.`,
    `Registration for mail: ${mail.clientId}, ${mail.state}.`,
    adminWords[adminRole],
    ...(links.rotation === undefined
      ? []
      : ['Postroom may rotate the secrets of the registration for mail: switch it on at the provider.']),
    'Entra may take some minutes to know a new credential.',
    '',
    'Where your tenant does not let users consent, an admin of the tenant opens this once:',
    `  ${links.adminConsentLink}`,
    '',
    'Then register the provider in Postroom; everything is filled in:',
    `  ${links.providerLink}`,
  ].join('\n');
}

/** Only this machine: the deployer's token must not be sent to any other host. */
function standIn(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  const { hostname, origin } = new URL(url);
  if (hostname === 'localhost' || hostname === '127.0.0.1') return origin;
  throw new RegisterAppError('usage', '--graph names a stand-in on this machine: http://localhost:PORT.');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      create: { type: 'boolean', default: false },
      finish: { type: 'boolean', default: false },
      rotation: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      key: { type: 'string' },
      cloud: { type: 'string' },
      graph: { type: 'string' },
    },
  });
  if (values.create === values.finish) throw new RegisterAppError('usage', USAGE);
  const environment = await openPostroomEnvironment();
  const cloudName = values.cloud ?? environment.get('POSTROOM_CLOUD') ?? 'worldwide';
  if (!isCloudName(cloudName))
    throw new RegisterAppError('usage', `The cloud is one of ${Object.keys(clouds).join(', ')}.`);
  if (environment.get(KEY_NAME) === BY_HAND) {
    if (values.json) console.log(JSON.stringify({ byHand: true }));
    else console.log(`${KEY_NAME} is "${BY_HAND}": the app registrations are left alone.`);
    return;
  }
  const cloud = clouds[cloudName];
  const graph = graphClient(
    standIn(values.graph) ?? cloud.graph,
    cloud.graph,
    new AzureCliCredential({ processTimeoutInMs: 30_000 }),
  );
  if (values.create) {
    const result = await createRegistrations(graph, environment, values.key);
    console.log(values.json ? JSON.stringify(result) : createdInWords(result, environment));
  } else {
    const result = await finishRegistrations(graph, environment, cloud, { rotation: values.rotation });
    console.log(values.json ? JSON.stringify(result) : finishedInWords(result));
  }
}

await runCommand(async () => {
  await main();
  return 0;
});
