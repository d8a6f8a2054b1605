import { z } from 'zod';
import { PostroomError } from '../platform/errors.ts';
import { listAll, type Row, type Tables } from '../platform/tables.ts';
import type { Invitation } from './invitation.ts';
import { purgeExpired } from './purge-expired.ts';
import { wishOf } from './stored-wish.ts';

// Table Consents: `invitation` / hash of the token. It stays a month after its end, so that whoever follows the link
// late reads what became of it; the sweep purges older rows.
const PARTITION = 'invitation';
const KEPT_MS = 30 * 24 * 60 * 60_000;

const openTrips = z.array(z.object({ key: z.string(), expiresAt: z.string() }));

export interface StoredInvitation {
  invitation: Invitation;
  etag: string;
}

export interface InvitationStore {
  get(key: string): Promise<StoredInvitation | undefined>;
  /** Newest first. */
  list(): Promise<Invitation[]>;
  add(invitation: Invitation): Promise<void>;
  /** Writes only over the row that was read; false when it has changed or is gone. */
  replace(invitation: Invitation, etag: string): Promise<boolean>;
  /**
   * Writes what `change` makes of the newest row, also while sign-ins start by it; `change` may run several times.
   * Undefined: the invitation is gone, or `change` answered undefined.
   */
  change(
    key: string,
    change: (invitation: Invitation) => Invitation | undefined,
  ): Promise<Invitation | undefined>;
  /** Removes rows a month past their end. */
  purge(now: number): Promise<void>;
}

export function createInvitationStore(tables: Tables): InvitationStore {
  const table = tables.open('Consents');
  const get: InvitationStore['get'] = async (key) => {
    if (!/^[a-z2-7]{52}$/.test(key)) return undefined;
    const row = await table.get(PARTITION, key);
    return row === undefined ? undefined : { invitation: invitationOf(row), etag: row.etag ?? '' };
  };
  const replace: InvitationStore['replace'] = async (invitation, etag) =>
    (await table.commit(PARTITION, [{ kind: 'replace', row: rowOf(invitation), etag }])).ok;
  return {
    get,
    replace,
    async list() {
      const all = (await listAll(table, PARTITION)).map(invitationOf);
      return all.sort((a, b) => b.createdAt.localeCompare(a.createdAt));
    },
    async add(invitation) {
      const written = await table.commit(PARTITION, [{ kind: 'insert', row: rowOf(invitation) }]);
      if (!written.ok)
        throw new PostroomError('invitation-exists', 'A new invitation met an old one; try again.');
    },
    async change(key, change) {
      for (;;) {
        const stored = await get(key);
        const next = stored && change(stored.invitation);
        if (stored === undefined || next === undefined) return undefined;
        if (await replace(next, stored.etag)) return next;
      }
    },
    purge: (now) => purgeExpired(table, PARTITION, { keptMs: KEPT_MS, now }),
  };
}

function rowOf(invitation: Invitation): Row {
  const { key, wish, invitedBy, done } = invitation;
  return {
    partitionKey: PARTITION,
    rowKey: key,
    wish: JSON.stringify(wish),
    invitedById: invitedBy.id,
    invitedByName: invitedBy.name,
    createdAt: invitation.createdAt,
    expiresAt: invitation.expiresAt,
    revokedAt: invitation.revokedAt,
    doneAt: done?.at,
    accountId: done?.accountId,
    user: done?.user,
    approvalKey: invitation.approvalKey,
    trips: JSON.stringify(invitation.trips),
  };
}

function invitationOf(row: Row): Invitation {
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
  const doneAt = optional('doneAt');
  return {
    key: row.rowKey,
    wish: wishOf(text('wish')),
    invitedBy: { id: text('invitedById'), name: text('invitedByName') },
    createdAt: text('createdAt'),
    expiresAt: text('expiresAt'),
    revokedAt: optional('revokedAt'),
    done: doneAt === undefined ? undefined : { at: doneAt, accountId: text('accountId'), user: text('user') },
    approvalKey: optional('approvalKey'),
    trips: openTrips.parse(JSON.parse(text('trips'))),
  };
}
