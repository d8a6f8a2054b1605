import { PostroomError } from '../../shared/platform/errors.ts';
import type { Seam } from '../../shared/platform/seam.ts';
import type { Secret } from '../../shared/platform/secret.ts';
import type { Vault, VaultEntry } from '../../shared/platform/vault.ts';

/** A vault in memory behind the seam: versions, and the newest one counts. */
export class MemoryVault implements Vault {
  readonly versions = new Map<string, VaultEntry[]>();
  readonly #seam: Seam;
  #last = 0;

  constructor(seam: Seam) {
    this.#seam = seam;
  }

  get(name: string, version?: string): Promise<VaultEntry | undefined> {
    return this.#seam.call('vault.get', async () => {
      const all = this.versions.get(name) ?? [];
      return version === undefined ? all.at(-1) : all.find((entry) => entry.version === version);
    });
  }

  set(
    name: string,
    value: Secret,
    options: { expiresOn?: string; contentType: string },
  ): Promise<{ version: string }> {
    return this.#seam.call('vault.set', async () => {
      if (!/^[0-9a-zA-Z-]{1,127}$/.test(name)) throw new PostroomError('key-vault', `bad name ${name}`);
      this.#last += 1;
      const version = `v${this.#last}`;
      const all = this.versions.get(name) ?? [];
      this.versions.set(name, [...all, { value, version, expiresOn: options.expiresOn }]);
      return { version };
    });
  }

  remove(name: string): Promise<void> {
    return this.#seam.call('vault.remove', async () => {
      this.versions.delete(name);
    });
  }
}
