import { type ConnectDeps, connectInbox } from '../mailboxes/connect-inbox.ts';
import { type Inbox, InboxError, SENT_FOLDER } from '../mailboxes/inbox.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';

/** Where mail servers keep copies of what was sent. */
export interface SentFolder {
  /**
   * Whether it has an email with this Message-ID. False also where there is no such folder; undefined when it
   * could not be searched now.
   */
  has(messageId: string): Promise<boolean | undefined>;
  close(): Promise<void>;
}

/** For a mailbox without one. */
export const noSentFolder: SentFolder = {
  has: () => Promise.resolve(false),
  close: () => Promise.resolve(),
};

const unreachable: SentFolder = { ...noSentFolder, has: () => Promise.resolve(undefined) };

/** Opens the Sent folder of a mailbox with the account that reads it. */
export async function openSentFolder(deps: ConnectDeps, mailbox: Mailbox): Promise<SentFolder> {
  let inbox: Inbox;
  try {
    const opened = await connectInbox(deps, { ...mailbox, folder: SENT_FOLDER });
    if (opened.kind !== 'connected')
      return opened.code === 'imap-folder-missing' ? noSentFolder : unreachable;
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
    close: () => inbox.close(),
  };
}
