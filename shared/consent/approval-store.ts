import type { Explanation } from '../explanations/explanation.ts';
import { PostroomError } from '../platform/errors.ts';
import { listAll, type Row, type Tables } from '../platform/tables.ts';
import type { Approval } from './approval.ts';
import { purgeExpired } from './purge-expired.ts';
import { wishOf } from './stored-wish.ts';

// Table Consents: `approval` / hash of the state. It stays a month after its end, like an invitation that waits for it;
// the sweep purges older rows.
const PARTITION = 'approval';
const KEPT_MS = 30 * 24 * 60 * 60_000;

export interface StoredApproval {
  approval: Approval;
  etag: string;
}

export interface ApprovalStore {
  get(key: string): Promise<StoredApproval | undefined>;
  list(): Promise<Approval[]>;
  add(approval: Approval): Promise<void>;
  /** Writes only over the row that was read; false when it has changed or is gone. */
  replace(approval: Approval, etag: string): Promise<boolean>;
  /** Removes rows a month past their end. */
  purge(now: number): Promise<void>;
}

export function createApprovalStore(tables: Tables): ApprovalStore {
  const table = tables.open('Consents');
  return {
    async get(key) {
      if (!/^[a-z2-7]{52}$/.test(key)) return undefined;
      const row = await table.get(PARTITION, key);
      return row === undefined ? undefined : { approval: approvalOf(row), etag: row.etag ?? '' };
    },
    async list() {
      return (await listAll(table, PARTITION)).map(approvalOf);
    },
    async add(approval) {
      const written = await table.commit(PARTITION, [{ kind: 'insert', row: rowOf(approval) }]);
      if (!written.ok) throw new PostroomError('approval-exists', 'A new state met an old one; try again.');
    },
    async replace(approval, etag) {
      return (await table.commit(PARTITION, [{ kind: 'replace', row: rowOf(approval), etag }])).ok;
    },
    purge: (now) => purgeExpired(table, PARTITION, { keptMs: KEPT_MS, now }),
  };
}

function rowOf(approval: Approval): Row {
  const { startedBy, explanation } = approval;
  return {
    partitionKey: PARTITION,
    rowKey: approval.key,
    wish: JSON.stringify(approval.wish),
    principalId: startedBy.kind === 'principal' ? startedBy.id : undefined,
    invitationKey: startedBy.kind === 'invitation' ? startedBy.key : undefined,
    sealedState: approval.sealedState,
    explanation: explanation && JSON.stringify(explanation),
    createdAt: approval.createdAt,
    expiresAt: approval.expiresAt,
    grantedAt: approval.grantedAt,
  };
}

function approvalOf(row: Row): Approval {
  const optional = (column: string): string | undefined => {
    const value = row[column];
    return typeof value === 'string' ? value : undefined;
  };
  const text = (column: string): string => {
    const value = optional(column);
    if (value !== undefined) return value;
    throw new PostroomError(
      'bad-row',
      `Consents/${row.rowKey}.${column} does not hold what Postroom wrote there`,
    );
  };
  const invitationKey = optional('invitationKey');
  const explanation = optional('explanation');
  return {
    key: row.rowKey,
    wish: wishOf(text('wish')),
    startedBy:
      invitationKey === undefined
        ? { kind: 'principal', id: text('principalId') }
        : { kind: 'invitation', key: invitationKey },
    sealedState: text('sealedState'),
    explanation: explanation === undefined ? undefined : (JSON.parse(explanation) as Explanation),
    createdAt: text('createdAt'),
    expiresAt: text('expiresAt'),
    grantedAt: optional('grantedAt'),
  };
}
