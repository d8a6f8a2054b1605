import { redact } from '../explanations/redact.ts';
import { InboxError, type InboxFailure } from './inbox.ts';

/**
 * A logger for imapflow that captures why the server refused a command. imapflow exposes the reason only in its
 * log.
 */
export class RefusalLog {
  #said = '';

  warn(entry: { err?: unknown }): void {
    this.#said = text(entry.err, 'responseText') || this.#said;
  }

  isLevelEnabled(level: string): boolean {
    return level === 'warn';
  }

  debug(): void {}

  info(): void {}

  /** Required: without these two methods, imapflow writes to the console. */
  error(): void {}

  fatal(): void {}

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
 */
export function inboxError(error: unknown): InboxError {
  if (error instanceof InboxError) return error;
  const said = text(error, 'responseText') || text(error, 'response') || text(error, 'message');
  // The server may echo what we sent, including the token.
  const shown = redact(said).slice(0, 200);
  return new InboxError(failureOf(error, said), `The mail server said: ${shown}`, {
    cause: error,
    said: shown,
  });
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
