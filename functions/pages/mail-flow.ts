import type { Mailbox, MailboxHealth } from '../../shared/mailboxes/mailbox.ts';

/** How one mailbox does, for the table. */
export interface MailboxLine {
  mailbox: Mailbox;
  health: MailboxHealth | undefined;
  state: 'works' | 'first-fetch' | 'off' | 'silent' | 'retrying' | 'needs-person';
}

/** The one answer of the home page. Lines are those that are in the way. */
export type MailFlow =
  | { kind: 'not-set-up' }
  | { kind: 'all-off' }
  | { kind: 'starting' }
  | { kind: 'flows' }
  | { kind: 'troubled'; lines: readonly MailboxLine[] };

const MINUTE = 60_000;
const SILENT_AFTER_MINUTES = 15;
const FIRST_FETCH_MINUTES = 5;

/** `now` in milliseconds. A mailbox nobody fetched for 15 minutes, or three of its rounds, counts as silent. */
export function mailboxLine(mailbox: Mailbox, health: MailboxHealth | undefined, now: number): MailboxLine {
  return { mailbox, health, state: stateOf(mailbox, health, now) };
}

function stateOf(mailbox: Mailbox, health: MailboxHealth | undefined, now: number): MailboxLine['state'] {
  if (!mailbox.enabled) return 'off';
  if (health !== undefined && health.state !== 'works') return health.state;
  const since = (at: string): number => now - Date.parse(at);
  const last = health?.lastSuccessAt;
  if (
    last === undefined &&
    since(mailbox.createdAt) <= (mailbox.intervalMinutes + FIRST_FETCH_MINUTES) * MINUTE
  )
    return 'first-fetch';
  const allowed = Math.max(SILENT_AFTER_MINUTES, 3 * mailbox.intervalMinutes) * MINUTE;
  return since(last ?? mailbox.createdAt) > allowed ? 'silent' : 'works';
}

/** What all lines together say. */
export function mailFlow(lines: readonly MailboxLine[]): MailFlow {
  if (lines.length === 0) return { kind: 'not-set-up' };
  const troubled = lines.filter(({ state }) => ['needs-person', 'silent', 'retrying'].includes(state));
  if (troubled.length > 0) return { kind: 'troubled', lines: troubled };
  if (lines.every(({ state }) => state === 'off')) return { kind: 'all-off' };
  if (lines.every(({ state }) => state === 'off' || state === 'first-fetch')) return { kind: 'starting' };
  return { kind: 'flows' };
}

/** A sentence for a mailbox that is in the way. It says whether mail is at risk: it is not, it waits on the server. */
export function troubleSentence({ mailbox, health, state }: MailboxLine): string {
  const problem = sentence(health?.problem);
  switch (state) {
    case 'needs-person':
      return `${mailbox.address} needs somebody. ${problem ?? 'Its sign-in no longer works.'}`;
    case 'retrying':
      return `${mailbox.address} could not be fetched and is tried again. ${problem ?? ''}`.trim();
    default:
      return `${mailbox.address} has not been fetched for a while. The timer or the storage may be down.`;
  }
}

function sentence(problem: string | undefined): string | undefined {
  const text = problem?.trim();
  if (text === undefined || text === '') return undefined;
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
