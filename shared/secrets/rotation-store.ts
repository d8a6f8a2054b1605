import { listAll, type Row, type Tables } from '../platform/tables.ts';

// Table Providers: PartitionKey `rotation` / RowKey provider id: written where an admin switched rotation on.
const PARTITION = 'rotation';

/** That an admin lets Postroom make the client secrets of a provider by itself, and how that went. */
export interface Rotation {
  providerId: string;
  enabled: boolean;
  changedAt: string;
  changedBy: string;
  /** ISO time of the last try to make a secret. */
  rotatedAt: string | undefined;
  /** There may be secrets in the app registration that Postroom made and no longer uses. */
  leftover: boolean;
  /** Why the last try came to nothing, in a sentence for a person. */
  problem: string | undefined;
}

export interface RotationStore {
  get(providerId: string): Promise<Rotation | undefined>;
  list(): Promise<Rotation[]>;
  save(rotation: Rotation): Promise<void>;
  /** With its provider. */
  remove(providerId: string): Promise<void>;
}

/** What is kept of automatic rotation, one row a provider. Saving puts the whole row; of two at once the later one stays. */
export function createRotationStore(tables: Tables): RotationStore {
  const table = tables.open('Providers');
  return {
    async get(providerId) {
      if (!/^[a-z2-7]{26}$/.test(providerId)) return undefined;
      const row = await table.get(PARTITION, providerId);
      return row === undefined ? undefined : rotationOf(row);
    },
    async list() {
      return (await listAll(table, PARTITION)).map(rotationOf);
    },
    async save({ providerId, ...columns }) {
      const row = { partitionKey: PARTITION, rowKey: providerId, ...columns };
      await table.commit(PARTITION, [{ kind: 'put', row }]);
    },
    async remove(providerId) {
      await table.commit(PARTITION, [{ kind: 'remove', rowKey: providerId }]);
    },
  };
}

function rotationOf(row: Row): Rotation {
  const text = (column: string): string | undefined => {
    const value = row[column];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    providerId: row.rowKey,
    enabled: row['enabled'] === true,
    changedAt: text('changedAt') ?? '',
    changedBy: text('changedBy') ?? '',
    rotatedAt: text('rotatedAt'),
    leftover: row['leftover'] === true,
    problem: text('problem'),
  };
}
