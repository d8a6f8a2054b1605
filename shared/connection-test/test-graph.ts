import type { Mailbox } from '../mailboxes/mailbox.ts';
import { openInbox } from '../mailboxes/open-inbox.ts';
import type { Seam } from '../platform/seam.ts';
import { type ReachDeps, tokenStep } from './connect-steps.ts';
import { countInWords } from './test-imap.ts';
import type { TestRunner } from './test-runner.ts';

/** The steps over Microsoft Graph up to the number of unread messages. Changes nothing. */
export async function testGraph(
  run: TestRunner,
  deps: ReachDeps & { seam: Seam },
  mailbox: Mailbox,
): Promise<void> {
  const { address, folder, host, port } = mailbox;
  const { user, token } = await tokenStep(run, deps, mailbox);
  const inbox = await run.step('folder', async () => {
    const place = { host, port, folder, user: address, owner: user, accessToken: token };
    const value = await openInbox('graph', place, deps.seam, { local: deps.config.local });
    return { value, found: `${user} can access ${address}, and “${folder}” opens.` };
  });
  try {
    await run.step('count', async () => {
      const { refs } = await inbox.list({});
      return { value: undefined, found: countInWords(refs.length, inbox.total) };
    });
  } finally {
    await inbox.close();
  }
}
