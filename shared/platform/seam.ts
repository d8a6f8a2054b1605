/**
 * The one place where tests inject faults. Every IMAP, POP3, SMTP, webhook, table, blob, queue, vault,
 * token, Graph and clock call passes through a seam under its own name, so that a test can crash before or
 * after it, make it fail or lose its response (docs/decisions/0004-one-seam-for-faults.md).
 */
export type SeamPoint =
  `${'imap' | 'pop3' | 'smtp' | 'webhook' | 'table' | 'blob' | 'queue' | 'vault' | 'token' | 'graph'}.${string}`;

export interface Seam {
  /** Runs the effect. Tests inject a fault before, after or instead of it. */
  call<T>(point: SeamPoint, effect: () => Promise<T>): Promise<T>;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** The seam in production: only makes the call. */
export const openSeam: Seam = { call: (_point, effect) => effect(), now: () => Date.now() };
