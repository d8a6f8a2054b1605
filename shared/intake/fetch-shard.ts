import type { MailboxTroubleFound } from '../mailboxes/connect-inbox.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { FetchState, MailboxStore, Trouble } from '../mailboxes/mailbox-store.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { describeError, PostroomError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import { type FetchDeps, type FetchResult, fetchMailbox } from './fetch-mailbox.ts';
import type { Shard } from './queue-due-mailboxes.ts';

export interface ShardDeps extends FetchDeps {
  mailboxes: MailboxStore;
}

const AT_ONCE = 8;
const TIME_BOX_MS = 4 * 60_000;
const LONGEST_BACKOFF_MINUTES = 30;
const PERSON_BACKOFF_MINUTES = 5;

/** Fetches the mailboxes of a shard, some at a time, each on its own: what stops one never stops another. */
export async function fetchShard(deps: ShardDeps, { shard, mailboxIds }: Shard): Promise<void> {
  const [all, state] = await Promise.all([deps.mailboxes.list(), deps.mailboxes.fetchState()]);
  const wanted = all.filter(({ id, enabled }) => enabled && mailboxIds.includes(id));
  const deadline = deps.seam.now() + TIME_BOX_MS;
  const results = await mapLimited(wanted, AT_ONCE, (mailbox) => fetchOne(deps, mailbox, state, deadline));
  const existing = new Set(all.map(({ id }) => id));
  const known = [...(state.shards.get(shard) ?? [])].filter(([id]) => existing.has(id));
  const at = new Date(deps.seam.now()).toISOString();
  const worked = wanted
    .filter((_, index) => results[index] === true)
    .map(({ id }): [string, string] => [id, at]);
  if (worked.length > 0) await deps.mailboxes.saveSuccesses(shard, new Map([...known, ...worked]));
}

async function fetchOne(
  deps: ShardDeps,
  mailbox: Mailbox,
  state: FetchState,
  deadline: number,
): Promise<boolean> {
  const began = deps.seam.now();
  const before = state.troubles.get(mailbox.id);
  try {
    const result = await fetchSafely(deps, mailbox, state, deadline);
    const now = deps.seam.now();
    if (result.kind === 'failed') {
      const trouble = troubleAfter(before, result.trouble, now);
      log.warn('fetch failed', { mailbox: mailbox.id, code: trouble.code, nextTryAt: trouble.nextTryAt });
      await deps.mailboxes.saveTrouble(mailbox.id, trouble);
      return false;
    }
    if (result.kind === 'busy') return false;
    if (before !== undefined) await deps.mailboxes.saveTrouble(mailbox.id, undefined);
    if (result.kind === 'fetched') logFetched(mailbox.id, result, now - began);
    return true;
  } catch (error) {
    // Storage itself is away: nothing can be noted, the next minute tries again.
    log.error('fetch ended early', error, { mailbox: mailbox.id });
    return false;
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
    return await fetchMailbox(deps, mailbox, state.cursors.get(mailbox.id), deadline);
  } catch (error) {
    log.error('fetch broken off', error, { mailbox: mailbox.id });
    const code = error instanceof PostroomError ? error.code : 'unexpected';
    const message = `Postroom could not finish a fetch of ${mailbox.address} (${describeError(error)}). It tries again by itself. No mail is lost.`;
    return { kind: 'failed', trouble: { kind: 'retrying', code, message } };
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
