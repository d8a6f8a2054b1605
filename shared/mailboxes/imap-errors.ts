import { redact } from '../explanations/redact.ts';
import { InboxError, type InboxFailure } from './inbox.ts';

/** Exchange Online's "Suggested Backoff Time", in milliseconds, and the response that contained it. */
export interface Throttled {
  ms: number;
  said: string;
}

/**
 * Longest pause that a session waits for. A longer one ends it: waiting costs as much as working, and the next
 * fetch continues from there.
 */
const LONGEST_WAIT_MS = 5_000;

/**
 * A logger for imapflow that captures why the server refused a command. imapflow exposes the reason only in its
 * log.
 */
export class RefusalLog {
  #said = '';
  #error: unknown;
  #throttled: Throttled | undefined;
  /** Called when the server asks for a pause too long to wait for; set by the owner of the connection. */
  onThrottled: () => void = () => {};

  /** The pause that ended the session; undefined: none did. */
  get throttled(): Throttled | undefined {
    return this.#throttled;
  }

  /**
   * imapflow logs `throttleDelay` before it waits for it, with the connection open
   * (https://github.com/postalsys/imapflow, `Throttling detected`).
   */
  warn(entry: { err?: unknown; throttleDelay?: unknown }): void {
    this.#said = text(entry.err, 'responseText') || this.#said;
    this.#error = entry.err ?? this.#error;
    const { throttleDelay: ms } = entry;
    if (typeof ms !== 'number' || ms <= LONGEST_WAIT_MS) return;
    this.#throttled = { ms, said: this.#said };
    this.onThrottled();
  }

  isLevelEnabled(level: string): boolean {
    return level === 'warn';
  }

  debug(): void {}

  info(): void {}

  /** Required: without these two methods, imapflow writes to the console. */
  error(): void {}

  fatal(): void {}

  /** The last refusal, if it says that the server is busy or out of order: another command would fail, too. */
  get busy(): InboxError | undefined {
    return /throttled|unavailable/i.test(this.#said) ? inboxError(this.#error, this.#throttled) : undefined;
  }

  /** Returns and clears the server's last message. */
  take(): string {
    const said = this.#said;
    this.#said = '';
    return said;
  }
}

/**
 * Unwraps a return value of imapflow, which reports many failures as false or undefined instead of throwing.
 */
export function required<T>(value: T | false | undefined | null, what: string): T {
  if (value === false || value === undefined || value === null)
    throw new InboxError('unavailable', `The mail server did not ${what}`);
  return value;
}

const text = (error: unknown, name: string): string => {
  const value =
    typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : '';
};

/**
 * Classifies an error by the server's response. imapflow also reports an unavailable server as "authentication
 * failed".
 * @param throttled the reason for which this session was ended, if it was
 */
export function inboxError(error: unknown, throttled?: Throttled): InboxError {
  if (throttled !== undefined) {
    const shown = redact(throttled.said).slice(0, 200);
    return new InboxError('unavailable', `The mail server said: ${shown}`, {
      cause: error,
      said: shown,
      retryAfterMs: throttled.ms,
    });
  }
  if (error instanceof InboxError) return error;
  // The message is empty if several addresses of a host failed (Node's AggregateError).
  const said =
    text(error, 'responseText') || text(error, 'response') || text(error, 'message') || text(error, 'code');
  // The server may echo what we sent, including the token.
  const shown = redact(said).slice(0, 200);
  return new InboxError(failureOf(error, said), `The mail server said: ${shown}`, {
    cause: error,
    said: shown,
    retryAfterMs: throttleReset(error),
  });
}

/** The pause that the server asked for, in milliseconds, less what imapflow has already waited. */
function throttleReset(error: unknown): number | undefined {
  if (text(error, 'code') !== 'ETHROTTLE') return undefined;
  const { throttleReset: asked, throttleWaited: waited = 0 } = error as Record<string, unknown>;
  return typeof asked === 'number' ? Math.max(0, asked - Number(waited)) : undefined;
}

function failureOf(error: unknown, said: string): InboxFailure {
  const flag = (name: string): boolean =>
    typeof error === 'object' && error !== null && (error as Record<string, unknown>)[name] === true;
  if (/authenticated but not connected/i.test(said)) return 'no-access';
  if (text(error, 'serverResponseCode') === 'UNAVAILABLE' || text(error, 'code') === 'ETHROTTLE')
    return 'unavailable';
  if (flag('authenticationFailed')) return 'token-refused';
  if (flag('mailboxMissing') || text(error, 'serverResponseCode') === 'NONEXISTENT') return 'folder-missing';
  return 'unavailable';
}
