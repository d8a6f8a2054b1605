import type { Code } from '../platform/problem.ts';
import type { Seam } from '../platform/seam.ts';
import { type ConnectDeps, connectInbox } from './connect-inbox.ts';
import { beginFirstFetch, isAboutToBegin } from './first-fetch.ts';
import { folderKeyOf, type Mailbox } from './mailbox.ts';
import type { MailboxStore } from './mailbox-store.ts';

export type VerifiedMailbox =
  /** `first`: number of emails that the first fetch is about to take; absent after it has begun. */
  | { kind: 'opened'; unread: number; total: number; first?: number | undefined }
  | { kind: 'failed'; code: Code; message: string };

/**
 * Opens the mailbox, counts, and stores the folder's position: messages that are read from now on are
 * fetched too, those read before are not.
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
    const { refs: unread, position } = await inbox.list({});
    const { cursors, failing } = await deps.mailboxes.fetchState();
    // The cause of its failure is fixed, so the next fetch need not wait for its retry time.
    if (failing.has(mailbox.id)) await deps.mailboxes.setFailure(mailbox.id, undefined);
    const folderKey = folderKeyOf(mailbox);
    const cursor = cursors.get(mailbox.id);
    const isOther = cursor?.validity !== inbox.validity || cursor.folderKey !== folderKey;
    // Until the first fetch has begun, a person may choose another day.
    if (!isOther && !isAboutToBegin(cursor.first))
      return { kind: 'opened', unread: unread.length, total: inbox.total };
    const first = await beginFirstFetch(inbox, mailbox, position, deps.seam.now());
    await deps.mailboxes.saveCursor(mailbox.id, {
      validity: inbox.validity,
      folderKey,
      position: position.toData(),
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
