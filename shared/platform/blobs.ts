export interface Lease {
  /** False when the lease is no longer ours. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

/** Bytes under names of our own making: nothing that came with an email is ever part of a name. */
export interface Blobs {
  /** Writes unless the name is taken (`If-None-Match: *`): what is there stays as it is. */
  putOnce(name: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<'stored' | 'exists'>;
  /** The whole blob in memory; for what is known to be small. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** The blob in pieces of at most 4 MB, for what may be large. */
  stream(name: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Takes the named lease for 15 to 60 seconds; undefined when somebody holds it. */
  lease(name: string, seconds: number): Promise<Lease | undefined>;
}
