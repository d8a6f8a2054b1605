import { createHash } from 'node:crypto';
import { isMicrosoftShaped } from '../accounts/issuer-rules.ts';
import type { Explanation } from '../explanations/explanation.ts';
import { base32 } from '../providers/base32.ts';
import { endpointsOf, type Provider, scopesOf } from '../providers/provider.ts';
import type { ConnectRequest, ConsentAttempt } from './consent.ts';

/** How long the tenant admin has to follow the link. */
export const APPROVAL_DAYS = 7;

/**
 * A request to a tenant admin, by link, for consent for the whole tenant. The admin needs no Postroom
 * account, and the link returns nothing but the result. The consent attempt in it waits for the approval.
 */
export interface Approval extends ConsentAttempt {
  /** Hash of the state: the row key, safe in addresses. */
  key: string;
  sealedState: string;
  /** The explanation of the error that stopped the mailbox owner's sign-in. */
  explanation: Explanation | undefined;
  /** ISO times. */
  createdAt: string;
  expiresAt: string;
  grantedAt: string | undefined;
}

// Prefix of a state before its random part, included in its hash, so that a state of one kind is never
// valid as the other.
const KIND = 'admin_';

export const approvalState = (random: string): string => `${KIND}${random}`;
export const isApprovalState = (state: string): boolean => state.startsWith(KIND);

export const approvalKey = (state: string): string =>
  base32(createHash('sha256').update(`approval|${state}`).digest());

export const approvalContext = (key: string): string => `approval|${key}|state`;

/** True when one admin consent applies to the whole tenant. */
export const takesApproval = (provider: Provider): boolean => isMicrosoftShaped(provider);

/**
 * The admin consent URL of the tenant, with the permissions of the preset.
 * https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
 */
export function approvalAddress(
  provider: Provider,
  config: Parameters<typeof endpointsOf>[1],
  ask: { redirectUri: string; state: string; protocols: ConnectRequest['protocols']; shared?: boolean },
): string | undefined {
  const endpoints = endpointsOf(provider, config);
  if (!takesApproval(provider) || endpoints.kind !== 'discovery') return undefined;
  const url = new URL(`${endpoints.issuer}/adminconsent`);
  url.searchParams.set('client_id', provider.clientId);
  url.searchParams.set('scope', scopesOf(provider, config, ask.protocols, ask).join(' '));
  url.searchParams.set('redirect_uri', ask.redirectUri);
  url.searchParams.set('state', ask.state);
  return url.href;
}
