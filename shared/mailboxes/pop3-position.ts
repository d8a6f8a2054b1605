import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Position, PositionData, ReadingProgress } from './inbox.ts';
import { type MessageRef, messageRef } from './message-ref.ts';
import type { Pop3Mail } from './pop3-session.ts';

// Position in a POP3 maildrop. The server keeps no unread state and promises no order (RFC 1939 section 7), so
// the position is the set of messages that were read. It must fit into a row's column even if 20,000 messages
// stay on the server: the refs, which are hashes, are divided into groups by their first bits, and a 48-bit
// digest of each group is stored, 8 characters for at most 1024 groups. A group whose digest does not match any
// more is listed again as a whole; the ledger then tells which of its messages are known.

/** Groups are refined up to this many bits of a ref. */
const MOST_BITS = 10;
const DIGEST_BYTES = 6;
/** In a larger group, no attempt is made to find out which messages are new. */
const LARGEST_COMPARED = 64;

/** A message of the maildrop: its number is valid in one session only. */
export interface NumberedRef {
  ref: MessageRef;
  number: number;
}

/**
 * 32 hex digits of a hash: a UIDL may contain characters that are not valid in a row key.
 * @param occurrence distinguishes messages to which the server gave the same UIDL, contrary to RFC 1939
 */
export function uidlRef(uidl: string, occurrence = ''): MessageRef {
  const hash = createHash('sha256').update(JSON.stringify(occurrence === '' ? [uidl] : [uidl, occurrence]));
  return messageRef(hash.digest('hex').slice(0, 32));
}

/**
 * The refs of a maildrop, in its order. Messages with the same UIDL differ by their sizes, then by their order:
 * a server that gives identical copies the same UIDL must not hide one of them.
 * @param sizes bytes by message number; only used for messages that share a UIDL
 */
export function numberedRefs(
  mails: readonly Pop3Mail[],
  sizes: ReadonlyMap<number, number> = new Map(),
): NumberedRef[] {
  const seen = new Set<MessageRef>();
  return mails.map(({ number, uidl }) => {
    let ref = uidlRef(uidl);
    for (let copy = 1; seen.has(ref); copy += 1) ref = uidlRef(uidl, `${sizes.get(number) ?? 0} ${copy}`);
    seen.add(ref);
    return { ref, number };
  });
}

/** True if the server gave two messages the same UIDL. */
export const sharesUidls = (mails: readonly Pop3Mail[]): boolean =>
  new Set(mails.map(({ uidl }) => uidl)).size < mails.length;

const savedPosition = z.object({
  bits: z.int().min(0).max(MOST_BITS),
  /** Base64 of one digest for each group; zeros for an empty one. */
  groups: z.base64(),
});

export class Pop3Position implements Position {
  /** Every message of the session, in the server's order. */
  readonly #listed: readonly MessageRef[];
  readonly #covered: ReadonlySet<MessageRef>;
  /** Neither certainly read nor certainly new. */
  readonly #unsure: ReadonlySet<MessageRef>;

  constructor(
    listed: readonly MessageRef[],
    covered: ReadonlySet<MessageRef>,
    unsure: ReadonlySet<MessageRef> = new Set(),
  ) {
    this.#listed = listed;
    this.#covered = covered;
    this.#unsure = unsure;
  }

  covers(ref: MessageRef): boolean {
    return this.#covered.has(ref);
  }

  isLater(ref: MessageRef): boolean {
    return !this.#covered.has(ref) && !this.#unsure.has(ref);
  }

  advance({ read, known, isComplete, deleted = [] }: ReadingProgress): Pop3Position {
    const covered = new Set([...this.#covered, ...read]);
    if (isComplete) {
      for (const ref of this.#listed) covered.add(ref);
      for (const { ref } of known) covered.add(ref);
    }
    for (const ref of deleted) covered.delete(ref);
    return new Pop3Position(this.#listed, covered);
  }

  uncover(refs: readonly MessageRef[]): Pop3Position {
    const back = new Set(refs);
    return new Pop3Position(this.#listed, new Set([...this.#covered].filter((ref) => !back.has(ref))));
  }

  toData(): PositionData {
    const bits = bitsFor(this.#covered.size);
    const groups = grouped(this.#covered, bits);
    const digests = Array.from({ length: 2 ** bits }, (_, group) => digestOf(groups.get(group) ?? []));
    return { bits, groups: Buffer.concat(digests).toString('base64') };
  }
}

/**
 * The position from which to continue. Pure.
 * @param listed every message of the session, in the server's order
 * @param saved absent: nothing was read
 */
export function goOnFrom(
  saved: PositionData | undefined,
  listed: readonly MessageRef[],
  { isVoid }: { isVoid: boolean },
): { position: Pop3Position; isKnown: boolean; isSetBack: boolean } {
  const known = saved === undefined || isVoid ? undefined : savedPosition.safeParse(saved).data;
  const digests = Buffer.from(known?.groups ?? '', 'base64');
  if (known === undefined || digests.byteLength !== DIGEST_BYTES * 2 ** known.bits)
    return {
      position: new Pop3Position(listed, new Set(listed)),
      isKnown: false,
      isSetBack: saved !== undefined,
    };
  const covered: MessageRef[] = [];
  const unsure: MessageRef[] = [];
  for (const [group, refs] of grouped(listed, known.bits)) {
    const digest = digests.subarray(group * DIGEST_BYTES, (group + 1) * DIGEST_BYTES);
    const read = digest.equals(digestOf([])) ? [] : readAmong(refs, digest);
    if (read === undefined) unsure.push(...refs);
    else covered.push(...read);
  }
  return {
    position: new Pop3Position(listed, new Set(covered), new Set(unsure)),
    isKnown: true,
    isSetBack: false,
  };
}

/**
 * Which messages of a group make up its digest: all, or all but the newest, which are the last ones, or with a
 * few servers the first. Undefined if the digest does not tell.
 */
function readAmong(refs: readonly MessageRef[], digest: Buffer): readonly MessageRef[] | undefined {
  if (digest.equals(digestOf(refs))) return refs;
  if (refs.length > LARGEST_COMPARED) return undefined;
  for (let fresh = 1; fresh < refs.length; fresh += 1)
    for (const read of [refs.slice(0, -fresh), refs.slice(fresh)])
      if (digest.equals(digestOf(read))) return read;
  return undefined;
}

/** Twice as many groups as messages, so that a deleted message rarely makes another one be listed again. */
const bitsFor = (count: number): number => Math.min(MOST_BITS, Math.ceil(Math.log2(2 * count + 1)));

function grouped(refs: Iterable<MessageRef>, bits: number): Map<number, MessageRef[]> {
  return Map.groupBy(refs, (ref) => Number.parseInt(ref.slice(0, 4), 16) >> (16 - bits));
}

function digestOf(refs: readonly MessageRef[]): Buffer {
  if (refs.length === 0) return Buffer.alloc(DIGEST_BYTES);
  return createHash('sha256')
    .update([...refs].sort().join(','))
    .digest()
    .subarray(0, DIGEST_BYTES);
}
