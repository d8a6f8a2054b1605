/**
 * A client secret is rotated while ten mailboxes are fetched each second for a minute, and none of the fetches fails.
 *
 * Real here: the services, built from settings as in production; tables, blobs and queues of Azurite, and the vault
 * stand-in, both over Azure's own SDKs; sign-ins, refreshes and the expiry of secrets at the identity provider; IMAP over
 * TLS. Stood in for: Entra, Microsoft Graph and the managed identity, by emulators with their shapes of answers; and the
 * timer, by this test, which fetches the mailboxes itself each second.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RunningGraph, startGraph } from '../../dev/emulators/graph/graph.ts';
import { type Stack, startStack } from '../../dev/stack.ts';
import { buildServices, type Services } from '../../functions/services.ts';
import { type FetchResult, fetchMailbox } from '../../shared/intake/fetch-mailbox.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { readConfig } from '../../shared/platform/config.ts';
import { managedIdentityAssertion } from '../../shared/platform/credential.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { secretName } from '../../shared/providers/credential.ts';
import { createGraphApplications } from '../../shared/secrets/graph-applications.ts';
import { rotateSecrets } from '../../shared/secrets/rotate-secrets.ts';
import { makeRotationDue } from '../harness/memory/due-rotation.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';
import { ORIGIN, Visitor } from '../harness/pages/demo-app.ts';
import { signedInSettings } from '../harness/pages/principal-header.ts';
import { REDIRECT } from '../harness/stack/demo-directory.ts';

const SECONDS = Number(process.env['POSTROOM_ROTATION_SECONDS'] ?? 60);
/** A new secret is known to Entra's own servers only after a while. */
const SPREAD_MS = 1500;
const ROUNDS_AT_A_TIME = 2;
const addresses = Array.from({ length: 10 }, (_value, index) => `box${index}@contoso.example`);

const before = { ...process.env };
let trusted: readonly string[];
let folder: string;
let stack: Stack;
let graph: RunningGraph;
let services: Services;

beforeAll(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  folder = await mkdtemp(join(tmpdir(), 'postroom-rotation-'));
  stack = await startStack({
    stateDir: folder,
    mail: 'npm',
    inMemory: true,
    users: addresses.map((upn) => ({ upn, name: upn })),
    redirectUris: [REDIRECT],
    // Renewed at half of their life, so that each mailbox asks with the secret every four seconds.
    accessTokenSeconds: 8,
  });
  trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, stack.ca]);
  // The visitor's addresses, and the platform's sign-in, which this test takes the place of.
  Object.assign(process.env, stack.settings, { PUBLIC_URL: ORIGIN, ...signedInSettings });
  services = buildServices(readConfig(), openSeam);
  graph = await startGraph({
    tenantId: 'demo',
    jwks: stack.managedIdentity.jwks,
    appPermissions: { [stack.managedIdentity.principalId]: ['Application.ReadWrite.OwnedBy'] },
    onSecret: ({ secretText }) => {
      if (secretText === undefined) return;
      const { control, clientId } = stack.identityProvider;
      setTimeout(() => void control.addClientSecret(clientId, { value: secretText }), SPREAD_MS);
    },
  });
}, 120_000);
afterAll(async () => {
  await graph?.stop();
  await stack?.stop();
  process.env = { ...before };
  if (trusted !== undefined) setDefaultCACertificates([...trusted]);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  vi.restoreAllMocks();
});

/** A provider whose secret ends in twenty days, and a mailbox for each of its ten accounts. */
async function connectAll(): Promise<{ providerId: string; mailboxes: Mailbox[] }> {
  const { clientId } = stack.identityProvider;
  const visitor = new Visitor({ services });
  const providerId = await visitor.addDemoProvider(clientId);
  for (const address of addresses)
    await visitor.get((await visitor.leave(providerId, { address }, address)).callback);
  const all: Mailbox[] = [];
  for (const { accountId, address } of await services.accounts.listOf(providerId)) {
    const { host, port } = stack.mail.imap;
    const id = address.replace('@contoso.example', '');
    const mailbox = { ...mailboxOf({ kind: 'mark-seen' }), id, address, host, port, providerId, accountId };
    await services.mailboxes.save(mailbox);
    all.push(mailbox);
  }
  await makeRotationDue({ services, stack, graph }, providerId);
  return { providerId, mailboxes: all };
}

async function fetchOne(mailbox: Mailbox): Promise<FetchResult> {
  const { intake, mailboxes } = services;
  const { cursors } = await mailboxes.fetchState();
  return fetchMailbox(intake, mailbox, cursors.get(mailbox.id), { deadline: Date.now() + 60_000 });
}

test(
  `${SECONDS} seconds of fetches, ten mailboxes each second, and none fails while the secret is rotated`,
  async () => {
    const { providerId, mailboxes } = await connectAll();
    expect(mailboxes).toHaveLength(10);
    const credentialNow = async () => (await services.providers.get(providerId))?.credential;
    const first = await credentialNow();
    const graphApplications = createGraphApplications({
      seam: openSeam,
      local: true,
      identityAssertion: managedIdentityAssertion(services.config),
      origin: graph.url,
    });

    const results: FetchResult[] = [];
    const rounds: Promise<unknown>[] = [];
    let rotated = false;
    let removedIn: number | undefined;
    let second = 0;
    // A busy machine needs longer until the new one has worked; then come a few fetches more, without the old one.
    const isOver = (): boolean => second >= SECONDS && second > (removedIn ?? SECONDS + 40) + 2;
    for (; !isOver(); second += 1) {
      const next = Date.now() + 1000;
      // A busy machine is given fewer fetches a second, not ever more at a time: tokens would end in the queue.
      await rounds.at(-ROUNDS_AT_A_TIME);
      rounds.push(Promise.all(mailboxes.map(async (mailbox) => results.push(await fetchOne(mailbox)))));
      if (second === 1)
        for (const { address } of mailboxes) await stack.mail.deliver(address, letter(address));
      if (!rotated && second >= SECONDS / 5) {
        rotated = true;
        await rotateSecrets({ ...services, graph: graphApplications });
        expect((await services.providers.get(providerId))?.nextCredential).toBeDefined();
      }
      // Once the new one has worked, the old one ends where it was made.
      if (rotated && removedIn === undefined && (await credentialNow())?.setAt !== first?.setAt) {
        removedIn = second;
        await removeOldSecret(providerId);
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - Date.now())));
    }
    await Promise.all(rounds);

    expect(removedIn).toBeDefined();
    expect(results).toHaveLength(second * 10);
    expect(results.filter(({ kind }) => kind === 'failed')).toEqual([]);
    expect(results.filter(({ kind }) => kind === 'fetched').length).toBeGreaterThanOrEqual(10);
    const asked = await stack.identityProvider.control.tokenRequests();
    expect(asked.filter(({ grantType }) => grantType === 'refresh_token').length).toBeGreaterThan(SECONDS);
    const provider = await services.providers.get(providerId);
    expect(provider).toMatchObject({ nextCredential: undefined, retired: [] });
    const versions = await services.vault.versionsOf(secretName(providerId));
    expect(versions.map(({ enabled }) => enabled).sort()).toEqual([false, true]);
  },
  (4 * SECONDS + 100) * 1000,
);

/** Of all secrets only the one that was made last stays. */
async function removeOldSecret(providerId: string): Promise<void> {
  const newest = await services.vault.get(secretName(providerId));
  const value = newest?.value.expose() ?? '';
  expect(value).not.toBe(stack.identityProvider.clientSecret);
  await stack.identityProvider.control.setApp(stack.identityProvider.clientId, { secrets: [{ value }] });
}

const letter = (address: string): Buffer =>
  Buffer.from(
    `From: Kim <kim@customer.example>\r\nTo: ${address}\r\nSubject: Hello\r\nMessage-ID: <${address}-1>\r\n\r\nHello\r\n`,
  );
