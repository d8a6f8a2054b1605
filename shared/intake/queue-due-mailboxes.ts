import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { FetchState, MailboxStore } from '../mailboxes/mailbox-store.ts';
import type { Queues } from '../platform/queues.ts';
import { telemetry } from '../platform/telemetry.ts';
import { dueMailboxes } from './due-mailboxes.ts';

export interface Shard {
  shard: number;
  mailboxIds: string[];
  /** True if the mail server has just announced new email, so that the interval does not count. */
  isAnnounced?: boolean;
}

const SHARD_SIZE = 100;
/** A message that no instance received is useless once the next minute's message is queued. */
const TTL_SECONDS = 90;

/** Queues the due mailboxes in shards; returns the number of mailboxes queued. */
export async function queueDueMailboxes(
  deps: { mailboxes: Pick<MailboxStore, 'list' | 'fetchState'>; queues: Pick<Queues, 'send'> },
  now: number,
): Promise<number> {
  const [all, state] = await Promise.all([deps.mailboxes.list(), deps.mailboxes.fetchState()]);
  return queueShards(deps.queues, shardsOfDue(all, state, now));
}

/** Queues these mailboxes without waiting for the next minute. */
export async function queueAtOnce(
  queues: Pick<Queues, 'send'>,
  all: readonly Mailbox[],
  ids: ReadonlySet<string>,
): Promise<void> {
  await queueShards(queues, shardsOf(all, ids));
}

async function queueShards(queues: Pick<Queues, 'send'>, shards: readonly Shard[]): Promise<number> {
  const traceparent = telemetry.traceparent();
  await Promise.all(
    shards.map((shard) => queues.send('fetch-shard', { ...shard, traceparent }, TTL_SECONDS)),
  );
  return shards.reduce((sum, { mailboxIds }) => sum + mailboxIds.length, 0);
}

/** The mailboxes due at `now` (milliseconds since the epoch), each always in the same shard. Pure. */
export const shardsOfDue = (all: readonly Mailbox[], state: FetchState, now: number): Shard[] =>
  shardsOf(all, dueMailboxes(all, state, now));

/** The shard of one mailbox, with no other; undefined if there is no such mailbox. Pure. */
export const shardOf = (all: readonly Mailbox[], id: string): Shard | undefined =>
  shardsOf(all, new Set([id]))[0];

function shardsOf(all: readonly Mailbox[], ids: ReadonlySet<string>): Shard[] {
  const shards = new Map<number, string[]>();
  for (const [index, mailbox] of all.toSorted((a, b) => (a.id < b.id ? -1 : 1)).entries()) {
    if (!ids.has(mailbox.id)) continue;
    const shard = Math.floor(index / SHARD_SIZE);
    shards.set(shard, [...(shards.get(shard) ?? []), mailbox.id]);
  }
  return [...shards].map(([shard, mailboxIds]) => ({ shard, mailboxIds }));
}
