import { type ConnectDeps, connectInbox } from './connect-inbox.ts';
import { beginFirstFetch } from './first-fetch.ts';
import { folderKeyOf, type Mailbox } from './mailbox.ts';
import type { Seam } from '../platform/seam.ts';
import type { MailboxStore } from './mailbox-store.ts';

export type VerifiedMailbox =
  /** `first`: emails that the first fetch is about to take; absent where it has begun. */
  | { kind: 'opened'; unread: number; total: number; first?: number | undefined }
  | { kind: 'failed'; code: string; message: string };

/**
 * Opens the mailbox for real, counts, and remembers where its folder stands: what anyone reads from now on is fetched
 * all the same, what was read before is not.
 */
export async function verifyMailbox(
  deps: ConnectDeps & {
    seam: Pick<Seam, 'now'>;
    mailboxes: Pick<MailboxStore, 'fetchState' | 'saveCursor' | 'setFailure'>;
  },
  mailbox: Mailbox,
): Promise<VerifiedMailbox> {
  const connected = await connectInbox(deps, mailbox);
  if (connected.kind !== 'connected')
    return { kind: 'failed', code: connected.code, message: connected.message };
  const { inbox } = connected;
  try {
    const unread = await inbox.search({});
    const { cursors, failing } = await deps.mailboxes.fetchState();
    // What stopped it is mended: the next fetch need not wait for its time.
    if (failing.has(mailbox.id)) await deps.mailboxes.setFailure(mailbox.id, undefined);
    const folderKey = folderKeyOf(mailbox);
    const cursor = cursors.get(mailbox.id);
    const isOther = cursor?.uidValidity !== inbox.uidValidity || cursor.folderKey !== folderKey;
    // Until it has begun, a person may choose another day.
    if (!isOther && cursor.first?.at !== 0)
      return { kind: 'opened', unread: unread.length, total: inbox.total };
    const first = await beginFirstFetch(inbox, mailbox, deps.seam.now());
    await deps.mailboxes.saveCursor(mailbox.id, {
      uidValidity: inbox.uidValidity,
      folderKey,
      uid: inbox.uidNext - 1,
      left: [],
      waiting: [],
      lastMailAt: undefined,
      first,
    });
    return { kind: 'opened', unread: unread.length, total: inbox.total, first: first?.total ?? 0 };
  } finally {
    await inbox.close();
  }
}
