import type { StorageOperation } from '../emulators/storage/storage-proxy.ts';

// Computes the cost of a month from the usage of a minute. Pure.

export type Metered = Exclude<StorageOperation, 'queue-empty' | 'blob-delete'> | 'vault';
export const meteredKinds: readonly Metered[] = ['table', 'queue', 'blob-write', 'blob-read', 'vault'];

/** Requests to each service in a period. */
export type Requests = Readonly<Record<Metered, number>>;

/** Executions of a function and their total duration (seconds, at least one per run, as charged). */
export type Executions = Readonly<Record<string, { runs: number; seconds: number }>>;

export interface MeasuredMinute {
  mailboxes: number;
  mails: number;
  requests: Requests;
  executions: Executions;
}

export interface Measurement {
  /** A minute without mail with few mailboxes, and one with more. */
  idle: MeasuredMinute;
  idleWithMore: MeasuredMinute;
  /** A minute with mail in some of them. */
  mail: MeasuredMinute;
}

/** Assumptions that can't be measured on one machine. The result lists each. */
export interface Assumptions {
  mailboxesPerShard: number;
  /** Mailboxes that a shard's run has open at once (shared/intake/fetch-shard.ts). */
  atOnce: number;
  /** Seconds to sign in to a mailbox over the internet and check it. */
  secondsPerLook: number;
  mailsPerMailboxPerDay: number;
  bytesPerMail: number;
  minutesPerMonth: number;
  minutesBetweenFetches: number;
  memoryGb: number;
}

export const usual: Assumptions = {
  mailboxesPerShard: 100,
  atOnce: 8,
  secondsPerLook: 1.5,
  mailsPerMailboxPerDay: 20,
  bytesPerMail: 220_000,
  minutesPerMonth: 730 * 60,
  minutesBetweenFetches: 1,
  memoryGb: 2,
};

export type Priced = Metered | 'gbSecond' | 'execution' | 'storedGb';

export interface Price {
  usd: number;
  per: number;
  freePerMonth: number;
}

export interface Month {
  mailboxes: number;
  /** The quantity of each item, and its price in US dollars beyond the free grant. */
  lines: readonly { item: Priced; amount: number; usd: number }[];
  usd: number;
}

/** One month of an installation with this many mailboxes. */
export function monthOf(
  measurement: Measurement,
  mailboxes: number,
  assumed: Assumptions,
  prices: Readonly<Record<Priced, Price>>,
): Month {
  const amounts = {
    ...requestsOf(measurement, mailboxes, assumed),
    ...timeOf(measurement, mailboxes, assumed),
  };
  const lines = (Object.keys(amounts) as Priced[]).map((item) => {
    const { usd, per, freePerMonth } = prices[item];
    const amount = amounts[item];
    return { item, amount, usd: (Math.max(0, amount - freePerMonth) / per) * usd };
  });
  return { mailboxes, lines, usd: lines.reduce((sum, line) => sum + line.usd, 0) };
}

const mailsOf = (mailboxes: number, { mailsPerMailboxPerDay, minutesPerMonth }: Assumptions): number =>
  mailboxes * mailsPerMailboxPerDay * (minutesPerMonth / 1440);

/**
 * Rounds in a month, and shards in a round. The installation's share of a round is counted per shard, which
 * is a high estimate.
 */
function rounds(mailboxes: number, assumed: Assumptions): { rounds: number; shards: number } {
  return {
    rounds: assumed.minutesPerMonth / assumed.minutesBetweenFetches,
    shards: Math.ceil(mailboxes / assumed.mailboxesPerShard),
  };
}

function requestsOf(
  { idle, idleWithMore, mail }: Measurement,
  mailboxes: number,
  assumed: Assumptions,
): Record<Metered, number> {
  const { rounds: times, shards } = rounds(mailboxes, assumed);
  const amount = (kind: Metered): number => {
    const more = idleWithMore.mailboxes - idle.mailboxes;
    const perMailbox = Math.max(0, (idleWithMore.requests[kind] - idle.requests[kind]) / more);
    const perShard = Math.max(0, idle.requests[kind] - perMailbox * idle.mailboxes);
    const perMail = Math.max(0, (mail.requests[kind] - idleWithMore.requests[kind]) / mail.mails);
    return times * (shards * perShard + mailboxes * perMailbox) + mailsOf(mailboxes, assumed) * perMail;
  };
  return Object.fromEntries(meteredKinds.map((kind) => [kind, amount(kind)])) as Record<Metered, number>;
}

function timeOf(
  { idle, idleWithMore, mail }: Measurement,
  mailboxes: number,
  assumed: Assumptions,
): Record<'gbSecond' | 'execution' | 'storedGb', number> {
  const { rounds: times, shards } = rounds(mailboxes, assumed);
  const others = Object.entries(idle.executions).filter(([name]) => name !== 'fetchShard');
  const runs = others.reduce((sum, [, { runs: one }]) => sum + one, 0);
  const seconds = others.reduce((sum, [, { seconds: one }]) => sum + one, 0);
  // Timers run every minute, however rarely mail is fetched.
  const idleRuns = assumed.minutesPerMonth * runs + times * shards;
  const inShard = Math.min(mailboxes, assumed.mailboxesPerShard);
  const secondsPerShard = Math.max(1, (inShard * assumed.secondsPerLook) / assumed.atOnce);
  const perMail = Math.max(0, (shardSeconds(mail) - shardSeconds(idleWithMore)) / mail.mails);
  const mails = mailsOf(mailboxes, assumed);
  const all = assumed.minutesPerMonth * seconds + times * shards * secondsPerShard + mails * perMail;
  return {
    gbSecond: all * assumed.memoryGb,
    execution: idleRuns,
    storedGb: (mails * assumed.bytesPerMail) / 1e9,
  };
}

const shardSeconds = ({ executions }: MeasuredMinute): number => executions['fetchShard']?.seconds ?? 0;
