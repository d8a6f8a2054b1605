import type { Inbox, MailFacts } from '../mailboxes/inbox.ts';
import type { Blobs } from '../platform/blobs.ts';
import { createLimiter } from '../platform/concurrency.ts';
import { createContentKey } from './content-key.ts';
import { type Numbering, placeOf, rawBlobOf } from './ledger.ts';
import type { Found } from './ledger-store.ts';
import type { Batch } from './plan-batches.ts';

/** A mail whose raw bytes are kept as a blob. */
export interface KeptMail extends Found {
  /** The bytes, or the headers alone of a mail that is too large to take; absent when they flow from the blob. */
  raw: Uint8Array | undefined;
  oversized: boolean;
}

const UPLOADS = 16;
const HEADER_BYTES = 64 * 1024;

/** Step 1: the raw mail is in storage before anything else is done with it. Mail that is gone meanwhile is left out. */
export async function keepMails(
  {
    blobs,
    inbox,
    mailboxId,
    numbering,
  }: { blobs: Blobs; inbox: Inbox; mailboxId: string; numbering: Numbering },
  kind: Batch['kind'],
  facts: readonly MailFacts[],
): Promise<KeptMail[]> {
  const placed = facts.map((each) => ({
    ...each,
    place: placeOf(numbering, each.uid),
    rawBlob: rawBlobOf(mailboxId, numbering, each.uid),
  }));
  switch (kind) {
    case 'held':
      return keepHeld(blobs, inbox, placed);
    case 'large':
      return Promise.all(placed.map((each) => keepLarge(blobs, inbox, each)));
    case 'oversized':
      return Promise.all(placed.map((each) => keepHeaders(inbox, each)));
  }
}

interface Placed extends MailFacts {
  place: string;
  rawBlob: string;
}

/** Uploads run while the rest of the stream is still coming in. */
async function keepHeld(blobs: Blobs, inbox: Inbox, placed: readonly Placed[]): Promise<KeptMail[]> {
  const byUid = new Map(placed.map((each) => [each.uid, each]));
  const limited = createLimiter(UPLOADS);
  const kept: KeptMail[] = [];
  const uploads: Promise<{ error: unknown } | undefined>[] = [];
  // A failure is kept as a value: nobody listens to an upload before the stream is through.
  const failure = (work: Promise<unknown>): Promise<{ error: unknown } | undefined> =>
    work.then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
  const stream = await failure(
    inbox.sources([...byUid.keys()], (uid, raw) => {
      const each = byUid.get(uid);
      if (each === undefined) return;
      kept.push({ ...each, key: contentKeyOf(raw), size: raw.byteLength, raw, oversized: false });
      uploads.push(failure(limited(() => blobs.putOnce(each.rawBlob, raw))));
    }),
  );
  for (const failed of [stream, ...(await Promise.all(uploads))])
    if (failed !== undefined) throw failed.error;
  return kept.sort((a, b) => a.uid - b.uid);
}

async function keepLarge(blobs: Blobs, inbox: Inbox, placed: Placed): Promise<KeptMail> {
  const key = createContentKey();
  let size = 0;
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const piece of inbox.pieces(placed.uid)) {
      key.update(piece);
      size += piece.byteLength;
      yield piece;
    }
  }
  await blobs.putOnce(placed.rawBlob, hashed());
  return { ...placed, key: key.digest(), size, raw: undefined, oversized: false };
}

/** What is known of it is its headers and its size: these make its key. */
async function keepHeaders(inbox: Inbox, placed: Placed): Promise<KeptMail> {
  const beginning = await inbox.beginning(placed.uid, HEADER_BYTES);
  const raw = headerBlock(beginning);
  const key = contentKeyOf(Buffer.concat([raw, Buffer.from(`oversized ${placed.size}`)]));
  return { ...placed, rawBlob: '', key, raw, oversized: true };
}

/** The header block with the empty line after it. */
export function headerBlock(raw: Uint8Array): Uint8Array {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const end = bytes.indexOf('\r\n\r\n');
  return end === -1 ? bytes.subarray(0, HEADER_BYTES) : bytes.subarray(0, Math.min(end + 4, HEADER_BYTES));
}

function contentKeyOf(raw: Uint8Array): string {
  const key = createContentKey();
  key.update(raw);
  return key.digest();
}
