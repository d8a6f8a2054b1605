import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TableClient } from '@azure/data-tables';
import { ManagedIdentityCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { ImapFlow } from 'imapflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signInAs, walkSignIn } from '../../dev/emulators/entra/headless-sign-in.ts';
import { MAIL_SCOPES } from '../../dev/emulators/entra/scopes.ts';
import { type Stack, startStack } from '../../dev/stack.ts';
import { parseConfig } from '../../shared/platform/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'postroom-stack-'));
// A temporary folder is private; Dovecot's own user must be able to enter.
chmodSync(folder, 0o755);
const before = { ...process.env };
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ stateDir: folder });
  process.env['IDENTITY_ENDPOINT'] = stack.settings['IDENTITY_ENDPOINT'];
  process.env['IDENTITY_HEADER'] = stack.settings['IDENTITY_HEADER'];
});
afterAll(async () => {
  await stack.stop();
  process.env = { ...before };
  rmSync(folder, { recursive: true, force: true });
});

async function signIn(upn: string): Promise<{ access_token: string; refresh_token: string }> {
  const { tenant, clientId } = stack.identityProvider;
  const redirectUri = `${stack.settings['PUBLIC_URL']}/oauth/callback`;
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: `${MAIL_SCOPES.join(' ')} offline_access openid profile email`,
    prompt: 'select_account',
  });
  const end = await walkSignIn({
    url: `${tenant.authorizeUrl}?${query}`,
    redirectUri,
    answer: signInAs(upn),
  });
  return askToken({
    grant_type: 'authorization_code',
    code: end.callback?.searchParams.get('code') ?? '',
    redirect_uri: redirectUri,
  });
}

async function askToken(
  fields: Record<string, string>,
): Promise<{ access_token: string; refresh_token: string }> {
  const { tenant, clientId, clientSecret } = stack.identityProvider;
  const response = await fetch(tenant.tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret, ...fields }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as { access_token: string; refresh_token: string };
}

/** UIDVALIDITY and UIDs of an inbox, opened with a token. */
async function inboxOf(user: string, accessToken: string): Promise<{ validity: bigint; uids: number[] }> {
  const client = new ImapFlow({
    ...stack.demo.imap,
    secure: true,
    tls: { ca: stack.ca },
    auth: { user, accessToken },
    logger: false,
  });
  client.on('error', () => undefined);
  await client.connect();
  const { uidValidity } = await client.mailboxOpen('INBOX');
  const uids = await client.search({ all: true }, { uid: true });
  await client.logout();
  return { validity: uidValidity, uids: uids === false || uids === undefined ? [] : uids };
}

const vault = (): SecretClient =>
  new SecretClient(stack.settings['KEY_VAULT_URI'] ?? '', new ManagedIdentityCredential(), {
    disableChallengeResourceVerification: true,
    tlsOptions: { ca: stack.ca },
    retryOptions: { maxRetries: 0 },
  });
const table = (): TableClient =>
  TableClient.fromConnectionString(stack.storage.connectionString, 'Kept', { allowInsecureConnection: true });

const mail = (subject: string): Buffer =>
  Buffer.from(
    `From: anna@customer.example\r\nTo: support@contoso.example\r\nSubject: ${subject}\r\n\r\nHello\r\n`,
  );

describe('the demo', () => {
  it('provides settings that the app accepts', () => {
    const config = parseConfig(stack.settings);
    expect(config.demo).toEqual(stack.demo);
    expect(config.local).toBe(true);
  });

  it('opens an own and a shared mailbox with a token of its own sign-in, and rejects a foreign token', async () => {
    await stack.mail.deliver('support@contoso.example', mail('own'));
    await stack.mail.deliver('info@contoso.example', mail('shared'));
    const support = await signIn('support@contoso.example');
    expect((await inboxOf('support@contoso.example', support.access_token)).uids).toHaveLength(1);
    expect((await inboxOf('info@contoso.example', support.access_token)).uids).toHaveLength(1);
    const sales = await stack.identityProvider.control.mintAccessToken({ upn: 'sales@contoso.example' });
    await expect(inboxOf('info@contoso.example', sales)).rejects.toThrow();
  });

  it('shows the same mailbox over Graph with a token for Graph', async () => {
    const upn = 'support@contoso.example';
    await stack.mail.deliver(upn, Buffer.from('Subject: over Graph\r\n\r\nHello\r\n'));
    const scope = 'https://graph.microsoft.com/Mail.Read';
    const token = await stack.identityProvider.control.mintAccessToken({ upn, scope });
    const answer = await fetch(
      `${stack.demo.graph}/v1.0/me/mailFolders/inbox/messages?$top=1&$select=subject`,
      {
        headers: { authorization: `Bearer ${token}` },
      },
    );
    expect(await answer.json()).toMatchObject({ value: [{ subject: 'over Graph' }] });
  });

  it('lets the app authenticate with its managed identity instead of a secret', async () => {
    const { token } = await new ManagedIdentityCredential(stack.managedIdentity.clientId).getToken(
      'api://AzureADTokenExchange/.default',
    );
    const { tenant, clientId } = stack.identityProvider;
    const ask = (assertion: string): Promise<Response> =>
      fetch(tenant.tokenUrl, {
        method: 'POST',
        body: new URLSearchParams({
          client_id: clientId,
          grant_type: 'client_credentials',
          scope: 'https://outlook.office.com/.default',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion,
        }),
      });
    expect((await ask(token)).status).toBe(200);
    const { token: forAnother } = await new ManagedIdentityCredential(
      stack.managedIdentity.clientId,
    ).getToken('https://vault.azure.net/.default');
    expect(await (await ask(forAnother)).json()).toMatchObject({ error_codes: [700213] });
  });

  it('lets tests cause failures of its vault from outside', async () => {
    await stack.keyVault.addFault({ match: { method: 'GET' }, times: 9, status: 503 });
    await expect(vault().getSecret('anything')).rejects.toMatchObject({ statusCode: 503 });
    await stack.keyVault.clearFaults();
    await expect(vault().getSecret('anything')).rejects.toMatchObject({ code: 'SecretNotFound' });
  });

  it('keeps ports, grants, email with its UIDs, secrets and tables consistent between starts', async () => {
    const grant = await signIn('support@contoso.example');
    await stack.mail.deliver('support@contoso.example', mail('kept'));
    const inbox = await inboxOf('support@contoso.example', grant.access_token);
    await vault().setSecret('kept', 'value');
    await table().createTable();
    await table().createEntity({ partitionKey: 'p', rowKey: 'r' });
    const { settings, ports } = stack;

    await stack.stop();
    stack = await startStack({ stateDir: folder });
    expect(stack.ports).toEqual(ports);
    expect(stack.settings).toEqual(settings);
    const renewed = await askToken({ grant_type: 'refresh_token', refresh_token: grant.refresh_token });
    expect(await inboxOf('support@contoso.example', renewed.access_token)).toEqual(inbox);
    expect((await vault().getSecret('kept')).value).toBe('value');
    expect((await table().getEntity('p', 'r')).rowKey).toBe('r');
  });

  it('restarts mail and storage with the same state, which may be changed meanwhile', async () => {
    await stack.mail.deliver('support@contoso.example', mail('before'));
    const token = await stack.identityProvider.control.mintAccessToken({ upn: 'support@contoso.example' });
    const inbox = await inboxOf('support@contoso.example', token);
    await table().createTable();
    await table().upsertEntity({ partitionKey: 'p', rowKey: 'restarted' });
    for (const server of ['mail', 'storage'] as const)
      await stack.restart(server, async () => {
        if (server === 'mail') await expect(inboxOf('support@contoso.example', token)).rejects.toThrow();
      });
    expect(await inboxOf('support@contoso.example', token)).toEqual(inbox);
    expect((await table().getEntity('p', 'restarted')).rowKey).toBe('restarted');
    await stack.mail.deliver('support@contoso.example', mail('after'));
    expect((await inboxOf('support@contoso.example', token)).uids).toHaveLength(inbox.uids.length + 1);
  });

  it('reports which emulator lacks its port and the fix, and leaves nothing running', async () => {
    await expect(startStack({ stateDir: folder })).rejects.toThrow(
      /needs port \d+, but another program is using it\. If Postroom is already running/,
    );
    const taken = stack.ports.keyVault;
    const elsewhere = mkdtempSync(join(tmpdir(), 'postroom-stack-'));
    await expect(startStack({ stateDir: elsewhere, ports: { keyVault: taken } })).rejects.toThrow(
      `The Key Vault emulator needs port ${taken}`,
    );
    rmSync(elsewhere, { recursive: true });
  });

  it('also runs with the small mail server and in memory', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'postroom-stack-'));
    const small = await startStack({ stateDir: elsewhere, mail: 'npm', inMemory: true });
    expect(small.mail.kind).toBe('npm');
    expect(existsSync(join(elsewhere, 'storage'))).toBe(false);
    await small.stop();
    rmSync(elsewhere, { recursive: true });
  });
});
