import type { Seam } from '../platform/seam.ts';
import type { ApprovalStore } from './approval-store.ts';
import type { ConsentStore } from './consent-store.ts';
import type { InvitationStore } from './invitation-store.ts';

const MINUTE_MS = 60_000;
/**
 * Minute of the hour: the monitor runs every minute, but reading three partitions once an hour is enough.
 */
const PURGE_MINUTE = 17;

/**
 * Removes consents, invitations and approvals that expired long ago. It runs on a timer, so that the number
 * of rows never slows down a person who starts a sign-in.
 */
export async function purgeConsents(deps: {
  seam: Pick<Seam, 'now'>;
  consents: Pick<ConsentStore, 'purge'>;
  approvals: Pick<ApprovalStore, 'purge'>;
  invitations: Pick<InvitationStore, 'purge'>;
}): Promise<void> {
  const now = deps.seam.now();
  if (Math.floor(now / MINUTE_MS) % 60 !== PURGE_MINUTE) return;
  await deps.consents.purge(now);
  await deps.approvals.purge(now);
  await deps.invitations.purge(now);
}
