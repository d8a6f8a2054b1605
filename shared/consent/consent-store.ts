import { PostroomError } from '../platform/errors.ts';
import { listAll, type Row, type Tables } from '../platform/tables.ts';
import type { PendingConsent } from './consent.ts';
import { wishOf } from './stored-wish.ts';

// Table Consents: `consent` / hash of the state. A used consent stays a day as a row without secrets, so that the back
// button and a second tab can be told what happened; starting one sweeps older rows. The table's other partitions are
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
  /** Removes rows a day past their end. */
  sweep(now: number): Promise<void>;
}

export function createConsentStore(tables: Tables): ConsentStore {
  const table = tables.open('Consents');
  return {
    async get(key) {
      if (!/^[a-z2-7]{52}$/.test(key)) return undefined;
      const row = await table.get(PARTITION, key);
      return row === undefined ? undefined : { consent: consentOf(row), etag: row.etag ?? '' };
    },
    async add(consent) {
      const written = await table.commit(PARTITION, [{ kind: 'insert', row: rowOf(consent) }]);
      if (!written.ok) throw new PostroomError('consent-exists', 'A new state met an old one; try again.');
    },
    async use({ consent, etag }, at) {
      // A replace and no delete: a delete of a row that is gone counts as done, and two tabs would both go on.
      const row = rowOf({ ...consent, usedAt: at, sealedState: '', sealedVerifier: '', sealedNonce: '' });
      return (await table.commit(PARTITION, [{ kind: 'replace', row, etag }])).ok;
    },
    async sweep(now) {
      for (const row of await listAll(table, PARTITION))
        if (Date.parse(String(row['expiresAt'])) + KEPT_MS < now)
          await table.commit(PARTITION, [{ kind: 'remove', rowKey: row.rowKey }]);
    },
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
  };
}
