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
  /** Processor time of the app; absent where the system does not tell. */
  cpuSeconds?: number;
}

export interface Measurement {
  /** A minute without mailboxes. */
  empty: MeasuredMinute;
  /** A minute without mail with few mailboxes, and one with more. */
  idle: MeasuredMinute;
  idleWithMore: MeasuredMinute;
  /** A minute with mail in some of them. */
  mail: MeasuredMinute;
}

/** Assumptions that can't be measured on one machine. The result lists each. */
export interface Assumptions {
  mailboxesPerShard: number;
  /** Mailboxes that a shard's run looks at at once (shared/intake/look-pacing.ts). */
  atOnce: number;
  /** Seconds to sign in to a mailbox over the internet and look; of those looked at at once, the slowest. */
  secondsPerLook: number;
  /** Processor time of a look where it cannot be measured, in seconds. */
  cpuSecondsPerLook: number;
  mailsPerMailboxPerDay: number;
  /** Comparisons of a mailbox with its folder, so many in one execution (shared/intake/queue-checks.ts). */
  checksPerMailboxPerDay: number;
  checksAtOnce: number;
  bytesPerMail: number;
  minutesPerMonth: number;
  minutesBetweenFetches: number;
  memoryGb: number;
}

export const usual: Assumptions = {
  mailboxesPerShard: 100,
  atOnce: 100,
  secondsPerLook: 1.5,
  cpuSecondsPerLook: 0.003,
  mailsPerMailboxPerDay: 20,
  checksPerMailboxPerDay: 1,
  checksAtOnce: 5,
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

/** The minute in which the machine did least besides: its shortest durations. Requests are the same in each. */
export function quietest(minutes: readonly [MeasuredMinute, ...MeasuredMinute[]]): MeasuredMinute {
  const [first] = minutes;
  const cpu = minutes.flatMap(({ cpuSeconds }) => cpuSeconds ?? []);
  const shortest = minutes.reduce(
    (one, other) => (shardSeconds(other) < shardSeconds(one) ? other : one),
    first,
  );
  return { ...shortest, ...(cpu.length > 0 && { cpuSeconds: Math.min(...cpu) }) };
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

/** Rounds in a month, and shards in a round. */
function rounds(mailboxes: number, assumed: Assumptions): { rounds: number; shards: number } {
  return {
    rounds: assumed.minutesPerMonth / assumed.minutesBetweenFetches,
    shards: Math.ceil(mailboxes / assumed.mailboxesPerShard),
  };
}

function requestsOf(
  { empty, idle, idleWithMore, mail }: Measurement,
  mailboxes: number,
  assumed: Assumptions,
): Record<Metered, number> {
  const { rounds: times, shards } = rounds(mailboxes, assumed);
  const amount = (kind: Metered): number => {
    const more = idleWithMore.mailboxes - idle.mailboxes;
    const perMailbox = Math.max(0, (idleWithMore.requests[kind] - idle.requests[kind]) / more);
    const perRound = empty.requests[kind];
    const perShard = Math.max(0, idle.requests[kind] - perRound - perMailbox * idle.mailboxes);
    const perMail = Math.max(0, (mail.requests[kind] - idleWithMore.requests[kind]) / mail.mails);
    return (
      assumed.minutesPerMonth * perRound +
      times * (shards * perShard + mailboxes * perMailbox) +
      mailsOf(mailboxes, assumed) * perMail
    );
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
  const days = assumed.minutesPerMonth / 1440;
  const checks = (mailboxes * assumed.checksPerMailboxPerDay * days) / assumed.checksAtOnce;
  const idleRuns = assumed.minutesPerMonth * runs + times * shards + checks;
  const secondsPerShard = secondsPerShardOf({ idle, idleWithMore }, mailboxes, assumed);
  const perMail = Math.max(0, (shardSeconds(mail) - shardSeconds(idleWithMore)) / mail.mails);
  const mails = mailsOf(mailboxes, assumed);
  const all =
    assumed.minutesPerMonth * seconds +
    times * shards * secondsPerShard +
    checks * Math.max(1, assumed.secondsPerLook) +
    mails * perMail;
  return {
    gbSecond: all * assumed.memoryGb,
    execution: idleRuns,
    storedGb: (mails * assumed.bytesPerMail) / 1e9,
  };
}

/**
 * Duration of a shard's run without mail: looks wait for servers at the same time, but share a processor. An instance
 * has a core for each 2,048 MB
 * (https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#instance-sizes).
 */
export function secondsPerShardOf(
  { idle, idleWithMore }: Pick<Measurement, 'idle' | 'idleWithMore'>,
  mailboxes: number,
  assumed: Assumptions,
): number {
  const inShard = Math.min(mailboxes, assumed.mailboxesPerShard);
  const waiting = Math.ceil(inShard / assumed.atOnce) * assumed.secondsPerLook;
  const cpuPerLook =
    idle.cpuSeconds !== undefined && idleWithMore.cpuSeconds !== undefined
      ? Math.max(0, (idleWithMore.cpuSeconds - idle.cpuSeconds) / (idleWithMore.mailboxes - idle.mailboxes))
      : assumed.cpuSecondsPerLook;
  const computing = (inShard * cpuPerLook) / (assumed.memoryGb / 2);
  return Math.max(1, waiting, computing);
}

/**
 * What push costs in addition: each email starts two executions, the notification and the fetch of its mailbox, each of at
 * least a second.
 */
export function pushUsd(mailboxes: number, assumed: Assumptions, gbSecond: Price): number {
  const seconds = mailsOf(mailboxes, assumed) * (1 + Math.max(1, assumed.secondsPerLook));
  return (seconds * assumed.memoryGb * gbSecond.usd) / gbSecond.per;
}

const shardSeconds = ({ executions }: MeasuredMinute): number => executions['fetchShard']?.seconds ?? 0;
