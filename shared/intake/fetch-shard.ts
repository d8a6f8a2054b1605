import type { ActivityStore } from '../activity/activity-store.ts';
import type { FetchFailure, Mailbox } from '../mailboxes/mailbox.ts';
import { type FetchState, lastSuccessOf, type MailboxStore } from '../mailboxes/mailbox-store.ts';
import { sharedCauseOf } from '../mailboxes/shared-cause.ts';
import { mapLimited, withinTime } from '../platform/concurrency.ts';
import { describeError, PostroomError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import type { Queues } from '../platform/queues.ts';
import { telemetry } from '../platform/telemetry.ts';
import { isFromFuture } from '../platform/trusted-time.ts';
import { dueMailboxes, dueWhenAnnounced } from './due-mailboxes.ts';
import { activityOf, countOf } from './fetch-activity.ts';
import { causeEnded, nextFailure, waitingFor } from './fetch-failure.ts';
import { type FetchInTurn, fetchInTurns } from './fetch-in-turn.ts';
import type { FetchDeps, FetchResult } from './fetch-mailbox.ts';
import { tooSlow } from './look-at-mailbox.ts';
import { LOOKS_AT_ONCE } from './look-pacing.ts';
import { queueAtOnce, type Shard } from './queue-due-mailboxes.ts';
import { createReconciliationStore } from './reconciliation-records.ts';
import { type Fetched, SAVE_MS, shardSaver } from './save-shard.ts';

export interface ShardDeps extends FetchDeps {
  mailboxes: MailboxStore;
  activity: Pick<ActivityStore, 'note'>;
  /**
   * Receives the mailboxes that become due at the end of an outage.
   * Without it, they wait for the timer's next minute.
   */
  queues?: Pick<Queues, 'send'>;
}

const TIME_BOX_MS = 4 * 60_000;
/** Extra time for a batch that started before the deadline; then its mailbox is aborted. */
const GRACE_MS = 60_000;
/** Time for an aborted mailbox to end; then the run no longer waits for it. */
const ENDING_MS = 10_000;

/**
 * Fetches the mailboxes of a shard at once and independently: a mailbox that fails or hangs never stops
 * another. A run ends within six minutes; mailboxes that were not reached come first in the next run.
 * @returns the result of each fetch, by mailbox ID; undefined: storage was unavailable and nothing was
 * recorded
 */
export async function fetchShard(
  deps: ShardDeps,
  { shard, mailboxIds, isAnnounced = false }: Shard,
): Promise<ReadonlyMap<string, FetchResult | undefined>> {
  const [all, state] = await Promise.all([deps.mailboxes.list(), deps.mailboxes.fetchState()]);
  const began = deps.seam.now();
  const lastSuccess = ({ id }: Mailbox): string => lastSuccessOf(state, id, began) ?? '';
  // The message may be stale: another run may have fetched a mailbox since, or have scheduled its retry.
  const due = (isAnnounced ? dueWhenAnnounced : dueMailboxes)(all, state, began);
  const wanted = all
    .filter(({ id }) => due.has(id) && mailboxIds.includes(id))
    .sort((a, b) => lastSuccess(a).localeCompare(lastSuccess(b)));
  const deadline = began + TIME_BOX_MS;
  const announceRecovery = recoveryAnnouncer(deps, all, state);
  const done: Fetched[] = [];
  const existing = new Set(all.map(({ id }) => id));
  // The minute's run of the same shard may end meanwhile.
  const save = shardSaver(deps, shard, existing, isAnnounced ? undefined : state, done);
  const fetchInTurn = fetchInTurns();
  const run = mapLimited(wanted, LOOKS_AT_ONCE, async (mailbox, rank) => {
    if (deps.seam.now() >= deadline) return;
    const fetched = await fetchMeasured(deps, mailbox, state, { deadline, rank, fetchInTurn });
    if (fetched === undefined) return;
    done.push(fetched);
    if (fetched.result !== undefined) await announceRecovery(mailbox, fetched.result);
  });
  while ((await withinTime(run, SAVE_MS)) === 'late')
    await save().catch((error: unknown) =>
      log.warn('shard not saved', { shard, error: describeError(error) }),
    );
  await save();
  return new Map(done.map(({ mailboxId, result }) => [mailboxId, result]));
}

/**
 * When a fetch shows that a shared cause is over, makes all mailboxes that wait for it due, once per run.
 * Never throws: if storage fails here, the next probe, a minute later, does it again.
 */
function recoveryAnnouncer(
  deps: Pick<ShardDeps, 'seam' | 'mailboxes' | 'queues'>,
  all: readonly Mailbox[],
  state: FetchState,
): (mailbox: Mailbox, result: FetchResult) => Promise<void> {
  const announced = new Set<string>();
  return async (mailbox, result) => {
    const cause = causeEnded(mailbox, state.failing.get(mailbox.id), result);
    if (cause === undefined || announced.has(cause)) return;
    announced.add(cause);
    const waiting = waitingFor(cause, all, state, mailbox.id);
    if (waiting.size === 0) return;
    try {
      await deps.mailboxes.saveRecovery(cause, new Date(deps.seam.now()).toISOString());
      log.info('shared cause over', { cause, waiting: waiting.size });
      if (deps.queues !== undefined) await queueAtOnce(deps.queues, all, waiting);
    } catch (error) {
      log.warn('recovery not announced', { cause, error: describeError(error) });
    }
  };
}

/** The place of a mailbox in the run. */
interface Turn {
  /** Milliseconds since the epoch. */
  deadline: number;
  rank: number;
  fetchInTurn: FetchInTurn;
}

function fetchMeasured(
  deps: ShardDeps,
  mailbox: Mailbox,
  state: FetchState,
  turn: Turn,
): Promise<Fetched | undefined> {
  return telemetry.span('fetch mailbox', { fields: { mailbox: mailbox.id } }, async (span) => {
    const began = deps.seam.now();
    const fetched = await fetchOne(deps, mailbox, state, turn);
    if (fetched === undefined) {
      span.discard();
      return undefined;
    }
    const { result } = fetched;
    const seconds = (deps.seam.now() - began) / 1000;
    const kind = result?.kind ?? 'broken-off';
    telemetry.measure('fetchDuration', seconds, { result: kind });
    if (kind === 'nothing-new' || kind === 'busy') span.discard();
    span.add({ result: kind });
    if (result?.kind === 'fetched') {
      const { opened, replies, quarantined, skipped } = result;
      for (const [outcome, count] of Object.entries({ ticket: opened, reply: replies, quarantined, skipped }))
        if (count > 0) telemetry.measure('emails', count, { outcome });
    }
    if (result?.kind === 'failed') span.add({ code: result.failure.code });
    return fetched;
  });
}

/** @returns undefined if its turn did not come */
async function fetchOne(
  deps: ShardDeps,
  mailbox: Mailbox,
  state: FetchState,
  turn: Turn,
): Promise<Fetched | undefined> {
  const mailboxId = mailbox.id;
  const began = deps.seam.now();
  const before = state.failing.get(mailboxId);
  try {
    const result = await fetchSafely(deps, mailbox, state, turn);
    if (result === undefined) return undefined;
    const now = deps.seam.now();
    const activity = activityOf(mailbox, result, before, now, now - began);
    if (result.kind === 'failed') {
      const failure = nextFailure(before, result.failure, now);
      log.warn('fetch failed', { mailbox: mailboxId, code: failure.code, nextTryAt: failure.nextTryAt });
      await deps.mailboxes.setFailure(mailboxId, failure);
      return { mailboxId, result, activity };
    }
    if (result.kind === 'busy') return { mailboxId, result };
    if (before !== undefined) await recordRecovery(deps, mailboxId, result, before, now);
    if (result.kind === 'fetched') logFetched(mailboxId, result, now - began);
    return {
      mailboxId,
      result,
      workedAt: new Date(now).toISOString(),
      activity,
      ...(result.kind === 'fetched' && { counted: countOf(result) }),
    };
  } catch (error) {
    // Storage is unavailable: nothing can be recorded. The next minute retries.
    log.error('fetch ended early', error, { mailbox: mailboxId });
    return { mailboxId, result: undefined };
  }
}

/** Records the recovery. The emails of this first successful fetch had waited on the server. */
async function recordRecovery(
  { mailboxes, tables }: ShardDeps,
  mailboxId: string,
  result: FetchResult,
  { since }: FetchFailure,
  now: number,
): Promise<void> {
  const { emails, more } =
    result.kind === 'fetched'
      ? { emails: countOf(result).emails, more: result.more }
      : { emails: 0, more: false };
  const until = new Date(now).toISOString();
  await createReconciliationStore(tables).saveRecovered({ mailboxId, since, until, emails, more });
  await mailboxes.setFailure(mailboxId, undefined);
}

/** Turns an error on our side into a failure of this mailbox, so that its page shows it. */
async function fetchSafely(
  deps: ShardDeps,
  mailbox: Mailbox,
  state: FetchState,
  turn: Turn,
): Promise<FetchResult | undefined> {
  try {
    return await fetchInTime(deps, mailbox, state, turn);
  } catch (error) {
    log.error('fetch stopped', error, { mailbox: mailbox.id });
    const code = error instanceof PostroomError ? error.code : 'unexpected';
    const message = `Postroom could not finish a fetch of ${mailbox.address} (${describeError(error)}). It retries automatically.`;
    return { kind: 'failed', failure: { kind: 'retrying', code, message } };
  }
}

/** Aborts a fetch if the server never responds or responds very slowly. Everything stored before counts. */
async function fetchInTime(
  deps: ShardDeps,
  mailbox: Mailbox,
  state: FetchState,
  { deadline, rank, fetchInTurn }: Turn,
): Promise<FetchResult | undefined> {
  const cut = new AbortController();
  // If the clock is set back meanwhile, the run must still not exceed the host's time limit.
  const left = Math.min(Math.max(0, deadline - deps.seam.now()), TIME_BOX_MS) + GRACE_MS;
  const timer = setTimeout(() => cut.abort(), left);
  const cursor = state.cursors.get(mailbox.id);
  const fetching = fetchInTurn(
    { ...deps, accessTokens: tokensFor(deps, mailbox, state.failing.get(mailbox.id)) },
    mailbox,
    cursor,
    { deadline, cut: cut.signal, rank },
  );
  try {
    if ((await withinTime(fetching, left + ENDING_MS)) === 'late')
      return { kind: 'failed', failure: tooSlow(mailbox) };
    return await fetching;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A mailbox that is retried because a shared cause may be over ignores its account's backoff, which grew with
 * the outage. So does one whose timestamps come from a wrong clock.
 */
function tokensFor(
  { accessTokens, seam }: Pick<ShardDeps, 'accessTokens' | 'seam'>,
  mailbox: Mailbox,
  before: FetchFailure | undefined,
): ShardDeps['accessTokens'] {
  if (before === undefined) return accessTokens;
  const cause = sharedCauseOf(mailbox, before);
  const isOfSignIn = cause !== undefined && !cause.startsWith('server|');
  const mayBeOver = isOfSignIn || isFromFuture(before.triedAt, seam.now());
  if (!mayBeOver) return accessTokens;
  return { get: (account, options) => accessTokens.get(account, { ...options, tryNow: true }) };
}

function logFetched(mailbox: string, result: FetchResult & { kind: 'fetched' }, ms: number): void {
  const { opened, replies, quarantined, skipped, more } = result;
  log.info('fetched', { mailbox, opened, replies, quarantined, skipped, more, ms });
}
