import type { ConnectFailure } from '../mailboxes/connect-inbox.ts';
import type { FetchFailure, Mailbox } from '../mailboxes/mailbox.ts';
import type { FetchState } from '../mailboxes/mailbox-store.ts';
import { sharedCauseOf } from '../mailboxes/shared-cause.ts';
import { isFromFuture } from '../platform/trusted-time.ts';
import type { FetchResult } from './fetch-mailbox.ts';

const LONGEST_BACKOFF_MINUTES = 30;
const PERSON_BACKOFF_MINUTES = 5;
/** A server's request for a longer pause is a mistake: its mail would be missing for a day. */
const LONGEST_PAUSE_MS = 6 * 3_600_000;
/** Failures that say nothing about the previous cause, because the fetch may not have got that far. */
const INCONCLUSIVE = new Set(['fetch-too-slow', 'unexpected']);

/**
 * Sets the next retry: exponential backoff from one minute, or as the server requested. A mailbox that waits
 * for a person is still retried.
 */
export function nextFailure(
  before: FetchFailure | undefined,
  found: ConnectFailure,
  now: number,
): FetchFailure {
  const same = before?.code === found.code;
  const failures = same ? before.failures + 1 : 1;
  const minutes =
    found.kind === 'action-required'
      ? PERSON_BACKOFF_MINUTES
      : Math.min(2 ** (failures - 1), LONGEST_BACKOFF_MINUTES);
  const usual = now + minutes * 60_000 - 5_000;
  const asked = Math.max(
    found.retryAt === undefined ? 0 : Date.parse(found.retryAt),
    now + Math.min(found.retryAfterMs ?? 0, LONGEST_PAUSE_MS),
  );
  const at = new Date(now).toISOString();
  return {
    state: found.kind,
    code: found.code,
    problem: found.message.slice(0, 2000),
    ...(found.said !== undefined && { said: found.said }),
    since: same && !isFromFuture(before.since, now) ? before.since : at,
    failures,
    triedAt: at,
    nextTryAt: new Date(Math.max(usual, asked)).toISOString(),
  };
}

/**
 * The shared cause that a fetch has shown to be over: it stopped this mailbox before and no longer does.
 * Pure.
 * @param before the mailbox's failure until now
 */
export function causeEnded(
  mailbox: Mailbox,
  before: FetchFailure | undefined,
  result: FetchResult,
): string | undefined {
  const cause = before === undefined ? undefined : sharedCauseOf(mailbox, before);
  if (result.kind === 'busy') return undefined;
  if (result.kind !== 'failed') return cause;
  const { kind: state, code, said } = result.failure;
  const isShared = sharedCauseOf(mailbox, { state, code, said }) !== undefined;
  return isShared || INCONCLUSIVE.has(code) ? undefined : cause;
}

/** Enabled mailboxes stopped by this cause, without the one that has shown it to be over. Pure. */
export function waitingFor(
  cause: string,
  all: readonly Mailbox[],
  { failing }: Pick<FetchState, 'failing'>,
  except: string,
): ReadonlySet<string> {
  const waiting = all.filter((mailbox) => {
    const failure = failing.get(mailbox.id);
    if (!mailbox.enabled || mailbox.id === except || failure === undefined) return false;
    return sharedCauseOf(mailbox, failure) === cause;
  });
  return new Set(waiting.map(({ id }) => id));
}
