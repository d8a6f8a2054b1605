import { describeError } from './errors.ts';
import type { Secret } from './secret.ts';

/** What a log line may contain. Secrets print a placeholder; never log message text. */
export type LogField = string | number | boolean | undefined | Secret;

export interface Log {
  info(event: string, fields?: Record<string, LogField>): void;
  warn(event: string, fields?: Record<string, LogField>): void;
  error(event: string, error: unknown, fields?: Record<string, LogField>): void;
}

const line = (level: string, event: string, fields: Record<string, LogField>): string =>
  JSON.stringify({ level, event, ...fields });

/** Writes one JSON object per line; the Functions host adds time and invocation. */
export const log: Log = {
  info: (event, fields = {}) => console.log(line('info', event, fields)),
  warn: (event, fields = {}) => console.warn(line('warn', event, fields)),
  error: (event, error, fields = {}) => {
    const cause =
      error instanceof Error && error.cause !== undefined ? describeError(error.cause) : undefined;
    console.error(line('error', event, { ...fields, error: describeError(error), cause }));
  },
};
