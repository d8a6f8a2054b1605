import { fingerprintOf, type MessageMeta, type MessageRef, messageRef } from '../mailboxes/message-ref.ts';

// The ledger records which email was at a place on the server, and what became of an email, at whatever place
// it was.
// The folder key separates what a mailbox fetched before and after a person selected another folder or server
// for it: many servers give all folders the same validity.
// The fingerprint is computed from the metadata the server reports before the download. A server restored
// from a backup reuses refs under the same validity: another email at a known ref is a separate place and a
// new email.
// K2 is the content key; a Message-ID is never an identity.

export const dispositions = ['ticket', 'quarantine', 'skip'] as const;
export type Disposition = (typeof dispositions)[number];

/** The decision for an email. Made once: a retry applies it and never decides again. */
export interface Decision {
  disposition: Disposition;
  /** The ticket to open or to add to. */
  ticketId: string | undefined;
  number: number | undefined;
  opens: boolean;
  follows: { id: string; number: number } | undefined;
  /** Why it is quarantined or skipped. */
  reason: string | undefined;
  /** Why its message is folded, in a sentence; absent: it is not folded. */
  folded?: string | undefined;
  /** Joins its ticket without reopening it or moving it up. */
  quiet?: true | undefined;
}

export const mailStates = ['received', 'decided', 'done'] as const;
export type MailState = (typeof mailStates)[number];

/** An email's row in the ledger. */
export interface LedgerMail {
  key: string;
  state: MailState;
  /** Runs that started with this email and never recorded an end. */
  attempts: number;
  /** Row key of the place where it was first found. */
  place: string;
  rawBlob: string;
  receivedAt: string;
  size: number;
  decision: Decision | undefined;
  etag: string | undefined;
}

/** Which email was at a place. */
export interface LedgerPlace {
  place: string;
  key: string;
  /** True if the email is known from another place. */
  copy: boolean;
}

/**
 * The scope in which a ref means one message: a folder (see `folderKeyOf`) under a validity (see `Inbox`).
 */
export interface RefScope {
  folderKey: string;
  validity: string;
}

/** The common prefix of the row keys of all messages that were at a ref. */
export function placesOfRef({ folderKey, validity }: RefScope, ref: MessageRef): string {
  return `at|${folderKey}|${validity.padStart(10, '0')}|${ref}|`;
}

/** Row key of a place. */
export const placeOf = (scope: RefScope, meta: MessageMeta): string =>
  `${placesOfRef(scope, meta.ref)}${fingerprintOf(meta)}`;

/** Name of the blob that stores the raw email of a place. */
export function rawBlobOf(mailboxId: string, { folderKey, validity }: RefScope, meta: MessageMeta): string {
  return `raw/${mailboxId}/${folderKey}-${validity}-${meta.ref}-${fingerprintOf(meta)}.eml`;
}

/** The ref of a place. */
export const refOfPlace = (place: string): MessageRef => messageRef(place.split('|')[3] ?? '');

/** Whether both places have the same ref in the same folder, regardless of the message. */
export const isSameRef = (one: string, other: string): boolean =>
  one.slice(0, one.lastIndexOf('|')) === other.slice(0, other.lastIndexOf('|'));

/** Row keys of all places of a mailbox. */
export const PLACES = { from: 'at|', to: 'at|~' };

/** The fingerprint in the row key of a place. */
export const fingerprintOfPlace = (place: string): string => place.slice(place.lastIndexOf('|') + 1);
