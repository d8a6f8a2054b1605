import type { Blobs } from '../../../shared/platform/blobs.ts';
import type { Seam } from '../../../shared/platform/seam.ts';

const PIECE = 4 * 1024 * 1024;

interface State {
  stored: Map<string, Uint8Array>;
  leases: Map<string, { id: number; until: number }>;
  lastLease: number;
}

/** Blobs in memory, behind the same seam and with the same contract suite as Azurite's. */
export class MemoryBlobs implements Blobs {
  readonly #seam: Seam;
  readonly #state: State;

  constructor(seam: Seam, state: State = { stored: new Map(), leases: new Map(), lastLease: 0 }) {
    this.#seam = seam;
    this.#state = state;
  }

  /** The same blobs as seen by another process, through a seam of its own. */
  behind(seam: Seam): MemoryBlobs {
    return new MemoryBlobs(seam, this.#state);
  }

  /** Every blob by name, for assertions. */
  get stored(): ReadonlyMap<string, Uint8Array> {
    return this.#state.stored;
  }

  async putOnce(name: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<'stored' | 'exists'> {
    const all = bytes instanceof Uint8Array ? bytes : Buffer.concat(await Array.fromAsync(bytes));
    return this.#seam.call('blob.putOnce', async () => {
      if (this.#state.stored.has(name)) return 'exists';
      this.#state.stored.set(name, Uint8Array.from(all));
      return 'stored';
    });
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.#seam.call('blob.read', async () => this.#state.stored.get(name));
  }

  stream(name: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#seam.call('blob.stream', async () => {
      const bytes = this.#state.stored.get(name);
      return bytes === undefined ? undefined : inPieces(bytes, this.#seam);
    });
  }

  remove(name: string): Promise<void> {
    return this.#seam.call('blob.remove', async () => {
      this.#state.stored.delete(name);
    });
  }

  lease(name: string, seconds: number): ReturnType<Blobs['lease']> {
    return this.#seam.call('blob.lease', async () => {
      const held = this.#state.leases.get(name);
      if (held !== undefined && held.until > this.#seam.now()) return undefined;
      this.#state.lastLease += 1;
      const lease = { id: this.#state.lastLease, until: this.#seam.now() + seconds * 1000 };
      this.#state.leases.set(name, lease);
      const ours = (): boolean => this.#state.leases.get(name)?.id === lease.id;
      return {
        renew: () =>
          this.#seam.call('blob.renew', async () => {
            if (!ours()) return false;
            lease.until = this.#seam.now() + seconds * 1000;
            return true;
          }),
        release: () =>
          this.#seam.call('blob.release', async () => {
            if (ours()) this.#state.leases.delete(name);
          }),
      };
    });
  }
}

async function* inPieces(bytes: Uint8Array, seam: Seam): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += PIECE)
    yield await seam.call('blob.piece', async () => bytes.subarray(offset, offset + PIECE));
}
