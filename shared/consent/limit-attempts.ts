import type { Seam } from '../platform/seam.ts';
import type { ConsentStore } from './consent-store.ts';
import { type OpenAttempt, stateOfInvitation } from './invitation.ts';
import type { InvitationStore } from './invitation-store.ts';

/** Sign-ins by one invitation that may be under way at once: whoever holds its link needs no role to start one. */
export const MAX_OPEN_ATTEMPTS = 5;

/** Two browsers that start at the same moment meet on the row of the invitation. */
const TRIES = 4;

/**
 * Takes one of the places of an invitation for a trip that is about to start. A trip gives its place back when it comes
 * back or is ten minutes old. Reads single rows only, however many trips there have been.
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
  trip: OpenAttempt,
): Promise<'taken' | 'too-many' | 'invitation-over'> {
  for (let tried = 0; tried < TRIES; tried++) {
    const stored = await invitations.get(invitationKey);
    const now = seam.now();
    if (stored === undefined || stateOfInvitation(stored.invitation, now) !== 'open')
      return 'invitation-over';
    const young = stored.invitation.trips.filter(({ expiresAt }) => Date.parse(expiresAt) > now);
    const open = young.length < MAX_OPEN_ATTEMPTS ? young : await notBackYet(consents, young);
    if (open.length >= MAX_OPEN_ATTEMPTS) return 'too-many';
    if (await invitations.replace({ ...stored.invitation, trips: [...open, trip] }, stored.etag))
      return 'taken';
  }
  return 'too-many';
}

async function notBackYet(
  consents: Pick<ConsentStore, 'get'>,
  trips: readonly OpenAttempt[],
): Promise<OpenAttempt[]> {
  const stored = await Promise.all(trips.map(({ key }) => consents.get(key)));
  return trips.filter((_trip, index) => {
    const consent = stored[index]?.consent;
    return consent !== undefined && consent.usedAt === undefined;
  });
}
