import type { Account } from '../accounts/account.ts';
import type { Heartbeat, TimerName } from '../heartbeats/heartbeat.ts';
import { lookInterval } from '../mailboxes/look-interval.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { type FetchState, lastSuccessOf } from '../mailboxes/mailbox-store.ts';
import type { Config } from '../platform/config.ts';
import type { QueueName } from '../platform/queues.ts';
import { isFromFuture } from '../platform/trusted-time.ts';
import type { UnreadableRow } from '../platform/unreadable-rows.ts';
import type { Provider } from '../providers/provider.ts';
import type { Push } from '../push/subscription.ts';
import type { ChannelFailure } from './channel-states.ts';

/** A dependency in Azure that does not work as it should. */
export interface FailingPart {
  part: 'storage' | 'vault';
  /** Its error message, for `explainText`; contains no secret. */
  message: string;
  /** ISO time. */
  since: string;
}

/** What the last check of a folder found missing. */
export interface MissingEmail {
  count: number;
  /** ISO time of the check. */
  checkedAt: string;
}

/** The result of one health check; the findings are derived from it. */
export interface HealthFacts {
  mailboxes: readonly Mailbox[];
  state: FetchState;
  /** At least the accounts of mailboxes that require action or are retrying. */
  accounts: readonly Account[];
  providers: readonly Provider[];
  beats: ReadonlyMap<TimerName, Heartbeat>;
  failing: readonly FailingPart[];
  /** The configuration, if the caller has it. */
  config?: Pick<Config, 'demo'> | undefined;
  /** Problems of the channels' secrets; absent when they were not checked. */
  channelFailures?: readonly ChannelFailure[] | undefined;
  /** Queues with messages that the Functions host abandoned. */
  abandoned: readonly { queue: QueueName; count: number; since: string }[];
  /** Unimported email that nobody has dealt with. `since`: ISO time of the oldest. */
  quarantined: { count: number; since: string } | undefined;
  /** Messages in the folder of a mailbox that Postroom does not know, by mailbox ID. */
  missing?: ReadonlyMap<string, MissingEmail> | undefined;
  /** The push of mailboxes. */
  pushes?: readonly Push[] | undefined;
  /** Rows that were omitted because they could not be read. */
  unreadable?: readonly UnreadableRow[] | undefined;
  /** Mailboxes that were already silent without a reason at the previous check. */
  suspects: ReadonlySet<string>;
  /**
   * Mailboxes affected by the last vault failure, with the number of failed fetches at that time. Until
   * they are retried, the vault is still the cause.
   */
  withoutVault?: ReadonlyMap<string, number> | undefined;
}

const MINUTE = 60_000;
/** Promised to users: a quarter of an hour, or three intervals of the mailbox if that is longer. */
const PROMISED_MINUTES = 15;
/** Checks are a minute apart, and a silence without a reason must be seen twice. */
const CHECK_MINUTES = 2;

/** A mailbox that is looked at every 15 minutes must not be late for its look at once. */
const LATE_LOOK_MINUTES = 5;

/**
 * How long a mailbox may go without a successful fetch, in milliseconds, without breaking the promise.
 * Pure.
 * @param lookMinutes the present interval, if it is longer because the mail server announces new email
 */
export const allowedSilence = (
  { intervalMinutes }: Pick<Mailbox, 'intervalMinutes'>,
  lookMinutes = intervalMinutes,
): number => {
  const announced = lookMinutes > intervalMinutes ? lookMinutes + LATE_LOOK_MINUTES : 0;
  return (Math.max(PROMISED_MINUTES, 3 * intervalMinutes, announced) - CHECK_MINUTES) * MINUTE;
};

/**
 * Since when a mailbox has had no successful fetch, if that is longer than allowed. Time in which the whole
 * app was off does not count. ISO time; `now` in milliseconds. Pure.
 */
export function silentSince(
  mailbox: Mailbox,
  facts: Pick<HealthFacts, 'state' | 'beats'>,
  now: number,
): string | undefined {
  const last = lastSuccessOf(facts.state, mailbox.id, now) ?? mailbox.createdAt;
  return isSilent(mailbox, last, facts.beats, now, facts.state.announced?.get(mailbox.id)) ? last : undefined;
}

/**
 * True when a mailbox has had no successful fetch since `last` (ISO time) for longer than allowed. A time
 * in the future is ignored: after a clock was set back, the silence is measured from the monitor's return.
 * Pure.
 * @param announcedUntil ISO time until which the mail server announces new email
 */
export function isSilent(
  mailbox: Pick<Mailbox, 'intervalMinutes'>,
  last: string,
  beats: HealthFacts['beats'],
  now: number,
  announcedUntil?: string,
): boolean {
  const back = beats.get('monitor')?.since ?? '';
  const [from] = [last, back]
    .filter((at) => at !== '' && !isFromFuture(at, now))
    .sort()
    .reverse();
  const allowed = allowedSilence(mailbox, lookInterval(mailbox, announcedUntil, now));
  return from !== undefined && now - Date.parse(from) > allowed;
}

/** Enabled mailboxes that are silent without a known reason and need a second check. Pure. */
export function silentWithoutReason(facts: Omit<HealthFacts, 'suspects'>, now: number): string[] {
  return facts.mailboxes
    .filter((mailbox) => mailbox.enabled && !facts.state.failing.has(mailbox.id))
    .filter((mailbox) => silentSince(mailbox, facts, now) !== undefined)
    .map(({ id }) => id);
}
