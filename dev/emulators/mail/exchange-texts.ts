export type SkinProtocol = 'imap' | 'pop3' | 'smtp';

/** The proxy's state of one connection. */
export interface SkinSession {
  signedIn: boolean;
  /** SMTP: the client has sent STARTTLS. */
  encrypted: boolean;
  /** IMAP: the mailbox of the last AUTHENTICATE, in lower case. */
  mailbox?: string;
}

/** A line of the server as Exchange would send it; undefined: Exchange sends nothing here. */
export type Rewritten = string | undefined;

type Rule = readonly [pattern: RegExp, rewrite: (found: RegExpExecArray, session: SkinSession) => Rewritten];

const trail = '[LAB01CA0001.demo.prod.outlook.example 2026-11-24T08:00:00.000Z 08DE0000000000]';

/*
 * Texts as public transcripts and Microsoft's pages give them; nothing is measured against the real service.
 * https://learn.microsoft.com/exchange/troubleshoot/email-delivery/fix-issues-with-printers-scanners-and-lob-applications-that-send-email-using-off
 */
const rules: Record<SkinProtocol, readonly Rule[]> = {
  imap: [
    [
      /^\* OK \[CAPABILITY.*|^\* OK .*(?:ready|service).*/i,
      () => '* OK The Microsoft Exchange IMAP4 service is ready. [TABBAEIA]',
    ],
    [
      /^(\S+) OK (?:\[CAPABILITY[^\]]*\] )?(?:Logged in|AUTHENTICATE).*/,
      (found, session) => {
        session.signedIn = true;
        return `${found[1]} OK AUTHENTICATE completed.`;
      },
    ],
    [
      /^(\S+) NO \[(?:AUTHENTICATIONFAILED|UNAVAILABLE)\].*/,
      (found) => `${found[1]} NO AUTHENTICATE failed.`,
    ],
    [
      /^(\S+) NO .*Mailbox doesn't exist: ([^(]+?)\s*(?:\(.*)?$/,
      (found) => `${found[1]} NO ${found[2]} doesn't exist.`,
    ],
    // Dovecot adds the time it took.
    [/^(\S+ (?:OK|NO|BAD) .*) \(\d[\d.]* \+ .*\)\.?$/, (found) => found[1]],
  ],
  pop3: [
    [/^\+OK .*ready\.?.*/, () => '+OK The Microsoft Exchange POP3 service is ready. [TABBAEIA]'],
    [/^-ERR \[AUTH\].*/, () => '-ERR Authentication failure: unknown user name or bad password.'],
    [
      /^\+OK (?:Logged in\.|User successfully authenticated).*/,
      (_found, session) => {
        session.signedIn = true;
        return '+OK User successfully authenticated.';
      },
    ],
  ],
  smtp: [
    [
      /^220 .*ESMTP.*/,
      () =>
        `220 LAB01CA0001.outlook.office365.example Microsoft ESMTP MAIL Service ready at Tue, 24 Nov 2026 08:00:00 +0000 [08DE0000000000]`,
    ],
    [/^535 .*/, () => `535 5.7.3 Authentication unsuccessful ${trail}`],
    [
      /^235 .*/,
      (_found, session) => {
        session.signedIn = true;
        return '235 2.7.0 Authentication successful';
      },
    ],
    // Exchange has PIPELINING; without it a fault keeps its place among the answers.
    [/^250-PIPELINING$/, () => undefined],
    [/^250-AUTH .*/, (found, { encrypted }) => (encrypted ? found[0] : '250-STARTTLS')],
    [/^250 AUTH .*/, (found, { encrypted }) => (encrypted ? found[0] : '250 STARTTLS')],
    [
      /^250 2\.0\.0 Ok: queued as (.*)/,
      (found) =>
        `250 2.0.0 OK <${found[1]}@demo.prod.outlook.example> [Hostname=LAB.demo.prod.outlook.example]`,
    ],
    [
      /^55[34] 5\.(?:7\.1|2\.252) .*/,
      () =>
        `554 5.2.252 SendAsDenied; the signed-in mailbox not allowed to send as this sender; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message due to a permanent exception with message Cannot submit message. ${trail}`,
    ],
  ],
};

/** The challenge with the reason, which Exchange does not send: it refuses at once. */
export function isOauthChallenge(protocol: SkinProtocol, line: string): boolean {
  return (protocol === 'smtp' ? /^334 eyJ/ : /^\+ eyJ/).test(line);
}

export function asExchange(protocol: SkinProtocol, line: string, session: SkinSession): Rewritten {
  for (const [pattern, rewrite] of rules[protocol]) {
    const found = pattern.exec(line);
    if (found !== null) return rewrite(found, session);
  }
  return line;
}

/** An injected fault that occurs `times` times. */
export type Fault =
  | {
      readonly kind: 'answer';
      readonly protocol?: SkinProtocol;
      times: number;
      /** Called for each command of the client. */
      when(line: string, session: SkinSession): boolean;
      /** The response instead of the server's; undefined: none. */
      answer(line: string): string | undefined;
      readonly close?: boolean;
    }
  | {
      /** Closes the connection instead of passing on the server's answer to the whole email (SMTP). */
      readonly kind: 'lose-answer';
      readonly protocol: 'smtp';
      times: number;
    }
  | {
      /** Closes the connection after this many bytes from the server. */
      readonly kind: 'cut';
      readonly protocol?: SkinProtocol;
      times: number;
      readonly bytes: number;
    };

const tagOf = (line: string) => line.split(' ', 1)[0] ?? '*';
const readsMail = (line: string) => /^\S+ (UID )?(FETCH|SEARCH|SELECT|EXAMINE)\b/i.test(line);

/** Faults seen at Exchange Online. Push one into `faults` of a running proxy. */
export const faults = {
  notConnected: (times = 1): Fault => ({
    kind: 'answer',
    protocol: 'imap',
    times,
    // Commands that need no mailbox still get a response.
    when: (line, { signedIn }) => signedIn && !/^\S+ (CAPABILITY|ID|LOGOUT)\b/i.test(line),
    answer: (line) => `${tagOf(line)} BAD User is authenticated but not connected.`,
  }),
  /**
   * IMAP is off for this mailbox (`Set-CASMailbox -ImapEnabled $false`) until the fault is removed; Graph and
   * the other mailboxes still work.
   */
  imapOff: (mailbox: string): Fault => ({
    kind: 'answer',
    protocol: 'imap',
    times: Infinity,
    when: (line, session) =>
      session.mailbox === mailbox.toLowerCase() &&
      session.signedIn &&
      !/^\S+ (CAPABILITY|ID|LOGOUT)\b/i.test(line),
    answer: (line) => `${tagOf(line)} BAD User is authenticated but not connected.`,
  }),
  imapThrottle: (milliseconds: number, times = 1): Fault => ({
    kind: 'answer',
    protocol: 'imap',
    times,
    when: readsMail,
    answer: (line) =>
      `${tagOf(line)} BAD Request is throttled. Suggested Backoff Time: ${milliseconds} milliseconds`,
  }),
  imapBye: (times = 1): Fault => ({
    kind: 'answer',
    protocol: 'imap',
    times,
    when: readsMail,
    answer: () => '* BYE Connection closed. 14',
    close: true,
  }),
  unavailable: (times = 1): Fault => ({
    kind: 'answer',
    protocol: 'imap',
    times,
    when: (line, { signedIn }) => signedIn && /^\S+ (SELECT|EXAMINE|STATUS|UID|NOOP)\b/i.test(line),
    answer: (line) => `${tagOf(line)} NO Server Unavailable. 15`,
  }),
  cutAfter: (bytes: number, times = 1): Fault => ({ kind: 'cut', times, bytes }),
  answerLost: (times = 1): Fault => ({ kind: 'lose-answer', protocol: 'smtp', times }),
  silent: (pattern: RegExp, times = 1): Fault => ({
    kind: 'answer',
    times,
    when: (line) => pattern.test(line),
    answer: () => undefined,
  }),
  smtpAuthDisabled: (times = 1): Fault => ({
    kind: 'answer',
    protocol: 'smtp',
    times,
    when: (line) => /^AUTH /i.test(line),
    answer: () =>
      `535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. ${trail}`,
  }),
  smtpRate: (times = 1): Fault => ({
    kind: 'answer',
    protocol: 'smtp',
    times,
    when: (line) => /^DATA$/i.test(line),
    answer: () =>
      `432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. ${trail}`,
    close: true,
  }),
  smtpQuota: (times = 1): Fault => ({
    kind: 'answer',
    protocol: 'smtp',
    times,
    when: (line) => /^RCPT TO/i.test(line),
    answer: () =>
      `550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients ${trail}`,
  }),
} as const;
