import { redact } from '../explanations/redact.ts';
import { InboxError, type InboxFailure } from './inbox.ts';

/** imapflow swallows why the server refused a command, but for a line in its log. */
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

  /** Where there were none of these two, imapflow would write to the console. */
  error(): void {}

  fatal(): void {}

  /** What the server said since this was last asked. */
  take(): string {
    const said = this.#said;
    this.#said = '';
    return said;
  }
}

/** imapflow reports much by its return value, false or undefined, where one would expect an error. */
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

/** Tells failures apart by what the server said; imapflow calls a server that is down "authentication failed", too. */
export function inboxError(error: unknown): InboxError {
  if (error instanceof InboxError) return error;
  const said = text(error, 'responseText') || text(error, 'response') || text(error, 'message');
  // A server may repeat what it was sent.
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
