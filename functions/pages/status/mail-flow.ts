import { type Heartbeat, lateTimers, type TimerName } from '../../../shared/heartbeats/heartbeat.ts';
import type { Mailbox, MailboxHealth } from '../../../shared/mailboxes/mailbox.ts';
import { isSilent } from '../../../shared/alerts/health-facts.ts';
import type { Finding } from '../../../shared/alerts/alert.ts';

/** How one mailbox does, for the table. */
export interface MailboxLine {
  mailbox: Mailbox;
  health: MailboxHealth;
  state: 'works' | 'first-fetch' | 'off' | 'silent' | 'not-started' | 'retrying' | 'needs-person';
}

/** The one answer of the home page. */
export type MailFlow =
  | { kind: 'not-set-up' }
  /** A person's choice, which takes nothing from what is wrong besides. */
  | { kind: 'all-off'; findings: readonly Finding[] }
  | { kind: 'starting' }
  /** `paused`: mailboxes that a person has paused. */
  | { kind: 'flows'; paused: readonly MailboxLine[] }
  /** Fetches fail and are tried again; nobody has to do anything, and it does not pass for all being well. */
  | { kind: 'hiccup'; lines: readonly MailboxLine[] }
  /** Mail flows, and somebody should look at something. `lines`: mailboxes whose last fetch failed a moment ago. */
  | { kind: 'warned'; lines: readonly MailboxLine[]; findings: readonly Finding[] }
  /** Mail stands still somewhere. The first finding is the gravest. */
  | { kind: 'stopped'; findings: readonly [Finding, ...Finding[]] };

const MINUTE = 60_000;
const FIRST_FETCH_MINUTES = 5;

/**
 * Silent is a mailbox of which an alert would say so; while the timer is late that starts the fetches, nobody tries any.
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
  const waits = !isStarted && (state === 'works' || state === 'silent');
  return { mailbox, health, state: waits ? 'not-started' : state };
}

function stateOf(
  mailbox: Mailbox,
  health: MailboxHealth,
  beats: ReadonlyMap<TimerName, Heartbeat>,
  now: number,
): MailboxLine['state'] {
  if (!mailbox.enabled) return 'off';
  if (health.state !== 'works') return health.state;
  const since = (at: string): number => now - Date.parse(at);
  const last = health.lastSuccessAt;
  if (
    last === undefined &&
    since(mailbox.createdAt) <= (mailbox.intervalMinutes + FIRST_FETCH_MINUTES) * MINUTE
  )
    return 'first-fetch';
  return isSilent(mailbox, last ?? mailbox.createdAt, beats, now) ? 'silent' : 'works';
}

/** What the mailboxes and all that is wrong say together. Pure. */
export function mailFlow(lines: readonly MailboxLine[], findings: readonly Finding[]): MailFlow {
  const [first, ...others] = findings;
  if (first !== undefined && first.severity !== 'warning')
    return { kind: 'stopped', findings: [first, ...others] };
  // A mailbox that waits for a person and is no alert has been mended, and its next fetch will show it.
  const retrying = lines.filter(({ state }) => state === 'retrying' || state === 'needs-person');
  if (lines.length > 0 && lines.every(({ state }) => state === 'off')) return { kind: 'all-off', findings };
  if (first !== undefined) return { kind: 'warned', lines: retrying, findings };
  if (lines.length === 0) return { kind: 'not-set-up' };
  if (retrying.length > 0) return { kind: 'hiccup', lines: retrying };
  if (lines.every(({ state }) => state === 'off' || state === 'first-fetch')) return { kind: 'starting' };
  return { kind: 'flows', paused: lines.filter(({ state }) => state === 'off') };
}
