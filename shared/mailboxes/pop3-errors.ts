import { redact } from '../explanations/redact.ts';
import { PostroomError } from '../platform/errors.ts';
import type { ProblemCode } from '../platform/problem.ts';
import { InboxError } from './inbox.ts';
import { SocketError } from './line-socket.ts';

export type Pop3Failure =
  /** The server refused the token: refresh once, then a person has to act. */
  | 'token-refused'
  /** The token is valid, but the mailbox stays closed until a person at the server acts. */
  | 'no-access'
  /** The server refused a command. */
  | 'refused'
  /** Unreachable, disconnected, or not speaking POP3: retry later. */
  | 'unavailable';

export class Pop3Error extends PostroomError {
  readonly failure: Pop3Failure;
  /** The server's line, without secrets; empty if there was none. */
  readonly said: string;

  constructor(failure: Pop3Failure, said: string, options?: { cause?: unknown; code?: ProblemCode }) {
    // A server may repeat what it was sent.
    const shown = redact(said).slice(0, 200);
    super(options?.code ?? `pop3-${failure}`, `The mail server said: ${shown}`, options);
    this.name = 'Pop3Error';
    this.failure = failure;
    this.said = shown;
  }
}

/**
 * Says in brackets if something else than the token is at fault (RFC 2449 section 8, RFC 3206 section 4): then
 * a fresh token does not help. Servers without these codes say it in words.
 */
export function signInError(line: string): Pop3Error {
  if (/^-ERR \[IN-USE\]|^-ERR .*\b(?:already locked|lock busy|in use)\b/i.test(line))
    return new Pop3Error('unavailable', line, { code: 'pop3-in-use' });
  if (/^-ERR \[LOGIN-DELAY\]/i.test(line))
    return new Pop3Error('unavailable', line, { code: 'pop3-login-delay' });
  if (/^-ERR \[SYS\/PERM\]/i.test(line)) return new Pop3Error('no-access', line);
  return new Pop3Error(
    /^-ERR \[SYS\//i.test(line) || !line.startsWith('-ERR') ? 'unavailable' : 'token-refused',
    line,
  );
}

/** Anything that a session threw, as a Pop3Error if the connection is at fault. */
export function pop3Error(error: unknown): unknown {
  return error instanceof SocketError ? new Pop3Error('unavailable', error.message, { cause: error }) : error;
}

export const closedError = (): InboxError =>
  new InboxError('unavailable', 'The connection is closed', { code: 'pop3-unavailable' });

export const goneError = (): InboxError =>
  new InboxError('unavailable', 'The mail server did not find the mail any more', {
    code: 'pop3-unavailable',
  });

/** Faults of our own code and of the test seam pass unchanged. */
export function inboxError(error: unknown): unknown {
  if (error instanceof Pop3Error) {
    const { failure, message, said, code } = error;
    return new InboxError(failure, message, { cause: error, said: said === '' ? undefined : said, code });
  }
  // Errors of the socket and of the guard in front of it have a code; so have those that need no translation.
  if (!(error instanceof Error && 'code' in error) || error instanceof InboxError) return error;
  return new InboxError('unavailable', `The mail server is not reached: ${error.message}`, {
    cause: error,
    code: 'pop3-unavailable',
  });
}
