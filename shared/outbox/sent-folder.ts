import { type ConnectDeps, connectInbox } from '../mailboxes/connect-inbox.ts';
import { type Inbox, InboxError, SENT_FOLDER } from '../mailboxes/inbox.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { Code } from '../platform/problem.ts';

/** Where mail servers keep copies of what was sent. */
export interface SentFolder {
  /**
   * Whether it has an email with this Message-ID. False also where there is no such folder; undefined when it
   * could not be searched now.
   */
  has(messageId: string): Promise<boolean | undefined>;
  /**
   * Adds a copy, where the mailbox is read over IMAP and has such a folder.
   * @returns false when there is no copy, for whatever reason of the server's
   */
  keep(raw: Uint8Array): Promise<boolean>;
  close(): Promise<void>;
}

/** For a mailbox without one. */
export const noSentFolder: SentFolder = {
  has: () => Promise.resolve(false),
  keep: () => Promise.resolve(false),
  close: () => Promise.resolve(),
};

const unreachable: SentFolder = { ...noSentFolder, has: () => Promise.resolve(undefined) };

const MISSING: ReadonlySet<Code> = new Set(['imap-folder-missing', 'graph-folder-missing']);

/** Opens the Sent folder of a mailbox with the account that reads it. POP3 has no folders. */
export async function openSentFolder(deps: ConnectDeps, mailbox: Mailbox): Promise<SentFolder> {
  if (mailbox.protocol === 'pop3') return noSentFolder;
  let inbox: Inbox;
  try {
    const opened = await connectInbox(deps, { ...mailbox, folder: SENT_FOLDER });
    if (opened.kind !== 'connected') return MISSING.has(opened.code) ? noSentFolder : unreachable;
    ({ inbox } = opened);
  } catch (error) {
    if (error instanceof InboxError) return unreachable;
    throw error;
  }
  return {
    async has(messageId) {
      try {
        return (await inbox.find({ words: '', messageId })).length > 0;
      } catch (error) {
        if (error instanceof InboxError) return undefined;
        throw error;
      }
    },
    async keep(raw) {
      try {
        await inbox.append?.(raw);
        return inbox.append !== undefined;
      } catch (error) {
        if (error instanceof InboxError) return false;
        throw error;
      }
    },
    close: () => inbox.close(),
  };
}
