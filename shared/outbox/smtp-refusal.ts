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
// Exchange Online counts emails a minute and recipients a day; everything else that passes, passes in minutes.
// https://learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements
const WAITS: Readonly<Record<string, number>> = {
  'smtp-rate': MINUTE,
  'smtp-thread-limit': MINUTE,
  'smtp-concurrent-connections': MINUTE,
  'smtp-recipient-quota': 60 * MINUTE,
};
const USUAL_WAIT = 5 * MINUTE;

/** What a line of an SMTP server means for the mail. Pure; `now` in milliseconds. */
export function readRefusal(line: string, now: number): SmtpRefusal {
  const { code: known, retry } = explainText({ text: line });
  const digits = /^\s*([45]\d\d)\b/.exec(line)?.[1];
  const recognised = known !== 'not-recognised' && known.startsWith('smtp-');
  const code = recognised ? known : `smtp-${digits ?? 'no-answer'}`;
  // 503 says that the session was in the wrong state, not that the mail is refused; an unknown line is tried again.
  const permanent = recognised ? retry !== 'by-itself' : digits?.startsWith('5') === true && digits !== '503';
  return {
    code,
    asked: true,
    // A server may repeat what it was sent.
    said: redact(line).slice(0, LONGEST_SAID),
    permanent,
    retryAt: permanent ? undefined : new Date(now + (WAITS[code] ?? USUAL_WAIT)).toISOString(),
  };
}

/** True when a fresh token may help: not where the tenant has switched sending off, which has the same three digits. */
export const isTokenRefused = ({ code }: SmtpRefusal): boolean =>
  code === 'smtp-token-refused' || code === 'smtp-535';
