import type { Secret } from './secret.ts';

export interface VaultEntry {
  value: Secret;
  version: string;
  /** ISO time, when the entry carries one. Key Vault does not stop at this date: the reader has to. */
  expiresOn: string | undefined;
}

export interface Vault {
  /** The newest version, or the one named; undefined when there is none (or it was deleted). */
  get(name: string, version?: string): Promise<VaultEntry | undefined>;
  /** Writes a new version. A repeated call makes one more version: the newest always counts. */
  set(
    name: string,
    value: Secret,
    options: { expiresOn?: string; contentType: string; tags?: Record<string, string> },
  ): Promise<{ version: string }>;
  /** Soft-deletes; a missing entry counts as deleted. */
  remove(name: string): Promise<void>;
}
