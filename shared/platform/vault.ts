import type { Secret } from './secret.ts';

export interface VaultEntry {
  value: Secret;
  version: string;
  /** ISO time, when the entry carries one. Key Vault does not stop at this date: the reader has to. */
  expiresOn: string | undefined;
}

/** What the vault tells of an entry without giving its value. Times are ISO. */
export interface VaultProperties {
  name: string;
  /** Absent in a list of all entries, which shows each by its newest version. */
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
  /** ISO time from which it is gone for good. */
  goneOn: string | undefined;
}

/**
 * Key Vault as the product uses it.
 * Every call throws PostroomError `key-vault` when the vault is away, `key-vault-denied` when it refuses the app,
 * `key-vault-throttled` when it takes no more for now.
 */
export interface Vault {
  /**
   * The newest version, or the one named; undefined when there is none (or it was deleted).
   * @throws PostroomError `secret-disabled` when somebody has switched that version off.
   */
  get(name: string, version?: string): Promise<VaultEntry | undefined>;
  /** Writes a new version. A repeated call makes one more version: the newest always counts. */
  set(
    name: string,
    value: Secret,
    options: { expiresOn?: string; contentType: string; tags?: Record<string, string> },
  ): Promise<{ version: string }>;
  /** Makes one version unreadable without deleting it; a missing one counts as disabled. */
  disable(name: string, version: string): Promise<void>;
  /** Every entry by its newest version, without values. */
  list(): Promise<VaultProperties[]>;
  /** The versions of one entry, newest first, without values; empty when there is none. */
  versionsOf(name: string): Promise<VaultProperties[]>;
  /** What was deleted and can be recovered, without values. */
  listDeleted(): Promise<DeletedVaultEntry[]>;
  /** Corrects the date on one version. */
  setExpiry(name: string, version: string, expiresOn: string): Promise<void>;
  /** Soft-deletes; a missing entry counts as deleted. */
  remove(name: string): Promise<void>;
}
