import type { Mailbox } from '../mailboxes/mailbox.ts';
import { openInbox } from '../mailboxes/open-inbox.ts';
import type { Seam } from '../platform/seam.ts';
import { type ReachDeps, tokenOf } from './connect-steps.ts';
import type { TestRunner } from './test-runner.ts';
import { messageIdOf } from './test-smtp.ts';

/**
 * True when the test email is in the mailbox: in the fetched folder, the inbox, or the folder it is moved to.
 * POP3 only has the inbox.
 */
export async function findTestEmail(
  run: TestRunner,
  deps: ReachDeps & { seam: Seam },
  mailbox: Mailbox,
  mark: string,
): Promise<boolean> {
  const { address, afterFetch, folder, host, port, protocol } = mailbox;
  const { token, user } = await tokenOf(run, deps, mailbox);
  const others =
    protocol === 'pop3' ? [] : [folder, ...(afterFetch.kind === 'move' ? [afterFetch.folder] : [])];
  for (const place of new Set(['INBOX', ...others])) {
    run.note('test', `searching “${place}” for the test email`);
    const at = { host, port, folder: place, user: address, owner: user, accessToken: token };
    const inbox = await openInbox(protocol, at, deps.seam, { local: deps.config.local });
    try {
      const found = await inbox.find({ words: mark, messageId: messageIdOf(address, mark) });
      if (found.length > 0) return true;
    } finally {
      await inbox.close();
    }
  }
  return false;
}
