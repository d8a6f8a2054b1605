import type { EndpointFailure } from '../accounts/token-failure.ts';
import { type VaultFailure, withVault } from '../accounts/vault-failure.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import { type PromoteDeps, promoteCredential } from '../providers/promote-credential.ts';
import { type Provider, scopesOf } from '../providers/provider.ts';
import { registrationOf } from '../providers/registration.ts';
import { type AcceptDeps, type Accepted, acceptGrant, type RefusedGrant } from './accept-grant.ts';
import {
  browserHash,
  type ConsentAttempt,
  consentContext,
  consentKey,
  type Initiator,
  type PendingConsent,
} from './consent.ts';
import { resourcesAsked } from './further-ways.ts';
import { stateOfInvitation } from './invitation.ts';
import { type ConsentDeps, callbackPathOf, redirectUriOf } from './start-consent.ts';

export interface FinishDeps extends ConsentDeps, AcceptDeps, PromoteDeps {
  seam: Seam;
}

/** The callback and who made it. */
export interface AuthorizationCallback {
  /** The requested path: a custom provider has its own redirect URI. */
  path: string;
  parameters: URLSearchParams;
  /** The value of a consent's cookie, by its key; undefined when the browser has none. */
  cookieOf(key: string): Secret | undefined;
  /** The signed-in person, if any, and whether they may still connect mailboxes. */
  principal: { id: string; name?: string; isAdmin: boolean } | undefined;
  /** True when the browser has the token of this invitation. */
  holdsInvitation(key: string): boolean;
}

export type ConsentOutcome =
  | (ConsentAttempt & (Accepted | RefusedGrant))
  /** No state, or one that Postroom never issued or has purged. */
  | { kind: 'unknown' }
  | (ConsentAttempt & { kind: 'used' })
  /** Already used, by another browser. */
  | { kind: 'used-elsewhere' }
  | (ConsentAttempt & { kind: 'expired' })
  | { kind: 'other-browser' }
  | { kind: 'other-person' }
  /** The person who started it is no longer signed in in this browser. */
  | (ConsentAttempt & { kind: 'signed-out' })
  /** The person who started it no longer has the role. */
  | { kind: 'role-lost' }
  | { kind: 'provider-missing' }
  /** The provider's registration has changed since the start: the code and its verifier were not sent. */
  | (ConsentAttempt & { kind: 'provider-changed'; providerName: string })
  | (ConsentAttempt & {
      kind: 'declined';
      error: string;
      cancelled: boolean;
      codes: readonly number[];
      sentence: string | undefined;
    })
  | (ConsentAttempt & { kind: 'failed'; providerName: string; failure: EndpointFailure })
  | (ConsentAttempt & { kind: 'secret-missing'; providerName: string })
  /** The invitation has too many sign-ins in progress; this one was not started. */
  | (ConsentAttempt & { kind: 'too-many' })
  | (ConsentAttempt & VaultFailure);

const OTHER_ADDRESS = 'the response arrived at the redirect URI of another provider';

/**
 * Verifies the callback and stores the account. The order matters: a forged callback is rejected before the
 * state is used up, and the state is used up before the provider is called (RFC 9700 sections 2.1.1, 4.4
 * and 4.7).
 */
export async function finishConsent(deps: FinishDeps, back: AuthorizationCallback): Promise<ConsentOutcome> {
  const { seam, consents, providers } = deps;
  const state = back.parameters.get('state') ?? '';
  const key = consentKey(state);
  const stored = state === '' ? undefined : await consents.get(key);
  if (stored === undefined) return { kind: 'unknown' };
  const { consent } = stored;
  const { connectRequest, startedBy } = consent;
  const attempt = { connectRequest, startedBy };
  const cookie = back.cookieOf(key);
  if (cookie === undefined || browserHash(cookie) !== consent.browserHash)
    return { kind: consent.usedAt === undefined ? 'other-browser' : 'used-elsewhere' };
  const mismatch = verifyInitiator(startedBy, back);
  if (mismatch === 'signed-out') return { kind: mismatch, ...attempt };
  // Does not reveal the consent to anyone but its initiator.
  if (mismatch !== undefined) return { kind: mismatch };
  if (consent.usedAt !== undefined) return { kind: 'used', ...attempt };
  const now = new Date(seam.now()).toISOString();
  if (Date.parse(consent.expiresAt) <= seam.now()) return { kind: 'expired', ...attempt };
  // Before the state is used up: a short vault outage then costs a reload and not the whole sign-in.
  const opened = await withVault(() => open(deps, consent));
  if (opened.kind === 'vault-away') return { ...opened, ...attempt };
  if (!(await consents.use(stored, now))) return { kind: 'used', ...attempt };
  if (!(await isStillInvited(deps, startedBy))) return { kind: 'invitation-over', ...attempt };

  const provider = await providers.get(connectRequest.providerId);
  if (provider === undefined) return { kind: 'provider-missing' };
  // Before anything is sent: a callback meant for another provider never reaches this one's token endpoint.
  if (back.path !== callbackPathOf(provider)) return { kind: 'untrusted', reason: OTHER_ADDRESS, ...attempt };
  // The code, its verifier and the secret are only sent to the endpoints that the person was redirected to.
  if (registrationOf(provider) !== consent.registration)
    return { kind: 'provider-changed', ...attempt, providerName: provider.name };
  await noteRedirect(deps, provider, now);
  const redeemed = await withVault(() =>
    deps.oauth.redeem(provider, {
      parameters: back.parameters,
      redirectUri: redirectUriOf(deps.config, provider),
      verifier: opened.verifier,
      nonce: opened.nonce,
      scopes: scopesOf(provider, deps.config, connectRequest.protocols, {
        shared: connectRequest.shared,
        resource: resourcesAsked(provider, connectRequest.protocols)[0],
      }),
    }),
  );
  switch (redeemed.kind) {
    case 'declined':
      return {
        ...redeemed,
        ...attempt,
        cancelled: redeemed.subcode === 'cancel' || redeemed.error === 'access_denied',
      };
    case 'untrusted':
    case 'vault-away':
      return { ...redeemed, ...attempt };
    case 'failed':
      return { ...redeemed, ...attempt, providerName: provider.name };
    case 'unproven':
      return { kind: 'secret-missing', ...attempt, providerName: provider.name };
    case 'redeemed': {
      const initiatorName = back.principal?.name;
      const outcome = await acceptGrant(deps, provider, attempt, { ...redeemed, initiatorName });
      await promoteCredential(deps, provider, redeemed.credential);
      return { ...outcome, ...attempt };
    }
  }
}

/** A browser that comes back, with any outcome, proves that the provider knows our redirect URI. */
async function noteRedirect({ providers }: FinishDeps, provider: Provider, now: string): Promise<void> {
  if (provider.redirectSeenAt !== undefined) return;
  await providers.change(provider.id, (current) => ({ ...current, redirectSeenAt: now }));
}

/** A person's consent requires that the same person is still signed in and still has the role. */
export function verifyInitiator(
  startedBy: Initiator,
  { principal, holdsInvitation }: Pick<AuthorizationCallback, 'principal' | 'holdsInvitation'>,
): 'other-person' | 'other-browser' | 'signed-out' | 'role-lost' | undefined {
  if (startedBy.kind === 'invitation') return holdsInvitation(startedBy.key) ? undefined : 'other-browser';
  if (principal === undefined) return 'signed-out';
  if (principal.id !== startedBy.id) return 'other-person';
  return principal.isAdmin ? undefined : 'role-lost';
}

async function isStillInvited({ invitations, seam }: FinishDeps, startedBy: Initiator): Promise<boolean> {
  if (startedBy.kind === 'principal') return true;
  const stored = await invitations.get(startedBy.key);
  return stored !== undefined && stateOfInvitation(stored.invitation, seam.now()) === 'open';
}

/**
 * Decrypts what the callback is verified against. This also loads the key, so the new tokens can be
 * encrypted even if the vault fails later.
 */
async function open(
  { sealer }: FinishDeps,
  { key, sealedVerifier, sealedNonce }: PendingConsent,
): Promise<{ kind: 'opened'; verifier: Secret; nonce: Secret }> {
  await sealer.ready();
  return {
    kind: 'opened',
    verifier: await sealer.open(sealedVerifier, consentContext(key, 'verifier')),
    nonce: await sealer.open(sealedNonce, consentContext(key, 'nonce')),
  };
}
