import type { Blobs } from '../../shared/platform/blobs.ts';
import type { Seam } from '../../shared/platform/seam.ts';

/** Blobs in memory, behind the same seam and held to the same contract suite as Azurite's. */
export class MemoryBlobs implements Blobs {
  readonly stored = new Map<string, Uint8Array>();
  readonly #leases = new Map<string, { id: number; until: number }>();
  readonly #seam: Seam;
  #lastLease = 0;

  constructor(seam: Seam) {
    this.#seam = seam;
  }

  async putOnce(name: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<'stored' | 'exists'> {
    const all = bytes instanceof Uint8Array ? bytes : Buffer.concat(await Array.fromAsync(bytes));
    return this.#seam.call('blob.putOnce', async () => {
      if (this.stored.has(name)) return 'exists';
      this.stored.set(name, Uint8Array.from(all));
      return 'stored';
    });
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.#seam.call('blob.read', async () => this.stored.get(name));
  }

  stream(name: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#seam.call('blob.stream', async () => {
      const bytes = this.stored.get(name);
      return bytes === undefined ? undefined : inPieces(bytes);
    });
  }

  lease(name: string, seconds: number): ReturnType<Blobs['lease']> {
    return this.#seam.call('blob.lease', async () => {
      const held = this.#leases.get(name);
      if (held !== undefined && held.until > this.#seam.now()) return undefined;
      this.#lastLease += 1;
      const lease = { id: this.#lastLease, until: this.#seam.now() + seconds * 1000 };
      this.#leases.set(name, lease);
      const ours = (): boolean => this.#leases.get(name)?.id === lease.id;
      return {
        renew: () =>
          this.#seam.call('blob.renew', async () => {
            if (!ours()) return false;
            lease.until = this.#seam.now() + seconds * 1000;
            return true;
          }),
        release: () =>
          this.#seam.call('blob.release', async () => {
            if (ours()) this.#leases.delete(name);
          }),
      };
    });
  }
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += 65_536)
    yield bytes.subarray(offset, offset + 65_536);
}
