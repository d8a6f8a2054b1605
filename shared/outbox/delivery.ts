import type { Code } from '../platform/problem.ts';

/**
 * The delivery of one email, as a state machine. Pure: the time is an argument, and what happened is a
 * value. docs/decisions/0024 says why an acknowledgement is sent at most once and a reply at least once.
 */
export type DeliveryKind =
  /** Automatic answer to a new ticket: at most once. */
  | 'acknowledgement'
  /** A person's answer: at least once, and a second time only if the row says so. */
  | 'reply'
  /** An email to an agent: at most once. */
  | 'notification';

/** Why an email did not leave, or why that is not known. */
export interface DeliveryProblem {
  code: Code;
  /** The server's line, or our own sentence if no server decided; without secrets. */
  reason: string;
  /** True only for a real reply of the mail server. */
  isVerdict: boolean;
}

export type DeliveryStatus =
  /** Waits until `due`; until it is claimed, it can be withdrawn. */
  | { state: 'queued'; due: string }
  /** Claimed by one process, which may have opened a connection. */
  | { state: 'sending'; claimedAt: string }
  /** Not sent for sure; tried again at `due`. */
  | { state: 'retrying'; at: string; due: string; why: DeliveryProblem }
  /**
   * The server may have accepted it. With `due`, it is looked for in the Sent folder then; without, nothing
   * more happens by itself.
   */
  | { state: 'unknown'; at: string; due?: string | undefined; why: DeliveryProblem; searches: number }
  | { state: 'sent'; at: string; answer: string; foundInSent: boolean; refused: readonly RefusedAddress[] }
  /** Not sent for sure, and not tried again by itself. */
  | { state: 'failed'; at: string; why: DeliveryProblem; isOfWayOut: boolean }
  | { state: 'withdrawn'; at: string };

export interface RefusedAddress {
  address: string;
  line: string;
}

/** All times are ISO. */
export interface Delivery {
  status: DeliveryStatus;
  /** How often it was claimed. */
  attempts: number;
  firstTriedAt?: string | undefined;
  /**
   * When it was released to be sent once more under the same Message-ID, because the Sent folder did not have
   * it: the recipient may have it twice.
   */
  sentAgainAt?: string | undefined;
}

/** What a way out made of an email. */
export type DeliveryOutcome =
  | { kind: 'accepted'; answer: string; refused: readonly RefusedAddress[] }
  /**
   * A verdict on this email, or on everything from this sender (`isOfWayOut`).
   * `retryAt`: ISO time before which a retry is pointless
   */
  | {
      kind: 'refused';
      why: DeliveryProblem;
      permanent: boolean;
      isOfWayOut: boolean;
      retryAt?: string | undefined;
    }
  /** The server had the whole email, and its answer did not arrive. */
  | { kind: 'unknown'; why: DeliveryProblem }
  /** Nothing was handed over: no token, no connection, no TLS. */
  | { kind: 'not-started'; why: DeliveryProblem; permanent: boolean; retryAt?: string | undefined };

/** What to do with an email now. */
export type NextStep =
  /** It is not due, or another process is sending it. */
  | { kind: 'wait' }
  | { kind: 'finished' }
  | { kind: 'send' }
  | { kind: 'search' }
  /** The process that claimed it is gone. */
  | { kind: 'record'; delivery: Delivery };

const MINUTE = 60_000;
const PAUSES_MS = [1, 5, 15].map((minutes) => minutes * MINUTE);
const LATER_PAUSE_MS = 60 * MINUTE;
const TRIED_FOR_MS = 48 * 60 * MINUTE;
/**
 * A claim is valid for this long. A live process gives up before (`SENDING_MS`), so only a process that is
 * gone, or frozen, leaves an expired claim.
 */
export const CLAIM_MS = 10 * MINUTE;
export const SENDING_MS = 5 * MINUTE;
/** When the Sent folder is searched: servers save the copy some moments later. */
const SEARCH_PAUSES_MS = [MINUTE, 5 * MINUTE];

const iso = (ms: number): string => new Date(ms).toISOString();

/** A new delivery. @param due ISO time before which it does not leave */
export const queuedDelivery = (due: string): Delivery => ({ status: { state: 'queued', due }, attempts: 0 });

/** When something has to be done with it; undefined: never again, or another process has it. */
export const dueOf = ({ status }: Delivery): string | undefined => ('due' in status ? status.due : undefined);

/** True when nothing more happens by itself. */
export const isFinished = ({ status }: Delivery): boolean =>
  status.state !== 'sending' && !('due' in status && status.due !== undefined);

/**
 * True for a reply that a person has to deal with: it was refused, or only some recipients have it, or it will stay
 * unknown whether it was sent. One that waits for its way out leaves by itself.
 */
export const needsPerson = (kind: DeliveryKind, { status }: Delivery): boolean =>
  kind === 'reply' &&
  ((status.state === 'failed' && !status.isOfWayOut) ||
    (status.state === 'unknown' && status.due === undefined) ||
    (status.state === 'sent' && status.refused.length > 0));

/** @param now milliseconds since the epoch */
export function nextStep(kind: DeliveryKind, delivery: Delivery, now: number): NextStep {
  const { status } = delivery;
  switch (status.state) {
    case 'queued':
    case 'retrying':
      return Date.parse(status.due) > now ? { kind: 'wait' } : { kind: 'send' };
    case 'sending':
      if (now - Date.parse(status.claimedAt) < CLAIM_MS) return { kind: 'wait' };
      return { kind: 'record', delivery: afterAttempt(kind, delivery, { kind: 'unknown', why: lost }, now) };
    case 'unknown':
      if (status.due === undefined) return { kind: 'finished' };
      return Date.parse(status.due) > now ? { kind: 'wait' } : { kind: 'search' };
    case 'sent':
    case 'failed':
    case 'withdrawn':
      return { kind: 'finished' };
  }
}

const lost: DeliveryProblem = {
  code: 'sending-ended',
  reason: 'The process that was sending this email ended before it could record the result.',
  isVerdict: false,
};

/** Written with compare-and-swap before a connection is opened. */
export function claimed(delivery: Delivery, now: number): Delivery {
  const at = iso(now);
  return {
    ...delivery,
    status: { state: 'sending', claimedAt: at },
    attempts: delivery.attempts + 1,
    firstTriedAt: delivery.firstTriedAt ?? at,
  };
}

/** The delivery after an attempt of the process that claimed it. */
export function afterAttempt(
  kind: DeliveryKind,
  delivery: Delivery,
  outcome: DeliveryOutcome,
  now: number,
): Delivery {
  const at = iso(now);
  switch (outcome.kind) {
    case 'accepted': {
      const { answer, refused } = outcome;
      return { ...delivery, status: { state: 'sent', at, answer, foundInSent: false, refused } };
    }
    case 'unknown': {
      const { why } = outcome;
      const isSearched = kind === 'reply';
      const due = isSearched ? iso(now + (SEARCH_PAUSES_MS[0] ?? 0)) : undefined;
      return { ...delivery, status: { state: 'unknown', at, due, why, searches: 0 } };
    }
    case 'refused':
    case 'not-started': {
      const { why, permanent, retryAt } = outcome;
      const isOfWayOut = outcome.kind === 'not-started' || outcome.isOfWayOut;
      const triedSince = Date.parse(delivery.firstTriedAt ?? at);
      const pause = PAUSES_MS[delivery.attempts - 1] ?? LATER_PAUSE_MS;
      const due = Math.max(now + pause, Date.parse(retryAt ?? at));
      if (permanent || due - triedSince > TRIED_FOR_MS)
        return { ...delivery, status: { state: 'failed', at, why, isOfWayOut } };
      return { ...delivery, status: { state: 'retrying', at, due: iso(due), why } };
    }
  }
}

/**
 * The delivery of a reply after its Message-ID was looked for in the Sent folder.
 * @param found undefined when the folder could not be searched now
 */
export function afterSearch(delivery: Delivery, found: boolean | undefined, now: number): Delivery {
  const { status } = delivery;
  if (status.state !== 'unknown') return delivery;
  const at = iso(now);
  if (found === true) {
    const answer = 'The server’s answer was lost. The email is in the Sent folder.';
    return { ...delivery, status: { state: 'sent', at, answer, foundInSent: true, refused: [] } };
  }
  if (found === undefined) {
    const isGivenUp = now - Date.parse(status.at) > TRIED_FOR_MS;
    return {
      ...delivery,
      status: { ...status, due: isGivenUp ? undefined : iso(now + LATER_PAUSE_MS / 4) },
    };
  }
  const searches = status.searches + 1;
  const pause = SEARCH_PAUSES_MS[searches];
  if (pause !== undefined) return { ...delivery, status: { ...status, searches, due: iso(now + pause) } };
  // Once more and no further: whoever gets it twice can tell by the Message-ID.
  if (delivery.sentAgainAt !== undefined)
    return { ...delivery, status: { ...status, searches, due: undefined } };
  return { ...delivery, status: { state: 'retrying', at, due: at, why: status.why }, sentAgainAt: at };
}

/**
 * True while it waits, for its time, for another attempt or for its way out, and surely has not left. Not while it is
 * claimed, nor if an earlier attempt may have been successful.
 */
export const isWithdrawable = ({ status, sentAgainAt }: Delivery): boolean =>
  sentAgainAt === undefined &&
  (status.state === 'queued' ||
    status.state === 'retrying' ||
    (status.state === 'failed' && status.isOfWayOut));

/** Undefined if it can't be withdrawn (any more). */
export const withdrawn = (delivery: Delivery, now: number): Delivery | undefined =>
  isWithdrawable(delivery) ? { ...delivery, status: { state: 'withdrawn', at: iso(now) } } : undefined;

/**
 * An email that a person, or a repaired way out, sends again: one that failed, or a reply of which nothing more can
 * be found out. Undefined for any other. What may have left before is not forgotten.
 */
export function requeued(kind: DeliveryKind, delivery: Delivery, now: number): Delivery | undefined {
  const { status } = delivery;
  const at = iso(now);
  const isLost = kind === 'reply' && status.state === 'unknown' && status.due === undefined;
  if (isLost) return { ...queuedDelivery(at), sentAgainAt: at };
  if (status.state !== 'failed') return undefined;
  return { ...queuedDelivery(at), sentAgainAt: delivery.sentAgainAt };
}
