/**
 * A client secret is rotated while ten mailboxes are fetched each second: identity provider, Microsoft Graph, managed
 * identity and mail server as peers. Ten seconds here; as long as promised with `POSTROOM_ROTATION_SECONDS=60`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { makeCertificates } from '../../dev/peers/certificates.ts';
import { type RunningGraph, startGraph } from '../../dev/peers/graph/graph.ts';
import { startMailServer } from '../../dev/peers/mail/mail-server.ts';
import type { MailServer } from '../../dev/peers/mail/mail-world.ts';
import { type RunningManagedIdentity, startManagedIdentity } from '../../dev/peers/managed-identity.ts';
import { type FetchResult, fetchMailbox } from '../../shared/intake/fetch-mailbox.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { managedIdentityAssertion } from '../../shared/platform/credential.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { createGraphApplications } from '../../shared/secrets/graph-applications.ts';
import { rotateSecrets } from '../../shared/secrets/rotate-secrets.ts';
import { type PracticeApp, startPracticeApp, Visitor } from '../consent/practice-app.ts';
import { mailboxOf } from '../harness/intake-world.ts';
import { CLIENT, SECRET, tenant } from '../peers/practice-directory.ts';

const SECONDS = Number(process.env['POSTROOM_ROTATION_SECONDS'] ?? 10);
/** A new secret is known to Entra's own servers only after a while. */
const SPREAD_MS = 1500;
const addresses = Array.from({ length: 10 }, (_value, index) => `box${index}@contoso.example`);
const DAY_MS = 86_400_000;

const before = { ...process.env };
const tls = makeCertificates();
let trusted: readonly string[];
let folder: string;
let identity: RunningManagedIdentity;
let graph: RunningGraph;
let app: PracticeApp;
let mail: MailServer;

beforeAll(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, tls.ca]);
  folder = await mkdtemp(join(tmpdir(), 'postroom-rotation-'));
  identity = await startManagedIdentity({ tenantId: '3a0c7f0e-0000-4000-8000-000000000001' });
  process.env['IDENTITY_ENDPOINT'] = identity.endpoint;
  process.env['IDENTITY_HEADER'] = identity.header;
  const users = addresses.map((upn) => ({ upn, name: upn }));
  // Renewed at half of their life, so that each mailbox asks with the secret every two seconds.
  app = await startPracticeApp({ tenants: [tenant({ users })], accessTokenSeconds: 4 });
  mail = await startMailServer({
    kind: 'npm',
    stateDir: folder,
    tls,
    issuer: app.idp.tenants[0]?.accessTokenIssuer ?? '',
    signingKey: app.idp.signingKey,
    mailboxes: addresses.map((address) => ({ address })),
  });
  graph = await startGraph({
    tenantId: 'practice',
    jwks: identity.jwks,
    appPermissions: { [identity.principalId]: ['Application.ReadWrite.OwnedBy'] },
    onSecret: ({ secretText }) => {
      if (secretText === undefined) return;
      setTimeout(() => app.idp.addClientSecret(CLIENT, { value: secretText }), SPREAD_MS);
    },
  });
}, 60_000);
afterAll(async () => {
  await Promise.all([app?.stop(), mail?.stop(), graph?.stop(), identity?.stop()]);
  process.env = { ...before };
  setDefaultCACertificates([...trusted]);
  await rm(folder, { recursive: true, force: true });
  vi.restoreAllMocks();
});

/** A provider whose secret ends in twenty days, and a mailbox for each of its ten accounts. */
async function connectAll(): Promise<{ providerId: string; mailboxes: Mailbox[] }> {
  const visitor = new Visitor(app);
  const providerId = await visitor.addPractice();
  for (const address of addresses)
    await visitor.get((await visitor.leave(providerId, { address }, address)).callback);
  const { accounts, mailboxes, providers, rotations } = app.services;
  const all: Mailbox[] = [];
  for (const { accountId, address } of await accounts.listOf(providerId)) {
    const { host, port } = mail.imap;
    const id = address.replace('@contoso.example', '');
    const mailbox = { ...mailboxOf({ kind: 'mark-seen' }), id, address, host, port, providerId, accountId };
    await mailboxes.save(mailbox);
    all.push(mailbox);
  }
  const expiresOn = new Date(Math.floor(Date.now() / 1000) * 1000 + 20 * DAY_MS).toISOString();
  await providers.change(providerId, (provider) =>
    provider.credential?.kind === 'secret'
      ? { ...provider, credential: { ...provider.credential, expiresOn } }
      : undefined,
  );
  const at = new Date().toISOString();
  await rotations.save({
    providerId,
    enabled: true,
    changedAt: at,
    changedBy: 'Ada',
    rotatedAt: undefined,
    leftover: false,
    problem: undefined,
  });
  const id = '70000000-0000-4000-8000-000000000001';
  graph.directory.applications.push({
    id,
    appId: CLIENT,
    uniqueName: null,
    displayName: 'Postroom mail',
    signInAudience: 'AzureADMyOrg',
    createdDateTime: at,
    web: { redirectUris: [] },
    requiredResourceAccess: [],
    appRoles: [],
    passwordCredentials: [],
  });
  graph.directory.owners[id] = [identity.principalId];
  return { providerId, mailboxes: all };
}

async function fetchOne(mailbox: Mailbox): Promise<FetchResult> {
  const { intake, mailboxes } = app.services;
  const { cursors } = await mailboxes.fetchState();
  return fetchMailbox(intake, mailbox, cursors.get(mailbox.id), { deadline: Date.now() + 60_000 });
}

test(
  `${SECONDS} seconds of fetches, ten mailboxes each second, and none fails while the secret is rotated`,
  async () => {
    const { providerId, mailboxes } = await connectAll();
    expect(mailboxes).toHaveLength(10);
    const credentialNow = async () => (await app.services.providers.get(providerId))?.credential;
    const first = await credentialNow();
    const graphApplications = createGraphApplications({
      seam: openSeam,
      local: true,
      identityAssertion: managedIdentityAssertion({
        managedIdentityClientId: undefined,
        identityEndpoint: true,
      }),
      origin: graph.url,
    });

    const results: FetchResult[] = [];
    const running: Promise<unknown>[] = [];
    let rotated = false;
    let removedIn: number | undefined;
    let second = 0;
    // A busy machine needs longer until the new one has worked; then come a few fetches more, without the old one.
    const isOver = (): boolean => second >= SECONDS && second > (removedIn ?? SECONDS + 40) + 2;
    for (; !isOver(); second += 1) {
      const next = Date.now() + 1000;
      running.push(...mailboxes.map(async (mailbox) => results.push(await fetchOne(mailbox))));
      if (second === 1) for (const { address } of mailboxes) await mail.deliver(address, letter(address));
      if (!rotated && second >= SECONDS / 5) {
        rotated = true;
        await rotateSecrets({ ...app.services, graph: graphApplications });
        expect((await app.services.providers.get(providerId))?.nextCredential).toBeDefined();
      }
      // Once the new one has worked, the old one ends where it was made.
      if (rotated && removedIn === undefined && (await credentialNow())?.setAt !== first?.setAt) {
        removedIn = second;
        await removeOldSecret();
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - Date.now())));
    }
    await Promise.all(running);

    expect(removedIn).toBeDefined();
    expect(results).toHaveLength(second * 10);
    expect(results.filter(({ kind }) => kind === 'failed')).toEqual([]);
    expect(results.filter(({ kind }) => kind === 'fetched').length).toBeGreaterThanOrEqual(10);
    const asked = app.idp.tokenRequests().filter(({ grantType }) => grantType === 'refresh_token');
    expect(asked.length).toBeGreaterThan(20);
    const provider = await app.services.providers.get(providerId);
    expect(provider).toMatchObject({ nextCredential: undefined, retired: [] });
    expect(app.vault.disabled.size).toBe(1);
  },
  (SECONDS + 100) * 1000,
);

/** Of all secrets only the one that was made last stays. */
async function removeOldSecret(): Promise<void> {
  const [name = ''] = [...app.vault.versions.keys()].filter((key) => key.startsWith('provider-'));
  const newest = await app.vault.get(name);
  app.idp.setApp(CLIENT, { secrets: [{ value: newest?.value.expose() ?? SECRET }] });
}

const letter = (address: string): Buffer =>
  Buffer.from(
    `From: Kim <kim@customer.example>\r\nTo: ${address}\r\nSubject: Hello\r\nMessage-ID: <${address}-1>\r\n\r\nHello\r\n`,
  );
