import { z } from 'zod';
import type { GraphClient } from './graph-client.ts';
import { GraphRefusal } from './graph-errors.ts';
import { DRAFTS_FOLDER, SENT_FOLDER } from './inbox.ts';
import { isSameFolder } from './mailbox.ts';

/** A folder of a mailbox. IDs of folders never change. */
export interface GraphFolder {
  id: string;
  /** Number of messages in it. */
  total: number;
}

const FIELDS = '$select=id,displayName,totalItemCount';
const PAGE = 100;

const folder = z.object({ id: z.string(), displayName: z.string(), totalItemCount: z.int() });
const page = z.object({ value: z.array(folder), '@odata.nextLink': z.string().optional() });
type FolderRow = z.infer<typeof folder>;

/**
 * Finds a folder by its path of display names, such as `Support/Done`. `INBOX` is the inbox in every language,
 * SENT_FOLDER the folder for sent email, and DRAFTS_FOLDER that for drafts.
 * https://learn.microsoft.com/graph/api/resources/mailfolder
 * @throws GraphRefusal 404 ErrorFolderNotFound when there is none
 */
export async function findFolder(client: GraphClient, path: string): Promise<GraphFolder> {
  if (isSameFolder(path, 'INBOX')) return folderOf(await wellKnown(client, 'inbox'));
  if (path === SENT_FOLDER) return folderOf(await wellKnown(client, 'sentitems'));
  if (path === DRAFTS_FOLDER) return folderOf(await wellKnown(client, 'drafts'));
  let parent = '';
  let found: FolderRow | undefined;
  for (const name of path.split('/')) {
    found = await childOf(client, parent, name);
    if (found === undefined)
      throw new GraphRefusal(404, 'ErrorFolderNotFound', `There is no folder “${path}”.`);
    parent = found.id;
  }
  if (found === undefined)
    throw new GraphRefusal(404, 'ErrorFolderNotFound', 'The name of the folder is empty.');
  return folderOf(found);
}

/** The display name of the junk folder; undefined if the mailbox has none. */
export async function junkFolderName(client: GraphClient): Promise<string | undefined> {
  try {
    return (await wellKnown(client, 'junkemail')).displayName;
  } catch (error) {
    if (error instanceof GraphRefusal && error.isGone) return undefined;
    throw error;
  }
}

const folderOf = ({ id, totalItemCount }: FolderRow): GraphFolder => ({ id, total: totalItemCount });

async function wellKnown(
  client: GraphClient,
  name: 'drafts' | 'inbox' | 'junkemail' | 'sentitems',
): Promise<FolderRow> {
  const { value } = await client.json('folders', `${client.mailbox}/mailFolders/${name}?${FIELDS}`, folder);
  return value;
}

/** @param parent ID; empty: the top of the mailbox */
async function childOf(client: GraphClient, parent: string, name: string): Promise<FolderRow | undefined> {
  const list = parent === '' ? 'mailFolders' : `mailFolders/${encodeURIComponent(parent)}/childFolders`;
  let path: string | undefined = `${client.mailbox}/${list}?${FIELDS}&$top=${PAGE}`;
  while (path !== undefined) {
    const { value }: { value: z.infer<typeof page> } = await client.json('folders', path, page);
    // Exchange compares names of folders without case.
    const found = value.value.find(({ displayName }) => displayName.toLowerCase() === name.toLowerCase());
    if (found !== undefined) return found;
    const next: string | undefined = value['@odata.nextLink'];
    path = next === undefined ? undefined : client.pathOf(next);
  }
  return undefined;
}
