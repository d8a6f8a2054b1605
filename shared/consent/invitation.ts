import { createHash } from 'node:crypto';
import { paths } from '../paths/paths.ts';
import { Secret } from '../platform/secret.ts';
import { base32 } from '../providers/base32.ts';
import type { ConnectRequest } from './consent.ts';

/** How long the owner of a mailbox has to follow the link. */
export const INVITATION_DAYS = 7;

/** A one-time link with which the owner of a mailbox signs in for it, without any role in Postroom. */
export interface Invitation {
  /** Hash of the token: the row key, safe in addresses. The token itself is kept nowhere. */
  key: string;
  wish: ConnectRequest;
  invitedBy: { id: string; name: string };
  /** ISO times. */
  createdAt: string;
  expiresAt: string;
  revokedAt: string | undefined;
  /** Set once somebody has signed in: a failed trip may be repeated, a successful one not. */
  done: { at: string; accountId: string; user: string } | undefined;
  /** The approval of the tenant's admin that it waits for. */
  approvalKey: string | undefined;
  /** Sign-ins by it that were under way when it was last written; see limit-attempts.ts. */
  trips: readonly OpenAttempt[];
}

/** A sign-in that has left for the provider: the key of its row, and its end as an ISO time. */
export interface OpenAttempt {
  key: string;
  expiresAt: string;
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

/** The link of an invitation. The token stands behind `#`, which no browser sends and no request log keeps. */
export const invitationLink = ({ publicUrl }: { publicUrl: string }, token: Secret): string =>
  `${publicUrl}${paths.openInvitation()}#${token.expose()}`;

/** The token in what somebody pasted, the whole link or its end; undefined where there is none. */
export function tokenIn(pasted: string): Secret | undefined {
  const token = /(?:^|#)([\w-]{43})$/.exec(pasted.trim())?.[1];
  return token === undefined ? undefined : new Secret(token);
}

/** Name of the cookie that holds the token of one invitation: two invitations in one browser stay apart. */
export const invitationCookie = (key: string): string => `${INVITATION_COOKIES}${key.slice(0, 12)}`;
export const INVITATION_COOKIES = '__Host-postroom-invitation-';
