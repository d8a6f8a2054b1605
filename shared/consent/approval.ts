import { createHash } from 'node:crypto';
import { isMicrosoftShaped } from '../accounts/issuer-rules.ts';
import type { Explanation } from '../explanations/explanation.ts';
import { base32 } from '../providers/base32.ts';
import { endpointsOf, type Provider, scopesOf } from '../providers/provider.ts';
import type { ConnectRequest, ConsentAttempt } from './consent.ts';

/** How long the admin of the tenant has to follow the link. */
export const APPROVAL_DAYS = 7;

/**
 * What an admin of the tenant is asked by a link: consent for everybody there. The one who follows it need not be known
 * to Postroom, and it brings nothing back but the word that it was granted. The trip that it holds waits for it.
 */
export interface Approval extends ConsentAttempt {
  /** Hash of the state: the row key, safe in addresses. */
  key: string;
  sealedState: string;
  /** What the provider said when it turned the owner away. */
  explanation: Explanation | undefined;
  /** ISO times. */
  createdAt: string;
  expiresAt: string;
  grantedAt: string | undefined;
}

// The kind of a state stands before its random part, inside what is hashed: a state of one kind is never one of the other.
const KIND = 'admin_';

export const approvalState = (random: string): string => `${KIND}${random}`;
export const isApprovalState = (state: string): boolean => state.startsWith(KIND);

export const approvalKey = (state: string): string =>
  base32(createHash('sha256').update(`approval|${state}`).digest());

export const approvalContext = (key: string): string => `approval|${key}|state`;

/** True where one consent of an admin counts for the whole tenant. */
export const takesApproval = (provider: Provider): boolean => isMicrosoftShaped(provider);

/**
 * Where an admin of the tenant accepts for everybody, with the permissions of the preset.
 * https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
 */
export function approvalAddress(
  provider: Provider,
  config: Parameters<typeof endpointsOf>[1],
  ask: { redirectUri: string; state: string; protocols: ConnectRequest['protocols'] },
): string | undefined {
  const endpoints = endpointsOf(provider, config);
  if (!takesApproval(provider) || endpoints.kind !== 'discovery') return undefined;
  const url = new URL(`${endpoints.issuer}/adminconsent`);
  url.searchParams.set('client_id', provider.clientId);
  url.searchParams.set('scope', scopesOf(provider, config, ask.protocols).join(' '));
  url.searchParams.set('redirect_uri', ask.redirectUri);
  url.searchParams.set('state', ask.state);
  return url.href;
}
