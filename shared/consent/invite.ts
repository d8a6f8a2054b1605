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

/** Creates an invitation. Its token (256 bits) is only in the result: the row stores a hash. */
export async function invite(
  { seam, invitations }: InvitationDeps,
  connectRequest: ConnectRequest,
  invitedBy: Invitation['invitedBy'],
): Promise<{ invitation: Invitation; token: Secret }> {
  const now = seam.now();
  const token = newState();
  const invitation: Invitation = {
    key: invitationKey(token.expose()),
    connectRequest,
    invitedBy,
    createdAt: new Date(now).toISOString(),
    expiresAt: new Date(now + INVITATION_DAYS * DAY_MS).toISOString(),
    revokedAt: undefined,
    done: undefined,
    approvalKey: undefined,
    attempts: [],
  };
  await invitations.add(invitation);
  return { invitation, token };
}

/** Revokes an unused invitation; undefined when it was no longer open. */
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
