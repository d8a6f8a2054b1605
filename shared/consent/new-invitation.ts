import { newState } from '../accounts/oauth-client.ts';
import type { Secret } from '../platform/secret.ts';
import type { ConnectRequest } from './consent.ts';
import { INVITATION_DAYS, type Invitation, invitationKey } from './invitation.ts';

const DAY_MS = 24 * 60 * 60_000;

/**
 * An invitation with a random token of 256 bits. The row stores only its hash.
 * @param now milliseconds since the epoch
 */
export function newInvitation(
  connectRequest: ConnectRequest,
  invitedBy: Invitation['invitedBy'],
  now: number,
): { invitation: Invitation; token: Secret } {
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
  return { invitation, token };
}
