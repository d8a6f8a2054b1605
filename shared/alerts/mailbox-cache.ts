import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { MailboxStore } from '../mailboxes/mailbox-store.ts';
import { withTimeout } from '../platform/concurrency.ts';
import { isStorageAway } from './collect-health.ts';

/** The mailboxes, and the last of them that this process saw: what is left to mail an alert over when storage is away. */
export interface MailboxCache {
  /** As they are. @throws PostroomError `table-storage` when storage is away */
  list(): Promise<Mailbox[]>;
  /** As they were when this process read them last; costs nothing. */
  last(): readonly Mailbox[];
  /** As they are, or as they were when storage last answered. @throws PostroomError where it never has */
  listOrLast(): Promise<readonly Mailbox[]>;
}

const PATIENCE_MS = 5_000;

/** Reads the mailboxes of the store and remembers them, for one process. */
export function createMailboxCache(store: Pick<MailboxStore, 'list'>): MailboxCache {
  let last: readonly Mailbox[] | undefined;
  const list = async (): Promise<Mailbox[]> => {
    const mailboxes = await store.list();
    last = mailboxes;
    return mailboxes;
  };
  return {
    list,
    last: () => last ?? [],
    async listOrLast() {
      try {
        return await withTimeout(list(), PATIENCE_MS, 'table-storage');
      } catch (error) {
        if (last === undefined || !isStorageAway(error)) throw error;
        return last;
      }
    },
  };
}
