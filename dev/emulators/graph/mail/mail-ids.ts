import { createHash } from 'node:crypto';
import type { EmailFile, MailboxFiles } from '../../mail/mailbox-files.ts';
import { GraphError } from '../graph-error.ts';

// Ids as Outlook's look: base64url, case-sensitive, with "=" at the end. A client must treat them as opaque.
const USUAL = 'AAMkA';
const IMMUTABLE = 'AAkAL';
const FOLDER = 'AQMkA';
const MARK_BYTES = 45;

const mark = (address: string): Buffer =>
  createHash('sha512').update(address).digest().subarray(0, MARK_BYTES);

const encode = (prefix: string, address: string, text: string): string =>
  `${prefix}${Buffer.concat([mark(address), Buffer.from(text)]).toString('base64url')}=`;

function decode(prefix: string, address: string, id: string): string | undefined {
  const bytes = Buffer.from(id.slice(prefix.length).replace(/=+$/, ''), 'base64url');
  if (!bytes.subarray(0, MARK_BYTES).equals(mark(address))) return undefined;
  return bytes.subarray(MARK_BYTES).toString('utf8');
}

/** An email's id: with the folder in it, so that a move changes it, unless it is immutable. */
export function messageId(address: string, { folder, key }: EmailFile, immutable: boolean): string {
  return immutable ? encode(IMMUTABLE, address, key) : encode(USUAL, address, `${folder}\0${key}`);
}

export const folderId = (address: string, path: string): string => encode(FOLDER, address, path);

/** The path of a folder's id; undefined when it is no id of this mailbox. */
export const pathOfFolderId = (address: string, id: string): string | undefined =>
  id.startsWith(FOLDER) ? decode(FOLDER, address, id) : undefined;

/**
 * The email of an id of either kind, whatever kind the request prefers.
 * @throws GraphError 400 ErrorInvalidIdMalformed, 404 ErrorItemNotFound
 */
export async function emailOfId(files: MailboxFiles, id: string): Promise<EmailFile> {
  const { address } = files;
  if (id.startsWith(IMMUTABLE)) {
    const key = decode(IMMUTABLE, address, id);
    const found = key === undefined ? undefined : await files.find(key);
    if (found !== undefined) return found;
    throw itemNotFound();
  }
  if (!id.startsWith(USUAL)) throw new GraphError(400, 'ErrorInvalidIdMalformed', 'Id is malformed.');
  const [folder, key] = decode(USUAL, address, id)?.split('\0') ?? [];
  const found = key === undefined ? undefined : await files.find(key, folder);
  if (found === undefined || found.folder !== folder) throw itemNotFound();
  return found;
}

export const itemNotFound = (): GraphError =>
  new GraphError(404, 'ErrorItemNotFound', 'The specified object was not found in the store.');
