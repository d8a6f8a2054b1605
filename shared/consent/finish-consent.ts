import type { EndpointFailure } from '../accounts/token-failure.ts';
import { type VaultFailure, withVault } from '../accounts/vault-failure.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import { type Provider, scopesOf } from '../providers/provider.ts';
import { registrationOf } from '../providers/registration.ts';
import { type PromoteDeps, promoteCredential } from '../providers/promote-credential.ts';
import { type AcceptDeps, type Accepted, acceptGrant, type RefusedGrant } from './accept-grant.ts';
import {
  browserHash,
  consentContext,
  consentKey,
  type PendingConsent,
  type Initiator,
  type ConsentAttempt,
} from './consent.ts';
import { stateOfInvitation } from './invitation.ts';
import { type ConsentDeps, callbackPathOf, redirectUriOf } from './start-consent.ts';

export interface FinishDeps extends ConsentDeps, AcceptDeps, PromoteDeps {
  seam: Seam;
}

/** What came back, and who brought it. */
export interface AuthorizationCallback {
  /** The path that was asked for: a custom provider has a redirect URI of its own. */
  path: string;
  parameters: URLSearchParams;
  /** The value of the consent's cookie, by its key; undefined when the browser has none. */
  cookieOf(key: string): Secret | undefined;
  /** Who is signed in, when somebody is, and whether that person may still connect mailboxes. */
  principal: { id: string; name?: string; isAdmin: boolean } | undefined;
  /** Whether the browser holds the token of this invitation. */
  holdsInvitation(key: string): boolean;
}

export type ConsentOutcome =
  | (ConsentAttempt & (Accepted | RefusedGrant))
  /** No state, or one that Postroom never made or has swept. */
  | { kind: 'unknown' }
  | (ConsentAttempt & { kind: 'used' })
  /** Used, and by another browser than this one. */
  | { kind: 'used-elsewhere' }
  | (ConsentAttempt & { kind: 'expired' })
  | { kind: 'other-browser' }
  | { kind: 'other-person' }
  /** Nobody is signed in any more in the browser of the person who started it. */
  | (ConsentAttempt & { kind: 'signed-out' })
  /** The person who started it has no right to any more. */
  | { kind: 'role-lost' }
  | { kind: 'provider-missing' }
  /** The provider has become another registration meanwhile: the code and its verifier were not sent anywhere. */
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
  /** As many trips by one invitation are under way as may be; this one was not started. */
  | (ConsentAttempt & { kind: 'too-many' })
  | (ConsentAttempt & VaultFailure);

const OTHER_ADDRESS = 'the answer came to the redirect URI of another provider';

/**
 * Checks the way back from the provider and stores the account. Order matters: what an attacker could send from
 * elsewhere is refused before the state is used up, and the state is used up before the provider is asked
 * (RFC 9700 sections 2.1.1, 4.4 and 4.7).
 */
export async function finishConsent(deps: FinishDeps, back: AuthorizationCallback): Promise<ConsentOutcome> {
  const { seam, consents, providers } = deps;
  const state = back.parameters.get('state') ?? '';
  const key = consentKey(state);
  const stored = state === '' ? undefined : await consents.get(key);
  if (stored === undefined) return { kind: 'unknown' };
  const { consent } = stored;
  const { wish, startedBy } = consent;
  const trip = { wish, startedBy };
  const cookie = back.cookieOf(key);
  if (cookie === undefined || browserHash(cookie) !== consent.browserHash)
    return { kind: consent.usedAt === undefined ? 'other-browser' : 'used-elsewhere' };
  const stranger = verifyInitiator(startedBy, back);
  if (stranger === 'signed-out') return { kind: stranger, ...trip };
  // Strangers are not told of the trip.
  if (stranger !== undefined) return { kind: stranger };
  if (consent.usedAt !== undefined) return { kind: 'used', ...trip };
  const now = new Date(seam.now()).toISOString();
  if (Date.parse(consent.expiresAt) <= seam.now()) return { kind: 'expired', ...trip };
  // Before the state is used up: a vault that is away for a moment costs a reload and not the whole trip.
  const opened = await withVault(() => open(deps, consent));
  if (opened.kind === 'vault-away') return { ...opened, ...trip };
  if (!(await consents.use(stored, now))) return { kind: 'used', ...trip };
  if (!(await isStillInvited(deps, startedBy))) return { kind: 'invitation-over', ...trip };

  const provider = await providers.get(wish.providerId);
  if (provider === undefined) return { kind: 'provider-missing' };
  // Before anything leaves: an answer meant for another provider never reaches this one's token endpoint.
  if (back.path !== callbackPathOf(provider)) return { kind: 'untrusted', reason: OTHER_ADDRESS, ...trip };
  // A code, its verifier and the secret leave for the endpoints that the person was sent to, and for no others.
  if (registrationOf(provider) !== consent.registration)
    return { kind: 'provider-changed', ...trip, providerName: provider.name };
  await noteRedirect(deps, provider, now);
  const redeemed = await withVault(() =>
    deps.oauth.redeem(provider, {
      parameters: back.parameters,
      redirectUri: redirectUriOf(deps.config, provider),
      verifier: opened.verifier,
      nonce: opened.nonce,
      scopes: scopesOf(provider, deps.config, wish.protocols),
    }),
  );
  switch (redeemed.kind) {
    case 'declined':
      return {
        ...redeemed,
        ...trip,
        cancelled: redeemed.subcode === 'cancel' || redeemed.error === 'access_denied',
      };
    case 'untrusted':
    case 'vault-away':
      return { ...redeemed, ...trip };
    case 'failed':
      return { ...redeemed, ...trip, providerName: provider.name };
    case 'unproven':
      return { kind: 'secret-missing', ...trip, providerName: provider.name };
    case 'redeemed': {
      const initiatorName = back.principal?.name;
      const outcome = await acceptGrant(deps, provider, trip, { ...redeemed, initiatorName });
      await promoteCredential(deps, provider, redeemed.credential);
      return { ...outcome, ...trip };
    }
  }
}

/** A browser that comes back, however the trip ends, shows that the provider knows our redirect URI. */
async function noteRedirect({ providers }: FinishDeps, provider: Provider, now: string): Promise<void> {
  if (provider.redirectSeenAt !== undefined) return;
  await providers.change(provider.id, (current) => ({ ...current, redirectSeenAt: now }));
}

/** A signed-in person's trip is that person's, who is still signed in and may still do what the trip is for. */
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

/** What the answer is checked against. Afterwards the tokens it brings can be sealed, whatever the vault does then. */
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
