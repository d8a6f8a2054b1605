import { PostroomError } from '../platform/errors.ts';
import { openRecords } from '../platform/open-records.ts';
import type { Tables } from '../platform/tables.ts';
import type { Approval } from './approval.ts';
import { APPROVALS, approvalKind, isKey } from './consent-records.ts';
import { purgeExpired } from './purge-expired.ts';

const KEPT_MS = 30 * 24 * 60 * 60_000;

export interface StoredApproval {
  approval: Approval;
  etag: string;
}

export interface ApprovalStore {
  get(key: string): Promise<StoredApproval | undefined>;
  list(): Promise<Approval[]>;
  add(approval: Approval): Promise<void>;
  /** Writes only if the row is unchanged since it was read; false when it has changed or is gone. */
  replace(approval: Approval, etag: string): Promise<boolean>;
  /** Removes rows a month after they expired. */
  purge(now: number): Promise<void>;
}

/**
 * Approvals by the hash of their state, in the table Consents. Every method throws PostroomError if storage
 * is unavailable.
 */
export function createApprovalStore(tables: Tables): ApprovalStore {
  const approvals = openRecords(tables, approvalKind);
  return {
    async get(key) {
      const stored = isKey(key) ? await approvals.get(APPROVALS, key) : undefined;
      return stored && { approval: stored.record, etag: stored.etag };
    },
    list: () => approvals.list(APPROVALS),
    async add(approval) {
      if (!(await approvals.insert(approval)))
        throw new PostroomError('approval-exists', 'A new state equals an existing one. Try again.');
    },
    replace: approvals.replace,
    purge: (now) => purgeExpired(tables.open('Consents'), APPROVALS, { keptMs: KEPT_MS, now }),
  };
}
