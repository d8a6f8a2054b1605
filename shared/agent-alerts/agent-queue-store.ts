import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PostroomError } from '../platform/errors.ts';
import { openRecords } from '../platform/open-records.ts';
import { converted, json, objectOf, recordKind, text, whole } from '../platform/records.ts';
import type { Tables } from '../platform/tables.ts';
import {
  type AgentEvent,
  type AgentMail,
  type AgentQueue,
  addEvents,
  emptyQueue,
  takeDue,
} from './agent-alert.ts';

// Table Alerts: `agent` / hash of the address   what waits for an agent. Small: one row for each agent.

const AGENTS = 'agent';
interface AgentRecord extends AgentQueue {
  address: string;
}

const event = objectOf<AgentEvent>({
  kind: z.enum(['ticket', 'reply', 'unsent']),
  key: z.string(),
  ticketId: z.string(),
  mailboxId: z.string(),
  number: z.number(),
  subject: z.string(),
  from: objectOf<AgentEvent['from']>({ name: z.string().optional(), address: z.string().optional() }),
  preview: z.string(),
  at: z.string(),
});

const rowKeyOf = (address: string): string => createHash('sha256').update(address).digest('hex').slice(0, 32);
const agentKind = recordKind<AgentRecord>()({
  table: 'Alerts',
  version: 1,
  keysOf: ({ address }) => ({ partitionKey: AGENTS, rowKey: rowKeyOf(address) }),
  fromKeys: () => ({}),
  columns: {
    address: text,
    // A 32-bit integer cannot hold it.
    lastAt: converted<string, number>(text, { read: Number, write: String }),
    waiting: converted<readonly AgentEvent[], readonly AgentEvent[]>(json(z.array(event)), {
      read: (stored) => stored,
      write: (events) => events.map(shortened),
    }),
    more: whole,
    told: json(z.array(z.string())),
  },
});

/** So many events fit one column of 32,768 characters, even if half of it is escaped. */
function shortened(one: AgentEvent): AgentEvent {
  const short = (value: string | undefined, most: number): string | undefined =>
    value?.slice(0, most).toWellFormed();
  return {
    ...one,
    subject: one.subject.slice(0, 120).toWellFormed(),
    preview: one.preview.slice(0, 200).toWellFormed(),
    from: { name: short(one.from.name, 60), address: short(one.from.address, 80) },
  };
}

const MAX_TRIES = 10;

export interface AgentQueueStore {
  /**
   * Adds events for an agent; those that the agent was told of are left out, so that a rerun tells nothing twice.
   * @param address lower case
   */
  add(address: string, events: readonly AgentEvent[]): Promise<void>;
  /**
   * Takes the emails that are due. Each is taken by one instance; one that dies before it hands the email to the
   * outbox loses it, and the tickets remain.
   * @param now milliseconds since the epoch
   */
  takeDue(now: number): Promise<{ address: string; mail: AgentMail }[]>;
}

/** Every method throws PostroomError when storage is unavailable. */
export function createAgentQueueStore(tables: Tables): AgentQueueStore {
  const agents = openRecords(tables, agentKind);
  return {
    async add(address, events) {
      if (events.length === 0) return;
      for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
        const stored = await agents.get(AGENTS, rowKeyOf(address));
        const record = { address, ...addEvents(stored?.record ?? emptyQueue, events) };
        const isWritten =
          stored === undefined ? await agents.insert(record) : await agents.replace(record, stored.etag);
        if (isWritten) return;
      }
      throw new PostroomError('alerts-busy', 'Other instances changed what waits for an agent ten times.');
    },
    async takeDue(now) {
      const taken: { address: string; mail: AgentMail }[] = [];
      for (const { address, ...queue } of await agents.list(AGENTS)) {
        if (takeDue(queue, now) === undefined) continue;
        const stored = await agents.get(AGENTS, rowKeyOf(address));
        const due = stored === undefined ? undefined : takeDue(stored.record, now);
        if (stored === undefined || due === undefined) continue;
        if (await agents.replace({ address, ...due.queue }, stored.etag))
          taken.push({ address, mail: due.mail });
      }
      return taken;
    },
  };
}
