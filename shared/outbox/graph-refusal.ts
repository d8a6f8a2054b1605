import { explainText } from '../explanations/explain.ts';
import { redact } from '../explanations/redact.ts';
import type { GraphRefusal } from '../mailboxes/graph-errors.ts';
import { type Code, codeFrom } from '../platform/problem.ts';
import type { SendingRefusal } from './sending-refusal.ts';

const MINUTE = 60_000;
const LONGEST_REASON = 400;

/** As for SMTP: how long to wait, `give-up` because of the email, or `closed` for every email of this sender. */
type Policy = number | 'give-up' | 'closed';

/**
 * By the codes of the catalogue.
 * https://learn.microsoft.com/graph/errors, https://learn.microsoft.com/graph/outlook-send-mail-from-other-user
 */
const policies: Readonly<Record<string, Policy>> = {
  'graph-throttled': MINUTE,
  'graph-mailbox-moving': 5 * MINUTE,
  'graph-sending-limit': 60 * MINUTE,
  'graph-access-denied': 'closed',
  'graph-mailbox-full': 'closed',
  'graph-no-mailbox': 'closed',
  'graph-send-as-denied': 'closed',
  'graph-token-refused': 'closed',
  'graph-unknown-mailbox': 'closed',
  'graph-recipient-invalid': 'give-up',
  'graph-draft-denied': 'give-up',
  'graph-too-large': 'give-up',
};

/** What Microsoft Graph's refusal of an email means. Pure; `now` in milliseconds. */
export function readGraphRefusal(refusal: GraphRefusal, now: number): SendingRefusal {
  const { status, waitMs } = refusal;
  const said = `${refusal.code}: ${refusal.message}`;
  const code = codeOf(status, explainText({ text: said }).code);
  const policy = policies[code] ?? policyOfStatus(status);
  return {
    code,
    asked: true,
    // A server may repeat what it was sent.
    reason: redact(`${status} ${said}`).slice(0, LONGEST_REASON),
    permanent: typeof policy !== 'number',
    retryAt: typeof policy === 'number' ? new Date(now + (waitMs ?? policy)).toISOString() : undefined,
  };
}

function codeOf(status: number, known: string): Code {
  if (Object.hasOwn(policies, known)) return codeFrom(known);
  if (status === 413) return codeFrom('graph-too-large');
  return codeFrom(status === 429 || status === 503 ? 'graph-throttled' : 'graph-send-refused');
}

/** A redirect, or a refusal without a known code. */
function policyOfStatus(status: number): Policy {
  if (status < 400) return 5 * MINUTE;
  return [401, 403, 404].includes(status) ? 'closed' : 'give-up';
}

/** The refusals that every further email of this sender would meet. */
export const isOfGraphSender = (code: Code): boolean =>
  Object.hasOwn(policies, code) && policies[code] !== 'give-up';

/**
 * True for an outage that leaves open whether the email was taken. Only these say that it was not: too many
 * requests, a service that is not available, and a full mailbox.
 */
export const isUndecided = ({ status }: GraphRefusal): boolean =>
  status >= 500 && status !== 503 && status !== 507;
