import type { Mailbox } from '../mailboxes/mailbox.ts';
import { Pop3Error } from '../mailboxes/pop3-errors.ts';
import { Pop3Session } from '../mailboxes/pop3-session.ts';
import type { Seam } from '../platform/seam.ts';
import {
  encryptStep,
  openLineSocket,
  type ReachDeps,
  reachServer,
  tokenOf,
  tokenStep,
} from './connect-steps.ts';
import type { TestRunner } from './test-runner.ts';

/** The POP3 steps up to the number of messages. Removes nothing. */
export async function testPop3(
  run: TestRunner,
  deps: ReachDeps & { seam: Seam },
  login: Mailbox,
): Promise<void> {
  const { address } = login;
  const wire = await reachServer(run, deps, login);
  await encryptStep(run, () => wire.encrypt());
  const { user, token } = await tokenStep(run, deps, login);
  const session = await run.step('sign-in', async () => {
    const opened = await Pop3Session.greeted(wire, deps.seam);
    const found = `${user} can access ${address}`;
    try {
      await opened.capabilities();
      await opened.signIn(address, token);
      return { value: opened, found: `${found}.` };
    } catch (error) {
      if (!(error instanceof Pop3Error && error.failure === 'token-refused')) throw error;
      run.note('test', 'refused; requesting a new token');
      const { token: fresh } = await tokenOf(run, deps, login, token);
      const second = await openLineSocket(run, deps, login);
      await second.encrypt();
      const again = await Pop3Session.greeted(second, deps.seam);
      await again.signIn(address, fresh);
      return { value: again, found: `${found} (after a token refresh).` };
    }
  });
  await run.step('count', async () => {
    const { count } = await session.stat();
    // Each message needs a permanent UIDL, otherwise messages can't be distinguished.
    await session.mails();
    await session.quit();
    const mails = count === 1 ? '1 email' : `${count} emails`;
    const empty = count === 0 ? ' To see one, send an email to the mailbox.' : '';
    const found = `${mails} in the inbox, read and unread: POP3 does not distinguish them.${empty}`;
    return { value: undefined, found };
  });
}
