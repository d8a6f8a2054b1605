import { type Alert, type Finding, shownOf } from './alert.ts';

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

/** A pending notification on one channel. */
export interface Outgoing {
  notification: Notification;
  channel: Channel;
  /** Attempts so far. */
  attempts: number;
  /** ISO time of the next attempt. */
  dueAt: string;
}

/** The result of sending. */
export interface Delivery {
  channel: Channel;
  what: What;
  at: string;
  result: 'delivered' | 'given-up';
  attempts: number;
}

/** The notification about a change of an alert. */
export function notificationOf(alert: Alert, what: What): Notification {
  const step = what === 'closed' ? 'closed' : String(alert.notificationCount);
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
 * The channels for a notification. Webhooks get every event. Email omits what changes nothing: that a
 * warning still exists, or no longer does. The pages show everything.
 */
export function channelsFor({ what, finding }: Notification, available: readonly Channel[]): Channel[] {
  const spared = finding.severity === 'warning' && (what === 'repeated' || what === 'closed');
  return available.filter((channel) => channel === 'webhook' || !spared);
}

// Minutes until the next attempt. The first seven cover two hours, then hourly for a day.
const BACKOFF_MINUTES = [1, 2, 5, 10, 15, 30, 60];
const MAX_ATTEMPTS = 30;

/** The time of the next attempt; undefined after about a day: then it is abandoned. */
export function nextTry(attempts: number, now: number): string | undefined {
  if (attempts >= MAX_ATTEMPTS) return undefined;
  const minutes = BACKOFF_MINUTES[Math.min(attempts, BACKOFF_MINUTES.length) - 1] ?? 1;
  return new Date(now + minutes * 60_000).toISOString();
}
