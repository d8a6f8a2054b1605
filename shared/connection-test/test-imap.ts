import type { LineSocket } from '../mailboxes/line-socket.ts';
import type { Mailbox, MailLogin } from '../mailboxes/mailbox.ts';
import type { Secret } from '../platform/secret.ts';
import {
  encryptStep,
  openLineSocket,
  type ReachDeps,
  reachServer,
  type SignedInUser,
  tokenOf,
  tokenStep,
} from './connect-steps.ts';
import { type AccessProbes, diagnoseNoAccess } from './diagnose-no-access.ts';
import { ImapProbe } from './imap-probe.ts';
import { StepRefused, type TestRunner } from './test-runner.ts';

const MOMENT_MS = 1_500;
const NOT_CONNECTED = /authenticated but not connected/i;
const AWAY = /\bUNAVAILABLE\b|throttled|too many/i;

/** The IMAP steps up to the number of unread messages. Changes no flags. */
export async function testImap(
  run: TestRunner,
  deps: ReachDeps & { pauseMs?: number | undefined },
  mailbox: Mailbox,
): Promise<void> {
  const { address, folder } = mailbox;
  const wire = await reachServer(run, deps, mailbox);
  await encryptStep(run, () => wire.encrypt());
  const signedIn = await tokenStep(run, deps, mailbox);
  const talk = await run.step('sign-in', async () => {
    const { talk: opened, fresh } = await signInTwice(run, deps, mailbox, wire, address, signedIn);
    const found = `${signedIn.user} can access ${address}${fresh ? ' (after a token refresh)' : ''}.`;
    return { value: opened, found };
  });
  const total = await run.step('folder', async () => {
    try {
      const count = await talk.examine(folder);
      return { value: count, found: `“${folder}” opens.` };
    } catch (error) {
      if (!(error instanceof StepRefused && NOT_CONNECTED.test(error.message))) throw error;
      const probes = await probeAccess(run, deps, mailbox, talk, signedIn);
      const protocolWorks = probes.folders === 'opens' || probes.again === 'opens';
      throw new StepRefused(error.message, diagnoseNoAccess(probes), { protocolWorks });
    }
  });
  await run.step('count', async () => {
    await talk.closeFolder();
    const unread = await talk.unread(folder);
    return { value: undefined, found: countInWords(unread, total) };
  });
}

/** "3 unread, of 12 emails." Pure. */
export function countInWords(unread: number, total: number): string {
  const count = total === 1 ? '1 email' : `${total} emails`;
  if (unread === 0)
    return `0 unread, of ${count}. There is nothing to import right now. To see it work, send an email to the mailbox.`;
  return `${unread} unread, of ${count}.`;
}

/**
 * After the server refuses a token, retries once with a fresh one, as a fetch does, over a new connection.
 */
async function signInTwice(
  run: TestRunner,
  deps: ReachDeps,
  login: MailLogin,
  wire: LineSocket,
  mailbox: string,
  { token }: SignedInUser,
): Promise<{ talk: ImapProbe; fresh: boolean }> {
  const talk = new ImapProbe(wire);
  await talk.greeting();
  try {
    await talk.signIn(mailbox, token);
    return { talk, fresh: false };
  } catch (error) {
    if (!(error instanceof StepRefused) || AWAY.test(error.message)) throw error;
    run.note('test', 'refused; requesting a new token');
    const { token: fresh } = await tokenOf(run, deps, login, token);
    return { talk: await signedInTalk(run, deps, login, mailbox, fresh), fresh: true };
  }
}

async function signedInTalk(
  run: TestRunner,
  deps: ReachDeps,
  login: MailLogin,
  mailbox: string,
  token: Secret,
): Promise<ImapProbe> {
  const wire = await openLineSocket(run, deps, login);
  const { distrust } = await wire.encrypt();
  if (distrust !== undefined) throw new StepRefused(distrust);
  const talk = new ImapProbe(wire);
  await talk.greeting();
  await talk.signIn(mailbox, token);
  return talk;
}

async function probeAccess(
  run: TestRunner,
  deps: ReachDeps & { pauseMs?: number | undefined },
  mailbox: Mailbox,
  talk: ImapProbe,
  { user, token }: SignedInUser,
): Promise<AccessProbes> {
  const { address, folder } = mailbox;
  const probe = async (what: string, act: () => Promise<unknown>): Promise<'opens' | 'refused'> => {
    run.note('test', `probe: ${what}`);
    try {
      await act();
      return 'opens';
    } catch {
      return 'refused';
    }
  };
  const opens = (whose: string, name: string) => async (): Promise<void> => {
    const probing = await signedInTalk(run, deps, mailbox, whose, token);
    await probing.examine(name);
  };
  const folders = await probe('the list of folders', () => talk.folders());
  await new Promise((resolve) => setTimeout(resolve, deps.pauseMs ?? MOMENT_MS));
  const again = await probe('a second connection', opens(address, folder));
  const same = address.toLowerCase() === user.toLowerCase();
  const own = same ? undefined : await probe(`the own mailbox of ${user}`, opens(user, 'INBOX'));
  return { mailbox: address, user, folders, again, own };
}
