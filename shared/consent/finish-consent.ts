import type { Redeemed } from '../accounts/oauth-client.ts';
import type { EndpointFailure } from '../accounts/token-failure.ts';
import type { Secret } from '../platform/secret.ts';
import type { Vault } from '../platform/vault.ts';
import { type Provider, scopesOf } from '../providers/provider.ts';
import { settleCredential } from '../providers/settle-credential.ts';
import { type AcceptDeps, type Accepted, acceptGrant, type RefusedGrant } from './accept-grant.ts';
import {
  browserHash,
  consentContext,
  consentKey,
  type PendingConsent,
  type Traveller,
  type Trip,
} from './consent.ts';
import { stateOfInvitation } from './invitation.ts';
import { type ConsentDeps, redirectUriOf } from './start-consent.ts';

export interface FinishDeps extends ConsentDeps, AcceptDeps {
  vault: Vault;
}

/** What came back, and who brought it. */
export interface Return {
  parameters: URLSearchParams;
  /** The value of the consent's cookie, by its key; undefined when the browser has none. */
  cookieOf(key: string): Secret | undefined;
  /** Object id of the signed-in person, when somebody is. */
  principalId: string | undefined;
  /** Key of the invitation whose token the browser holds, when it holds one. */
  invitationKey: string | undefined;
}

export type ConsentOutcome =
  | (Trip & (Accepted | RefusedGrant))
  /** No state, or one that Postroom never made or has swept. */
  | { kind: 'unknown' }
  | (Trip & { kind: 'used' })
  /** Used, and by another browser than this one. */
  | { kind: 'used-elsewhere' }
  | (Trip & { kind: 'expired' })
  | { kind: 'other-browser' }
  | { kind: 'other-person' }
  | { kind: 'provider-missing' }
  | (Trip & {
      kind: 'declined';
      error: string;
      cancelled: boolean;
      codes: readonly number[];
      sentence: string | undefined;
    })
  | (Trip & { kind: 'failed'; providerName: string; failure: EndpointFailure })
  | (Trip & { kind: 'secret-missing'; providerName: string });

/**
 * Checks the way back from the provider and stores the account. Order matters: what an attacker could send from
 * elsewhere is refused before the state is used up, and the state is used up before the provider is asked
 * (RFC 9700 sections 2.1.1, 4.4 and 4.7).
 */
export async function finishConsent(deps: FinishDeps, back: Return): Promise<ConsentOutcome> {
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
  const stranger = strangerAt(startedBy, back);
  if (stranger !== undefined) return { kind: stranger };
  if (consent.usedAt !== undefined) return { kind: 'used', ...trip };
  const now = new Date(seam.now()).toISOString();
  if (Date.parse(consent.expiresAt) <= seam.now()) return { kind: 'expired', ...trip };
  if (!(await consents.use(stored, now))) return { kind: 'used', ...trip };
  if (!(await isStillInvited(deps, startedBy))) return { kind: 'invitation-over', ...trip };

  const provider = await providers.get(wish.providerId);
  if (provider === undefined) return { kind: 'provider-missing' };
  await noteRedirect(deps, provider, now);
  const redeemed = await redeem(deps, provider, consent, back.parameters);
  switch (redeemed.kind) {
    case 'declined':
      return {
        ...redeemed,
        ...trip,
        cancelled: redeemed.subcode === 'cancel' || redeemed.error === 'access_denied',
      };
    case 'untrusted':
      return { ...redeemed, ...trip };
    case 'failed':
      return { ...redeemed, ...trip, providerName: provider.name };
    case 'unproven':
      return { kind: 'secret-missing', ...trip, providerName: provider.name };
    case 'redeemed': {
      const outcome = await acceptGrant(deps, provider, trip, redeemed);
      await settleCredential(deps, provider, redeemed.credential);
      return { ...outcome, ...trip };
    }
  }
}

/** A browser that comes back, however the trip ends, shows that the provider knows our redirect URI. */
async function noteRedirect({ providers }: FinishDeps, provider: Provider, now: string): Promise<void> {
  if (provider.redirectSeenAt !== undefined) return;
  await providers.change(provider.id, (current) => ({ ...current, redirectSeenAt: now }));
}

/** A signed-in person's trip is no other person's; without a sign-in, cookie and state still bind it. */
function strangerAt(startedBy: Traveller, back: Return): 'other-person' | 'other-browser' | undefined {
  if (startedBy.kind === 'invitation')
    return back.invitationKey === startedBy.key ? undefined : 'other-browser';
  return back.principalId === undefined || back.principalId === startedBy.id ? undefined : 'other-person';
}

async function isStillInvited({ invitations, seam }: FinishDeps, startedBy: Traveller): Promise<boolean> {
  if (startedBy.kind === 'principal') return true;
  const stored = await invitations.get(startedBy.key);
  return stored !== undefined && stateOfInvitation(stored.invitation, seam.now()) === 'open';
}

async function redeem(
  deps: FinishDeps,
  provider: Provider,
  consent: PendingConsent,
  parameters: URLSearchParams,
): Promise<Redeemed> {
  const { sealer, config } = deps;
  return deps.oauth.redeem(provider, {
    parameters,
    redirectUri: redirectUriOf(config),
    verifier: await sealer.open(consent.sealedVerifier, consentContext(consent.key, 'verifier')),
    nonce: await sealer.open(consent.sealedNonce, consentContext(consent.key, 'nonce')),
    scopes: scopesOf(provider, config, consent.wish.protocols),
  });
}
