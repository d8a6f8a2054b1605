import type { Mailbox } from '../mailboxes/mailbox.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { PostroomError } from '../platform/errors.ts';
import { isWaiting } from './connection-test.ts';
import type { ConnectionTestStore } from './connection-test-store.ts';
import { findTestMessage, type PreviewDeps } from './run-connection-test.ts';

const AT_ONCE = 4;

/**
 * Checks once for the test email of every waiting test and stores the result, so that a test ends even if
 * nobody watches its page.
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
    // Its test waits until the row can be read again; other tests are not affected.
    if (mailbox === 'unreadable') return;
    let waits = false;
    for (const test of await connectionTests.of(mailboxId)) {
      if (mailbox === undefined || !isWaiting(test)) continue;
      const checked = await findTestMessage(deps, mailbox, test);
      if (isWaiting(checked)) waits = true;
      else await connectionTests.saveResult(mailboxId, checked);
    }
    if (!waits) await connectionTests.endWait(waiting);
  });
}

function unreadable(error: unknown): 'unreadable' {
  if (error instanceof PostroomError && error.code === 'bad-row') return 'unreadable';
  throw error;
}
