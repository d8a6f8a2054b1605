import type { ConnectRequest } from '../../shared/consent/consent.ts';
import { type Invitation, stateOfInvitation } from '../../shared/consent/invitation.ts';
import { newInvitation } from '../../shared/consent/new-invitation.ts';
import type { Secret } from '../../shared/platform/secret.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import type { Services } from '../services.ts';

type InvitationServices = Pick<Services, 'audit' | 'invitations' | 'seam'>;

/**
 * Creates an invitation for a mailbox owner. Only the result has its token (256 bits); the row stores a hash.
 * The audit entry is written before the invitation.
 */
export async function createInvitation(
  { audit, invitations, seam }: InvitationServices,
  connectRequest: ConnectRequest,
  provider: Pick<Provider, 'name'>,
  by: Invitation['invitedBy'],
): Promise<{ invitation: Invitation; token: Secret }> {
  const at = seam.now();
  const { invitation, token } = newInvitation(connectRequest, by, at);
  const { address, signIn } = connectRequest;
  await audit.record({
    at,
    principal: by,
    action: 'created',
    subject: { kind: 'invitation', id: invitation.key, name: address },
    after: { mailbox: address, 'signs in': signIn, provider: provider.name },
  });
  await invitations.add(invitation);
  return { invitation, token };
}

/**
 * Revokes an unused invitation; false if it was no longer open. The audit entry is written before the row. If
 * the owner signs in at that moment, the log has a revocation of an invitation that was used.
 */
export async function revokeInvitation(
  { audit, invitations, seam }: InvitationServices,
  key: string,
  by: Invitation['invitedBy'],
): Promise<boolean> {
  const at = seam.now();
  const isOpen = (invitation: Invitation): boolean => stateOfInvitation(invitation, at) === 'open';
  const invitation = (await invitations.get(key))?.invitation;
  if (invitation === undefined || !isOpen(invitation)) return false;
  await audit.record({
    at,
    principal: by,
    action: 'revoked',
    subject: { kind: 'invitation', id: key, name: invitation.connectRequest.address },
  });
  const revoked = await invitations.change(key, (current) =>
    isOpen(current) ? { ...current, revokedAt: new Date(at).toISOString() } : undefined,
  );
  return revoked !== undefined;
}
