import { createAttachmentCutter } from '../mime/attachment-cutter.ts';
import type { Blobs } from '../platform/blobs.ts';
import { mapLimited } from '../platform/concurrency.ts';
import type { StoredMail } from './store-raw.ts';

const UPLOADS = 4;
/** Maximum size of a large email after its attachments are cut out, to be read in one piece. */
const READABLE_BYTES = 24 * 1024 * 1024;
/**
 * In emails up to this size, `winmail.dat` and similar files stay in the email
 * to be opened; in larger ones they are cut out.
 */
const OPENABLE_BYTES = 16 * 1024 * 1024;

/** An email whose attachments are in storage. */
export interface CutMail {
  /** The email without the bytes of the cut parts. */
  rest: Uint8Array;
  /** Cut number → blob with the bytes. */
  parts: Map<number, { blob: string; size: number }>;
}

/**
 * Stores the attachments of an email as blobs and returns the rest of it, in which a marker with the nonce
 * stands for each; `too-large` if the rest is larger than a parser thread can read.
 * @param prefix of the names of the blobs
 */
export async function cutOut(
  blobs: Blobs,
  prefix: string,
  nonce: string,
  stored: StoredMail,
): Promise<CutMail | 'too-large'> {
  if (stored.raw !== undefined) return cutInMemory(blobs, prefix, nonce, stored.raw);
  return cutStreamed(blobs, prefix, nonce, stored);
}

async function cutInMemory(blobs: Blobs, prefix: string, nonce: string, raw: Uint8Array): Promise<CutMail> {
  const cutter = createAttachmentCutter(nonce);
  const rest: Uint8Array[] = [];
  const parts = new Map<number, { blob: string; size: number; bytes: Uint8Array[] }>();
  for (const event of [...cutter.push(raw), ...cutter.end()]) {
    if (event.kind === 'keep') rest.push(event.bytes);
    else if (event.kind === 'begin')
      parts.set(event.cut, { blob: `${prefix}/c${event.cut}`, size: 0, bytes: [] });
    else if (event.kind === 'data') parts.get(event.cut)?.bytes.push(event.bytes);
    else Object.assign(parts.get(event.cut) ?? {}, { size: event.size });
  }
  await mapLimited([...parts.values()], UPLOADS, ({ blob, bytes }) =>
    blobs.putOnce(blob, Buffer.concat(bytes)),
  );
  return { rest: parts.size === 0 ? raw : Buffer.concat(rest), parts };
}

/** Streams a large email from its raw blob into the blobs of its attachments; one part at a time is open. */
async function cutStreamed(
  blobs: Blobs,
  prefix: string,
  nonce: string,
  { rawBlob, size }: Pick<StoredMail, 'rawBlob' | 'size'>,
): Promise<CutMail | 'too-large'> {
  const source = await blobs.stream(rawBlob);
  if (source === undefined) return 'too-large';
  const cutter = createAttachmentCutter(nonce, size <= OPENABLE_BYTES ? 'keep' : 'cut');
  const rest: Uint8Array[] = [];
  let restBytes = 0;
  const parts = new Map<number, { blob: string; size: number }>();
  let open: { writer: PartWriter; cut: number } | undefined;
  try {
    for await (const events of eventsOf(cutter, source)) {
      for (const event of events) {
        if (event.kind === 'keep') {
          restBytes += event.bytes.byteLength;
          if (restBytes <= READABLE_BYTES) rest.push(Uint8Array.from(event.bytes));
        } else if (event.kind === 'begin') {
          open = { writer: new PartWriter(blobs, `${prefix}/c${event.cut}`), cut: event.cut };
        } else if (event.kind === 'data') await open?.writer.write(event.bytes);
        else if (open !== undefined) {
          await open.writer.end();
          parts.set(open.cut, { blob: `${prefix}/c${open.cut}`, size: event.size });
          open = undefined;
        }
      }
    }
  } finally {
    await open?.writer.abandon();
  }
  return restBytes > READABLE_BYTES ? 'too-large' : { rest: Buffer.concat(rest), parts };
}

type CutEvents = ReturnType<ReturnType<typeof createAttachmentCutter>['push']>;

async function* eventsOf(
  cutter: ReturnType<typeof createAttachmentCutter>,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<CutEvents> {
  for await (const chunk of source)
    for (let start = 0; start < chunk.byteLength; start += 65_536)
      yield cutter.push(chunk.subarray(start, start + 65_536));
  yield cutter.end();
}

/** Turns writes into the stream that an upload reads; each write waits until the upload has consumed it. */
class PartWriter {
  readonly #uploaded: Promise<unknown>;
  #failure: { error: unknown } | undefined;
  #chunk: Uint8Array | 'end' | 'abandon' | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  constructor(blobs: Blobs, name: string) {
    this.#uploaded = blobs.putOnce(name, this.#chunks()).catch((error: unknown) => {
      this.#failure = { error };
      this.#wakeWriter?.();
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#hand(Uint8Array.from(bytes));
  }

  async end(): Promise<void> {
    await this.#hand('end');
    await this.#uploaded;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Ends an upload without committing it. */
  async abandon(): Promise<void> {
    if (this.#failure === undefined) await this.#hand('abandon').catch(() => {});
    await this.#uploaded;
  }

  async #hand(next: Uint8Array | 'end' | 'abandon'): Promise<void> {
    while (this.#chunk !== undefined && this.#failure === undefined)
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve;
      });
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#chunk = next;
    this.#wakeReader?.();
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      while (this.#chunk === undefined)
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      const chunk = this.#chunk;
      this.#chunk = undefined;
      this.#wakeWriter?.();
      if (chunk === 'end') return;
      if (chunk === 'abandon') throw new Error('the email could not be read completely');
      yield chunk;
    }
  }
}
