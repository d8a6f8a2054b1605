import type { MessageRef } from '../mailboxes/message-ref.ts';
import type { Change } from '../platform/tables.ts';
import { isSameRef, type LedgerMail, type LedgerPlace } from './ledger.ts';
import { mailKind, placeKind } from './ledger-records.ts';
import type { Known } from './read-ledger.ts';

/** An email as found on the server: downloaded, stored as a raw blob, its content key computed. */
export interface Found {
  ref: MessageRef;
  place: string;
  key: string;
  rawBlob: string;
  receivedAt: string;
  size: number;
}

export interface Claim {
  /** Claimed by this run; attempts were increased. */
  mine: LedgerMail[];
  /** Places whose email is already known from another place. */
  copies: LedgerPlace[];
  /** Places whose email was completed by an earlier run. */
  completed: string[];
  /** Those of them whose email was deliberately not imported. */
  spared: string[];
  /** Started before and never completed: each must be claimed again alone. */
  suspects: Found[];
}

export interface ClaimOptions {
  /** Allows one suspect to be retried. */
  alone: boolean;
  /**
   * Places of all messages of this fetch. An email started at one of
   * these is continued there and nowhere else.
   */
  present: ReadonlySet<string>;
}

type Write = Exclude<Change, { kind: 'remove' }>;

/**
 * Determines which emails a run claims, and which rows that writes, given the known rows. Pure.
 * @param found in the order of the folder; copies among them are recognized
 */
export function planClaim(
  mailboxId: string,
  found: readonly Found[],
  known: Known,
  { alone, present }: ClaimOptions,
): { claim: Claim; changes: Write[] } {
  const claim: Claim = { mine: [], copies: [], completed: [], spared: [], suspects: [] };
  const changes: Write[] = [];
  const seen = new Set<string>();
  const recordPlace = (place: LedgerPlace): void => {
    if (!known.places.has(place.place))
      changes.push({ kind: 'insert', row: placeKind.toRow({ mailboxId, ...place }) });
  };
  for (const each of found) {
    const { key, place } = each;
    const mail = known.emails.get(key);
    // The same email at the same ref, reported with another size or
    // time than before, is not a copy of itself.
    const isThere = mail !== undefined && isSameRef(mail.place, place);
    const elsewhere =
      seen.has(key) || (mail !== undefined && !isThere && (mail.state === 'done' || present.has(mail.place)));
    if (elsewhere) {
      recordPlace({ place, key, copy: true });
      claim.copies.push({ place, key, copy: true });
    } else if (mail === undefined) {
      const fresh = freshMail(each);
      const row = mailKind.toRow({ mailboxId, ...fresh });
      const inPlaceOf = known.unreadable.get(key);
      recordPlace({ place, key, copy: false });
      changes.push(
        inPlaceOf === undefined ? { kind: 'insert', row } : { kind: 'replace', row, etag: inPlaceOf },
      );
      claim.mine.push(fresh);
    } else if (mail.state === 'done') {
      recordPlace({ place, key, copy: false });
      claim.completed.push(place);
      if (mail.decision?.disposition === 'skip') claim.spared.push(place);
    } else if (alone && mail.etag !== undefined) {
      const again = { ...mail, attempts: mail.attempts + 1 };
      recordPlace({ place, key, copy: false });
      changes.push({ kind: 'replace', row: mailKind.toRow({ mailboxId, ...again }), etag: mail.etag });
      claim.mine.push(again);
    } else claim.suspects.push(each);
    seen.add(key);
  }
  return { claim, changes };
}

function freshMail({ key, place, rawBlob, receivedAt, size }: Found): LedgerMail {
  return {
    key,
    state: 'received',
    attempts: 1,
    place,
    rawBlob,
    receivedAt,
    size,
    decision: undefined,
    etag: undefined,
  };
}
