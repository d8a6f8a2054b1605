import { randomBytes } from 'node:crypto';
import { openRecords } from '../platform/open-records.ts';
import type { Tables } from '../platform/tables.ts';
import { base32 } from './base32.ts';
import type { Provider } from './provider.ts';
import { PROVIDERS, providerKind } from './provider-records.ts';

export interface ProviderStore {
  /** All providers, by name. */
  list(): Promise<Provider[]>;
  get(id: string): Promise<Provider | undefined>;
  save(provider: Provider): Promise<void>;
  /**
   * Applies `change` to the newest row, with retries when others write at the same time, so `change` may
   * run several times. Undefined: the provider is gone, or `change` returned undefined.
   */
  change(id: string, change: (provider: Provider) => Provider | undefined): Promise<Provider | undefined>;
  remove(id: string): Promise<void>;
}

/** A new id: 128 random bits, 26 characters. */
export const newProviderId = (): string => base32(randomBytes(16));

/** True when a text has the form of a provider ID. */
export const isProviderId = (text: string): boolean => /^[a-z2-7]{26}$/.test(text);

export function createProviderStore(tables: Tables): ProviderStore {
  const providers = openRecords(tables, providerKind);
  return {
    async list() {
      return (await providers.list(PROVIDERS)).sort((a, b) => a.name.localeCompare(b.name));
    },
    async get(id) {
      // The ID comes from a URL: text of another form is never sent to the table.
      return isProviderId(id) ? (await providers.get(PROVIDERS, id))?.record : undefined;
    },
    save: providers.put,
    async change(id, change) {
      for (;;) {
        const stored = await providers.get(PROVIDERS, id);
        if (stored === undefined) return undefined;
        const next = change(stored.record);
        if (next === undefined) return undefined;
        if (await providers.replace(next, stored.etag)) return next;
      }
    },
    async remove(id) {
      await providers.remove(PROVIDERS, id);
    },
  };
}
