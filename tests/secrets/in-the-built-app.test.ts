/** The built app on the local host, in a demo of its own: triggers, telemetry, pages. */
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { HostProcess } from '../../dev/host/host-process.ts';
import { demoPeople } from '../../dev/host/options.ts';
import { Visitor } from '../../dev/visitor.ts';
import { createAlertStore } from '../../shared/alerts/alert-store.ts';
import { createHeartbeatStore } from '../../shared/heartbeats/heartbeat-store.ts';
import { createProviderStore } from '../../shared/providers/provider-store.ts';
import { smallMails } from '../harness/memory/small-mails.ts';
import { fetchOnce, openPostroom, type Postroom, SUPPORT } from '../harness/stack/installation.ts';

let postroom: Postroom;
let host: HostProcess;
let visitor: Visitor;
let mailboxId: string;

beforeAll(async () => {
  postroom = await openPostroom('npm');
  host = await postroom.startHost({
    port: postroom.stack.ports.web,
    background: true,
    settings: { POSTROOM_TELEMETRY: 'console' },
  });
  visitor = new Visitor(host.url);
  await visitor.signIn(demoPeople[0]?.id ?? '');
  mailboxId = await visitor.connectMailbox(SUPPORT, postroom.stack.mail.imap);
});
afterAll(() => postroom?.[Symbol.asyncDispose]());

/** As the host's operator may. */
const run = (name: string): Promise<Response> =>
  fetch(`${host.url}/admin/functions/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
const lines = (event: string): Record<string, unknown>[] =>
  [...postroom.log().matchAll(/\{"level":[^\n]*/g)]
    .map(([text]) => text)
    .filter((text) => text.includes(`"event":"${event}"`))
    .map((text) => JSON.parse(text.slice(0, text.lastIndexOf('}') + 1)) as Record<string, unknown>);

test('a fetch is a span with its ticket, without the text or address of an email; the page of activity has it', async () => {
  const [mail] = smallMails(1);
  await postroom.stack.mail.deliver(SUPPORT, mail ?? Buffer.of());
  await fetchOnce(postroom, host, mailboxId);
  await vi.waitFor(() => expect(lines('span').map(({ name }) => name)).toContain('fetch mailbox'), {
    timeout: 60_000,
    interval: 200,
  });
  const filed = lines('span').find(({ name }) => name === 'file batch');
  expect(filed?.['events']).toMatch(/^ticket .*"number":1/);
  const said = JSON.stringify(lines('span'));
  for (const hidden of [SUPPORT, 'Question 0']) expect(said).not.toContain(hidden);
  const { html } = await visitor.get('/activity');
  expect(html).toContain('1 ticket opened.');
});

test('a queued event of the vault causes a review of that secret', async () => {
  const [provider] = await createProviderStore(postroom.tables).list();
  if (provider?.credential?.kind !== 'secret') throw new TypeError();
  await visitor.post(`/providers/${provider.id}/rotation`, { rotation: 'on' });
  const event = {
    specversion: '1.0',
    type: 'Microsoft.KeyVault.SecretExpired',
    source: '/vault',
    id: '1',
    subject: provider.credential.vaultName,
    data: { ObjectType: 'Secret', ObjectName: provider.credential.vaultName.toUpperCase() },
  };
  const queue = QueueServiceClient.fromConnectionString(
    postroom.stack.storage.connectionString,
  ).getQueueClient('vault-events');
  await queue.createIfNotExists();
  for (let time = 0; time < 3; time += 1)
    await queue.sendMessage(Buffer.from(JSON.stringify(event)).toString('base64'));
  await vi.waitFor(() => expect(lines('vault event')).toHaveLength(3), { timeout: 60_000, interval: 200 });
  expect(lines('vault event')[0]).toMatchObject({ kind: 'expired', isOurs: true });
  // The event is a reason to look; the look found a secret that lasts for two years.
  expect((await createAlertStore(postroom.tables).current()).open).toEqual([]);
});

test('the daily run records its heartbeat, and the page shows every secret', async () => {
  expect((await run('reviewSecrets')).status).toBe(202);
  const beats = createHeartbeatStore(postroom.tables);
  await vi.waitFor(async () => expect((await beats.all()).has('reviewSecrets')).toBe(true), {
    timeout: 60_000,
    interval: 200,
  });
  const { html } = await visitor.get('/secrets');
  expect(html).toContain('Client secret');
  expect(html).not.toContain(postroom.stack.identityProvider.clientSecret);
  expect(postroom.log()).not.toContain(postroom.stack.identityProvider.clientSecret);
});
