import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningAzurite, startAzurite } from '../../dev/emulators/storage/azurite.ts';
import type { AgentEvent } from '../../shared/agent-alerts/agent-alert.ts';
import { createAgentQueueStore } from '../../shared/agent-alerts/agent-queue-store.ts';
import { createOutboxStore } from '../../shared/outbox/outbox-store.ts';
import { azureBlobs } from '../../shared/platform/azure-blobs.ts';
import { azureTables } from '../../shared/platform/azure-tables.ts';
import type { Blobs } from '../../shared/platform/blobs.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import type { Change, Tables } from '../../shared/platform/tables.ts';
import { createCannedReplyStore } from '../../shared/replies/canned-reply-store.ts';
import type { ReplyDraft } from '../../shared/replies/reply-draft.ts';
import { createReplyDraftStore, type ReplyDraftStore } from '../../shared/replies/reply-draft-store.ts';
import { appendMessages } from '../../shared/tickets/append-messages.ts';
import { createTicketStore } from '../../shared/tickets/ticket-store.ts';
import { filing, message } from '../harness/memory/filings.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { email } from '../harness/memory/outbox-emails.ts';

let azurite: RunningAzurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const kinds: [string, () => { tables: Tables; blobs: Blobs }][] = [
  ['in memory', () => ({ tables: new MemoryTables(openSeam), blobs: new MemoryBlobs(openSeam) })],
  [
    'in Azurite',
    () => {
      const settings = { kind: 'connection-string', connectionString: azurite.connectionString } as const;
      return { tables: azureTables(settings, openSeam), blobs: azureBlobs(settings, openSeam) };
    },
  ],
];
const NOW = Date.parse('2026-11-28T12:00:00.000Z');
const noneSent = async (): Promise<ReadonlySet<string>> => new Set();
const DAY = 86_400_000;

describe.each(kinds)('stored %s', (_kind, make) => {
  let world: { tables: Tables; blobs: Blobs };
  let drafts: ReplyDraftStore;
  let draft: ReplyDraft;
  beforeEach(() => {
    world = make();
    drafts = createReplyDraftStore(world);
    draft = {
      ticketId: randomUUID().replaceAll('-', ''),
      personId: 'person/with?odd#characters',
      personName: 'Sam',
      to: 'kim@customer.example',
      cc: '',
      bcc: '',
      text: 'Hello',
      quotes: true,
      attachments: [],
      seen: 'token',
      savedAt: new Date(NOW).toISOString(),
    };
  });
  const etagOf = async (): Promise<string | undefined> =>
    (await drafts.get(draft.ticketId, draft.personId))?.etag;

  test('a draft comes back, however long its text', async () => {
    const long = { ...draft, text: '日本語'.repeat(16_000) };
    expect(await drafts.save(long, undefined)).toEqual({ kind: 'saved' });
    const { text, ...rest } = (await drafts.get(draft.ticketId, draft.personId))?.draft ?? draft;
    expect(text === long.text).toBe(true);
    expect({ ...rest, text: draft.text }).toEqual(draft);
    expect(await drafts.save(draft, await etagOf())).toEqual({ kind: 'saved' });
    expect((await drafts.get(draft.ticketId, draft.personId))?.draft).toEqual(draft);
    expect(await drafts.get(draft.ticketId, 'somebody else')).toBeUndefined();
  });

  test('the draft of another window is not overwritten', async () => {
    await drafts.save(draft, undefined);
    const etag = await etagOf();
    await drafts.save({ ...draft, text: 'first window' }, etag);
    for (const stale of [etag, undefined])
      expect(await drafts.save({ ...draft, text: 'second window' }, stale)).toMatchObject({
        kind: 'changed',
        current: { draft: { text: 'first window' } },
      });
  });

  test('the drafts of a ticket are those of all people', async () => {
    await drafts.save(draft, undefined);
    await drafts.save({ ...draft, personId: 'other', personName: 'Alex' }, undefined);
    await drafts.save({ ...draft, ticketId: `${draft.ticketId}9` }, undefined);
    expect((await drafts.ofTicket(draft.ticketId)).map(({ personName }) => personName).sort()).toEqual([
      'Alex',
      'Sam',
    ]);
  });

  test('attachments go with a discarded draft and stay for a sent one', async () => {
    const file = { filename: 'a.txt', contentType: 'text/plain', size: 3 };
    for (const end of ['discard', 'sent'] as const) {
      const attached = await drafts.attach(draft, file, Buffer.from('abc'));
      expect(attached).toMatchObject(file);
      await drafts.save({ ...draft, attachments: [attached] }, undefined);
      await drafts[end](draft.ticketId, draft.personId);
      expect(await drafts.get(draft.ticketId, draft.personId)).toBeUndefined();
      const bytes = await world.blobs.read(attached.blob);
      expect(bytes === undefined ? undefined : Buffer.from(bytes).toString()).toBe(
        end === 'sent' ? 'abc' : undefined,
      );
    }
  });

  test('a draft that nobody touched for 30 days is purged with its attachments', async () => {
    const attached = await drafts.attach(
      draft,
      { filename: 'a', contentType: 'text/plain', size: 1 },
      Buffer.from('a'),
    );
    const savedAt = new Date(NOW).toISOString();
    await drafts.save({ ...draft, savedAt, attachments: [attached] }, undefined);
    await drafts.purge(NOW + 30 * DAY, noneSent);
    expect(await etagOf()).toBeDefined();
    expect(await drafts.purge(NOW + 30 * DAY + 1, noneSent)).toBeGreaterThan(0);
    expect(await etagOf()).toBeUndefined();
    expect(await world.blobs.read(attached.blob)).toBeUndefined();
  });

  test('a draft that is purged leaves the attachments that a sent reply has too', async () => {
    const file = { filename: 'a', contentType: 'text/plain', size: 1 };
    const sent = await drafts.attach(draft, file, Buffer.from('a'));
    const other = await drafts.attach(draft, file, Buffer.from('b'));
    const savedAt = new Date(NOW).toISOString();
    await drafts.save({ ...draft, savedAt, attachments: [sent, other] }, undefined);
    await drafts.purge(NOW + 31 * DAY, async (ticketId) =>
      ticketId === draft.ticketId ? new Set([sent.blob]) : new Set(),
    );
    expect(await etagOf()).toBeUndefined();
    expect(await world.blobs.read(sent.blob)).toBeDefined();
    expect(await world.blobs.read(other.blob)).toBeUndefined();
  });

  test('canned replies are listed by name', async () => {
    const canned = createCannedReplyStore(world.tables);
    const ids = [randomUUID(), randomUUID()] as const;
    const reply = {
      text: 'Hello {{requester name}}',
      changedAt: new Date(NOW).toISOString(),
      changedBy: 'Sam',
    };
    await canned.save({ ...reply, id: ids[0], name: 'Opening hours' });
    await canned.save({ ...reply, id: ids[1], name: 'invoice' });
    const mine = (await canned.list()).filter(({ id }) => new Set<string>(ids).has(id));
    expect(mine.map(({ name }) => name)).toEqual(['invoice', 'Opening hours']);
    await canned.remove(ids[0]);
    expect(await canned.get(ids[0])).toBeUndefined();
    expect(await canned.get(ids[1])).toMatchObject({ name: 'invoice' });
  });

  test('a reply and the assignment of its ticket are written together, or neither is', async () => {
    const id = draft.ticketId;
    await appendMessages(world.tables, filing([message(1)], { ticketId: id }));
    const tickets = createTicketStore(world);
    const seam = { ...openSeam, now: () => NOW };
    const outbox = createOutboxStore({ tables: world.tables, queues: new MemoryQueues(seam), seam });
    const assigning = async (name: string): Promise<Change[]> => {
      const change = await tickets.firstAssignee(id, { name, address: undefined });
      return change === undefined ? [] : [change];
    };
    const [first, second] = [await assigning('Sam'), await assigning('Alex')];
    expect(await outbox.queue(email('one', { ticketId: id }), first)).toMatchObject({ ok: true });
    // Somebody else was faster: neither the reply nor the assignment.
    expect(await outbox.queue(email('two', { ticketId: id }), second)).toMatchObject({
      refusal: 'changed',
    });
    expect((await outbox.list(id)).map((each) => each.id)).toEqual(['one']);
    await tickets.assign(id, { from: 'Sam', to: undefined });
    // The form was sent before.
    expect(await outbox.queue(email('one', { ticketId: id }), await assigning('Alex'))).toMatchObject({
      refusal: 'exists',
    });
    expect((await tickets.read(id))?.ticket.assignee).toBeUndefined();
  });

  describe('agents', () => {
    const event = (index: number, change: Partial<AgentEvent> = {}): AgentEvent => ({
      kind: 'ticket',
      key: index.toString(16).padStart(16, '0').padEnd(64, 'f'),
      ticketId: 't',
      mailboxId: 'support',
      number: index,
      subject: 'Lamp',
      from: { name: 'Kim', address: 'kim@customer.example' },
      preview: 'Where is it?',
      at: new Date(NOW).toISOString(),
      ...change,
    });
    let address: string;
    beforeEach(() => {
      address = `${randomUUID()}@contoso.example`;
    });
    const due = async (now: number): Promise<number[] | undefined> => {
      const taken = await createAgentQueueStore(world.tables).takeDue(now);
      return taken.find((one) => one.address === address)?.mail.events.map(({ number }) => number);
    };

    test('get one email a minute, and a digest of what came meanwhile, each event once', async () => {
      const queue = createAgentQueueStore(world.tables);
      await queue.add(address, [event(1)]);
      expect(await due(NOW)).toEqual([1]);
      await queue.add(address, [event(1), event(2)]);
      await queue.add(address, [event(2), event(3)]);
      expect(await due(NOW + 59_999)).toBeUndefined();
      expect(await due(NOW + 60_000)).toEqual([2, 3]);
      expect(await due(NOW + 200_000)).toBeUndefined();
    });

    test('lose no event when instances add at the same time', async () => {
      const queue = createAgentQueueStore(world.tables);
      await Promise.all([1, 2, 3, 4].map((index) => queue.add(address, [event(index)])));
      expect((await due(NOW))?.sort()).toEqual([1, 2, 3, 4]);
    });

    test('are told of as many events as fit a row, of whatever length', async () => {
      const queue = createAgentQueueStore(world.tables);
      const long = {
        subject: '"'.repeat(5_000),
        preview: '"'.repeat(5_000),
        from: { name: '"'.repeat(5_000), address: 'a'.repeat(5_000) },
      };
      await queue.add(
        address,
        Array.from({ length: 300 }, (_, index) => event(index, long)),
      );
      expect(await due(NOW)).toHaveLength(20);
    });
  });
});

test('a draft that its person comes back to while the purge runs is kept', async () => {
  const world = { blobs: new MemoryBlobs(openSeam), tables: new MemoryTables(openSeam) };
  const old = {
    ticketId: 't',
    personId: 'p',
    personName: 'Sam',
    to: '',
    cc: '',
    bcc: '',
    text: 'old',
    quotes: false,
    attachments: [],
    seen: '',
    savedAt: new Date(NOW - 40 * DAY).toISOString(),
  };
  const drafts = createReplyDraftStore(world);
  await drafts.save(old, undefined);
  const behind = world.tables.behind({
    ...openSeam,
    call: async (point, effect) => {
      const result = await effect();
      if (point === 'table.Tickets.list') {
        const stored = await drafts.get('t', 'p');
        await drafts.save({ ...old, text: 'new', savedAt: new Date(NOW).toISOString() }, stored?.etag);
      }
      return result;
    },
  });
  expect(await createReplyDraftStore({ ...world, tables: behind }).purge(NOW, noneSent)).toBe(0);
  expect((await drafts.get('t', 'p'))?.draft.text).toBe('new');
});
