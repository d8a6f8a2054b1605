import type { Finding } from '../../../shared/alerts/alert.ts';
import { isSilent } from '../../../shared/alerts/health-facts.ts';
import { type Heartbeat, lateTimers, type TimerName } from '../../../shared/heartbeats/heartbeat.ts';
import type { Mailbox, MailboxHealth } from '../../../shared/mailboxes/mailbox.ts';

/** The state of one mailbox, for the table. */
export interface MailboxLine {
  mailbox: Mailbox;
  health: MailboxHealth;
  state: 'ok' | 'first-fetch' | 'off' | 'silent' | 'not-started' | 'retrying' | 'action-required';
}

/** What the home page says: whether mail is flowing. */
export type MailFlow =
  | { kind: 'not-set-up' }
  /** Every mailbox is paused by a person; other findings are still shown. */
  | { kind: 'all-off'; findings: readonly Finding[] }
  | { kind: 'starting' }
  /** `paused`: mailboxes that a person has paused. */
  | { kind: 'flows'; paused: readonly MailboxLine[] }
  /** Some fetches fail and are retried: no action is needed, but the page does not say that all is well. */
  | { kind: 'hiccup'; lines: readonly MailboxLine[] }
  /** Mail is flowing, but there are warnings. `lines`: mailboxes whose last fetch failed. */
  | { kind: 'warned'; lines: readonly MailboxLine[]; findings: readonly Finding[] }
  /** Some mail is not fetched. The first finding is the most severe. */
  | { kind: 'stopped'; findings: readonly [Finding, ...Finding[]] };

const MINUTE = 60_000;
const FIRST_FETCH_MINUTES = 5;

/**
 * `silent` matches the rule of the alert. While the timer that starts fetches is late, no mailbox is fetched.
 * Pure.
 * @param now milliseconds since the epoch
 */
export function mailboxLine(
  mailbox: Mailbox,
  health: MailboxHealth,
  beats: ReadonlyMap<TimerName, Heartbeat>,
  now: number,
): MailboxLine {
  const state = stateOf(mailbox, health, beats, now);
  const isStarted = !lateTimers(beats, now).some(({ name }) => name === 'fetchMail');
  const waits = !isStarted && (state === 'ok' || state === 'silent');
  return { mailbox, health, state: waits ? 'not-started' : state };
}

function stateOf(
  mailbox: Mailbox,
  health: MailboxHealth,
  beats: ReadonlyMap<TimerName, Heartbeat>,
  now: number,
): MailboxLine['state'] {
  if (!mailbox.enabled) return 'off';
  if (health.state !== 'ok') return health.state;
  const since = (at: string): number => now - Date.parse(at);
  const last = health.lastSuccessAt;
  if (
    last === undefined &&
    since(mailbox.createdAt) <= (mailbox.intervalMinutes + FIRST_FETCH_MINUTES) * MINUTE
  )
    return 'first-fetch';
  return isSilent(mailbox, last ?? mailbox.createdAt, beats, now, health.announcedUntil) ? 'silent' : 'ok';
}

/** Combines the mailboxes’ states and the findings into one verdict. Pure. */
export function mailFlow(lines: readonly MailboxLine[], findings: readonly Finding[]): MailFlow {
  const [first, ...others] = findings;
  if (first !== undefined && first.severity !== 'warning')
    return { kind: 'stopped', findings: [first, ...others] };
  // A mailbox that waits for a person without an alert was just repaired; its next fetch will show it.
  const retrying = lines.filter(({ state }) => state === 'retrying' || state === 'action-required');
  if (lines.length > 0 && lines.every(({ state }) => state === 'off')) return { kind: 'all-off', findings };
  if (first !== undefined) return { kind: 'warned', lines: retrying, findings };
  if (lines.length === 0) return { kind: 'not-set-up' };
  if (retrying.length > 0) return { kind: 'hiccup', lines: retrying };
  if (lines.every(({ state }) => state === 'off' || state === 'first-fetch')) return { kind: 'starting' };
  return { kind: 'flows', paused: lines.filter(({ state }) => state === 'off') };
}
