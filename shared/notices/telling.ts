import { type Condition, type Notice, shownOf } from './notice.ts';

export type Channel = 'email' | 'webhook';
export type What = 'opened' | 'changed' | 'repeated' | 'closed';

/** One thing that people are told. The same id is the same event, whatever channel and however often it is tried. */
export interface Telling {
  id: string;
  what: What;
  /** ISO times: of the event, and since when the notice stands. */
  at: string;
  openedAt: string;
  /** The same for all that is told of one fault. */
  key: string;
  condition: Condition;
}

/** A telling on its way over one channel. */
export interface Outgoing {
  telling: Telling;
  channel: Channel;
  /** Tries so far. */
  attempts: number;
  /** ISO time before which it is not tried (again). */
  dueAt: string;
}

/** What became of it. */
export interface Delivery {
  channel: Channel;
  what: What;
  at: string;
  result: 'delivered' | 'given-up';
  attempts: number;
}

/** What people hear of a change of a notice. */
export function tellingOf(notice: Notice, what: What): Telling {
  const step = what === 'closed' ? 'closed' : String(notice.told);
  return {
    id: `${notice.id}-${step}`,
    what,
    at: what === 'closed' ? (notice.closedAt ?? notice.toldAt) : notice.toldAt,
    openedAt: notice.openedAt,
    key: notice.key,
    condition: shownOf(notice),
  };
}

/**
 * Over which of the channels that there are a telling goes. A machine hears everything. A person's mail is spared what
 * changes nothing: that a warning still stands, or no longer does. The pages show all of it.
 */
export function channelsFor({ what, condition }: Telling, available: readonly Channel[]): Channel[] {
  const spared = condition.severity === 'warning' && (what === 'repeated' || what === 'closed');
  return available.filter((channel) => channel === 'webhook' || !spared);
}

// Minutes to the next try. The first seven fill the first two hours, then hourly for a day.
const BACKOFF_MINUTES = [1, 2, 5, 10, 15, 30, 60];
const MOST_ATTEMPTS = 30;

/** When a telling is tried again that is being tried now; undefined after about a day: then it is given up. */
export function nextTry(attempts: number, now: number): string | undefined {
  if (attempts >= MOST_ATTEMPTS) return undefined;
  const minutes = BACKOFF_MINUTES[Math.min(attempts, BACKOFF_MINUTES.length) - 1] ?? 1;
  return new Date(now + minutes * 60_000).toISOString();
}
