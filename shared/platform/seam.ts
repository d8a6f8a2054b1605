/**
 * The one place where the outside world can be made to fail. Every IMAP, POP3, SMTP, webhook, table, blob, queue, vault, token, Graph and
 * clock call passes through a seam under its own name, so that a test can crash before it, crash after it,
 * fail before it or lose its answer (docs/decisions/0004-one-seam-for-faults.md).
 */
export type SeamPoint =
  `${'imap' | 'pop3' | 'smtp' | 'webhook' | 'table' | 'blob' | 'queue' | 'vault' | 'token' | 'graph'}.${string}`;

export interface Seam {
  /** Runs the effect. Tests put a fault in its place, before it, or after it. */
  call<T>(point: SeamPoint, effect: () => Promise<T>): Promise<T>;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** The seam of production: nothing but the call itself. */
export const openSeam: Seam = { call: (_point, effect) => effect(), now: () => Date.now() };
