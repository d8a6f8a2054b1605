import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { FetchState, MailboxStore } from '../mailboxes/mailbox-store.ts';
import type { Queues } from '../platform/queues.ts';
import { telemetry } from '../platform/telemetry.ts';

export interface Shard {
  shard: number;
  mailboxIds: string[];
}

const SHARD_SIZE = 100;
/** A message that nobody took is worthless once the next minute's is there. */
const TTL_SECONDS = 90;
const EARLY_MS = 30_000;

/** Puts the mailboxes that are due on the queue, in shards; gives the number of mailboxes queued. */
export async function queueDueMailboxes(
  deps: { mailboxes: Pick<MailboxStore, 'list' | 'fetchState'>; queues: Pick<Queues, 'send'> },
  now: number,
): Promise<number> {
  const [all, state] = await Promise.all([deps.mailboxes.list(), deps.mailboxes.fetchState()]);
  const shards = shardsOfDue(all, state, now);
  const traceparent = telemetry.traceparent();
  await Promise.all(
    shards.map((shard) => deps.queues.send('fetch-shard', { ...shard, traceparent }, TTL_SECONDS)),
  );
  return shards.reduce((sum, { mailboxIds }) => sum + mailboxIds.length, 0);
}

/** Which mailboxes are due at `now` (milliseconds since the epoch), each always in the same shard. Pure. */
export function shardsOfDue(all: readonly Mailbox[], state: FetchState, now: number): Shard[] {
  const shards = new Map<number, string[]>();
  for (const [index, mailbox] of all.toSorted((a, b) => (a.id < b.id ? -1 : 1)).entries()) {
    if (!isDue(mailbox, state, now)) continue;
    const shard = Math.floor(index / SHARD_SIZE);
    shards.set(shard, [...(shards.get(shard) ?? []), mailbox.id]);
  }
  return [...shards].map(([shard, mailboxIds]) => ({ shard, mailboxIds }));
}

function isDue(mailbox: Mailbox, state: FetchState, now: number): boolean {
  if (!mailbox.enabled) return false;
  const trouble = state.troubles.get(mailbox.id);
  if (trouble !== undefined) return now >= Date.parse(trouble.nextTryAt);
  // Each minute means at each run of the timer, also at one that a person starts a few seconds after the last.
  if (mailbox.intervalMinutes <= 1) return true;
  const last = state.successes.get(mailbox.id);
  return last === undefined || now - Date.parse(last) >= mailbox.intervalMinutes * 60_000 - EARLY_MS;
}
