import { type Finding, type Alert, shownOf } from './alert.ts';

export const channels = ['email', 'webhook'] as const;
export type Channel = (typeof channels)[number];
export const events = ['opened', 'changed', 'repeated', 'closed'] as const;
export type What = (typeof events)[number];

/** One event of an alert. Its id is the same on every channel and at every attempt. */
export interface Notification {
  id: string;
  what: What;
  /** ISO times: of the event, and of the opening of the alert. */
  at: string;
  openedAt: string;
  /** The same for all events of one alert. */
  key: string;
  finding: Finding;
}

/** A notification on its way over one channel. */
export interface Outgoing {
  notification: Notification;
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

/** What people hear of a change of an alert. */
export function notificationOf(alert: Alert, what: What): Notification {
  const step = what === 'closed' ? 'closed' : String(alert.told);
  return {
    id: `${alert.id}-${step}`,
    what,
    at: what === 'closed' ? (alert.closedAt ?? alert.notifiedAt) : alert.notifiedAt,
    openedAt: alert.openedAt,
    key: alert.key,
    finding: shownOf(alert),
  };
}

/**
 * Over which of the channels that there are a notification goes. A machine hears everything. A person's mail is spared what
 * changes nothing: that a warning still stands, or no longer does. The pages show all of it.
 */
export function channelsFor({ what, finding }: Notification, available: readonly Channel[]): Channel[] {
  const spared = finding.severity === 'warning' && (what === 'repeated' || what === 'closed');
  return available.filter((channel) => channel === 'webhook' || !spared);
}

// Minutes to the next try. The first seven fill the first two hours, then hourly for a day.
const BACKOFF_MINUTES = [1, 2, 5, 10, 15, 30, 60];
const MAX_ATTEMPTS = 30;

/** When a notification is tried again that is being tried now; undefined after about a day: then it is given up. */
export function nextTry(attempts: number, now: number): string | undefined {
  if (attempts >= MAX_ATTEMPTS) return undefined;
  const minutes = BACKOFF_MINUTES[Math.min(attempts, BACKOFF_MINUTES.length) - 1] ?? 1;
  return new Date(now + minutes * 60_000).toISOString();
}
