import type { Activity } from '../activity/activity.ts';
import type { ActivityStore } from '../activity/activity-store.ts';
import { type MailHour, withMails } from '../mailboxes/mail-hours.ts';
import type { FetchFailure, Mailbox } from '../mailboxes/mailbox.ts';
import { type FetchState, lastSuccessOf, type MailboxStore } from '../mailboxes/mailbox-store.ts';
import { sharedCauseOf } from '../mailboxes/shared-cause.ts';
import { mapLimited, withinTime } from '../platform/concurrency.ts';
import { describeError, PostroomError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import type { Queues } from '../platform/queues.ts';
import { telemetry } from '../platform/telemetry.ts';
import { isFromFuture } from '../platform/trusted-time.ts';
import { dueMailboxes } from './due-mailboxes.ts';
import { activityOf, countOf } from './fetch-activity.ts';
import { causeEnded, nextFailure, waitingFor } from './fetch-failure.ts';
import { type FetchDeps, type FetchResult, fetchMailbox, tooSlow } from './fetch-mailbox.ts';
import { queueAtOnce, type Shard } from './queue-due-mailboxes.ts';
import { createReconciliationStore } from './reconciliation-records.ts';

export interface ShardDeps extends FetchDeps {
  mailboxes: MailboxStore;
  activity: Pick<ActivityStore, 'note'>;
  /** Takes what has become due by the end of an outage; without it, that waits for the timer's next minute. */
  queues?: Pick<Queues, 'send'>;
}

/** What one fetch of a shard's run leaves behind. */
interface Fetched {
  mailboxId: string;
  /** Undefined: storage was away. */
  result: FetchResult | undefined;
  /** ISO time of its end; absent when it did not work. */
  workedAt?: string;
  /** Absent when nothing was done that is worth a row. */
  activity?: Activity | undefined;
  /** What came in. */
  counted?: Omit<MailHour, 'hour'>;
}

const AT_ONCE = 8;
const TIME_BOX_MS = 4 * 60_000;
/** What a batch that began in time may take beyond the time box; then its mailbox is cut off. */
const GRACE_MS = 60_000;
/** What a cut mailbox may take to end; then nobody waits for it any more. */
const ENDING_MS = 10_000;
/** While slow mailboxes hold a run up, what the others did is saved this often. */
const SAVE_MS = 30_000;

/**
 * Fetches the mailboxes of a shard, some at a time, each on its own: what stops or delays one never stops another. A run
 * ends within six minutes; mailboxes whose turn did not come are the first of the next one.
 * @returns how each fetch ended, by mailbox id; undefined: storage was away, nothing could be noted
 */
export async function fetchShard(
  deps: ShardDeps,
  { shard, mailboxIds }: Shard,
): Promise<ReadonlyMap<string, FetchResult | undefined>> {
  const [all, state] = await Promise.all([deps.mailboxes.list(), deps.mailboxes.fetchState()]);
  const began = deps.seam.now();
  const lastSuccess = ({ id }: Mailbox): string => lastSuccessOf(state, id, began) ?? '';
  // The message may be old: another run may have fetched a mailbox since, or have found that it has to wait.
  const due = dueMailboxes(all, state, began);
  const wanted = all
    .filter(({ id }) => due.has(id) && mailboxIds.includes(id))
    .sort((a, b) => lastSuccess(a).localeCompare(lastSuccess(b)));
  const deadline = began + TIME_BOX_MS;
  const tellOthers = recoveryChannel(deps, all, state);
  const done: Fetched[] = [];
  const existing = new Set(all.map(({ id }) => id));
  const save = shardSaver(deps, shard, existing, state, done);
  const run = mapLimited(wanted, AT_ONCE, async (mailbox) => {
    if (deps.seam.now() >= deadline) return;
    const fetched = await fetchMeasured(deps, mailbox, state, deadline);
    done.push(fetched);
    if (fetched.result !== undefined) await tellOthers(mailbox, fetched.result);
  });
  while ((await withinTime(run, SAVE_MS)) === 'late')
    await save().catch((error: unknown) =>
      log.warn('shard not saved', { shard, error: describeError(error) }),
    );
  await save();
  return new Map(done.map(({ mailboxId, result }) => [mailboxId, result]));
}

/**
 * Once a fetch has shown that something shared is over, says so to all mailboxes that wait for it, once a run. Never
 * throws: a storage that fails here lets the next probe, a minute later, say the same.
 */
function recoveryChannel(
  deps: Pick<ShardDeps, 'seam' | 'mailboxes' | 'queues'>,
  all: readonly Mailbox[],
  state: FetchState,
): (mailbox: Mailbox, result: FetchResult) => Promise<void> {
  const told = new Set<string>();
  return async (mailbox, result) => {
    const cause = causeEnded(mailbox, state.failing.get(mailbox.id), result);
    if (cause === undefined || told.has(cause)) return;
    told.add(cause);
    const waiting = waitingFor(cause, all, state, mailbox.id);
    if (waiting.size === 0) return;
    try {
      await deps.mailboxes.saveRecovery(cause, new Date(deps.seam.now()).toISOString());
      log.info('shared cause over', { cause, waiting: waiting.size });
      if (deps.queues !== undefined) await queueAtOnce(deps.queues, all, waiting);
    } catch (error) {
      log.warn('recovery not told', { cause, error: describeError(error) });
    }
  };
}

/**
 * Saves what was done since it saved last: one write of the shard's row, and a row an activity. Another run may have
 * written the shard's row while this one was slow, so that then it is read again first.
 */
function shardSaver(
  deps: ShardDeps,
  shard: number,
  existing: ReadonlySet<string>,
  atFirst: FetchState,
  done: readonly Fetched[],
): () => Promise<void> {
  const began = deps.seam.now();
  let saved = 0;
  let noted = 0;
  return async () => {
    const now = [...done];
    const [unsaved, activities] = [
      now.slice(saved),
      now.slice(noted).flatMap(({ activity }) => activity ?? []),
    ];
    // Never throws, so that what is noted once is not noted again.
    noted = now.length;
    await Promise.all([
      unsaved.some(({ workedAt }) => workedAt !== undefined) ? saveRow(unsaved) : undefined,
      deps.activity.note(activities),
    ]);
    saved = now.length;
  };

  async function saveRow(unsaved: readonly Fetched[]): Promise<void> {
    const slow = deps.seam.now() - began >= SAVE_MS;
    const { shards, hours } = slow ? await deps.mailboxes.fetchState() : atFirst;
    const successes = new Map([...(shards.get(shard) ?? [])].filter(([id]) => existing.has(id)));
    const now = deps.seam.now();
    for (const { mailboxId, workedAt = '' } of unsaved) {
      const before = successes.get(mailboxId) ?? '';
      if (workedAt > before || isFromFuture(before, now)) successes.set(mailboxId, workedAt);
    }
    const counted = withMails(hours.get(shard) ?? [], sumOf(unsaved), now);
    await deps.mailboxes.saveSuccesses(shard, successes, counted);
  }
}

function sumOf(results: readonly Fetched[]): Omit<MailHour, 'hour'> {
  const sum = { mails: 0, quarantined: 0 };
  for (const { counted } of results) {
    sum.mails += counted?.mails ?? 0;
    sum.quarantined += counted?.quarantined ?? 0;
  }
  return sum;
}

function fetchMeasured(
  deps: ShardDeps,
  mailbox: Mailbox,
  state: FetchState,
  deadline: number,
): Promise<Fetched> {
  return telemetry.span('fetch mailbox', { fields: { mailbox: mailbox.id } }, async (span) => {
    const began = deps.seam.now();
    const fetched = await fetchOne(deps, mailbox, state, deadline);
    const { result } = fetched;
    const seconds = (deps.seam.now() - began) / 1000;
    const kind = result?.kind ?? 'broken-off';
    telemetry.measure('fetchDuration', seconds, { result: kind });
    if (kind === 'nothing-new' || kind === 'busy') span.discard();
    span.add({ result: kind });
    if (result?.kind === 'fetched') {
      const { opened, replies, quarantined, skipped } = result;
      for (const [outcome, count] of Object.entries({ ticket: opened, reply: replies, quarantined, skipped }))
        if (count > 0) telemetry.measure('mails', count, { outcome });
    }
    if (result?.kind === 'failed') span.add({ code: result.failure.code });
    return fetched;
  });
}

async function fetchOne(
  deps: ShardDeps,
  mailbox: Mailbox,
  state: FetchState,
  deadline: number,
): Promise<Fetched> {
  const mailboxId = mailbox.id;
  const began = deps.seam.now();
  const before = state.failing.get(mailboxId);
  try {
    const result = await fetchSafely(deps, mailbox, state, deadline);
    const now = deps.seam.now();
    const activity = activityOf(mailbox, result, before, now, now - began);
    if (result.kind === 'failed') {
      const failure = nextFailure(before, result.failure, now);
      log.warn('fetch failed', { mailbox: mailboxId, code: failure.code, nextTryAt: failure.nextTryAt });
      await deps.mailboxes.setFailure(mailboxId, failure);
      return { mailboxId, result, activity };
    }
    if (result.kind === 'busy') return { mailboxId, result };
    if (before !== undefined) await noteRecovery(deps, mailboxId, result, before, now);
    if (result.kind === 'fetched') logFetched(mailboxId, result, now - began);
    return {
      mailboxId,
      result,
      workedAt: new Date(now).toISOString(),
      activity,
      ...(result.kind === 'fetched' && { counted: countOf(result) }),
    };
  } catch (error) {
    // Storage itself is away: nothing can be noted, the next minute tries again.
    log.error('fetch ended early', error, { mailbox: mailboxId });
    return { mailboxId, result: undefined };
  }
}

/** The mailbox works again. What the first fetch brought had waited on the server. */
async function noteRecovery(
  { mailboxes, tables }: ShardDeps,
  mailboxId: string,
  result: FetchResult,
  { since }: FetchFailure,
  now: number,
): Promise<void> {
  const { emails, more } =
    result.kind === 'fetched'
      ? { emails: countOf(result).mails, more: result.more }
      : { emails: 0, more: false };
  const until = new Date(now).toISOString();
  await createReconciliationStore(tables).saveRecovered({ mailboxId, since, until, emails, more });
  await mailboxes.setFailure(mailboxId, undefined);
}

/** What breaks on our side becomes a trouble of this mailbox, so that its page says so. */
async function fetchSafely(
  deps: ShardDeps,
  mailbox: Mailbox,
  state: FetchState,
  deadline: number,
): Promise<FetchResult> {
  try {
    return await fetchInTime(deps, mailbox, state, deadline);
  } catch (error) {
    log.error('fetch broken off', error, { mailbox: mailbox.id });
    const code = error instanceof PostroomError ? error.code : 'unexpected';
    const message = `Postroom could not finish a fetch of ${mailbox.address} (${describeError(error)}). It tries again by itself.`;
    return { kind: 'failed', failure: { kind: 'retrying', code, message } };
  }
}

/** A server that never answers, or answers drop by drop, is cut off; what its fetch stored until then counts. */
async function fetchInTime(
  deps: ShardDeps,
  mailbox: Mailbox,
  state: FetchState,
  deadline: number,
): Promise<FetchResult> {
  const cut = new AbortController();
  // A clock that is set back meanwhile must not make the run longer than the host lets it last.
  const left = Math.min(Math.max(0, deadline - deps.seam.now()), TIME_BOX_MS) + GRACE_MS;
  const timer = setTimeout(() => cut.abort(), left);
  const cursor = state.cursors.get(mailbox.id);
  const fetching = fetchMailbox(
    { ...deps, accessTokens: tokensFor(deps, mailbox, state.failing.get(mailbox.id)) },
    mailbox,
    cursor,
    { deadline, cut: cut.signal },
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
 * A mailbox that is tried because something shared may be over asks in spite of its account's own pause, which is as long
 * as the outage made it; so does one whose times are of another clock.
 */
function tokensFor(
  { accessTokens, seam }: Pick<ShardDeps, 'accessTokens' | 'seam'>,
  mailbox: Mailbox,
  before: FetchFailure | undefined,
): ShardDeps['accessTokens'] {
  if (before === undefined) return accessTokens;
  const mayBeOver = sharedCauseOf(mailbox, before) !== undefined || isFromFuture(before.triedAt, seam.now());
  if (!mayBeOver) return accessTokens;
  return { get: (account, options) => accessTokens.get(account, { ...options, tryNow: true }) };
}

function logFetched(mailbox: string, result: FetchResult & { kind: 'fetched' }, ms: number): void {
  const { opened, replies, quarantined, skipped, more } = result;
  log.info('fetched', { mailbox, opened, replies, quarantined, skipped, more, ms });
}
