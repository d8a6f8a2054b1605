import type { ConnectDeps, ConnectFailure } from '../mailboxes/connect-inbox.ts';
import type { Cursor } from '../mailboxes/cursor.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { Seam } from '../platform/seam.ts';
import type { IntakeDeps } from './batch.ts';
import { lookAtMailbox } from './look-at-mailbox.ts';
import { takeMail } from './take-mail.ts';

export interface FetchDeps extends IntakeDeps, ConnectDeps {
  seam: Seam;
  saveCursor: (mailboxId: string, cursor: Cursor) => Promise<void>;
}

export type FetchResult =
  | { kind: 'fetched'; opened: number; replies: number; quarantined: number; skipped: number; more: boolean }
  | { kind: 'nothing-new' }
  /** Another run is fetching this mailbox. */
  | { kind: 'busy' }
  | { kind: 'failed'; failure: ConnectFailure };

/** How long a fetch may take. */
export interface TimeBox {
  /** Milliseconds since the epoch. No batch starts after it; the next fetch continues from there. */
  deadline: number;
  /** Aborts the fetch: drops the connection and releases the lease. */
  cut?: AbortSignal | undefined;
  /** True while other mailboxes wait for this one: a first fetch ends after its present piece. */
  isAwaited?: (() => boolean) | undefined;
}

/**
 * Fetches one mailbox: signs in, lists messages, imports them batch by batch, marks them on the server.
 * @param cursor how far the folder was read; undefined before the first fetch
 * @throws PostroomError if storage or Key Vault is unavailable. The mail server's failures are returned as a
 * result.
 */
export async function fetchMailbox(
  deps: FetchDeps,
  mailbox: Mailbox,
  cursor: Cursor | undefined,
  box: TimeBox,
): Promise<FetchResult> {
  const look = await lookAtMailbox(deps, mailbox, cursor, box);
  return look.kind === 'found' ? takeMail(deps, mailbox, look, box) : look;
}
