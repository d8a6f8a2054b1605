import { fingerprintOf, type MessageMeta, type MessageRef, messageRef } from '../mailboxes/message-ref.ts';

// The ledger knows which mail stood at a place on the server, and what became of an email, whatever place it stood at.
// The folder key keeps apart what a mailbox fetched before and after a person chose another folder or server for it:
// many servers give all folders the same validity.
// The fingerprint is made of what the server tells of an email before it is downloaded. A server that was restored from a
// backup gives refs again under the same validity: another email at a known ref is a place of its own, and a new email.
// K2 is the content key; a Message-ID is never an identity.

export const dispositions = ['ticket', 'quarantine', 'skip'] as const;
export type Disposition = (typeof dispositions)[number];

/** What was decided for an email, once: a repeated run obeys it and never decides again. */
export interface Decision {
  disposition: Disposition;
  /** Ticket to open or to add to. */
  ticketId: string | undefined;
  number: number | undefined;
  opens: boolean;
  follows: { id: string; number: number } | undefined;
  /** Why it is kept apart or passed over. */
  reason: string | undefined;
  /** Why its message is folded away, in a sentence; absent: it is not. */
  folded?: string | undefined;
  /** Joins its ticket without reopening it or moving it up. */
  quiet?: true | undefined;
}

export const mailStates = ['received', 'decided', 'done'] as const;
export type MailState = (typeof mailStates)[number];

/** What became of an email. */
export interface LedgerMail {
  key: string;
  state: MailState;
  /** Runs that began with this email and were not seen to end. */
  attempts: number;
  /** Row key of the place where it was first found. */
  place: string;
  rawBlob: string;
  receivedAt: string;
  size: number;
  decision: Decision | undefined;
  etag: string | undefined;
}

/** Which email stood at a place. */
export interface LedgerPlace {
  place: string;
  key: string;
  /** True when the mail is known from another place. */
  copy: boolean;
}

/** Within what a ref means one message: a folder (see `folderKeyOf`) under a validity (see `Inbox`). */
export interface RefScope {
  folderKey: string;
  validity: string;
}

/** What the row keys of all messages that stood at a ref begin with. */
export function placesOfRef({ folderKey, validity }: RefScope, ref: MessageRef): string {
  return `at|${folderKey}|${validity.padStart(10, '0')}|${ref}|`;
}

/** Row key of a place. */
export const placeOf = (scope: RefScope, meta: MessageMeta): string =>
  `${placesOfRef(scope, meta.ref)}${fingerprintOf(meta)}`;

/** Name of the blob that keeps the mail of a place as it came. */
export function rawBlobOf(mailboxId: string, { folderKey, validity }: RefScope, meta: MessageMeta): string {
  return `raw/${mailboxId}/${folderKey}-${validity}-${meta.ref}-${fingerprintOf(meta)}.eml`;
}

/** The ref of a place. */
export const refOfPlace = (place: string): MessageRef => messageRef(place.split('|')[3] ?? '');

/** Whether both are the same ref of the same folder, whatever stood there. */
export const isSameRef = (one: string, other: string): boolean =>
  one.slice(0, one.lastIndexOf('|')) === other.slice(0, other.lastIndexOf('|'));

/** Row keys of all places of a mailbox. */
export const PLACES = { from: 'at|', to: 'at|~' };

/** The fingerprint in the row key of a place. */
export const fingerprintOfPlace = (place: string): string => place.slice(place.lastIndexOf('|') + 1);
