import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readInbox } from '../../dev/drill/read-inbox.ts';
import type { HostProcess } from '../../dev/host/host-process.ts';
import { demoPeople } from '../../dev/host/options.ts';
import { Visitor } from '../../dev/visitor.ts';
import { secretName } from '../../shared/providers/credential.ts';
import { fetchOnce, openPostroom, type Postroom, SUPPORT } from '../harness/stack/installation.ts';
import { type Canary, leaksIn, type Place, placesInStorage, valuesInVault } from './leak-search.ts';
import { type Rotated, rotateHere } from './rotate-here.ts';

const canary = (name: string): string => `canary-${name}-${randomBytes(18).toString('base64url')}`;
const webhookKey = canary('webhook-key');
const webhookPath = canary('webhook-path');
const accessToken = canary('access-token');
const refreshToken = canary('refresh-token');
const wrongSecret = canary('client-secret');
const pastedSecret = canary('pasted-secret');
const foreignCode = canary('code');
const mailBody = canary('mail-body');
const relayPassword = canary('relay-password');
/** Who receives alerts by email. */
const ON_CALL = 'sales@contoso.example';

let postroom: Postroom;
let host: HostProcess;
let visitor: Visitor;
const pages: Place[] = [];
const asked: string[] = [];
const cookies: string[] = [];
let rotated: Rotated;
const waiting = { timeout: 60_000, interval: 200 };
const told: Place[] = [];
const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const headers = request.rawHeaders.join('\n');
    told.push({
      name: 'webhook',
      text: `${request.url}\n${headers}\n${Buffer.concat(chunks).toString('utf8')}`,
    });
    response.end();
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  postroom = await openPostroom('npm');
  const { keyVault, mail } = postroom.stack;
  const webhook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/${webhookPath}`;
  await keyVault.setSecret('alert-webhook-url', webhook);
  await keyVault.setSecret('alert-webhook-key', webhookKey);
  await keyVault.setSecret('smtp-relay-url', `smtp://${mail.drop.host}:${mail.drop.port}`);
  host = await postroom.startHost({
    port: postroom.stack.ports.web,
    settings: { ALERT_EMAIL: ON_CALL, POSTROOM_TELEMETRY: 'console' },
  });
  watchAnswers();
  visitor = new Visitor(host.url);
  await visitor.signIn(demoPeople[0]?.id ?? '');
});
afterAll(async () => {
  vi.restoreAllMocks();
  receiver.close();
  await postroom?.[Symbol.asyncDispose]();
});

/** The alerts sent to the operator on call. */
async function alertsByMail(): Promise<Place[]> {
  const { control } = postroom.stack.identityProvider;
  const accessToken = await control.mintAccessToken({ upn: ON_CALL });
  const mails = await readInbox(postroom.stack.mail.pop3, postroom.stack.ca, {
    address: ON_CALL,
    accessToken,
  });
  return mails
    .filter((text) => text.includes('[Postroom]'))
    .map((text) => ({ name: 'mail of an alert', text }));
}

/** Every page and URL that the app returns is recorded; requests and responses pass through unchanged. */
function watchAnswers(): void {
  const real = globalThis.fetch;
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const response = await real(input, init);
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== host.url || url.pathname.startsWith('/.auth/') || url.pathname.startsWith('/admin/'))
      return response;
    const text = await response.clone().text();
    const location = response.headers.get('location') ?? '';
    asked.push(url.href);
    cookies.push(...response.headers.getSetCookie().map((line) => line.split(';')[0]?.split('=')[1] ?? ''));
    pages.push({ name: `page ${init?.method ?? 'GET'} ${url.pathname}`, text: `${location}\n${text}` });
    return response;
  });
}

/** Follows every link of ours, as a person could. */
async function walkEverywhere(): Promise<number> {
  const open = ['/'];
  const seen = new Set(open);
  for (let path = open.shift(); path !== undefined && seen.size < 120; path = open.shift()) {
    const { html } = await visitor.get(path);
    for (const [, href = ''] of html.matchAll(/\s(?:href|src)="(\/[^"#]*)"/g)) {
      const next = href.replaceAll('&amp;', '&');
      if (seen.has(next) || /^\/(?:assets|\.auth)\//.test(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return seen.size;
}

/** As the host's operator may. */
async function start(name: string, at = host, input = ''): Promise<void> {
  await fetch(`${at.url}/admin/functions/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input }),
  });
}

async function wholeStory(): Promise<void> {
  const { control } = postroom.stack.identityProvider;
  const mailboxId = await visitor.connectMailbox(SUPPORT, postroom.stack.mail.imap);
  const list = await visitor.get('/accounts');
  const account = /\/accounts\/[a-z2-7]{26}\/[a-z2-7]{26}/.exec(list.html)?.[0] ?? '';
  const provider = account.replace('accounts', 'providers').slice(0, '/providers/'.length + 26);

  // The mailbox is due; its message stays on the queue, because this host processes none.
  await start('fetchMail');
  await postroom.stack.mail.deliver(
    SUPPORT,
    Buffer.from(`From: kim@customer.example\r\nTo: ${SUPPORT}\r\nSubject: A question\r\n\r\n${mailBody}\r\n`),
  );
  await fetchOnce(postroom, host, mailboxId);

  // Named tokens, one of which the mail server refuses and the other the provider.
  await control.addFault({
    match: { path: 'token' },
    status: 200,
    body: { token_type: 'Bearer', access_token: accessToken, refresh_token: refreshToken, expires_in: 3600 },
  });
  await visitor.post(`${account}/check`, {});
  await fetchOnce(postroom, host, mailboxId);

  // A secret that Microsoft Graph creates: first the vault refuses to store it, then it is stored beside the working one.
  rotated = await rotateHere(postroom, provider.slice('/providers/'.length));

  // Credentials of two kinds beside the working one, neither of which the provider knows.
  const expiresOn = new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10);
  const edit = { name: 'Demo', clientId: postroom.stack.identityProvider.clientId, expiresOn };
  await visitor.post(`${provider}/edit`, { ...edit, credential: 'certificate' });
  await visitor.post(`${account}/check`, {});
  await visitor.post(`${provider}/edit`, { ...edit, credential: 'secret', secret: wrongSecret });
  await visitor.post(`${account}/check`, {});

  // Invalid callbacks: a used one, one of another user, one that the provider refused.
  const callback = asked.find((url) => url.includes('/oauth/callback?')) ?? '';
  await visitor.get(callback.slice(host.url.length));
  await visitor.get(`/oauth/callback?code=${foreignCode}&state=${'x'.repeat(43)}`);
  const explained = await visitor.post('/explain', {
    error: `AADSTS7000215: Invalid client secret provided for client_secret=${pastedSecret}&grant_type=x.`,
  });
  // The page repeats the message itself; otherwise the search for its contents would prove nothing.
  expect(explained.html).toContain('Invalid client secret provided for client_secret=');
  await visitor.post(`${provider}/app-access`, { address: 'sales@contoso.example' });
  await visitor.post(`/mailboxes/${mailboxId}/test`, {});

  // A vault that refuses, and a sign-in that has ended.
  await postroom.stack.keyVault.addFault({ match: { path: '/secrets/' }, status: 403, times: 3 });
  await visitor.post(`${account}/check`, {});
  await postroom.stack.keyVault.clearFaults();
  await control.revokeUser(SUPPORT);
  await visitor.post(`${account}/check`, {});
  // A process with an empty token cache cannot fetch; the monitor reports it.
  const fresh = await postroom.startHost();
  await expect(fetchOnce(postroom, fresh, mailboxId)).rejects.toThrow('The fetch did not work');
  await fresh.stop();
  for (const timer of ['monitor', 'refreshTokens', 'reviewSecrets']) await start(timer);
  await vi.waitFor(() => expect(told.length, postroom.log().slice(-2000)).toBeGreaterThan(0), {
    timeout: 60_000,
    interval: 200,
  });
  await tellOfAnEvent(provider.slice('/providers/'.length));
}

/** Key Vault's own event about a secret, queued and processed; and a relay that refuses to send the resulting email. */
async function tellOfAnEvent(providerId: string): Promise<void> {
  const event = {
    id: '1',
    source: '/subscriptions/s/vaults/v',
    specversion: '1.0',
    type: 'Microsoft.KeyVault.SecretNearExpiry',
    data: { ObjectName: secretName(providerId), ObjectType: 'Secret', VaultName: 'v', EXP: 1 },
  };
  const { connectionString } = postroom.stack.storage;
  const queue = QueueServiceClient.fromConnectionString(connectionString).getQueueClient('vault-events');
  await queue.createIfNotExists();
  await queue.sendMessage(Buffer.from(JSON.stringify(event)).toString('base64'));
  const { host: smtp, port } = postroom.stack.mail.smtp;
  await postroom.stack.keyVault.setSecret('smtp-relay-url', `smtp://relay:${relayPassword}@${smtp}:${port}`);
  const refusing = await postroom.startHost({
    settings: { ALERT_EMAIL: ON_CALL, POSTROOM_TELEMETRY: 'console' },
  });
  // It reads its channels while the vault still returns them.
  const there = new Visitor(refusing.url);
  await there.signIn(demoPeople[0]?.id ?? '');
  expect((await there.get('/health')).html).toContain('through the SMTP relay');
  await start('vaultEvents', refusing, JSON.stringify(event));
  await vi.waitFor(() => expect(postroom.log()).toContain('"event":"vault event"'), waiting);
  // A new finding to report.
  await postroom.stack.keyVault.addFault({ match: { path: '^/secrets' }, status: 403, times: 1000 });
  await start('monitor', refusing);
  await vi.waitFor(() => expect(postroom.log()).toContain('"event":"notification not sent yet"'), waiting);
  await postroom.stack.keyVault.clearFaults();
  // Its metrics are sent at shutdown.
  await refusing.stop();
}

test('no secret that was entered appears anywhere, through a whole story with its failures', async () => {
  await wholeStory();
  expect(await walkEverywhere()).toBeGreaterThan(25);

  const callback = new URL(asked.find((url) => url.includes('/oauth/callback?')) ?? '');
  // The redirect to the provider has to contain the state.
  const handover = /^page GET \/connect\//;
  const canaries: Canary[] = [
    { name: 'webhook key', value: webhookKey },
    { name: 'webhook address', value: webhookPath, allowedAt: /^webhook$/ },
    { name: 'access token', value: accessToken },
    { name: 'refresh token', value: refreshToken },
    { name: 'wrong client secret', value: wrongSecret },
    { name: 'pasted secret', value: pastedSecret },
    { name: 'foreign code', value: foreignCode },
    { name: 'code', value: callback.searchParams.get('code') ?? '' },
    { name: 'state', value: callback.searchParams.get('state') ?? '', allowedAt: handover },
    { name: 'client secret', value: postroom.stack.identityProvider.clientSecret },
    { name: 'identity header', value: postroom.stack.managedIdentity.header },
    { name: 'relay password', value: relayPassword },
    ...rotated.secrets.map((value, index) => ({ name: `secret of Graph #${index}`, value })),
    { name: 'mail', value: mailBody, allowedAt: /^(?:page GET \/(?:tickets.*)?$|table Ticket|blob raw\/)/ },
    ...cookies.filter((value) => value.length > 20).map((value) => ({ name: 'cookie', value })),
    ...valuesInVault(postroom),
  ];
  for (const { name, value } of canaries) expect([name, value.length > 15]).toEqual([name, true]);
  expect(canaries.filter(({ name }) => name.startsWith('vault '))).not.toHaveLength(0);

  const storage = await placesInStorage(postroom);
  const mails = await alertsByMail();
  const logs = [
    { name: 'log', text: postroom.log() },
    { name: 'log of the rotation', text: rotated.log },
  ];
  const places = [...pages, ...storage, ...told, ...mails, ...logs];
  // Everything that was to be searched exists.
  for (const kind of [
    'page ',
    'table Accounts',
    'table Audit',
    'table Alerts',
    'blob raw/',
    'queue ',
    'queue vault-events',
    'webhook',
    'mail ',
    'log of the rotation',
  ])
    expect([kind, places.some(({ name }) => name.startsWith(kind))]).toEqual([kind, true]);
  // Two were created, one of which the vault stores; both logs have entries; spans and metrics are in it.
  expect(rotated.secrets).toHaveLength(2);
  expect(rotated.log).toContain('secret rotated');
  for (const event of ['"event":"span"', '"event":"metric"', '"event":"vault event"', 'relay-refused'])
    expect([event, postroom.log().includes(event)]).toEqual([event, true]);
  expect(leaksIn(places, canaries)).toEqual([]);

  // The search finds what it should find.
  expect(leaksIn([{ name: 'log', text: `x ${encodeURIComponent(wrongSecret)}` }], canaries)).not.toEqual([]);
  expect(leaksIn(storage, [{ name: 'mail', value: mailBody }])).not.toEqual([]);
}, 300_000);
