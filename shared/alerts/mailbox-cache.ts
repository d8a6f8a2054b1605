import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { MailboxStore } from '../mailboxes/mailbox-store.ts';
import { withTimeout } from '../platform/concurrency.ts';
import { isStorageAway } from './collect-health.ts';

/** The mailboxes, with a cache for sending alerts while storage is unavailable. */
export interface MailboxCache {
  /**
   * The current mailboxes.
   * @throws PostroomError `table-storage` when storage is unavailable
   */
  list(): Promise<Mailbox[]>;
  /** The mailboxes of this process's last read, without a request. */
  last(): readonly Mailbox[];
  /**
   * The current mailboxes, or the last ones read.
   * @throws PostroomError when storage is unavailable and nothing was read before
   */
  listOrLast(): Promise<readonly Mailbox[]>;
}

const TIMEOUT_MS = 5_000;

/** Reads the mailboxes of the store and caches them in this process. */
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
        return await withTimeout(list(), TIMEOUT_MS, 'table-storage');
      } catch (error) {
        if (last === undefined || !isStorageAway(error)) throw error;
        return last;
      }
    },
  };
}
