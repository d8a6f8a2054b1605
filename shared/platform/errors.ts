import { isOfContent, type ProblemCode } from './problem.ts';

/**
 * Something the world broke: storage away, a server refusing, a setting missing. What a user can cause is a value,
 * never one of these. The message is safe to log: it never holds a secret, a token or text of an email.
 */
export class PostroomError extends Error {
  readonly code: ProblemCode;

  constructor(code: ProblemCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'PostroomError';
    this.code = code;
  }
}

/** A sentence for the log from anything that was thrown. */
export function describeError(error: unknown): string {
  if (error instanceof PostroomError) return `${error.code}: ${error.message}`;
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  return String(error);
}

/**
 * True when trying again cannot help because of what was to be stored, or of a mistake of ours in handling it; false
 * for outages, which pass.
 */
export function isCausedByContent(error: unknown): boolean {
  if (error instanceof PostroomError) return isOfContent(error.code);
  return [TypeError, RangeError, SyntaxError, ReferenceError].some((kind) => error instanceof kind);
}
