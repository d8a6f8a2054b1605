import type { Seam } from '../platform/seam.ts';
import type { ConsentStore } from './consent-store.ts';
import { type OpenAttempt, stateOfInvitation } from './invitation.ts';
import type { InvitationStore } from './invitation-store.ts';

/** Maximum sign-ins in progress per invitation: whoever has its link can start one without a role. */
export const MAX_OPEN_ATTEMPTS = 5;

/** Two browsers that start at the same time write the same invitation row. */
const TRIES = 4;

/**
 * Reserves one of an invitation's places for a sign-in that is about to start. A place is released when the
 * sign-in comes back, or after ten minutes. Reads single rows only, however many sign-ins there were.
 */
export async function takePlace(
  {
    seam,
    consents,
    invitations,
  }: {
    seam: Pick<Seam, 'now'>;
    consents: Pick<ConsentStore, 'get'>;
    invitations: Pick<InvitationStore, 'get' | 'replace'>;
  },
  invitationKey: string,
  attempt: OpenAttempt,
): Promise<'taken' | 'too-many' | 'invitation-over'> {
  for (let tried = 0; tried < TRIES; tried++) {
    const stored = await invitations.get(invitationKey);
    const now = seam.now();
    if (stored === undefined || stateOfInvitation(stored.invitation, now) !== 'open')
      return 'invitation-over';
    const young = stored.invitation.attempts.filter(({ expiresAt }) => Date.parse(expiresAt) > now);
    const open = young.length < MAX_OPEN_ATTEMPTS ? young : await notBackYet(consents, young);
    if (open.length >= MAX_OPEN_ATTEMPTS) return 'too-many';
    if (await invitations.replace({ ...stored.invitation, attempts: [...open, attempt] }, stored.etag))
      return 'taken';
  }
  return 'too-many';
}

async function notBackYet(
  consents: Pick<ConsentStore, 'get'>,
  attempts: readonly OpenAttempt[],
): Promise<OpenAttempt[]> {
  const stored = await Promise.all(attempts.map(({ key }) => consents.get(key)));
  return attempts.filter((_trip, index) => {
    const consent = stored[index]?.consent;
    return consent !== undefined && consent.usedAt === undefined;
  });
}
