import { openRecords } from '../platform/open-records.ts';
import type { Tables } from '../platform/tables.ts';
import { SET_UPS, type SetUpApproval, setUpApprovalKind } from './consent-records.ts';

export interface StoredSetUpApproval {
  approval: SetUpApproval;
  etag: string;
}

export interface SetUpApprovalStore {
  get(providerId: string): Promise<StoredSetUpApproval | undefined>;
  /** Writes only if the row is unchanged since it was read, or did not exist; false otherwise. */
  save(approval: SetUpApproval, over: StoredSetUpApproval | undefined): Promise<boolean>;
  remove(providerId: string): Promise<void>;
}

/**
 * The approval during setup of each provider, in the table Consents. Every method throws PostroomError if
 * storage is unavailable.
 */
export function createSetUpApprovalStore(tables: Tables): SetUpApprovalStore {
  const approvals = openRecords(tables, setUpApprovalKind);
  return {
    async get(providerId) {
      const stored = await approvals.get(SET_UPS, providerId);
      return stored && { approval: stored.record, etag: stored.etag };
    },
    save: (approval, over) =>
      over === undefined ? approvals.insert(approval) : approvals.replace(approval, over.etag),
    async remove(providerId) {
      await approvals.remove(SET_UPS, providerId);
    },
  };
}
