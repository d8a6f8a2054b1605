import { PostroomError } from '../../../shared/platform/errors.ts';
import { openSeam, type Seam } from '../../../shared/platform/seam.ts';
import type { Secret } from '../../../shared/platform/secret.ts';
import type {
  DeletedVaultEntry,
  Vault,
  VaultEntry,
  VaultProperties,
} from '../../../shared/platform/vault.ts';

interface MemoryVersion extends VaultEntry {
  enabled: boolean;
  contentType: string;
  tags: Readonly<Record<string, string>>;
  createdOn: string;
}

const KEPT_MS = 90 * 86_400_000;

/** A vault in memory behind the seam: versioned, and the newest version counts. */
export class MemoryVault implements Vault {
  readonly versions: Map<string, MemoryVersion[]>;
  readonly #deleted: Map<string, DeletedVaultEntry>;
  readonly #count: { last: number };
  readonly #seam: Seam;

  constructor(seam: Seam = openSeam, same?: MemoryVault) {
    this.#seam = seam;
    this.versions = same?.versions ?? new Map();
    this.#deleted = same === undefined ? new Map() : same.#deleted;
    this.#count = same === undefined ? { last: 0 } : same.#count;
  }

  /** The same vault as seen by another process, through a seam of its own. */
  behind(seam: Seam): MemoryVault {
    return new MemoryVault(seam, this);
  }

  /** Disabled versions: `<name>/<version>`. */
  get disabled(): ReadonlySet<string> {
    const off = [...this.versions].flatMap(([name, all]) =>
      all.filter(({ enabled }) => !enabled).map(({ version }) => `${name}/${version}`),
    );
    return new Set(off);
  }

  get(name: string, version?: string): Promise<VaultEntry | undefined> {
    return this.#seam.call('vault.get', async () => {
      const all = this.versions.get(name) ?? [];
      const found = version === undefined ? all.at(-1) : all.find((entry) => entry.version === version);
      if (found?.enabled === false)
        throw new PostroomError('secret-disabled', `Key Vault did not get ${name} (status 403)`);
      return found && { value: found.value, version: found.version, expiresOn: found.expiresOn };
    });
  }

  set(
    name: string,
    value: Secret,
    options: { expiresOn?: string; contentType: string; tags?: Record<string, string> },
  ): Promise<{ version: string }> {
    return this.#seam.call('vault.set', async () => {
      if (!/^[0-9a-zA-Z-]{1,127}$/.test(name)) throw new PostroomError('key-vault', `bad name ${name}`);
      this.#count.last += 1;
      const version = `v${this.#count.last}`;
      const all = this.versions.get(name) ?? [];
      const { expiresOn, contentType, tags = {} } = options;
      const createdOn = this.#wholeSecond();
      this.versions.set(name, [
        ...all,
        { value, version, expiresOn, contentType, tags, createdOn, enabled: true },
      ]);
      return { version };
    });
  }

  disable(name: string, version: string): Promise<void> {
    return this.#seam.call('vault.disable', async () => {
      const found = this.versions.get(name)?.find((entry) => entry.version === version);
      if (found !== undefined) found.enabled = false;
    });
  }

  list(): Promise<VaultProperties[]> {
    return this.#seam.call('vault.list', async () =>
      [...this.versions]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([name, all]) =>
          all.slice(-1).map((newest) => ({ ...propertiesOf(name, newest), version: undefined })),
        ),
    );
  }

  versionsOf(name: string): Promise<VaultProperties[]> {
    return this.#seam.call('vault.list', async () =>
      (this.versions.get(name) ?? []).toReversed().map((entry) => propertiesOf(name, entry)),
    );
  }

  listDeleted(): Promise<DeletedVaultEntry[]> {
    return this.#seam.call('vault.list', async () => [...this.#deleted.values()]);
  }

  setExpiry(name: string, version: string, expiresOn: string): Promise<void> {
    return this.#seam.call('vault.update', async () => {
      const found = this.versions.get(name)?.find((entry) => entry.version === version);
      if (found === undefined)
        throw new PostroomError('key-vault', `Key Vault did not update ${name} (status 404)`);
      found.expiresOn = expiresOn;
    });
  }

  remove(name: string): Promise<void> {
    return this.#seam.call('vault.remove', async () => {
      const newest = this.versions.get(name)?.at(-1);
      if (newest === undefined) return;
      this.versions.delete(name);
      const deletedOn = this.#wholeSecond();
      const goneOn = new Date(Date.parse(deletedOn) + KEPT_MS).toISOString();
      this.#deleted.set(name, { name, tags: newest.tags, deletedOn, goneOn });
    });
  }

  #wholeSecond(): string {
    return new Date(Math.floor(this.#seam.now() / 1000) * 1000).toISOString();
  }
}

function propertiesOf(name: string, entry: MemoryVersion): VaultProperties {
  const { version, enabled, contentType, tags, expiresOn, createdOn } = entry;
  return { name, version, enabled, contentType, tags, expiresOn, createdOn, updatedOn: createdOn };
}
