import type { Mailbox, MailboxHealth } from '../../shared/mailboxes/mailbox.ts';
import type { Condition } from '../../shared/notices/notice.ts';

/** How one mailbox does, for the table. */
export interface MailboxLine {
  mailbox: Mailbox;
  health: MailboxHealth;
  state: 'works' | 'first-fetch' | 'off' | 'silent' | 'retrying' | 'needs-person';
}

/** The one answer of the home page. */
export type MailFlow =
  | { kind: 'not-set-up' }
  | { kind: 'all-off' }
  | { kind: 'starting' }
  | { kind: 'flows' }
  /** A fetch failed a moment ago; nobody has to do anything. */
  | { kind: 'hiccup'; lines: readonly MailboxLine[]; conditions: readonly Condition[] }
  /** All mail flows, and somebody should look at something. */
  | { kind: 'warned'; conditions: readonly Condition[] }
  /** Mail stands still somewhere. The first condition is the gravest. */
  | { kind: 'stopped'; conditions: readonly [Condition, ...Condition[]] };

const MINUTE = 60_000;
const SILENT_AFTER_MINUTES = 15;
const FIRST_FETCH_MINUTES = 5;

/** `now` in milliseconds. A mailbox nobody fetched for 15 minutes, or three of its rounds, counts as silent. */
export function mailboxLine(mailbox: Mailbox, health: MailboxHealth, now: number): MailboxLine {
  return { mailbox, health, state: stateOf(mailbox, health, now) };
}

function stateOf(mailbox: Mailbox, health: MailboxHealth, now: number): MailboxLine['state'] {
  if (!mailbox.enabled) return 'off';
  if (health.state !== 'works') return health.state;
  const since = (at: string): number => now - Date.parse(at);
  const last = health.lastSuccessAt;
  if (
    last === undefined &&
    since(mailbox.createdAt) <= (mailbox.intervalMinutes + FIRST_FETCH_MINUTES) * MINUTE
  )
    return 'first-fetch';
  const allowed = Math.max(SILENT_AFTER_MINUTES, 3 * mailbox.intervalMinutes) * MINUTE;
  return since(last ?? mailbox.createdAt) > allowed ? 'silent' : 'works';
}

/** What the mailboxes and all that is wrong say together. Pure. */
export function mailFlow(lines: readonly MailboxLine[], conditions: readonly Condition[]): MailFlow {
  const [first, ...others] = conditions;
  if (first !== undefined && first.severity !== 'warning')
    return { kind: 'stopped', conditions: [first, ...others] };
  if (lines.length === 0)
    return first === undefined ? { kind: 'not-set-up' } : { kind: 'warned', conditions };
  if (lines.every(({ state }) => state === 'off')) return { kind: 'all-off' };
  const retrying = lines.filter(({ state }) => state === 'retrying');
  if (retrying.length > 0) return { kind: 'hiccup', lines: retrying, conditions };
  if (first !== undefined) return { kind: 'warned', conditions };
  if (lines.every(({ state }) => state === 'off' || state === 'first-fetch')) return { kind: 'starting' };
  return { kind: 'flows' };
}
