import { type Activity, fetchSentence } from '../activity/activity.ts';
import type { ActivityStore } from '../activity/activity-store.ts';
import type { MailboxTroubleFound } from '../mailboxes/connect-inbox.ts';
import type { Cursor } from '../mailboxes/cursor.ts';
import { type MailHour, withMails } from '../mailboxes/mail-hours.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { FetchState, MailboxStore, Trouble } from '../mailboxes/mailbox-store.ts';
import { mapLimited, withinTime } from '../platform/concurrency.ts';
import { describeError, PostroomError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import { telemetry } from '../platform/telemetry.ts';
import { type FetchDeps, type FetchResult, fetchMailbox, tooSlow } from './fetch-mailbox.ts';
import type { Shard } from './queue-due-mailboxes.ts';

export interface ShardDeps extends FetchDeps {
  mailboxes: MailboxStore;
  activity: Pick<ActivityStore, 'note'>;
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
const LONGEST_BACKOFF_MINUTES = 30;
const PERSON_BACKOFF_MINUTES = 5;

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
  const lastSuccess = ({ id }: Mailbox): string => state.successes.get(id) ?? '';
  const wanted = all
    .filter(({ id, enabled }) => enabled && mailboxIds.includes(id))
    .sort((a, b) => lastSuccess(a).localeCompare(lastSuccess(b)));
  const deadline = deps.seam.now() + TIME_BOX_MS;
  const done: Fetched[] = [];
  const existing = new Set(all.map(({ id }) => id));
  const save = shardSaver(deps, shard, existing, state, done);
  const run = mapLimited(wanted, AT_ONCE, async (mailbox) => {
    if (deps.seam.now() < deadline) done.push(await fetchMeasured(deps, mailbox, state, deadline));
  });
  while ((await withinTime(run, SAVE_MS)) === 'late')
    await save().catch((error: unknown) =>
      log.warn('shard not saved', { shard, error: describeError(error) }),
    );
  await save();
  return new Map(done.map(({ mailboxId, result }) => [mailboxId, result]));
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
    for (const { mailboxId, workedAt = '' } of unsaved)
      if (workedAt > (successes.get(mailboxId) ?? '')) successes.set(mailboxId, workedAt);
    const counted = withMails(hours.get(shard) ?? [], sumOf(unsaved), deps.seam.now());
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
    if (result?.kind === 'failed') span.add({ code: result.trouble.code });
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
  const before = state.troubles.get(mailboxId);
  try {
    const result = await fetchSafely(deps, mailbox, state, deadline);
    const now = deps.seam.now();
    const activity = activityOf(mailbox, result, before, now, now - began);
    if (result.kind === 'failed') {
      const trouble = troubleAfter(before, result.trouble, now);
      log.warn('fetch failed', { mailbox: mailboxId, code: trouble.code, nextTryAt: trouble.nextTryAt });
      await deps.mailboxes.saveTrouble(mailboxId, trouble);
      return { mailboxId, result, activity };
    }
    if (result.kind === 'busy') return { mailboxId, result };
    if (before !== undefined) await deps.mailboxes.saveTrouble(mailboxId, undefined);
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

const countOf = ({
  opened,
  replies,
  quarantined,
  skipped,
}: FetchResult & { kind: 'fetched' }): Omit<MailHour, 'hour'> => ({
  mails: opened + replies + quarantined + skipped,
  quarantined,
});

/** A row for what changed something: mail came, or the mailbox began or ceased to work. Pure. */
export function activityOf(
  { id, address }: Mailbox,
  result: FetchResult,
  before: Trouble | undefined,
  now: number,
  ms: number,
): Activity | undefined {
  const entry = { kind: 'fetch', at: new Date(now).toISOString(), aboutId: id, about: address, ms } as const;
  switch (result.kind) {
    case 'fetched':
    case 'nothing-new': {
      // Mail that somebody marked unread again is fetched and changes nothing.
      const isNew = result.kind === 'fetched' && countOf(result).mails > 0;
      if (isNew) return { ...entry, result: 'done', what: fetchSentence(result) };
      if (before === undefined) return undefined;
      return { ...entry, result: 'done', what: 'Works again; nothing new was waiting.' };
    }
    case 'busy':
      return undefined;
    case 'failed': {
      const { kind, code, message } = result.trouble;
      if (before?.code === code) return undefined;
      return { ...entry, result: kind === 'retrying' ? 'trying-again' : 'needs-person', what: message };
    }
  }
}

/** What breaks on our side becomes a trouble of this mailbox, so that its page says so. */
async function fetchSafely(
  deps: ShardDeps,
  mailbox: Mailbox,
  state: FetchState,
  deadline: number,
): Promise<FetchResult> {
  try {
    return await fetchInTime(deps, mailbox, state.cursors.get(mailbox.id), deadline);
  } catch (error) {
    log.error('fetch broken off', error, { mailbox: mailbox.id });
    const code = error instanceof PostroomError ? error.code : 'unexpected';
    const message = `Postroom could not finish a fetch of ${mailbox.address} (${describeError(error)}). It tries again by itself. No mail is lost.`;
    return { kind: 'failed', trouble: { kind: 'retrying', code, message } };
  }
}

/** A server that never answers, or answers drop by drop, is cut off; what its fetch stored until then counts. */
async function fetchInTime(
  deps: ShardDeps,
  mailbox: Mailbox,
  cursor: Cursor | undefined,
  deadline: number,
): Promise<FetchResult> {
  const cut = new AbortController();
  const left = Math.max(0, deadline - deps.seam.now()) + GRACE_MS;
  const timer = setTimeout(() => cut.abort(), left);
  const fetching = fetchMailbox(deps, mailbox, cursor, { deadline, cut: cut.signal });
  try {
    if ((await withinTime(fetching, left + ENDING_MS)) === 'late')
      return { kind: 'failed', trouble: tooSlow(mailbox) };
    return await fetching;
  } finally {
    clearTimeout(timer);
  }
}

function logFetched(mailbox: string, result: FetchResult & { kind: 'fetched' }, ms: number): void {
  const { opened, replies, quarantined, skipped, more } = result;
  log.info('fetched', { mailbox, opened, replies, quarantined, skipped, more, ms });
}

/** When to try again: doubling from one minute, or as the server said; a mailbox that waits for a person keeps asking. */
export function troubleAfter(before: Trouble | undefined, found: MailboxTroubleFound, now: number): Trouble {
  const same = before?.code === found.code;
  const failures = same ? before.failures + 1 : 1;
  const minutes =
    found.kind === 'needs-person'
      ? PERSON_BACKOFF_MINUTES
      : Math.min(2 ** (failures - 1), LONGEST_BACKOFF_MINUTES);
  const usual = now + minutes * 60_000 - 5_000;
  const asked = found.retryAt === undefined ? 0 : Date.parse(found.retryAt);
  return {
    state: found.kind,
    code: found.code,
    problem: found.message.slice(0, 2000),
    since: same ? before.since : new Date(now).toISOString(),
    failures,
    nextTryAt: new Date(Math.max(usual, asked)).toISOString(),
  };
}
