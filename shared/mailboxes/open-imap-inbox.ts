import type { ImapFlow } from 'imapflow';
import type { Seam } from '../platform/seam.ts';
import { mailSecureContext } from '../platform/secure-context.ts';
import { type EndpointRules, hostProblem } from '../providers/endpoint-safety.ts';
import { publicLookup } from '../providers/guarded-fetch.ts';
import { inboxError, RefusalLog, required } from './imap-errors.ts';
import { ImapInbox, type OpenedFolder } from './imap-inbox.ts';
import { type Inbox, type InboxAddress, InboxError, SENT_FOLDER } from './inbox.ts';

const CONNECT_MS = 20_000;
const SILENCE_MS = 60_000;
/**
 * Messages announced with more than 8 MB are streamed, so a literal far beyond that is an error and closes the
 * connection.
 */
const LARGEST_LITERAL = 64 * 1024 * 1024;
const SUMMARY = { uidValidity: true, uidNext: true, messages: true, unseen: true } as const;

/**
 * Opens a folder over IMAP with XOAUTH2 and implicit TLS. Unless `local`, the socket rejects hosts that resolve
 * to a private address.
 * @throws InboxError with a `failure` that depends on the server's response
 */
export async function openImapInbox(address: InboxAddress, seam: Seam, rules: EndpointRules): Promise<Inbox> {
  const problem = hostProblem(address.host, rules);
  if (problem !== undefined) throw new InboxError('unavailable', problem);
  const { ImapFlow } = await import('imapflow');
  const refusals = new RefusalLog();
  const client = new ImapFlow({
    host: address.host,
    port: address.port,
    secure: true,
    auth: { user: address.user, accessToken: address.accessToken.expose() },
    logger: refusals,
    maxLiteralSize: LARGEST_LITERAL,
    disableAutoIdle: true,
    // One command less, and no 256 KB of zlib for each of a hundred connections.
    disableCompression: true,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    tls: { secureContext: mailSecureContext(), ...(!rules.local && { lookup: publicLookup }) },
  });
  // Without a listener, an error on the idle socket would end the process. A running call rejects anyway.
  client.on('error', () => {});
  // After imapflow has begun to wait: closing ends only waits that exist.
  refusals.onThrottled = () => queueMicrotask(() => client.close());
  try {
    await seam.call('imap.connect', () => client.connect());
    const path = address.folder === SENT_FOLDER ? await sentFolderOf(client, seam) : address.folder;
    const summary = await summaryOf(client, path, seam);
    if (refusals.busy !== undefined) throw refusals.busy;
    if (summary !== undefined) return new ImapInbox(client, refusals, seam, path, summary);
    const folder = await seam.call('imap.select', () => client.mailboxOpen(path));
    return new ImapInbox(client, refusals, seam, path, {
      validity: String(folder.uidValidity),
      uidNext: await uidNextOf(client, folder, seam),
      total: folder.exists,
    });
  } catch (error) {
    client.close();
    throw inboxError(error, refusals.throttled);
  }
}

/**
 * The folder's state by STATUS (RFC 3501 section 6.3.10): one command, where selecting and searching it takes
 * up to four. Undefined if the server refuses or does not report everything; SELECT then has the answer, or
 * its reason.
 */
async function summaryOf(client: ImapFlow, folder: string, seam: Seam): Promise<OpenedFolder | undefined> {
  const status = await seam.call('imap.status', () =>
    client.status(folder, SUMMARY).catch(() => false as const),
  );
  if (status === false) return undefined;
  const { uidValidity, uidNext, messages: total, unseen } = status;
  if (uidValidity === undefined || uidNext === undefined || total === undefined || unseen === undefined)
    return undefined;
  return { validity: String(uidValidity), uidNext, total, unseen };
}

/** Identified as `junkFolder` is. @throws InboxError `folder-missing` */
async function sentFolderOf(client: ImapFlow, seam: Seam): Promise<string> {
  const folders = await seam.call('imap.list', () => client.list());
  const sent = folders.find(({ specialUse }) => specialUse === SENT_FOLDER);
  if (sent === undefined) throw new InboxError('folder-missing', 'The server names no folder for sent email');
  return sent.path;
}

/**
 * The folder's next UID. If the response to SELECT does not include it (RFC 3501 section 6.3.1), it is
 * requested with STATUS; if that fails too, it is assumed to follow the highest UID.
 */
async function uidNextOf(
  client: ImapFlow,
  folder: { path: string; uidNext?: number; exists: number },
  seam: Seam,
): Promise<number> {
  if (folder.uidNext !== undefined) return folder.uidNext;
  const status = await seam.call('imap.status', () => client.status(folder.path, { uidNext: true }));
  if (status !== false && status.uidNext !== undefined) return status.uidNext;
  if (folder.exists === 0) return 1;
  const last = await seam.call('imap.facts', () => client.fetchOne('*', { uid: true }));
  return required(last, 'say which of its messages is the newest').uid + 1;
}
