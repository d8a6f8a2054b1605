import { PostroomError } from '../platform/errors.ts';
import { openRecords } from '../platform/open-records.ts';
import type { Tables } from '../platform/tables.ts';
import type { PendingConsent } from './consent.ts';
import { CONSENTS, consentKind, isKey } from './consent-records.ts';
import { purgeExpired } from './purge-expired.ts';

const KEPT_MS = 24 * 60 * 60_000;

export interface StoredConsent {
  consent: PendingConsent;
  etag: string;
}

export interface ConsentStore {
  get(key: string): Promise<StoredConsent | undefined>;
  add(consent: PendingConsent): Promise<void>;
  /** Marks the consent as used and erases its secrets; false when another request was first. */
  use(stored: StoredConsent, at: string): Promise<boolean>;
  /** Stores the outcome of a used consent for its page; false when it is not used, or gone. */
  keepResult(key: string, result: string): Promise<boolean>;
  /** Removes rows a day after they expired. */
  purge(now: number): Promise<void>;
}

/**
 * Consents by the hash of their state, in the table Consents. Every method throws PostroomError if storage
 * is unavailable.
 */
export function createConsentStore(tables: Tables): ConsentStore {
  const consents = openRecords(tables, consentKind);
  const get: ConsentStore['get'] = async (key) => {
    const stored = isKey(key) ? await consents.get(CONSENTS, key) : undefined;
    return stored && { consent: stored.record, etag: stored.etag };
  };
  return {
    get,
    async add(consent) {
      if (!(await consents.insert(consent)))
        throw new PostroomError('consent-exists', 'A new state equals an existing one. Try again.');
    },
    use: ({ consent, etag }, at) =>
      // Replaces instead of deleting: deleting a missing row succeeds, so two tabs would both continue.
      consents.replace(
        { ...consent, usedAt: at, sealedState: '', sealedVerifier: '', sealedNonce: '' },
        etag,
      ),
    async keepResult(key, result) {
      const stored = await get(key);
      if (stored?.consent.usedAt === undefined) return false;
      return consents.replace({ ...stored.consent, result }, stored.etag);
    },
    purge: (now) => purgeExpired(tables.open('Consents'), CONSENTS, { keptMs: KEPT_MS, now }),
  };
}
