import type { EmailFile } from '../../mail/mailbox-files.ts';
import { GraphError } from '../graph-error.ts';
import { selectFields } from '../graph-path.ts';
import { badMailRequest, jsonOf, type MailCall, type MailReply, type OpenMailbox } from './mail-call.ts';
import { folderId, pathOfFolderId } from './mail-ids.ts';
import { pageOf } from './pages.ts';

/** Microsoft: mailFolder resource type, well-known folder names; those that this mailbox has. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  inbox: 'INBOX',
  drafts: 'Drafts',
  sentitems: 'Sent Items',
  deleteditems: 'Deleted Items',
  junkemail: 'Junk Email',
  archive: 'Archive',
};

export const DRAFTS = 'Drafts';
export const SENT_ITEMS = 'Sent Items';
export const DELETED_ITEMS = 'Deleted Items';
const ROOT = 'msgfolderroot';

/**
 * The path of a folder, named by its id or by a well-known name; '' is the root.
 * @throws GraphError 404 ErrorFolderNotFound, 400 ErrorInvalidIdMalformed
 */
export async function folderPath({ files }: OpenMailbox, name: string): Promise<string> {
  const wellKnown = WELL_KNOWN[name.toLowerCase()];
  if (wellKnown !== undefined) return wellKnown;
  if (name.toLowerCase() === ROOT) return '';
  const path = pathOfFolderId(files.address, name);
  if (path === undefined) throw new GraphError(400, 'ErrorInvalidIdMalformed', 'Id is malformed.');
  if (path === '' || (await files.folders()).includes(path)) return path;
  throw folderNotFound();
}

const folderNotFound = (): GraphError =>
  new GraphError(
    404,
    'ErrorItemNotFound',
    'The specified object was not found in the store., The process failed to get the correct properties.',
  );

/** The emails of a folder; none where the folder went away meanwhile. */
export const emailsIn = async ({ files }: OpenMailbox, path: string): Promise<readonly EmailFile[]> =>
  (await files.emails(path)) ?? [];

const parentOf = (path: string): string => path.split('/').slice(0, -1).join('/');
const nameOf = (path: string): string => (path === 'INBOX' ? 'Inbox' : (path.split('/').at(-1) ?? ''));

async function describe(mailbox: OpenMailbox, path: string): Promise<Record<string, unknown>> {
  const { address } = mailbox.files;
  const all = await mailbox.files.folders();
  const emails = path === '' ? [] : await emailsIn(mailbox, path);
  return {
    id: folderId(address, path),
    displayName: path === '' ? 'Top of Information Store' : nameOf(path),
    parentFolderId: folderId(address, parentOf(path)),
    childFolderCount: all.filter((one) => parentOf(one) === path).length,
    unreadItemCount: emails.filter(({ isSeen }) => !isSeen).length,
    totalItemCount: emails.length,
    sizeInBytes: emails.reduce((sum, { size }) => sum + size, 0),
    isHidden: false,
  };
}

/** `mailFolders` and `mailFolders/{id}/childFolders`: GET lists, POST creates. */
export async function answerFolders(
  mailbox: OpenMailbox,
  call: MailCall,
  parent: string,
): Promise<MailReply> {
  const context = `${mailbox.world.origin()}/v1.0/$metadata#users('${encodeURIComponent(mailbox.user.oid)}')/mailFolders`;
  if (call.method === 'POST') {
    const { displayName } = jsonOf(call);
    if (typeof displayName !== 'string' || displayName === '' || displayName.includes('/'))
      throw badMailRequest('The folder name is missing or invalid.');
    const path = parent === '' ? displayName : `${parent}/${displayName}`;
    if (!(await mailbox.files.createFolder(path)))
      throw new GraphError(409, 'ErrorFolderExists', 'A folder with the specified name already exists.');
    return {
      status: 201,
      body: { '@odata.context': `${context}/$entity`, ...(await describe(mailbox, path)) },
    };
  }
  const paths = (await mailbox.files.folders()).filter((path) => parentOf(path) === parent);
  const rows = await Promise.all(paths.map((path) => describe(mailbox, path)));
  const wanted = byName(rows, call.query).sort((a, b) =>
    String(a['displayName']).localeCompare(String(b['displayName'])),
  );
  const { rows: page, links } = pageOf(mailbox, call, wanted, 10);
  return {
    status: 200,
    body: { '@odata.context': context, ...links, value: page.map((row) => selectFields(row, call.query)) },
  };
}

/** `mailFolders/{id}`. */
export async function answerFolder(mailbox: OpenMailbox, call: MailCall, path: string): Promise<MailReply> {
  const row = await describe(mailbox, path);
  return { status: 200, body: selectFields(row, call.query) };
}

function byName(rows: Record<string, unknown>[], query: URLSearchParams): Record<string, unknown>[] {
  const filter = query.get('$filter');
  if (filter === null) return rows;
  const [, quoted] = /^\s*displayName\s+eq\s+'((?:[^']|'')*)'\s*$/.exec(filter) ?? [];
  if (quoted === undefined) throw badMailRequest(`Invalid filter clause: ${filter}`);
  const name = quoted.replaceAll("''", "'").toLowerCase();
  return rows.filter(({ displayName }) => String(displayName).toLowerCase() === name);
}
