/** Push in the built app, with the demo's Graph, mail server and identity provider. No timer fetches here. */
import { setTimeout as pause } from 'node:timers/promises';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { HostProcess } from '../../dev/host/host-process.ts';
import { demoPeople } from '../../dev/host/options.ts';
import { Visitor } from '../../dev/visitor.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { createPushStore } from '../../shared/push/push-records.ts';
import type { Push } from '../../shared/push/subscription.ts';
import { openPostroom, type Postroom, SUPPORT } from '../harness/stack/installation.ts';

let postroom: Postroom;
let host: HostProcess;
let visitor: Visitor;
let mailboxId: string;

beforeAll(async () => {
  postroom = await openPostroom('npm');
  host = await postroom.startHost({ port: postroom.stack.ports.web, background: true });
  visitor = new Visitor(host.url);
  await visitor.signIn(demoPeople[0]?.id ?? '');
  const account = await visitor.connect(SUPPORT, ['imap', 'graph-push']);
  mailboxId = await visitor.addMailbox(account, SUPPORT, postroom.stack.mail.imap);
  await monitor();
  await vi.waitFor(async () => expect(await push()).toMatchObject({ state: 'living' }), {
    timeout: 60_000,
    interval: 200,
  });
});
afterAll(() => postroom?.[Symbol.asyncDispose]());

const push = (): Promise<Push | undefined> => createPushStore(postroom.tables).find(mailboxId);

/** As the host's operator may. */
async function monitor(): Promise<void> {
  await fetch(`${host.url}/admin/functions/monitor`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input: '' }),
  });
}

const deliver = (subject: string): Promise<void> =>
  postroom.stack.mail.deliver(
    SUPPORT,
    Buffer.from(
      `From: kim@customer.example\r\nTo: ${SUPPORT}\r\nMessage-ID: <${subject}@x>\r\nSubject: ${subject}\r\n\r\nHello\r\n`,
    ),
  );

/** Waits until no fetch is queued or running, which would find the next email without its event. */
async function quiet(): Promise<void> {
  const { connectionString } = postroom.stack.storage;
  const queue = QueueServiceClient.fromConnectionString(connectionString).getQueueClient('fetch-shard');
  await vi.waitFor(async () => expect((await queue.getProperties()).approximateMessagesCount).toBe(0), {
    timeout: 60_000,
    interval: 100,
  });
}

/** How many tickets have this subject: exact, since each test has its own. */
const ticketsOf = async (subject: string): Promise<number> => {
  const { html } = await visitor.get('/tickets');
  return html.split(`>${subject}<`).length - 1;
};

/** Waits for the ticket; returns the milliseconds since `began`. */
async function ticketAfter(subject: string, began: number, limitMs = 60_000): Promise<number> {
  await vi.waitFor(async () => expect(await ticketsOf(subject)).toBe(1), { timeout: limitMs, interval: 50 });
  return performance.now() - began;
}

const trouble = (made: Parameters<Postroom['stack']['graph']['makeMailTrouble']>[0]): void =>
  postroom.stack.graph.makeMailTrouble(made);

test('an email dropped in is a ticket within three seconds, and the page says that push is on', async () => {
  await deliver('warm-up');
  await ticketAfter('warm-up', performance.now());
  let best = Number.POSITIVE_INFINITY;
  // The best of three, because other programs on the machine count too.
  for (let run = 1; run <= 3 && best >= 3_000; run += 1) {
    await pause(5_000);
    await quiet();
    const began = performance.now();
    await deliver(`urgent-${run}`);
    best = Math.min(best, await ticketAfter(`urgent-${run}`, began));
  }
  expect(best).toBeLessThan(3_000);
  const { html } = await visitor.get(`/mailboxes/${mailboxId}/edit`);
  expect(html).toContain('Push: on since');
});

describe('an event', () => {
  beforeEach(quiet);

  test('that is doubled changes nothing', async () => {
    trouble({ action: 'push-fault', kind: 'double', times: 1 });
    await deliver('doubled');
    await ticketAfter('doubled', performance.now());
    await quiet();
    expect(await ticketsOf('doubled')).toBe(1);
  });

  test('that is late changes only the time', async () => {
    trouble({ action: 'push-fault', kind: 'delay', times: 1, delay: 4_000 });
    const began = performance.now();
    await deliver('late');
    expect(await ticketAfter('late', began)).toBeGreaterThan(3_500);
  });

  test('that is lost changes only the time: the next event, or the next look, finds its email', async () => {
    trouble({ action: 'push-fault', kind: 'drop', times: 1 });
    await deliver('lost');
    await pause(4_000);
    expect(await ticketsOf('lost')).toBe(0);
    await deliver('found');
    await ticketAfter('found', performance.now());
    expect(await ticketsOf('lost')).toBe(1);
  });

  test('that is forged causes no fetch, and is counted', async () => {
    trouble({ action: 'push-fault', kind: 'drop', times: 1 });
    await deliver('unannounced');
    trouble({ action: 'forge-push', mailbox: SUPPORT, clientState: 'guessed' });
    trouble({ action: 'forge-push', mailbox: SUPPORT, clientState: `${mailboxId}.${'a'.repeat(43)}` });
    await vi.waitFor(() => expect(postroom.log()).toContain('forged-event'), { timeout: 60_000 });
    await pause(4_000);
    expect(await ticketsOf('unannounced')).toBe(0);
    expect(postroom.log()).not.toContain('guessed');
    trouble({ action: 'lifecycle', mailbox: SUPPORT, event: 'missed' });
    await ticketAfter('unannounced', performance.now());
  });
});

describe('Graph says', () => {
  test('“subscriptionRemoved”: another subscription is made, and works', async () => {
    const before = (await push())?.subscription?.subscriptionId;
    trouble({ action: 'lifecycle', mailbox: SUPPORT, event: 'subscriptionRemoved' });
    await vi.waitFor(
      async () => {
        const now = await push();
        expect(now?.state).toBe('living');
        expect(now?.subscription?.subscriptionId).not.toBe(before);
      },
      { timeout: 60_000, interval: 100 },
    );
    const began = performance.now();
    await deliver('after-removal');
    await ticketAfter('after-removal', began);
  });

  test('“reauthorizationRequired”: the subscription is renewed at once', async () => {
    const before = (await push())?.subscription;
    trouble({ action: 'lifecycle', mailbox: SUPPORT, event: 'reauthorizationRequired' });
    await vi.waitFor(
      async () => expect((await push())?.subscription?.renewedAt).not.toBe(before?.renewedAt),
      { timeout: 60_000, interval: 100 },
    );
    expect((await push())?.subscription?.subscriptionId).toBe(before?.subscriptionId);
  });
});

test('a storm of a hundred emails makes few fetches, and a ticket of each', async () => {
  const fetches = (): number => postroom.log().split('fetched').length - 1;
  const before = fetches();
  const began = performance.now();
  for (let index = 0; index < 100; index += 1) await deliver(`storm-${index}`);
  const { fetchState } = createMailboxStore(postroom.tables);
  await vi.waitFor(
    async () => {
      const { hours } = await fetchState();
      const emails = [...hours.values()].flat().reduce((sum, hour) => sum + hour.emails, 0);
      expect(emails).toBeGreaterThanOrEqual(100);
    },
    { timeout: 60_000, interval: 500 },
  );
  expect(fetches() - before).toBeLessThanOrEqual((performance.now() - began) / 5_000 + 3);
});

test('no clientState, token or text of an event is in the log', async () => {
  const rows = JSON.stringify(await postroom.tables.open('MailboxState').list('subscription'));
  expect(rows).not.toMatch(new RegExp(`${mailboxId}\\.[\\w-]{43}`));
  expect(postroom.log()).not.toMatch(new RegExp(`${mailboxId}\\.[\\w-]{43}`));
  expect(postroom.log()).not.toContain('Microsoft.Graph.Message');
});
