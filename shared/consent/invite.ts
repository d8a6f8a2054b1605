import { newState } from '../accounts/oauth-client.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import type { ConnectRequest } from './consent.ts';
import { INVITATION_DAYS, type Invitation, invitationKey, stateOfInvitation } from './invitation.ts';
import type { InvitationStore } from './invitation-store.ts';

const DAY_MS = 24 * 60 * 60_000;

export interface InvitationDeps {
  seam: Seam;
  invitations: InvitationStore;
}

/** Makes an invitation. Its token (256 bits) leaves in the answer alone: the row holds a hash of it. */
export async function invite(
  { seam, invitations }: InvitationDeps,
  wish: ConnectRequest,
  invitedBy: Invitation['invitedBy'],
): Promise<{ invitation: Invitation; token: Secret }> {
  const now = seam.now();
  const token = newState();
  const invitation: Invitation = {
    key: invitationKey(token.expose()),
    wish,
    invitedBy,
    createdAt: new Date(now).toISOString(),
    expiresAt: new Date(now + INVITATION_DAYS * DAY_MS).toISOString(),
    revokedAt: undefined,
    done: undefined,
    approvalKey: undefined,
    trips: [],
  };
  await invitations.add(invitation);
  return { invitation, token };
}

/** Ends an invitation that nobody has used; undefined when it was not open any more. */
export async function revokeInvitation(
  { seam, invitations }: InvitationDeps,
  key: string,
): Promise<Invitation | undefined> {
  const now = seam.now();
  return invitations.change(key, (invitation) =>
    stateOfInvitation(invitation, now) === 'open'
      ? { ...invitation, revokedAt: new Date(now).toISOString() }
      : undefined,
  );
}
