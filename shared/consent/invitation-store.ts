import { PostroomError } from '../platform/errors.ts';
import { openRecords } from '../platform/open-records.ts';
import type { Tables } from '../platform/tables.ts';
import { INVITATIONS, invitationKind, isKey } from './consent-records.ts';
import type { Invitation } from './invitation.ts';
import { purgeExpired } from './purge-expired.ts';

const KEPT_MS = 30 * 24 * 60 * 60_000;

export interface StoredInvitation {
  invitation: Invitation;
  etag: string;
}

export interface InvitationStore {
  get(key: string): Promise<StoredInvitation | undefined>;
  /** Newest first. */
  list(): Promise<Invitation[]>;
  add(invitation: Invitation): Promise<void>;
  /** Writes only if the row is unchanged since it was read; false when it has changed or is gone. */
  replace(invitation: Invitation, etag: string): Promise<boolean>;
  /**
   * Applies `change` to the newest row, with retries when others write at the same time, so `change` may
   * run several times. Undefined: the invitation is gone, or `change` returned undefined.
   */
  change(
    key: string,
    change: (invitation: Invitation) => Invitation | undefined,
  ): Promise<Invitation | undefined>;
  /** Removes rows a month after they expired. */
  purge(now: number): Promise<void>;
}

/**
 * Invitations by the hash of their token, in the table Consents. Every method throws PostroomError if
 * storage is unavailable.
 */
export function createInvitationStore(tables: Tables): InvitationStore {
  const invitations = openRecords(tables, invitationKind);
  const get: InvitationStore['get'] = async (key) => {
    const stored = isKey(key) ? await invitations.get(INVITATIONS, key) : undefined;
    return stored && { invitation: stored.record, etag: stored.etag };
  };
  return {
    get,
    replace: invitations.replace,
    async list() {
      const all = await invitations.list(INVITATIONS);
      return all.sort((a, b) => b.createdAt.localeCompare(a.createdAt));
    },
    async add(invitation) {
      if (!(await invitations.insert(invitation)))
        throw new PostroomError('invitation-exists', 'A new invitation equals an existing one. Try again.');
    },
    async change(key, change) {
      for (;;) {
        const stored = await get(key);
        if (stored === undefined) return undefined;
        const next = change(stored.invitation);
        if (next === undefined) return undefined;
        if (await invitations.replace(next, stored.etag)) return next;
      }
    },
    purge: (now) => purgeExpired(tables.open('Consents'), INVITATIONS, { keptMs: KEPT_MS, now }),
  };
}
