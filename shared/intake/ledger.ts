import { createHash } from 'node:crypto';
import type { MessageMeta } from '../mailboxes/inbox.ts';

// The ledger knows which mail stood at a place on the server, and what became of an email, whatever place it stood at.
// The folder key keeps apart what a mailbox fetched before and after a person chose another folder or server for it:
// many servers give all folders the same UIDVALIDITY.
// The fingerprint is made of what the server tells of an email before it is downloaded. A server that was restored from a
// backup gives UIDs again under the same UIDVALIDITY: another email at a known UID is a place of its own, and a new email.
// K2 is the content key; a Message-ID is never an identity.

export const dispositions = ['ticket', 'quarantine', 'skip'] as const;
export type Disposition = (typeof dispositions)[number];

/** What was decided for an email, once: a repeated run obeys it and never decides again. */
export interface Decision {
  fate: Disposition;
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

/** Within what a UID means one email: a folder (see `folderKeyOf`) under a UIDVALIDITY (RFC 3501 section 2.3.1.1). */
export interface UidScope {
  folderKey: string;
  uidValidity: string;
}

/** 16 hex digits of what a server tells of an email: its size, when it came, and its Message-ID. */
export function fingerprintOf({ size, receivedAt, messageId }: Omit<MessageMeta, 'uid'>): string {
  const facts = JSON.stringify([size, receivedAt, messageId]);
  return createHash('sha256').update(facts).digest('hex').slice(0, 16);
}

/** What the row keys of all emails that stood at a UID begin with. */
export function placesOfUid({ folderKey, uidValidity }: UidScope, uid: number): string {
  return `at|${folderKey}|${uidValidity.padStart(10, '0')}|${String(uid).padStart(10, '0')}|`;
}

/** Row key of a place. */
export const placeOf = (numbering: UidScope, facts: MessageMeta): string =>
  `${placesOfUid(numbering, facts.uid)}${fingerprintOf(facts)}`;

/** Name of the blob that keeps the mail of a place as it came. */
export function rawBlobOf(
  mailboxId: string,
  { folderKey, uidValidity }: UidScope,
  facts: MessageMeta,
): string {
  return `raw/${mailboxId}/${folderKey}-${uidValidity}-${facts.uid}-${fingerprintOf(facts)}.eml`;
}

/** The UID of a place. */
export const uidOfPlace = (place: string): number => Number(place.split('|')[3]);

/** Whether both are the same UID of the same folder, whatever stood there. */
export const isSameUid = (one: string, other: string): boolean =>
  one.slice(0, one.lastIndexOf('|')) === other.slice(0, other.lastIndexOf('|'));
