import type { Duplex } from 'node:stream';

const ends = ['end', 'close', 'error'] as const;

/** Reads lines and counted bytes from a socket, one caller at a time. */
export class LineReader {
  readonly #stream: Duplex;
  readonly #longestLine: number;
  #chunks: Buffer[] = [];
  #size = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(stream: Duplex, longestLine = 65_536) {
    this.#stream = stream;
    this.#longestLine = longestLine;
    stream.on('data', this.#take);
    for (const event of ends) stream.on(event, this.#end);
  }

  /** Hands the stream over, for example to a TLS layer on top of it. */
  detach(): void {
    this.#stream.off('data', this.#take);
    for (const event of ends) this.#stream.off(event, this.#end);
    this.#end();
  }

  readonly #take = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    this.#wake?.();
  };

  readonly #end = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  /** A line without its line end; undefined when the connection has ended or the line is too long. */
  async line(): Promise<Buffer | undefined> {
    for (;;) {
      const all = this.#joined();
      const end = all.indexOf(0x0a);
      if (end >= 0) {
        const line = all.subarray(0, end > 0 && all[end - 1] === 0x0d ? end - 1 : end);
        this.#keep(all.subarray(end + 1));
        return line;
      }
      if (this.#ended || this.#size > this.#longestLine) return undefined;
      await this.#more();
    }
  }

  /** Exactly `count` bytes; undefined when the connection ended before. */
  async bytes(count: number): Promise<Buffer | undefined> {
    while (this.#size < count) {
      if (this.#ended) return undefined;
      await this.#more();
    }
    const all = this.#joined();
    this.#keep(all.subarray(count));
    return all.subarray(0, count);
  }

  #joined(): Buffer {
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
  }

  async #more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}

/** Writes and waits while the peer reads slower than we write; resolves at once on a dead connection. */
export async function writeAll(stream: Duplex, data: string | Uint8Array): Promise<void> {
  if (stream.destroyed || !stream.writable) return;
  if (stream.write(data, 'latin1')) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}
