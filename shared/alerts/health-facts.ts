import type { Account } from '../accounts/account.ts';
import type { Heartbeat, TimerName } from '../heartbeats/heartbeat.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { type FetchState, lastSuccessOf } from '../mailboxes/mailbox-store.ts';
import type { Config } from '../platform/config.ts';
import type { QueueName } from '../platform/queues.ts';
import { isFromFuture } from '../platform/trusted-time.ts';
import type { UnreadableRow } from '../platform/unreadable-rows.ts';
import type { Provider } from '../providers/provider.ts';
import type { ChannelFailure } from './channel-states.ts';

/** A part of Azure that does not answer as it should. */
export interface FailingPart {
  part: 'storage' | 'vault';
  /** What it said, for `explainText`; no secret. */
  said: string;
  /** ISO time. */
  since: string;
}

/** What the last check of a folder found missing. */
export interface MissingEmail {
  count: number;
  /** ISO time of the check. */
  checkedAt: string;
}

/** What one look at the installation found; from it follows what is wrong. */
export interface HealthFacts {
  mailboxes: readonly Mailbox[];
  state: FetchState;
  /** At least those of mailboxes that wait for a person or are tried again. */
  accounts: readonly Account[];
  providers: readonly Provider[];
  beats: ReadonlyMap<TimerName, Heartbeat>;
  failing: readonly FailingPart[];
  /** The configuration, if the caller has it. */
  config?: Pick<Config, 'demo'> | undefined;
  /** Problems of the channels' secrets; absent when they were not checked. */
  channelFailures?: readonly ChannelFailure[] | undefined;
  /** Queues whose work the Functions host gave up. */
  abandoned: readonly { queue: QueueName; count: number; since: string }[];
  /** Unimported email that nobody has dealt with. `since`: ISO time of the oldest. */
  quarantined: { count: number; since: string } | undefined;
  /** Messages in the folder of a mailbox that Postroom does not know, by mailbox id. */
  missing?: ReadonlyMap<string, MissingEmail> | undefined;
  /** Rows that had to be left out. */
  unreadable?: readonly UnreadableRow[] | undefined;
  /** Mailboxes that were silent without a reason already at a look before this one. */
  suspects: ReadonlySet<string>;
  /**
   * Mailboxes that were without the vault when it was last to blame, and how often their fetches had failed then. Until
   * they were tried again, that is still its doing.
   */
  withoutVault?: ReadonlyMap<string, number> | undefined;
}

const MINUTE = 60_000;
/** Promised: a quarter of an hour, or three intervals of the mailbox where that is longer. */
const PROMISED_MINUTES = 15;
/** Two looks are a minute apart, and what says nothing of a reason is looked at twice. */
const LOOKS_MINUTES = 2;

/** How long a mailbox may be without a fetch that worked, in milliseconds, so that the promise is kept. Pure. */
export const allowedSilence = ({ intervalMinutes }: Pick<Mailbox, 'intervalMinutes'>): number =>
  (Math.max(PROMISED_MINUTES, 3 * intervalMinutes) - LOOKS_MINUTES) * MINUTE;

/**
 * Since when a mailbox has had no fetch that worked, if that is longer than it may be. Time in which the whole app was
 * off does not count. ISO time; `now` in milliseconds. Pure.
 */
export function silentSince(
  mailbox: Mailbox,
  facts: Pick<HealthFacts, 'state' | 'beats'>,
  now: number,
): string | undefined {
  const last = lastSuccessOf(facts.state, mailbox.id, now) ?? mailbox.createdAt;
  return isSilent(mailbox, last, facts.beats, now) ? last : undefined;
}

/**
 * Whether a mailbox has had no fetch that worked since `last` (ISO time) for longer than it may be. A time from the future
 * counts for nothing: after a clock was set back, the monitor's return is what the mailbox is measured from. Pure.
 */
export function isSilent(
  mailbox: Pick<Mailbox, 'intervalMinutes'>,
  last: string,
  beats: HealthFacts['beats'],
  now: number,
): boolean {
  const back = beats.get('monitor')?.since ?? '';
  const [from] = [last, back]
    .filter((at) => at !== '' && !isFromFuture(at, now))
    .sort()
    .reverse();
  return from !== undefined && now - Date.parse(from) > allowedSilence(mailbox);
}

/** Enabled mailboxes that are silent and say nothing of a reason: worth a second look. Pure. */
export function silentWithoutReason(facts: Omit<HealthFacts, 'suspects'>, now: number): string[] {
  return facts.mailboxes
    .filter((mailbox) => mailbox.enabled && !facts.state.failing.has(mailbox.id))
    .filter((mailbox) => silentSince(mailbox, facts, now) !== undefined)
    .map(({ id }) => id);
}
