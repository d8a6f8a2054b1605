import type { Secret } from './secret.ts';

export interface VaultEntry {
  value: Secret;
  version: string;
  /** ISO time, if the entry has one. Key Vault does not enforce this date: the reader has to. */
  expiresOn: string | undefined;
}

/** An entry's properties, without its value. Times are ISO. */
export interface VaultProperties {
  name: string;
  /** Absent in a list of all entries, which shows the newest version of each. */
  version: string | undefined;
  enabled: boolean;
  contentType: string | undefined;
  tags: Readonly<Record<string, string>>;
  expiresOn: string | undefined;
  createdOn: string;
  updatedOn: string;
}

/** An entry that was deleted and can still be recovered. */
export interface DeletedVaultEntry {
  name: string;
  tags: Readonly<Record<string, string>>;
  deletedOn: string | undefined;
  /** ISO time at which it is purged. */
  goneOn: string | undefined;
}

/**
 * Key Vault as the product uses it. Every call throws PostroomError `key-vault` when the vault is
 * unavailable, `key-vault-denied` when it refuses the app, `key-vault-throttled` when it throttles
 * requests.
 */
export interface Vault {
  /**
   * The newest version, or the given one; undefined when there is none (or it was deleted).
   * @throws PostroomError `secret-disabled` when that version is disabled
   */
  get(name: string, version?: string): Promise<VaultEntry | undefined>;
  /** Creates a new version. A repeated call creates another one: the newest always counts. */
  set(
    name: string,
    value: Secret,
    options: { expiresOn?: string; contentType: string; tags?: Record<string, string> },
  ): Promise<{ version: string }>;
  /** Disables one version without deleting it; a missing one counts as disabled. */
  disable(name: string, version: string): Promise<void>;
  /** Every entry by its newest version, without values. */
  list(): Promise<VaultProperties[]>;
  /** The versions of one entry, newest first, without values; empty if there are none. */
  versionsOf(name: string): Promise<VaultProperties[]>;
  /** Deleted entries that can be recovered, without values. */
  listDeleted(): Promise<DeletedVaultEntry[]>;
  /** Changes the expiry date of one version. */
  setExpiry(name: string, version: string, expiresOn: string): Promise<void>;
  /** Soft-deletes; a missing entry counts as deleted. */
  remove(name: string): Promise<void>;
}
