import { mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { DemoWorld } from '../shared/platform/config.ts';
import {
  CATCH_ALL,
  DEMO_DOMAIN,
  DEMO_USERS,
  type DemoUser,
  mailboxesOf,
  openWorld,
  type WorldFacts,
} from './demo/organization.ts';
import type { Ports } from './demo/ports.ts';
import { type Certificates, keepCertificates } from './emulators/certificates.ts';
import { type RemoteControl, remoteControl } from './emulators/entra/control.ts';
import type { TenantAddress } from './emulators/entra/entra.ts';
import { type RunningGraph, startGraph } from './emulators/graph/graph.ts';
import { type RemoteVault, remoteVault } from './emulators/key-vault/remote-vault.ts';
import type { EmulatedMailbox, MailServer, MailServerKind } from './emulators/mail/mail-world.ts';
import { type Restartable, startRestartable } from './emulators/process/restartable.ts';
import { type ReadyEmulator, startEmulator } from './emulators/process/start-emulator.ts';
import { startAzurite } from './emulators/storage/azurite.ts';

export interface StackOptions {
  /** One folder for all state that is kept between starts: mail, grants, vault, tables, ports. */
  stateDir: string;
  /** Ports that are not named are chosen at the first start and remembered. */
  ports?: Partial<Ports>;
  /**
   * `auto`: Dovecot and Postfix if they are installed and can access the folder, otherwise the npm mail
   * server.
   */
  mail?: MailServerKind | 'auto';
  /** Tables, blobs and queues are discarded at the end. */
  inMemory?: boolean;
  /** See DemoWorld. */
  demo?: boolean;
  users?: readonly DemoUser[];
  /**
   * True: a catch-all mailbox (`CATCH_ALL`) receives the email to all addresses outside of the demo, which
   * bounces otherwise.
   */
  hasCatchAll?: boolean;
  /** App registrations in addition to Postroom's, each with a secret and the same redirect URI. */
  otherApps?: readonly { id: string; name: string; secret: string }[];
  /** Redirect URIs in addition to `http://localhost:<web>/oauth/callback`. */
  redirectUris?: readonly string[];
  /** See EntraOptions. */
  strictRotation?: boolean;
  accessTokenSeconds?: number;
}

/** All services that Postroom depends on, each in a separate process. */
export interface Stack {
  /** App settings and environment for the app. */
  settings: Record<string, string>;
  demo: DemoWorld;
  ports: Ports;
  /** PEM of the private CA, for clients in this process. */
  ca: string;
  users: readonly DemoUser[];
  /** Addresses that receive mail: the users' own, then the shared ones. */
  mailboxes: readonly EmulatedMailbox[];
  mail: MailServer;
  identityProvider: {
    origin: string;
    tenant: TenantAddress;
    clientId: string;
    clientSecret: string;
    control: RemoteControl;
  };
  keyVault: { url: string } & RemoteVault;
  managedIdentity: ReadyEmulator<'managed-identity'>;
  storage: { connectionString: string };
  /** Shows the mailboxes of `mail`. */
  graph: RunningGraph;
  /** Stops a server and, once that is done, restarts it with the same state and ports. */
  restart(server: 'mail' | 'storage', whileDown: () => Promise<unknown>): Promise<void>;
  /** Stops every emulator; all state is on disk when it resolves. Stop the app first. */
  stop(): Promise<void>;
}

const TOKEN_EXCHANGE = 'api://AzureADTokenExchange';

/**
 * Starts Azurite, the vault, the managed identity, the identity provider, the mail server and Graph.
 * @throws Error with a message that names the emulator and says what to do; everything that was started is
 * stopped again
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const stateDir = resolve(options.stateDir);
  mkdirSync(stateDir, { recursive: true });
  const facts = await openWorld(stateDir, options.ports ?? {});
  const started: { stop(): Promise<void> }[] = [];
  const keep = <T extends { stop(): Promise<void> }>(emulator: T): T => {
    started.push(emulator);
    return emulator;
  };
  const stop = async (): Promise<void> => {
    const results = await Promise.allSettled(started.splice(0).map((emulator) => emulator.stop()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  };
  try {
    return await startAll({ options, stateDir, facts, keep, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Start {
  options: StackOptions;
  stateDir: string;
  facts: WorldFacts;
  keep<T extends { stop(): Promise<void> }>(emulator: T): T;
  stop(): Promise<void>;
}

async function startAll({ options, stateDir, facts, keep, stop }: Start): Promise<Stack> {
  const { ports, tenantId, clientId, clientSecret } = facts;
  const publicUrl = `http://localhost:${ports.web}`;
  const users = options.users ?? DEMO_USERS;
  const certificates = await keepCertificates(join(stateDir, 'certificates'));
  const redirectUris = [`${publicUrl}/oauth/callback`, ...(options.redirectUris ?? [])];
  const log = (name: string): string => join(stateDir, 'log', `${name}.log`);

  // Azurite takes longest and depends on nothing; the others depend on each other.
  const azurite = startRestartable(() =>
    startAzurite({
      ports: { table: ports.table, blob: ports.blob, queue: ports.queue },
      ...(options.inMemory !== true && { stateDir: join(stateDir, 'storage') }),
    }),
  ).then(keep);
  const others = startOthers();
  const [storageResult, othersResult] = await Promise.allSettled([azurite, others]);
  if (storageResult.status === 'rejected') throw storageResult.reason;
  if (othersResult.status === 'rejected') throw othersResult.reason;
  const storage = storageResult.value;
  const { connectionString } = storage.now();
  const { identity, vault, provider, tenant, mail, graph } = othersResult.value;

  async function startOthers(): Promise<{
    identity: ReadyEmulator<'managed-identity'>;
    vault: ReadyEmulator<'key-vault'>;
    provider: ReadyEmulator<'entra'>;
    tenant: TenantAddress;
    mail: Restartable<MailServer>;
    graph: RunningGraph;
  }> {
    const identity = keep(
      await startEmulator(
        'managed-identity',
        { tenantId, port: ports.managedIdentity, stateDir: join(stateDir, 'managed-identity') },
        log('managed-identity'),
      ),
    ).ready;
    const vaultStart = startEmulator(
      'key-vault',
      {
        tls: certificates,
        jwks: identity.jwks,
        tenantId,
        port: ports.keyVault,
        stateDir: join(stateDir, 'key-vault'),
      },
      log('key-vault'),
    ).then(keep);
    const providerStart = startEmulator(
      'entra',
      {
        port: ports.identityProvider,
        stateDir: join(stateDir, 'entra'),
        tenants: [
          {
            id: tenantId,
            domain: DEMO_DOMAIN,
            users: [...users],
            clients: [
              {
                id: clientId,
                name: 'Postroom (demo)',
                secrets: [{ value: clientSecret }],
                redirectUris,
                federated: [
                  {
                    issuer: `https://login.microsoftonline.com/${tenantId}/v2.0`,
                    subject: identity.principalId,
                    audience: TOKEN_EXCHANGE,
                    jwks: identity.jwks,
                  },
                ],
              },
              ...(options.otherApps ?? []).map(({ id, name, secret }) => ({
                id,
                name,
                secrets: [{ value: secret }],
                redirectUris,
              })),
            ],
          },
        ],
        ...(options.strictRotation !== undefined && { strictRotation: options.strictRotation }),
        ...(options.accessTokenSeconds !== undefined && { accessTokenSeconds: options.accessTokenSeconds }),
      },
      log('entra'),
    ).then(keep);
    const [vaultResult, providerResult] = await Promise.allSettled([vaultStart, providerStart]);
    if (vaultResult.status === 'rejected') throw vaultResult.reason;
    if (providerResult.status === 'rejected') throw providerResult.reason;
    const provider = providerResult.value.ready;
    const tenant = provider.tenants.find(({ id }) => id === tenantId);
    if (tenant === undefined)
      throw new Error(`${join(stateDir, 'entra')} belongs to another world. Delete ${stateDir}.`);
    const mail = keep(
      await startRestartable(() =>
        startMail(options, stateDir, ports, certificates, tenant, provider.signingKey, users),
      ),
    );
    const graph = keep(
      await startGraph({
        tenantId,
        jwks: identity.jwks,
        port: ports.graph,
        stateDir: join(stateDir, 'graph'),
        mail: {
          server: () => mail.now(),
          mailboxes: mailboxesOf(users),
          users: tenant.users.map(({ upn, oid }) => ({ upn, oid, name: nameOf(users, upn) })),
          issuer: tenant.accessTokenIssuer,
          jwks: { keys: [provider.signingKey.publicJwk] },
          stateDir: join(stateDir, 'graph'),
        },
      }),
    );
    return { identity, vault: vaultResult.value.ready, provider, tenant, mail, graph };
  }

  const demo: DemoWorld = {
    authority: provider.origin,
    tenant: tenantId,
    clientId,
    clientSecret,
    imap: mail.now().imap,
    pop3: mail.now().pop3,
    smtp: mail.now().smtp,
    graph: graph.url,
    ...(options.demo === true && { isShownAsDemo: true }),
  };
  return {
    settings: {
      AzureWebJobsStorage: connectionString,
      DataStorage: connectionString,
      KEY_VAULT_URI: vault.url,
      PUBLIC_URL: publicUrl,
      AZURE_CLIENT_ID: identity.clientId,
      IDENTITY_ENDPOINT: identity.endpoint,
      IDENTITY_HEADER: identity.header,
      NODE_EXTRA_CA_CERTS: certificates.caFile,
      POSTROOM_LOCAL: 'true',
      POSTROOM_DEMO: JSON.stringify(demo),
    },
    demo,
    ports,
    ca: certificates.ca,
    users,
    mailboxes: mailboxesOf(users),
    get mail() {
      return mail.now();
    },
    identityProvider: {
      origin: provider.origin,
      tenant,
      clientId,
      clientSecret,
      control: remoteControl(provider.origin),
    },
    keyVault: { url: vault.url, ...remoteVault(vault.url, certificates.ca) },
    managedIdentity: identity,
    storage: { connectionString },
    graph,
    restart: (server, whileDown) => (server === 'mail' ? mail : storage).restart(whileDown),
    stop,
  };
}

const nameOf = (users: readonly DemoUser[], upn: string): string =>
  users.find((user) => user.upn === upn)?.name ?? upn;

async function startMail(
  options: StackOptions,
  stateDir: string,
  ports: Ports,
  tls: Certificates,
  tenant: TenantAddress,
  signingKey: { kid: string; publicPem: string },
  users: readonly DemoUser[],
): Promise<MailServer> {
  // Loaded on demand: the npm mail server loads an SMTP library that a start with Dovecot does not need.
  const { mailServerKindHere, startMailServer } = await import('./emulators/mail/mail-server.ts');
  const wished = options.mail ?? 'auto';
  const usual = mailServerKindHere();
  // Dovecot runs as a separate user, who needs access to the folder; in a private folder the npm mail
  // server is used.
  const here = usual === 'debian' && !isOpenToOthers(stateDir) ? 'npm' : usual;
  const kind = wished === 'auto' ? here : wished;
  return startMailServer({
    kind,
    // Each stores mail in its own format, with its own UIDs.
    stateDir: join(stateDir, `mail-${kind}`),
    tls,
    issuer: tenant.accessTokenIssuer,
    signingKey,
    mailboxes: [...mailboxesOf(users), ...(options.hasCatchAll === true ? [{ address: CATCH_ALL }] : [])],
    catchAll: options.hasCatchAll === true ? CATCH_ALL : undefined,
    ports: { imap: ports.imap, pop3: ports.pop3, smtp: ports.smtp, drop: ports.drop },
  });
}

function isOpenToOthers(folder: string): boolean {
  const parent = dirname(folder);
  return (statSync(folder).mode & 0o001) !== 0 && (parent === folder || isOpenToOthers(parent));
}
