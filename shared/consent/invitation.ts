import { createHash } from 'node:crypto';
import type { Secret } from '../platform/secret.ts';
import { base32 } from '../providers/base32.ts';
import type { ConsentWish } from './consent.ts';

/** How long the owner of a mailbox has to follow the link. */
export const INVITATION_DAYS = 7;

/** A one-time link with which the owner of a mailbox signs in for it, without any role in Postroom. */
export interface Invitation {
  /** Hash of the token: the row key, safe in addresses. The token itself is kept nowhere. */
  key: string;
  wish: ConsentWish;
  invitedBy: { id: string; name: string };
  /** ISO times. */
  createdAt: string;
  expiresAt: string;
  revokedAt: string | undefined;
  /** Set once somebody has signed in: a failed trip may be repeated, a successful one not. */
  done: { at: string; accountId: string; user: string } | undefined;
  /** The approval of the tenant's admin that it waits for. */
  approvalKey: string | undefined;
}

export type InvitationState = 'open' | 'done' | 'revoked' | 'expired';

/** Pure. */
export function stateOfInvitation(invitation: Invitation, now: number): InvitationState {
  if (invitation.done !== undefined) return 'done';
  if (invitation.revokedAt !== undefined) return 'revoked';
  return Date.parse(invitation.expiresAt) <= now ? 'expired' : 'open';
}

/** The row key of a token, so that no text from outside is ever part of a key. */
export const invitationKey = (token: string): string =>
  base32(createHash('sha256').update(`invitation|${token}`).digest());

export const invitationAddress = ({ publicUrl }: { publicUrl: string }, token: Secret): string =>
  `${publicUrl}/invite/${token.expose()}`;

/** Holds the token while its bearer is at the provider, so that every way back leads to the invitation again. */
export const invitationCookie = '__Host-postroom-invitation';
