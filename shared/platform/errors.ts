import { isOfContent, type ProblemCode } from './problem.ts';

/**
 * A failure of the environment: storage unavailable, a server refusing, a setting missing. A failure that a
 * user can cause is a value instead. The message is safe to log: it never contains a secret, a token or
 * text of an email.
 */
export class PostroomError extends Error {
  readonly code: ProblemCode;

  constructor(code: ProblemCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'PostroomError';
    this.code = code;
  }
}

/** Describes anything that was thrown, in one sentence for the log. */
export function describeError(error: unknown): string {
  if (error instanceof PostroomError) return `${error.code}: ${error.message}`;
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  return String(error);
}

/**
 * True when a retry can't help, because of the content to be stored or a bug in handling it. False for
 * outages, which are temporary.
 */
export function isCausedByContent(error: unknown): boolean {
  if (error instanceof PostroomError) return isOfContent(error.code);
  return [TypeError, RangeError, SyntaxError, ReferenceError].some((kind) => error instanceof kind);
}
