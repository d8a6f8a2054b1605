import { PostroomError } from '../platform/errors.ts';
import type { Change, Row, Tables } from '../platform/tables.ts';

// Table Consents: `set-up` / id of the provider. One a provider: a newer one takes its place.
const PARTITION = 'set-up';

/** What an admin of the tenant is asked in set-up, before anybody has tried to sign in: no trip waits for it. */
export interface SetUpApproval {
  providerId: string;
  /** Cloud, tenant and client id that it was asked for. */
  registration: string;
  stateHash: string;
  sealedState: string;
  /** ISO time. */
  expiresAt: string;
}

export interface StoredSetUpApproval {
  approval: SetUpApproval;
  etag: string;
}

export interface SetUpApprovalStore {
  get(providerId: string): Promise<StoredSetUpApproval | undefined>;
  /** Writes only over the row that was read, or where there was none; false when another came before. */
  save(approval: SetUpApproval, over: StoredSetUpApproval | undefined): Promise<boolean>;
  remove(providerId: string): Promise<void>;
}

export function createSetUpApprovalStore(tables: Tables): SetUpApprovalStore {
  const table = tables.open('Consents');
  return {
    async get(providerId) {
      const row = await table.get(PARTITION, providerId);
      return row && { approval: approvalOf(row), etag: row.etag ?? '' };
    },
    async save({ providerId, ...columns }, over) {
      const row: Row = { partitionKey: PARTITION, rowKey: providerId, ...columns };
      const change: Change =
        over === undefined ? { kind: 'insert', row } : { kind: 'replace', row, etag: over.etag };
      return (await table.commit(PARTITION, [change])).ok;
    },
    async remove(providerId) {
      await table.commit(PARTITION, [{ kind: 'remove', rowKey: providerId }]);
    },
  };
}

function approvalOf(row: Row): SetUpApproval {
  const text = (column: string): string => {
    const value = row[column];
    if (typeof value === 'string') return value;
    throw new PostroomError(
      'bad-row',
      `Consents/${row.rowKey}.${column} does not hold what Postroom wrote there`,
    );
  };
  return {
    providerId: row.rowKey,
    registration: text('registration'),
    stateHash: text('stateHash'),
    sealedState: text('sealedState'),
    expiresAt: text('expiresAt'),
  };
}
