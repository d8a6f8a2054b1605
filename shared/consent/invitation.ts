import { createHash } from 'node:crypto';
import { paths } from '../paths/paths.ts';
import { Secret } from '../platform/secret.ts';
import { base32 } from '../providers/base32.ts';
import type { ConnectRequest } from './consent.ts';

/** How long a mailbox owner has to follow the link. */
export const INVITATION_DAYS = 7;

/** A single-use link that lets a mailbox owner sign in without any role in Postroom. */
export interface Invitation {
  /** Hash of the token: the row key, safe in URLs. The token itself is never stored. */
  key: string;
  connectRequest: ConnectRequest;
  invitedBy: { id: string; name: string };
  /** ISO times. */
  createdAt: string;
  expiresAt: string;
  revokedAt: string | undefined;
  /** Set after a successful sign-in; a failed one may be repeated. */
  done: { at: string; accountId: string; user: string } | undefined;
  /** The admin approval that it waits for. */
  approvalKey: string | undefined;
  /** Its sign-ins in progress at the last write; see limit-attempts.ts. */
  attempts: readonly OpenAttempt[];
}

/** A sign-in in progress: the key of its row, and when it expires (ISO). */
export interface OpenAttempt {
  key: string;
  expiresAt: string;
}

export type InvitationState = 'open' | 'done' | 'revoked' | 'expired';

/** Used beats revoked, and both beat expired. Pure. @param now milliseconds since the epoch */
export function stateOfInvitation(invitation: Invitation, now: number): InvitationState {
  if (invitation.done !== undefined) return 'done';
  if (invitation.revokedAt !== undefined) return 'revoked';
  return Date.parse(invitation.expiresAt) <= now ? 'expired' : 'open';
}

/** The row key of a token: a hash, so that no text from outside is part of a key. */
export const invitationKey = (token: string): string =>
  base32(createHash('sha256').update(`invitation|${token}`).digest());

/**
 * The link of an invitation. The token is after `#`, which browsers do not send and request logs do not
 * contain.
 */
export const invitationLink = ({ publicUrl }: { publicUrl: string }, token: Secret): string =>
  `${publicUrl}${paths.openInvitation()}#${token.expose()}`;

/** The token in pasted text, either the whole link or its end; undefined if there is none. */
export function tokenIn(pasted: string): Secret | undefined {
  const token = /(?:^|#)([\w-]{43})$/.exec(pasted.trim())?.[1];
  return token === undefined ? undefined : new Secret(token);
}

/**
 * Name of the cookie with the token of one invitation, so that two invitations in one browser do not
 * interfere.
 */
export const invitationCookie = (key: string): string => `${INVITATION_COOKIES}${key.slice(0, 12)}`;
export const INVITATION_COOKIES = '__Host-postroom-invitation-';
