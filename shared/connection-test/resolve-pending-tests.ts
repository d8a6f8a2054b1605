import type { Mailbox } from '../mailboxes/mailbox.ts';
import { PostroomError } from '../platform/errors.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { isWaiting } from './connection-test.ts';
import type { ConnectionTestStore } from './connection-test-store.ts';
import { type PreviewDeps, findTestMessage } from './run-connection-test.ts';

const AT_ONCE = 4;

/**
 * Looks once for the mail to oneself of every test that waits for one, and keeps what became of it: a test ends whether
 * or not somebody watches its page.
 */
export async function resolvePendingTests(
  deps: PreviewDeps & {
    connectionTests: ConnectionTestStore;
    mailboxes: { get(id: string): Promise<Mailbox | undefined> };
  },
): Promise<void> {
  const { connectionTests, mailboxes } = deps;
  await mapLimited(await connectionTests.waiting(), AT_ONCE, async (waiting) => {
    const { mailboxId } = waiting;
    const mailbox = await mailboxes.get(mailboxId).catch(unreadable);
    // Its test waits until its row can be read again, and no other test waits for that.
    if (mailbox === 'unreadable') return;
    let waits = false;
    for (const test of await connectionTests.of(mailboxId)) {
      if (mailbox === undefined || !isWaiting(test)) continue;
      const looked = await findTestMessage(deps, mailbox, test);
      if (isWaiting(looked)) waits = true;
      else await connectionTests.saveResult(mailboxId, looked);
    }
    if (!waits) await connectionTests.endWait(waiting);
  });
}

function unreadable(error: unknown): 'unreadable' {
  if (error instanceof PostroomError && error.code === 'bad-row') return 'unreadable';
  throw error;
}
