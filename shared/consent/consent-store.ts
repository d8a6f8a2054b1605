import { PostroomError } from '../platform/errors.ts';
import type { Row, Tables } from '../platform/tables.ts';
import type { PendingConsent } from './consent.ts';
import { purgeExpired } from './purge-expired.ts';
import { wishOf } from './stored-wish.ts';

// Table Consents: `consent` / hash of the state. A used consent stays a day as a row without secrets, so that the back
// button and a second tab can be told what happened; the sweep purges older rows. The table's other partitions are
// explained in approval-store.ts and invitation-store.ts.
const PARTITION = 'consent';
const KEPT_MS = 24 * 60 * 60_000;

export interface StoredConsent {
  consent: PendingConsent;
  etag: string;
}

export interface ConsentStore {
  get(key: string): Promise<StoredConsent | undefined>;
  add(consent: PendingConsent): Promise<void>;
  /** Takes the consent for good and forgets its secrets; false when somebody else has. */
  use(stored: StoredConsent, at: string): Promise<boolean>;
  /** Notes what became of a used consent, for the page that says so; false when it is not used, or gone. */
  keepResult(key: string, result: string): Promise<boolean>;
  /** Removes rows a day past their end. */
  purge(now: number): Promise<void>;
}

export function createConsentStore(tables: Tables): ConsentStore {
  const table = tables.open('Consents');
  const get: ConsentStore['get'] = async (key) => {
    if (!/^[a-z2-7]{52}$/.test(key)) return undefined;
    const row = await table.get(PARTITION, key);
    return row === undefined ? undefined : { consent: consentOf(row), etag: row.etag ?? '' };
  };
  return {
    get,
    async add(consent) {
      const written = await table.commit(PARTITION, [{ kind: 'insert', row: rowOf(consent) }]);
      if (!written.ok) throw new PostroomError('consent-exists', 'A new state met an old one; try again.');
    },
    async use({ consent, etag }, at) {
      // A replace and no delete: a delete of a row that is gone counts as done, and two tabs would both go on.
      const row = rowOf({ ...consent, usedAt: at, sealedState: '', sealedVerifier: '', sealedNonce: '' });
      return (await table.commit(PARTITION, [{ kind: 'replace', row, etag }])).ok;
    },
    async keepResult(key, result) {
      const stored = await get(key);
      if (stored === undefined || stored.consent.usedAt === undefined) return false;
      const row = rowOf({ ...stored.consent, result });
      return (await table.commit(PARTITION, [{ kind: 'replace', row, etag: stored.etag }])).ok;
    },
    purge: (now) => purgeExpired(table, PARTITION, { keptMs: KEPT_MS, now }),
  };
}

function rowOf(consent: PendingConsent): Row {
  return {
    partitionKey: PARTITION,
    rowKey: consent.key,
    wish: JSON.stringify(consent.wish),
    principalId: consent.startedBy.kind === 'principal' ? consent.startedBy.id : undefined,
    invitationKey: consent.startedBy.kind === 'invitation' ? consent.startedBy.key : undefined,
    registration: consent.registration,
    browserHash: consent.browserHash,
    sealedState: consent.sealedState,
    sealedVerifier: consent.sealedVerifier,
    sealedNonce: consent.sealedNonce,
    startedAt: consent.startedAt,
    expiresAt: consent.expiresAt,
    usedAt: consent.usedAt,
    result: consent.result,
  };
}

function consentOf(row: Row): PendingConsent {
  const text = (column: string): string => {
    const value = row[column];
    if (typeof value === 'string') return value;
    throw new PostroomError(
      'bad-row',
      `Consents/${row.rowKey}.${column} does not hold what Postroom wrote there`,
    );
  };
  const invitationKey = row['invitationKey'];
  const usedAt = row['usedAt'];
  const result = row['result'];
  return {
    key: row.rowKey,
    wish: wishOf(text('wish')),
    startedBy:
      typeof invitationKey === 'string'
        ? { kind: 'invitation', key: invitationKey }
        : { kind: 'principal', id: text('principalId') },
    registration: text('registration'),
    browserHash: text('browserHash'),
    sealedState: text('sealedState'),
    sealedVerifier: text('sealedVerifier'),
    sealedNonce: text('sealedNonce'),
    startedAt: text('startedAt'),
    expiresAt: text('expiresAt'),
    usedAt: typeof usedAt === 'string' ? usedAt : undefined,
    result: typeof result === 'string' ? result : undefined,
  };
}
