import { z } from 'zod';
import type { Position, PositionData, ReadingProgress } from './inbox.ts';
import {
  fingerprintOf,
  type MessageIdentity,
  type MessageMeta,
  type MessageRef,
  messageRef,
} from './message-ref.ts';

// Position in an IMAP folder. UIDs ascend and are never reused under one UIDVALIDITY (RFC 3501 section
// 2.3.1.1), so one number is enough. A server restored from a backup may reuse UIDs anyway; to detect that, the
// fingerprint of the highest message is stored.

const HIGHEST_UID = 4_294_967_295;

/** Zero-padded, so that refs sort like UIDs. */
export const uidRef = (uid: number): MessageRef => messageRef(String(uid).padStart(10, '0'));

const isUidRef = (ref: MessageRef): boolean => /^\d{10}$/.test(ref);

/** @throws TypeError when the ref is not from an IMAP folder */
export function uidOf(ref: MessageRef): number {
  if (!isUidRef(ref)) throw new TypeError('not a UID');
  return Number(ref);
}

/** The UIDs of the valid refs; a stored ref may be invalid. */
export const uidsAmong = (refs: readonly MessageRef[]): number[] => refs.filter(isUidRef).map(uidOf);

const savedPosition = z.object({
  uid: z.int().min(0).max(HIGHEST_UID),
  last: z.object({ uid: z.int().min(1).max(HIGHEST_UID), fingerprint: z.string() }).optional(),
});
type SavedPosition = z.infer<typeof savedPosition>;

export class ImapPosition implements Position {
  /** Every message up to this UID is processed, or recorded elsewhere. */
  readonly uid: number;
  readonly #uidNext: number;
  readonly #last: SavedPosition['last'];

  constructor({ uid, last }: SavedPosition, uidNext: number) {
    this.uid = uid;
    this.#last = last;
    this.#uidNext = uidNext;
  }

  /** The highest message that the server has described. */
  get witness(): MessageIdentity | undefined {
    return this.#last && { ref: uidRef(this.#last.uid), fingerprint: this.#last.fingerprint };
  }

  covers(ref: MessageRef): boolean {
    return uidOf(ref) <= this.uid;
  }

  isLater(ref: MessageRef): boolean {
    return !this.covers(ref);
  }

  advance({ read, known, isComplete }: ReadingProgress): ImapPosition {
    let uid = isComplete ? Math.max(this.uid, this.#uidNext - 1) : this.uid;
    let last: { uid: number; meta: MessageMeta } | undefined;
    for (const ref of read) uid = Math.max(uid, uidOf(ref));
    for (const meta of known) {
      const its = uidOf(meta.ref);
      if (isComplete) uid = Math.max(uid, its);
      if (its > (last?.uid ?? 0)) last = { uid: its, meta };
    }
    const isHigher = last !== undefined && last.uid >= (this.#last?.uid ?? 0);
    return new ImapPosition(
      {
        uid,
        last: last && isHigher ? { uid: last.uid, fingerprint: fingerprintOf(last.meta) } : this.#last,
      },
      this.#uidNext,
    );
  }

  uncover(refs: readonly MessageRef[]): ImapPosition {
    const uid = Math.min(this.uid, ...refs.map((ref) => uidOf(ref) - 1));
    return new ImapPosition({ uid, last: this.#last }, this.#uidNext);
  }

  toData(): PositionData {
    return this.#last === undefined ? { uid: this.uid } : { uid: this.uid, last: this.#last };
  }
}

/**
 * The position from which to continue. Pure.
 * @param saved absent: nothing was read under this UIDVALIDITY
 */
export function goOnFrom(
  saved: PositionData | undefined,
  { uidNext, isVoid }: { uidNext: number; isVoid: boolean },
): { position: ImapPosition; isKnown: boolean; isSetBack: boolean } {
  const known = saved === undefined ? undefined : savedPosition.safeParse(saved).data;
  const isKnown = known !== undefined && !isVoid && known.uid < uidNext;
  return {
    position: new ImapPosition(isKnown ? known : { uid: uidNext - 1 }, uidNext),
    isKnown,
    isSetBack: saved !== undefined && !isKnown,
  };
}
