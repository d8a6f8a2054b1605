import { type ConnectDeps, connectInbox } from './connect-inbox.ts';
import { searchFirst, sinceOf } from './first-fetch.ts';
import { InboxError } from './inbox.ts';
import type { Mailbox } from './mailbox.ts';

export type FirstFetchCount =
  /** `since`: email received on or after the mailbox's first day; absent if none was chosen. */
  | { kind: 'counted'; unread: number; since: number | undefined }
  /** A sentence for a person. */
  | { kind: 'failed'; message: string };

/** Counts the emails that a first fetch would import. Changes no flags and stores nothing. */
export async function countFirstFetch(deps: ConnectDeps, mailbox: Mailbox): Promise<FirstFetchCount> {
  const connected = await connectInbox(deps, mailbox);
  if (connected.kind !== 'connected') return { kind: 'failed', message: connected.message };
  const { inbox } = connected;
  try {
    const unread = await searchFirst(inbox, undefined);
    const since = sinceOf(mailbox);
    const found = since === undefined ? undefined : await searchFirst(inbox, since);
    return { kind: 'counted', unread: unread.length, since: found?.length };
  } catch (error) {
    if (!(error instanceof InboxError)) throw error;
    return { kind: 'failed', message: error.message };
  } finally {
    await inbox.close();
  }
}
