import type { SmtpCode } from '../explanations/catalogue.ts';
import { explainText } from '../explanations/explain.ts';
import { redact } from '../explanations/redact.ts';

/** A server or the sign-in says no. */
export interface SmtpRefusal {
  /** A word of the catalogue of errors, else `smtp-` and the server's three digits. */
  code: string;
  /** The server's own line, or the sentence why it was not asked; never holds a token. */
  said: string;
  /** True: the same email would be refused again until a person changes something. */
  permanent: boolean;
  /** ISO time before which another try is pointless; absent when `permanent`. */
  retryAt: string | undefined;
  /** False: no server was asked, because there is no token for it or the mail is none. Then this says nothing of the server. */
  asked: boolean;
}

const MINUTE = 60_000;
const LONGEST_SAID = 400;
const USUAL_WAIT = 5 * MINUTE;

/**
 * What becomes of an email that is refused so: milliseconds to wait, or `give-up` until a person has changed something.
 * Exchange Online counts emails a minute and recipients a day; everything else that passes, passes in minutes.
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

/** What a line of an SMTP server means for the mail. Pure; `now` in milliseconds. */
export function readRefusal(line: string, now: number): SmtpRefusal {
  const known: string = explainText({ text: line }).code;
  const digits = /^\s*([45]\d\d)\b/.exec(line)?.[1];
  const code = isSmtpCode(known) ? known : `smtp-${digits ?? 'no-answer'}`;
  const policy = isSmtpCode(known) ? policies[known] : policyOfUnknown(digits);
  return {
    code,
    asked: true,
    // A server may repeat what it was sent.
    said: redact(line).slice(0, LONGEST_SAID),
    permanent: policy === 'give-up',
    retryAt: policy === 'give-up' ? undefined : new Date(now + policy).toISOString(),
  };
}

/** 503 says that the session was in the wrong state, not that the mail is refused; an unknown line is tried again. */
const policyOfUnknown = (digits: string | undefined): 'give-up' | number =>
  digits?.startsWith('5') === true && digits !== '503' ? 'give-up' : USUAL_WAIT;

/** True when a fresh token may help: not where the tenant has switched sending off, which has the same three digits. */
export const isTokenRefused = ({ code }: SmtpRefusal): boolean =>
  code === 'smtp-token-refused' || code === 'smtp-535';
