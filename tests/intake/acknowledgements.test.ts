/** A new ticket and its acknowledgement are one transaction: neither is there without the other. */
import { beforeAll, expect, test, vi } from 'vitest';
import type { Acknowledgements } from '../../shared/intake/acknowledgements.ts';
import { fetchShard } from '../../shared/intake/fetch-shard.ts';
import { queuedDelivery } from '../../shared/outbox/delivery.ts';
import type { OutboxMessage } from '../../shared/outbox/outbox-message.ts';
import { createOutboxStore } from '../../shared/outbox/outbox-store.ts';
import type { Tables } from '../../shared/platform/tables.ts';
import { only } from '../harness/memory/faulty-seam.ts';
import type { Design, IntakeWorld } from '../harness/memory/intake-world.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { pointsOfRun, worldWithMail } from './fault-schedules.ts';

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const answer = (ticketId: string, mailboxId: string, at: string): OutboxMessage => ({
  ticketId,
  id: 'ack',
  kind: 'acknowledgement',
  mailboxId,
  createdAt: at,
  from: { address: 'support@contoso.example' },
  to: ['kim@customer.example'],
  cc: [],
  bcc: [],
  subject: 'We have received your message',
  text: { kind: 'inline', text: 'Thank you.' },
  attachments: [],
  messageId: `<${ticketId}.ack@contoso.example>`,
  references: [],
  headers: {},
  delivery: queuedDelivery(at),
});

/** Every new ticket is acknowledged. */
const acknowledging: Design = (deps, shard, { seam }) => {
  const outbox = createOutboxStore({ tables: deps.tables, queues: new MemoryQueues(seam), seam });
  const acknowledgements: Acknowledgements = {
    async prepare(opened) {
      const answers = opened.map(({ ticketId, mailboxId, message }) => ({
        key: message.key,
        email: answer(ticketId, mailboxId, message.at),
      }));
      await outbox.announce(answers.map(({ email }) => email));
      return new Map(
        answers.map(({ key, email }) => {
          const change = outbox.changeOf(email);
          return [key, change.kind === 'insert' ? [change.row] : []];
        }),
      );
    },
    send: (opened) =>
      outbox.enqueue(
        opened.map(({ ticketId, mailboxId, message }) => answer(ticketId, mailboxId, message.at)),
      ),
  };
  return fetchShard({ ...deps, acknowledgements }, shard);
};

function faultsIn({ tables }: { tables: Tables & Pick<IntakeWorld['tables'], 'dump'> }): string[] {
  const rows = tables.dump('Tickets');
  const due = new Set(tables.dump('OutboxDue').map(({ rowKey }) => rowKey.split('|')[1]));
  return rows
    .filter(({ rowKey }) => rowKey === 'head')
    .flatMap(({ partitionKey }) => {
      const own = rows.filter((row) => row.partitionKey === partitionKey && row.rowKey.startsWith('o|'));
      return own.length === 1 && due.has(partitionKey)
        ? []
        : [`${partitionKey} has ${own.length} acknowledgements, in the timetable: ${due.has(partitionKey)}`];
    });
}

test('whichever storage request a process dies at, each new ticket has one acknowledgement, which will be sent', async () => {
  const options = { design: acknowledging };
  const found: string[] = [];
  const points = await pointsOfRun(options);
  const calls = points.flatMap((point, index) => (/^(?:table|queue)\./.test(point) ? [index + 1] : []));
  expect(calls.length).toBeGreaterThan(20);
  for (const fault of calls.map((call) => ({ call, kind: 'crashAfter' as const }))) {
    const world = await worldWithMail(options);
    await world.run({ faultAt: only(fault) });
    await world.runUntilQuiet();
    found.push(...faultsIn(world).map((each) => `${each} (${fault.kind} at call ${fault.call})`));
  }
  expect(found).toEqual([]);
}, 60_000);
