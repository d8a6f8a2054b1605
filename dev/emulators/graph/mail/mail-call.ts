import { createHash } from 'node:crypto';
import type { EmulatedMailbox, MailServer } from '../../mail/mail-world.ts';
import type { MailboxFiles } from '../../mail/mailbox-files.ts';
import { GraphError } from '../graph-error.ts';
import type { MailCaller } from './access.ts';
import type { DraftAttachments } from './drafts.ts';
import type { MailState } from './mail-state.ts';
import type { UploadSessions } from './upload-sessions.ts';

/** Someone with an address: a person, or a shared mailbox. */
export interface MailUser {
  readonly upn: string;
  /** Object id. */
  readonly oid: string;
  readonly name: string;
}

/** What every request shares. */
export interface MailWorld {
  /** `http://localhost:<port>`, for links. */
  origin(): string;
  readonly server: () => MailServer;
  readonly mailboxes: readonly EmulatedMailbox[];
  readonly users: readonly MailUser[];
  readonly state: MailState;
  readonly attachments: DraftAttachments;
  readonly uploads: UploadSessions;
  readonly now: () => Date;
}

/** One request to Graph's mail API: from the network, or a part of a batch. */
export interface MailCall {
  readonly method: string;
  /** Below `/v1.0`: `['me', 'mailFolders', 'inbox']`. */
  readonly segments: readonly string[];
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly caller: MailCaller;
}

/** `body`: bytes are sent as they are, everything else as JSON. */
export interface MailReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The mailbox that a request is about. */
export interface OpenMailbox {
  readonly world: MailWorld;
  readonly user: MailUser;
  readonly files: MailboxFiles;
  /** Ids that stay when an email moves (Microsoft: "Get immutable identifiers for Outlook resources"). */
  readonly immutable: boolean;
  /** `{origin}/v1.0/me` or `{origin}/v1.0/users/{id}`. */
  readonly url: string;
}

/** Splits a path; `mailFolders('inbox')` counts as two segments. Undefined: another version of Graph. */
export function segmentsOf(pathname: string): string[] | undefined {
  const [version, ...parts] = pathname.split('/').filter((part) => part !== '');
  if (version !== 'v1.0') return undefined;
  return parts.flatMap((part) => {
    const plain = decodeURIComponent(part);
    const [, name, key] = /^(\w+)\('(.*)'\)$/.exec(plain) ?? [];
    return name === undefined || key === undefined ? [plain.replace(/\(\)$/, '')] : [name, key];
  });
}

/** The value of one preference of the header `Prefer`, without its quotes. */
export function preference(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  for (const part of (headers['prefer'] ?? '').split(',')) {
    const [key = '', value = ''] = part.split('=').map((text) => text.trim());
    if (key.toLowerCase() === name.toLowerCase()) return value.replace(/^"|"$/g, '');
  }
  return undefined;
}

/** @throws GraphError 400 for a body that is no JSON object */
export function jsonOf({ body }: MailCall): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Refused below.
  }
  throw badMailRequest('Unable to read JSON request payload. Please ensure Content-Type header is set.');
}

export const badMailRequest = (message: string): GraphError => new GraphError(400, 'BadRequest', message);

export const wrongMailMethod = (): GraphError =>
  new GraphError(405, 'Request_BadRequest', 'Specified HTTP method is not allowed for the request target.');

export const noSegment = (name: string): GraphError =>
  badMailRequest(`Resource not found for the segment '${name}'.`);

/** Text for people and programs, never for ordering: differs as soon as one of the parts does. */
export const fingerprint = (...parts: string[]): string =>
  createHash('sha256').update(parts.join('\0')).digest('base64url');
