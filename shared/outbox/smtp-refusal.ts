import type { SmtpCode } from '../explanations/catalogue.ts';
import { explainText } from '../explanations/explain.ts';
import { redact } from '../explanations/redact.ts';
import { type Code, codeFrom } from '../platform/problem.ts';

/** A refusal by the server, or a failed sign-in. */
export interface SmtpRefusal {
  /** A code of the error catalogue, otherwise `smtp-` and the server's reply code. */
  code: Code;
  /** The server's line, or our own sentence why no server was contacted; never contains a token. */
  reason: string;
  /** True when the same email would be refused again until a person changes something. */
  permanent: boolean;
  /** ISO time before which a retry is pointless; absent when `permanent`. */
  retryAt: string | undefined;
  /**
   * False when no server was contacted, because there is no token or the email is invalid. Then this says
   * nothing about the server.
   */
  asked: boolean;
}

const MINUTE = 60_000;
const LONGEST_REASON = 400;
const USUAL_WAIT = 5 * MINUTE;

type Policy = number | 'give-up' | 'closed';

/**
 * What happens after a refusal: milliseconds to wait, `give-up` because of the email, or `closed`: no email
 * of this sender passes until a person has changed something.
 * Exchange Online limits messages per minute and recipients per day; other temporary refusals last minutes.
 * https://learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements
 */
const policies: Readonly<Record<SmtpCode, Policy>> = {
  'smtp-rate': MINUTE,
  'smtp-thread-limit': MINUTE,
  'smtp-concurrent-connections': MINUTE,
  'smtp-recipient-quota': 60 * MINUTE,
  'smtp-busy': USUAL_WAIT,
  'smtp-service-unavailable': USUAL_WAIT,
  'smtp-temporary': USUAL_WAIT,
  'smtp-temporary-authentication': USUAL_WAIT,
  'smtp-signed-in': USUAL_WAIT,
  'smtp-auth-disabled-mailbox': 'closed',
  'smtp-auth-disabled-tenant': 'closed',
  'smtp-basic-disabled': 'closed',
  'smtp-basic-retired': 'closed',
  'smtp-credentials': 'closed',
  'smtp-criteria': 'closed',
  'smtp-mailbox-full': 'closed',
  'smtp-not-authenticated': 'closed',
  'smtp-old-tls': 'closed',
  'smtp-recipient-unknown': 'give-up',
  'smtp-restricted': 'closed',
  'smtp-security-defaults': 'closed',
  'smtp-send-as-denied': 'closed',
  'smtp-send-as-refused': 'closed',
  'smtp-tenant-restricted': 'closed',
  'smtp-token-refused': 'closed',
  'smtp-too-large': 'give-up',
  'smtp-too-many-recipients': 'give-up',
  'smtp-unrecognised-authentication': 'closed',
};
/** The account has sent too much: its other emails have to wait, too. */
const throttles: ReadonlySet<SmtpCode> = new Set([
  'smtp-rate',
  'smtp-thread-limit',
  'smtp-concurrent-connections',
  'smtp-recipient-quota',
]);
const isSmtpCode = (code: string): code is SmtpCode => Object.hasOwn(policies, code);

/** The meaning of an SMTP server's reply. Pure; `now` in milliseconds. */
export function readRefusal(line: string, now: number): SmtpRefusal {
  const known: string = explainText({ text: line }).code;
  const digits = /^\s*([45]\d\d)\b/.exec(line)?.[1];
  const isKnown = isSmtpCode(known);
  const policy: Policy = isKnown ? policies[known] : policyOfUnknown(digits);
  return {
    code: isKnown ? codeFrom(known) : digits === undefined ? 'smtp-no-answer' : `smtp-${Number(digits)}`,
    asked: true,
    // A server may repeat what it was sent.
    reason: redact(line).slice(0, LONGEST_REASON),
    permanent: typeof policy !== 'number',
    retryAt: typeof policy === 'number' ? new Date(now + policy).toISOString() : undefined,
  };
}

const closing: ReadonlySet<string> = new Set([
  ...throttles,
  ...Object.entries(policies).flatMap(([code, policy]) => (policy === 'closed' ? [code] : [])),
]);

/** True for a refusal of the account or by the server as a whole: the next email would meet the same. */
export const isOfWayOut = (code: Code): boolean => code === 'smtp-535' || closing.has(code);

/**
 * 503 means that the session was in the wrong state, not that the email is refused; an unknown reply is
 * retried.
 */
function policyOfUnknown(digits: string | undefined): Policy {
  if (digits === '535') return 'closed';
  return digits?.startsWith('5') === true && digits !== '503' ? 'give-up' : USUAL_WAIT;
}

/**
 * True when a fresh token may help: not when the tenant has disabled SMTP AUTH, which has the same reply
 * code.
 */
export const isTokenRefused = ({ code }: SmtpRefusal): boolean =>
  code === ('smtp-token-refused' satisfies SmtpCode) || code === 'smtp-535';
