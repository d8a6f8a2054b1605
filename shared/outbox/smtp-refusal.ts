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

/**
 * What happens after a refusal: milliseconds to wait, or `give-up` until a person has changed something.
 * Exchange Online limits messages per minute and recipients per day; other temporary refusals last minutes.
 * https://learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements
 */
const policies: Readonly<Record<SmtpCode, 'give-up' | number>> = {
  'smtp-rate': MINUTE,
  'smtp-thread-limit': MINUTE,
  'smtp-concurrent-connections': MINUTE,
  'smtp-recipient-quota': 60 * MINUTE,
  'smtp-busy': USUAL_WAIT,
  'smtp-service-unavailable': USUAL_WAIT,
  'smtp-temporary': USUAL_WAIT,
  'smtp-temporary-authentication': USUAL_WAIT,
  'smtp-signed-in': USUAL_WAIT,
  'smtp-auth-disabled-mailbox': 'give-up',
  'smtp-auth-disabled-tenant': 'give-up',
  'smtp-basic-disabled': 'give-up',
  'smtp-basic-retired': 'give-up',
  'smtp-credentials': 'give-up',
  'smtp-criteria': 'give-up',
  'smtp-mailbox-full': 'give-up',
  'smtp-not-authenticated': 'give-up',
  'smtp-old-tls': 'give-up',
  'smtp-recipient-unknown': 'give-up',
  'smtp-restricted': 'give-up',
  'smtp-security-defaults': 'give-up',
  'smtp-send-as-denied': 'give-up',
  'smtp-send-as-refused': 'give-up',
  'smtp-tenant-restricted': 'give-up',
  'smtp-token-refused': 'give-up',
  'smtp-too-large': 'give-up',
  'smtp-too-many-recipients': 'give-up',
  'smtp-unrecognised-authentication': 'give-up',
};
const isSmtpCode = (code: string): code is SmtpCode => Object.hasOwn(policies, code);

/** The meaning of an SMTP server's reply. Pure; `now` in milliseconds. */
export function readRefusal(line: string, now: number): SmtpRefusal {
  const known: string = explainText({ text: line }).code;
  const digits = /^\s*([45]\d\d)\b/.exec(line)?.[1];
  const isKnown = isSmtpCode(known);
  const policy = isKnown ? policies[known] : policyOfUnknown(digits);
  return {
    code: isKnown ? codeFrom(known) : digits === undefined ? 'smtp-no-answer' : `smtp-${Number(digits)}`,
    asked: true,
    // A server may repeat what it was sent.
    reason: redact(line).slice(0, LONGEST_REASON),
    permanent: policy === 'give-up',
    retryAt: policy === 'give-up' ? undefined : new Date(now + policy).toISOString(),
  };
}

/**
 * 503 means that the session was in the wrong state, not that the email is refused; an unknown reply is
 * retried.
 */
const policyOfUnknown = (digits: string | undefined): 'give-up' | number =>
  digits?.startsWith('5') === true && digits !== '503' ? 'give-up' : USUAL_WAIT;

/**
 * True when a fresh token may help: not when the tenant has disabled SMTP AUTH, which has the same reply
 * code.
 */
export const isTokenRefused = ({ code }: SmtpRefusal): boolean =>
  code === ('smtp-token-refused' satisfies SmtpCode) || code === 'smtp-535';
