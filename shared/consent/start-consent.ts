import { newNonce, newState, newVerifier, type OAuthClient } from '../accounts/oauth-client.ts';
import type { TokenCipher } from '../accounts/token-encryption.ts';
import type { EndpointFailure } from '../accounts/token-failure.ts';
import { type VaultFailure, withVault } from '../accounts/vault-failure.ts';
import { paths } from '../paths/paths.ts';
import type { DemoWorld } from '../platform/config.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import { traitsOf } from '../providers/presets.ts';
import { type Provider, scopesOf } from '../providers/provider.ts';
import type { ProviderStore } from '../providers/provider-store.ts';
import { registrationOf } from '../providers/registration.ts';
import {
  browserHash,
  CONSENT_MINUTES,
  type ConnectRequest,
  type ConsentAttempt,
  consentContext,
  consentKey,
  type Initiator,
  isSameInitiator,
  type PendingConsent,
} from './consent.ts';
import type { ConsentStore } from './consent-store.ts';
import type { InvitationStore } from './invitation-store.ts';
import { takePlace } from './limit-attempts.ts';

export interface ConsentDeps {
  config: { publicUrl: string; local: boolean; demo: DemoWorld | undefined };
  seam: Seam;
  providers: ProviderStore;
  consents: ConsentStore;
  invitations: InvitationStore;
  sealer: TokenCipher;
  oauth: OAuthClient;
}

/**
 * The redirect URI of a provider, built from the settings and from nothing else. A custom provider has its
 * own, so that a code from one authorization server can't be redeemed at another (RFC 9700 section
 * 4.4.2.2). Presets share one, because their endpoints are fixed. Undefined: the provider is unknown, as in
 * a general explanation.
 */
export const redirectUriOf = (
  { publicUrl }: { publicUrl: string },
  provider: Pick<Provider, 'id' | 'preset'> | undefined,
): string => `${publicUrl}${callbackPathOf(provider)}`;

/** Path of the redirect URI of a provider. */
export const callbackPathOf = (provider: Pick<Provider, 'id' | 'preset'> | undefined): string =>
  provider !== undefined && traitsOf(provider).settingsFrom === 'admin'
    ? paths.providerCallback({ provider: provider.id })
    : paths.callback();

/**
 * Stores what the callback is verified against. The cookie goes to the browser; only its hash is stored. An
 * invitation allows few sign-ins in progress, and this is checked before the vault is called.
 */
export async function startConsent(
  deps: ConsentDeps,
  connectRequest: ConnectRequest,
  startedBy: Initiator,
): Promise<Started | (ConsentAttempt & (VaultFailure | { kind: 'too-many' | 'invitation-over' }))> {
  const { seam, sealer, consents, providers } = deps;
  const now = seam.now();
  const [state, verifier, nonce, cookie] = [newState(), newVerifier(), newNonce(), newState()];
  const key = consentKey(state.expose());
  const expiresAt = new Date(now + CONSENT_MINUTES * 60_000).toISOString();
  if (startedBy.kind === 'invitation') {
    const place = await takePlace(deps, startedBy.key, { key, expiresAt });
    if (place !== 'taken') return { kind: place, connectRequest, startedBy };
  }
  const sealed = await withVault(async () => ({
    kind: 'sealed' as const,
    sealedState: await sealer.seal(state, consentContext(key, 'state')),
    sealedVerifier: await sealer.seal(verifier, consentContext(key, 'verifier')),
    sealedNonce: await sealer.seal(nonce, consentContext(key, 'nonce')),
  }));
  if (sealed.kind === 'vault-away') return { ...sealed, connectRequest, startedBy };
  const { sealedState, sealedVerifier, sealedNonce } = sealed;
  const provider = await providers.get(connectRequest.providerId);
  await consents.add({
    key,
    connectRequest,
    startedBy,
    // If the provider is gone, the callback reports it.
    registration: provider === undefined ? '' : registrationOf(provider),
    browserHash: browserHash(cookie),
    sealedState,
    sealedVerifier,
    sealedNonce,
    startedAt: new Date(now).toISOString(),
    expiresAt,
    usedAt: undefined,
  });
  return { kind: 'started', key, cookie };
}

export interface Started {
  kind: 'started';
  key: string;
  cookie: Secret;
}

export type AuthorizationRedirect =
  | (ConsentAttempt & { kind: 'address'; url: string; providerName: string })
  /** Used, expired, unknown, of another browser or person, or the provider's registration has changed. */
  | { kind: 'over' }
  | (ConsentAttempt & { kind: 'failed'; failure: EndpointFailure; providerName: string })
  | (ConsentAttempt & VaultFailure);

/** The authorization URL of a started consent. Changes nothing, so a reload is harmless. */
export async function buildAuthorizationUrl(
  deps: ConsentDeps,
  key: string,
  browser: { cookie: Secret | undefined; initiator: Initiator },
): Promise<AuthorizationRedirect> {
  const stored = await deps.consents.get(key);
  if (stored === undefined || !isOpen(stored.consent, deps.seam.now(), browser)) return { kind: 'over' };
  const { connectRequest, startedBy, registration, sealedState, sealedVerifier, sealedNonce } =
    stored.consent;
  const provider = await deps.providers.get(connectRequest.providerId);
  if (provider === undefined || registrationOf(provider) !== registration) return { kind: 'over' };
  const opened = await withVault(async () => ({
    kind: 'opened' as const,
    state: await deps.sealer.open(sealedState, consentContext(key, 'state')),
    verifier: await deps.sealer.open(sealedVerifier, consentContext(key, 'verifier')),
    nonce: await deps.sealer.open(sealedNonce, consentContext(key, 'nonce')),
  }));
  if (opened.kind === 'vault-away') return { ...opened, connectRequest, startedBy };
  const answer = await deps.oauth.authorizationAddress(provider, {
    redirectUri: redirectUriOf(deps.config, provider),
    state: opened.state,
    nonce: opened.nonce,
    verifier: opened.verifier,
    // Consent for several resources at once; each token is then requested for one of them.
    scopes: scopesOf(provider, deps.config, connectRequest.protocols, { shared: connectRequest.shared }),
    account: connectRequest.chooseAccount
      ? { kind: 'choose' }
      : { kind: 'hint', user: connectRequest.signIn },
  });
  return { ...answer, connectRequest, startedBy, providerName: provider.name };
}

function isOpen(
  consent: PendingConsent,
  now: number,
  browser: { cookie: Secret | undefined; initiator: Initiator },
): boolean {
  return (
    consent.usedAt === undefined &&
    Date.parse(consent.expiresAt) > now &&
    isSameInitiator(consent.startedBy, browser.initiator) &&
    browser.cookie !== undefined &&
    browserHash(browser.cookie) === consent.browserHash
  );
}
