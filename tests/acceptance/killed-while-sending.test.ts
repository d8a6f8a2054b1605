/**
 * The process that sends email is killed at random instants, and always restarted. In the end, the mail server
 * must have received no acknowledgement twice and every reply, and a reply twice only if its row says so. The
 * instants are spread over the storage requests of a run and over its milliseconds; more of them in a long run:
 * `POSTROOM_KILLS=100`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ImapFlow } from 'imapflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminAt } from '../../dev/demo.ts';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { HostProcess } from '../../dev/host/host-process.ts';
import {
  CLAIM_MS,
  type Delivery,
  type DeliveryKind,
  dueOf,
  isFinished,
  queuedDelivery,
} from '../../shared/outbox/delivery.ts';
import type { OutboxMessage } from '../../shared/outbox/outbox-message.ts';
import { type DueEmail, dueRowKey } from '../../shared/outbox/outbox-records.ts';
import { createOutboxStore, type OutboxStore } from '../../shared/outbox/outbox-store.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { seeded } from '../harness/memory/seeded.ts';
import { openPostroom, type Postroom, SUPPORT } from '../harness/stack/installation.ts';
import { openStorageGate, type StorageGate } from './storage-gate.ts';

const KILLS = Number(process.env['POSTROOM_KILLS'] ?? 8);
const RECIPIENT = 'sales@contoso.example';
/** A run that ends before its instant is killed anyway. */
const LONGEST_RUN_MS = 3_000;
/** About what a run over three emails takes. */
const REQUESTS_A_RUN = 30;
/** As many as the monitor puts into one message of the queue. */
const EMAILS_A_JOB = 25;
const RUN_MS = 600;
/** Before more wait, one run is left alone: otherwise every later one would be killed while it reads them all. */
const BACKLOG = 6;
/** A run in which no row has changed for so long has ended: a connection takes a second at most. */
const QUIET_MS = 3_000;
const WARM_UP_MS = 700;

describe('a process that is killed while it sends', () => {
  let postroom: Postroom;
  let gate: StorageGate;
  let mailboxId: string;
  let outbox: OutboxStore;
  const refs: { ticketId: string; id: string }[] = [];

  beforeAll(async () => {
    postroom = await openPostroom(mailServerKindHere());
    const { stack } = postroom;
    const host = await postroom.startHost({ port: stack.ports.web });
    const visitor = await adminAt(host);
    const account = await visitor.connect(SUPPORT);
    mailboxId = await visitor.addMailbox(account, SUPPORT, stack.mail.imap, stack.mail.smtp);
    await host.stop();
    gate = await openStorageGate(stack.storage.connectionString);
    // Everything is started by this test.
    outbox = createOutboxStore({ ...postroom, queues: new MemoryQueues(openSeam), seam: openSeam });
  });
  afterAll(async () => {
    await postroom?.[Symbol.asyncDispose]();
    await gate?.[Symbol.asyncDispose]();
  });

  async function queue(ticketId: string, kind: DeliveryKind, id: string): Promise<void> {
    const now = new Date().toISOString();
    const message: OutboxMessage = {
      ticketId,
      id,
      kind,
      mailboxId,
      createdAt: now,
      from: { address: SUPPORT },
      to: [RECIPIENT],
      cc: [],
      bcc: [],
      subject: `${kind} ${id}`,
      text: { kind: 'inline', text: 'Hello\n' },
      attachments: [],
      messageId: `<${ticketId}.${id}@contoso.example>`,
      references: [],
      headers: {},
      delivery: queuedDelivery(now),
    };
    refs.push({ ticketId, id });
    expect(await outbox.queue(message)).toMatchObject({ ok: true });
  }

  /** Starts `sendMail` with these emails; without any, it only loads its code. */
  async function run(host: HostProcess, due: readonly string[]): Promise<void> {
    const response = await fetch(`${host.url}/admin/functions/sendMail`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input: JSON.stringify({ mailboxId, due }) }),
    });
    expect(response.status).toBe(202);
  }

  const start = async (host: HostProcess): Promise<void> =>
    run(host, (await outbox.due(EMAILS_A_JOB)).map(dueRowKey));

  /** Nothing else changes a row meanwhile. */
  async function runToItsEnd(host: HostProcess): Promise<void> {
    await start(host);
    let seen = '';
    for (let quietSince = Date.now(); Date.now() - quietSince < QUIET_MS; await pause(200)) {
      const now = JSON.stringify((await rows()).map(({ delivery }) => delivery));
      if (now !== seen) quietSince = Date.now();
      seen = now;
    }
  }

  async function rows(): Promise<OutboxMessage[]> {
    const found = await Promise.all(refs.map((ref) => outbox.get(ref)));
    return found.flatMap((stored) => (stored === undefined ? [] : [stored.record]));
  }

  /** Time passes: claims and connections of dead processes expire, and what waits is due. */
  async function letTimePass(): Promise<void> {
    const table = postroom.tables.open('OutboxDue');
    for (const { rowKey } of await table.list('usage'))
      await table.commit('usage', [{ kind: 'remove', rowKey }]);
    const earlier = (at: string): string => new Date(Date.parse(at) - CLAIM_MS).toISOString();
    const entries: DueEmail[] = [];
    for (const ref of refs) {
      const stored = await outbox.get(ref);
      if (stored === undefined || isFinished(stored.record.delivery)) continue;
      const { status } = stored.record.delivery;
      const due = earlier(dueOf(stored.record.delivery) ?? new Date().toISOString());
      const aged = {
        ...status,
        ...('claimedAt' in status && { claimedAt: earlier(status.claimedAt) }),
        ...('due' in status && status.due !== undefined && { due }),
      };
      const delivery: Delivery = { ...stored.record.delivery, status: aged };
      const written = await outbox.replace({ ...stored.record, delivery }, stored.etag);
      if (written === undefined) throw new Error('the row is in use');
      entries.push({ ...ref, due, mailboxId, announcedAt: due });
    }
    const before = (await outbox.due(1_000)).map(dueRowKey);
    await outbox.reschedule(entries, before);
  }

  /** How often the recipient's mail server has each Message-ID. */
  async function received(): Promise<Map<string, number>> {
    const { stack } = postroom;
    const accessToken = await stack.identityProvider.control.mintAccessToken({ upn: RECIPIENT });
    const client = new ImapFlow({
      ...stack.demo.imap,
      secure: true,
      tls: { ca: stack.ca },
      auth: { user: RECIPIENT, accessToken },
      logger: false,
    });
    client.on('error', () => undefined);
    await client.connect();
    const counts = new Map<string, number>();
    try {
      await client.mailboxOpen('INBOX');
      for await (const { envelope } of client.fetch('1:*', { envelope: true })) {
        const id = envelope?.messageId ?? '';
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
    } finally {
      await client.logout();
    }
    return counts;
  }

  it(
    'sends no acknowledgement twice, loses no reply, and says of each double that it may be one',
    async () => {
      const random = seeded(20_261_128);
      const newHost = (): Promise<HostProcess> =>
        postroom.startHost({ settings: { DataStorage: gate.connectionString } });
      const places = new Map<string, number>();
      let next = newHost();
      for (let kill = 1; kill <= KILLS; kill += 1) {
        const host = await next;
        next = newHost();
        if ((await outbox.due(1_000)).length > BACKLOG) await runToItsEnd(host);
        const ticketId = `ticket${kill}`;
        await queue(ticketId, 'acknowledgement', 'ack');
        await queue(ticketId, 'reply', 'first');
        await queue(ticketId, 'reply', 'second');
        await run(host, []);
        await pause(WARM_UP_MS);
        let where = 'at a millisecond';
        if (random() < 0.6) {
          const { promise: struck, resolve } = Promise.withResolvers<string>();
          const at = gate.count() + 1 + Math.floor(random() * REQUESTS_A_RUN);
          gate.at(at, random() < 0.5 ? 'before' : 'after', resolve);
          await start(host);
          where = await Promise.race([struck, pause(LONGEST_RUN_MS, 'after its end')]);
          await pause(random() * 30);
        } else {
          await start(host);
          await pause(random() * RUN_MS);
        }
        await host.kill();
        gate.forget();
        places.set(where, (places.get(where) ?? 0) + 1);
        await letTimePass();
      }
      const host = await next;
      const isDone = async (): Promise<boolean> =>
        (await rows()).every(({ delivery }) => isFinished(delivery));
      for (let turn = 0; turn < 20 && !(await isDone()); turn += 1) {
        await runToItsEnd(host);
        await letTimePass();
      }
      await host.stop();

      const counts = await received();
      const faults: string[] = [];
      const states = new Map<string, number>();
      let doubles = 0;
      for (const { kind, ticketId, id, messageId, delivery } of await rows()) {
        const times = counts.get(messageId) ?? 0;
        const { status, sentAgainAt } = delivery;
        states.set(`${kind} ${status.state}`, (states.get(`${kind} ${status.state}`) ?? 0) + 1);
        const name = `${ticketId} ${id} (${status.state}, received ${times} times)`;
        if (kind === 'acknowledgement' && times > 1) faults.push(`acknowledged twice: ${name}`);
        if (kind === 'reply' && times > 1) {
          doubles += 1;
          if (sentAgainAt === undefined) faults.push(`a double without a word: ${name}`);
          if (times > 2) faults.push(`more than a double: ${name}`);
        }
        if (status.state === 'sent' && times === 0) faults.push(`called sent: ${name}`);
        if (kind === 'reply' && times === 0 && status.state !== 'unknown') faults.push(`lost: ${name}`);
        if (!isFinished(delivery)) faults.push(`not finished: ${name}`);
      }
      console.log(
        `killed ${[...places].map(([place, times]) => `${place} ${times}`).join(', ')}; ${[...states].map(([state, times]) => `${state} ${times}`).join(', ')}; doubles that the row names: ${doubles}`,
      );
      expect(faults).toEqual([]);
      expect(refs).toHaveLength(3 * KILLS);
    },
    120_000 + KILLS * 10_000,
  );
});
