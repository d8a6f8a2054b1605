import type { DeliveryOutcome } from './delivery.ts';
import { isRelayMistake } from './relay.ts';
import type { SendingRefusal } from './sending-refusal.ts';

const UNANSWERED_CODES: ReadonlySet<string> = new Set(['smtp-unreachable', 'smtp-tls', 'graph-unavailable']);
/** A server that did not answer is mentioned at the third attempt, some six minutes after the first. */
const UNANSWERED = 3;

/**
 * Why further emails will not leave either; undefined when they may, and when the account has no token, which has an
 * alert of its own. Pure.
 */
export function lastingRefusal(outcome: DeliveryOutcome, attempts: number): SendingRefusal | undefined {
  if (outcome.kind !== 'refused' && outcome.kind !== 'not-started') return undefined;
  const { why, permanent, retryAt } = outcome;
  const lasts =
    outcome.kind === 'refused'
      ? outcome.isOfWayOut && permanent && why.isVerdict
      : isRelayMistake(why.code) || (UNANSWERED_CODES.has(why.code) && attempts >= UNANSWERED);
  return lasts ? { code: why.code, reason: why.reason, permanent, retryAt, asked: true } : undefined;
}
