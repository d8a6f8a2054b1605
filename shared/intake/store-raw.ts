import { type Inbox, InboxError } from '../mailboxes/inbox.ts';
import type { MessageMeta, MessageRef } from '../mailboxes/message-ref.ts';
import type { Blobs } from '../platform/blobs.ts';
import { createLimiter } from '../platform/concurrency.ts';
import { BEGINNING_BYTES, END_BYTES, isShort, type ReadMail, shortNote } from './complete-message.ts';
import { type ContentKey, createContentKey } from './content-key.ts';
import { placeOf, type RefScope, rawBlobOf } from './ledger.ts';
import type { Batch } from './plan-batches.ts';
import type { Found } from './plan-claim.ts';

/** An email whose raw bytes are stored as a blob. */
export interface StoredMail extends Found {
  /** The bytes, or only the headers of an oversized email; absent if they are streamed from the blob. */
  raw: Uint8Array | undefined;
  oversized: boolean;
  /** Remarks for the reader about problems with the bytes. */
  notes: readonly string[];
}

/** The result of a download. */
export interface Download {
  stored: StoredMail[];
  /** Requested, but not delivered in full and as announced. */
  missing: MessageMeta[];
  /** Why the download ended early; the session can no longer be used. */
  broken: InboxError | undefined;
}

const UPLOADS = 8;
const HEADER_BYTES = 64 * 1024;
/** An announced size may be an estimate: the end of a message is only called missing if this much of it is. */
const TOLERATED_ESTIMATE = 0.5;

interface Place {
  blobs: Blobs;
  inbox: Inbox;
  mailboxId: string;
  scope: RefScope;
}

/**
 * Step 1: stores the raw messages before anything else is done with them. Messages that the server does not
 * deliver, or that were removed meanwhile, are missing. Those delivered before the session failed count.
 * @throws PostroomError if storage refuses the bytes
 */
export async function storeRaw(
  { blobs, inbox, mailboxId, scope }: Place,
  kind: Batch['kind'],
  metas: readonly MessageMeta[],
): Promise<Download> {
  const placed = metas.map((each) => ({
    ...each,
    place: placeOf(scope, each),
    rawBlob: rawBlobOf(mailboxId, scope, each),
  }));
  const stored: StoredMail[] = [];
  const broken = kind === 'in-memory' ? await storeInMemory(blobs, inbox, placed, stored) : await storeEach();
  const byRef = new Map(stored.map((each) => [each.ref, each]));
  return {
    stored: metas.flatMap(({ ref }) => byRef.get(ref) ?? []),
    missing: metas.filter(({ ref }) => !byRef.has(ref)),
    broken,
  };

  async function storeEach(): Promise<InboxError | undefined> {
    for (const each of placed) {
      const one = await (kind === 'large' ? storeLarge(blobs, inbox, each) : storeHeaders(inbox, each));
      if (one instanceof InboxError) return one;
      if (one !== undefined) stored.push(one);
    }
    return undefined;
  }
}

interface Placed extends MessageMeta {
  place: string;
  rawBlob: string;
}

/**
 * Uploads run while the rest of the stream is still being received. An email that comes shorter than announced is
 * read again: if it ends at the same byte, the server has no more of it; if it is short and ends elsewhere, it is
 * missing for now.
 */
async function storeInMemory(
  blobs: Blobs,
  inbox: Inbox,
  placed: readonly Placed[],
  stored: StoredMail[],
): Promise<InboxError | undefined> {
  const byRef = new Map(placed.map((each) => [each.ref, each]));
  const limited = createLimiter(UPLOADS);
  const uploads: Promise<{ error: unknown } | undefined>[] = [];
  const short = new Map<MessageRef, Uint8Array>();
  const store = (each: Placed, raw: Uint8Array, notes: readonly string[] = []): void => {
    stored.push({
      ...each,
      key: contentKeyOf(raw, each.receivedAt),
      size: raw.byteLength,
      raw,
      oversized: false,
      notes,
    });
    uploads.push(failure(limited(() => blobs.putOnce(each.rawBlob, raw))));
  };
  let stream = await failure(
    inbox.fetchRaw([...byRef.keys()], (ref, raw) => {
      const each = byRef.get(ref);
      if (each === undefined) return;
      if (isShort(partsOf(raw), announced(each), 0)) short.set(ref, raw);
      else store(each, raw);
    }),
  );
  if (stream === undefined && short.size > 0)
    stream = await failure(
      inbox.fetchRaw([...short.keys()], (ref, raw) => {
        const [each, before] = [byRef.get(ref), short.get(ref)];
        if (each === undefined || before === undefined) return;
        if (!isShort(partsOf(raw), announced(each), 0)) store(each, raw);
        else if (!Buffer.from(before).equals(raw)) return;
        else if (!isShort(partsOf(raw), announced(each), TOLERATED_ESTIMATE)) store(each, raw);
        else store(shortPlace(each, raw.byteLength), raw, [shortNote(raw.byteLength, each.size)]);
      }),
    );
  for (const failed of await Promise.all(uploads)) if (failed !== undefined) throw failed.error;
  if (stream === undefined || stream.error instanceof InboxError)
    return stream?.error as InboxError | undefined;
  throw stream.error;
}

/** Returns a failure as a value: uploads are not awaited until the stream has ended. */
const failure = (work: Promise<unknown>): Promise<{ error: unknown } | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );

/** An estimate announces nothing. */
const announced = ({ size, isEstimate }: MessageMeta): number => (isEstimate === true ? 0 : size);

const partsOf = (raw: Uint8Array): ReadMail => ({
  size: raw.byteLength,
  beginning: raw.subarray(0, BEGINNING_BYTES),
  end: raw.subarray(-END_BYTES),
});

/**
 * A different name from the complete message's, in case the server
 * delivers that later: a blob is never overwritten.
 */
const shortPlace = (placed: Placed, size: number): Placed => ({
  ...placed,
  rawBlob: placed.rawBlob.replace(/\.eml$/, `-${size}.eml`),
});

/**
 * Reads a short email again. If it ends at the same byte as before, the server has no more of it, and it is
 * stored with a note. If it ends elsewhere, it is missing for now.
 */
async function storeLarge(
  blobs: Blobs,
  inbox: Inbox,
  placed: Placed,
): Promise<StoredMail | InboxError | undefined> {
  let before: Reading | undefined;
  for (const isLast of [false, false, true]) {
    const reading = new Reading(inbox, placed);
    const known = isLast ? before : undefined;
    const target = known === undefined ? placed : shortPlace(placed, known.size);
    try {
      await blobs.putOnce(target.rawBlob, reading.pieces(known));
    } catch (error) {
      if (reading.broken !== undefined) return reading.broken;
      if (!reading.isShort) throw error;
      // Each read must end where the previous one did.
      if (before !== undefined && before.key !== reading.key) return undefined;
      before = reading;
      continue;
    }
    const { key, size } = reading;
    const notes = reading.isShort ? [shortNote(size, placed.size)] : [];
    return { ...target, key, size, raw: undefined, oversized: false, notes };
  }
  return undefined;
}

/** One read of a large email, from its first byte to where the server ends it. */
class Reading {
  size = 0;
  key = '';
  isShort = false;
  broken: InboxError | undefined;
  readonly #inbox: Inbox;
  readonly #placed: Placed;
  readonly #contentKey: ContentKey;
  #beginning = Buffer.alloc(0);
  #end = Buffer.alloc(0);

  constructor(inbox: Inbox, placed: Placed) {
    this.#inbox = inbox;
    this.#placed = placed;
    this.#contentKey = createContentKey(placed.receivedAt);
  }

  /**
   * Throws at the end of a short message, so that the upload is not
   * committed, unless it ends where `known` did.
   */
  async *pieces(known: Reading | undefined): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of this.#inbox.streamRaw(this.#placed.ref, this.#placed.size)) {
        this.#take(piece);
        yield piece;
      }
    } catch (error) {
      if (error instanceof InboxError) this.broken = error;
      throw error;
    }
    this.key = this.#contentKey.digest();
    const read = { size: this.size, beginning: this.#beginning, end: this.#end };
    // Of pieces the sum must match.
    this.isShort = isShort(read, announced(this.#placed), 0);
    if (this.isShort && this.key !== known?.key) throw new Error('the mail came short');
  }

  #take(piece: Uint8Array): void {
    this.#contentKey.update(piece);
    this.size += piece.byteLength;
    if (this.#beginning.length < BEGINNING_BYTES)
      this.#beginning = Buffer.concat([this.#beginning, piece.subarray(0, BEGINNING_BYTES)]);
    this.#end = Buffer.from(Buffer.concat([this.#end, piece.subarray(-END_BYTES)]).subarray(-END_BYTES));
  }
}

/** Only its headers and its size are known: they make up its key. */
async function storeHeaders(inbox: Inbox, placed: Placed): Promise<StoredMail | InboxError> {
  try {
    const beginning = await inbox.fetchHead(placed.ref, HEADER_BYTES);
    const raw = headerBlock(beginning);
    const sized = Buffer.concat([raw, Buffer.from(`oversized ${placed.size}`)]);
    const key = contentKeyOf(sized, placed.receivedAt);
    return { ...placed, rawBlob: '', key, raw, oversized: true, notes: [] };
  } catch (error) {
    if (error instanceof InboxError) return error;
    throw error;
  }
}

/** The header block with the empty line after it. */
export function headerBlock(raw: Uint8Array): Uint8Array {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const end = bytes.indexOf('\r\n\r\n');
  return end === -1 ? bytes.subarray(0, HEADER_BYTES) : bytes.subarray(0, Math.min(end + 4, HEADER_BYTES));
}

function contentKeyOf(raw: Uint8Array, receivedAt: string): string {
  const key = createContentKey(receivedAt);
  key.update(raw);
  return key.digest();
}
