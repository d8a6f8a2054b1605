import { z } from 'zod';
import { GraphClient } from '../mailboxes/graph-client.ts';
import { type GraphPurpose, inboxErrorOf } from '../mailboxes/graph-errors.ts';
import { GraphInbox } from '../mailboxes/graph-inbox.ts';
import { type GraphMailbox, openMailboxFolder } from '../mailboxes/graph-mailbox.ts';
import { InboxError } from '../mailboxes/inbox.ts';
import { isSameFolder, type Mailbox } from '../mailboxes/mailbox.ts';
import type { Seam } from '../platform/seam.ts';
import { type ReachDeps, reachGraph, type SignedInUser, tokenOf, tokenStep } from './connect-steps.ts';
import { countInWords } from './test-imap.ts';
import { StepRefused, type TestRunner } from './test-runner.ts';
import { tokenClaims, tokenFault } from './token-claims.ts';

/** The beginning of the latest message is read: a permission may allow to list messages and not to read them. */
const HEAD_BYTES = 256;
const counts = z.object({ totalItemCount: z.int(), unreadItemCount: z.int() });

interface GraphTestDeps extends ReachDeps {
  seam: Seam;
}
interface Opened {
  client: GraphClient;
  inbox: GraphMailbox;
}

/** The steps over Microsoft Graph up to the number of unread messages. Changes nothing. */
export async function testGraph(run: TestRunner, deps: GraphTestDeps, mailbox: Mailbox): Promise<void> {
  const { address, folder } = mailbox;
  await reachGraph(run, deps, mailbox);
  const signedIn = await tokenStep(run, deps, mailbox);
  const { client, inbox } = await run.step('sign-in', async () => {
    const { opened, fresh } = await openTwice(run, deps, mailbox, signedIn);
    const found = `${signedIn.user} can access ${address}${fresh ? ' (after a token refresh)' : ''}.`;
    return { value: opened, found };
  });
  try {
    const opened = await run.step('folder', async () => {
      const value = isSameFolder(folder, 'INBOX')
        ? inbox
        : await asked('open-folder', () => openMailboxFolder(client, folder));
      return { value, found: `“${folder}” opens.` };
    });
    await run.step('count', async () => {
      const path = `${client.mailbox}/mailFolders/${encodeURIComponent(opened.folder.id)}`;
      const { value } = await asked('read', () =>
        client.json('folders', `${path}?$select=totalItemCount,unreadItemCount`, counts),
      );
      const reading = new GraphInbox(opened, deps.seam);
      const [latest] = await reading.latest(1);
      if (latest !== undefined) await reading.fetchHead(latest, HEAD_BYTES);
      return { value: undefined, found: countInWords(value.unreadItemCount, value.totalItemCount) };
    });
  } finally {
    client.close();
  }
}

/** IDs of folders and messages are long, and tell a person nothing. */
const withoutIds = (line: string): string =>
  line.replaceAll(/\/(mailFolders|childFolders|messages)\/[^/?]{40,}/g, '/$1/{id}');

/** After Graph refuses a token, retries once with a fresh one, as a fetch does. */
async function openTwice(
  run: TestRunner,
  deps: GraphTestDeps,
  mailbox: Mailbox,
  signedIn: SignedInUser,
): Promise<{ opened: Opened; fresh: boolean }> {
  try {
    return { opened: await openInboxOf(run, deps, mailbox.address, mailbox, signedIn), fresh: false };
  } catch (error) {
    if (!(error instanceof InboxError)) throw error;
    if (error.failure === 'no-access') throw await narrowed(run, deps, mailbox, signedIn, error);
    if (error.failure !== 'token-refused') throw error;
    run.note('test', 'refused; requesting a new token');
    const again = await tokenOf(run, deps, mailbox, signedIn.token);
    return { opened: await openInboxOf(run, deps, mailbox.address, mailbox, again), fresh: true };
  }
}

async function openInboxOf(
  run: TestRunner,
  deps: GraphTestDeps,
  address: string,
  { host, port }: Mailbox,
  { user, token }: SignedInUser,
): Promise<Opened> {
  const at = { host, port, folder: 'INBOX', user: address, owner: user, accessToken: token };
  const client = new GraphClient(at, deps.seam, { local: deps.config.local }, (from, line) =>
    run.note(from, withoutIds(line)),
  );
  try {
    return { client, inbox: await asked('open-inbox', () => openMailboxFolder(client, 'INBOX')) };
  } catch (error) {
    client.close();
    throw error;
  }
}

/** A refusal as the fetch would see it. */
async function asked<T>(purpose: GraphPurpose, effect: () => Promise<T>): Promise<T> {
  try {
    return await effect();
  } catch (error) {
    throw inboxErrorOf(error, purpose);
  }
}

/** Why Graph does not open the mailbox: the permissions of the token, or the rights on a shared mailbox. */
async function narrowed(
  run: TestRunner,
  deps: GraphTestDeps,
  mailbox: Mailbox,
  signedIn: SignedInUser,
  refusal: InboxError,
): Promise<StepRefused> {
  const { address } = mailbox;
  const { user, token } = signedIn;
  const said = refusal.said ?? refusal.message;
  const claims = tokenClaims(token);
  const isShared = user.toLowerCase() !== address.toLowerCase();
  const fault = tokenFault(claims, 'graph', isShared);
  if (fault !== undefined || !isShared || claims?.isApp !== false) return new StepRefused(said, fault);
  run.note('test', `probe: the own mailbox of ${user}`);
  const own = await openInboxOf(run, deps, user, mailbox, signedIn).then(
    ({ client }) => {
      client.close();
      return true;
    },
    () => false,
  );
  return new StepRefused(
    said,
    own
      ? `${user}’s own mailbox opens, but ${address} does not, so the sign-in and the permissions work. ${user} lacks Full Access to ${address}, or was given it less than an hour ago.`
      : `Neither ${address} nor ${user}’s own mailbox opens. First check whether ${user} is the right user to sign in.`,
  );
}
