import { type Account, accountIdOf, type Identity, tokenContext } from '../accounts/account.ts';
import type { AccountStore } from '../accounts/account-store.ts';
import { type Grant, lifetimeOf } from '../accounts/grant.ts';
import type { EndpointFailure } from '../accounts/token-failure.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Secret } from '../platform/secret.ts';
import type { Vault } from '../platform/vault.ts';
import { type Provider, presetOf, scopesOf } from '../providers/provider.ts';
import { browserHash, type ConsentWish, consentContext, consentKey, type PendingConsent } from './consent.ts';
import { type ConsentDeps, redirectUriOf } from './start-consent.ts';

export interface FinishDeps extends ConsentDeps {
  accounts: AccountStore;
  vault: Vault;
}

/** What came back, and who brought it. */
export interface Return {
  parameters: URLSearchParams;
  /** The value of the consent's cookie, by its key; undefined when the browser has none. */
  cookieOf(key: string): Secret | undefined;
  /** Object id of the signed-in person, when somebody is. */
  principalId: string | undefined;
}

export type ConsentOutcome =
  | { kind: 'connected'; account: Account; wish: ConsentWish; missing: readonly string[] }
  /** No state, or one that Postroom never made or has swept. */
  | { kind: 'unknown' }
  | { kind: 'used'; wish: ConsentWish }
  | { kind: 'expired'; wish: ConsentWish }
  | { kind: 'other-browser' }
  | { kind: 'other-person' }
  | { kind: 'provider-missing' }
  | {
      kind: 'declined';
      wish: ConsentWish;
      error: string;
      cancelled: boolean;
      codes: readonly number[];
      sentence: string | undefined;
    }
  | { kind: 'untrusted'; wish: ConsentWish; reason: string }
  | { kind: 'failed'; wish: ConsentWish; providerName: string; failure: EndpointFailure }
  | { kind: 'secret-missing'; wish: ConsentWish; providerName: string }
  /** Without a refresh token the mailbox would stop within an hour. */
  | { kind: 'no-refresh-token'; wish: ConsentWish }
  | { kind: 'no-mail-scope'; wish: ConsentWish }
  | { kind: 'other-account'; wish: ConsentWish; signedIn: string };

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
  const { wish } = consent;
  const cookie = back.cookieOf(key);
  if (cookie === undefined || browserHash(cookie) !== consent.browserHash)
    return consent.usedAt === undefined ? { kind: 'other-browser' } : { kind: 'used', wish };
  if (back.principalId !== undefined && back.principalId !== consent.principalId)
    return { kind: 'other-person' };
  if (consent.usedAt !== undefined) return { kind: 'used', wish };
  const now = new Date(seam.now()).toISOString();
  if (Date.parse(consent.expiresAt) <= seam.now()) return { kind: 'expired', wish };
  if (!(await consents.use(stored, now))) return { kind: 'used', wish };

  const provider = await providers.get(wish.providerId);
  if (provider === undefined) return { kind: 'provider-missing' };
  const redeemed = await redeem(deps, provider, consent, back.parameters);
  if (redeemed === undefined) return { kind: 'secret-missing', wish, providerName: provider.name };
  switch (redeemed.kind) {
    case 'declined':
      return {
        ...redeemed,
        wish,
        cancelled: redeemed.subcode === 'cancel' || redeemed.error === 'access_denied',
      };
    case 'untrusted':
      return { ...redeemed, wish };
    case 'failed':
      return { ...redeemed, wish, providerName: provider.name };
    case 'redeemed':
      return accept(deps, provider, consent, redeemed);
  }
}

async function redeem(
  deps: FinishDeps,
  provider: Provider,
  consent: PendingConsent,
  parameters: URLSearchParams,
): Promise<Awaited<ReturnType<typeof deps.oauth.redeem>> | undefined> {
  const { sealer, vault, config } = deps;
  const secret = await vault.get(provider.credential.vaultName);
  if (secret === undefined) return undefined;
  return deps.oauth.redeem(provider, secret.value, {
    parameters,
    redirectUri: redirectUriOf(config),
    verifier: await sealer.open(consent.sealedVerifier, consentContext(consent.key, 'verifier')),
    nonce: await sealer.open(consent.sealedNonce, consentContext(consent.key, 'nonce')),
    scopes: scopesOf(provider, config, consent.wish.protocols),
  });
}

async function accept(
  deps: FinishDeps,
  provider: Provider,
  { wish, principalId }: PendingConsent,
  { grant, identity: told }: { grant: Grant; identity: Identity | undefined },
): Promise<ConsentOutcome> {
  // A provider without id_tokens does not say who signed in; the person's own word has to do.
  const identity = told ?? unnamed(provider, wish.signIn);
  const accountId = accountIdOf(provider.id, identity);
  const user = identity.user ?? wish.signIn;
  const expected =
    wish.reconnect === undefined ? sameName(user, wish.signIn) : accountId === wish.reconnect.accountId;
  if (!expected) return { kind: 'other-account', wish, signedIn: user };
  const { accessToken, refreshToken } = grant;
  if (accessToken === undefined || refreshToken === undefined) return { kind: 'no-refresh-token', wish };

  const asked = mailScopesOf(deps, provider, wish);
  const granted = grant.scopes ?? asked;
  const missing = asked.filter((scope) => !granted.some((one) => sameScope(one, scope)));
  if (missing.length === asked.length) return { kind: 'no-mail-scope', wish };

  const now = deps.seam.now();
  const at = new Date(now).toISOString();
  const ref = { providerId: provider.id, accountId };
  const account: Account = {
    ...ref,
    identity,
    user,
    address: wish.address,
    scopes: granted,
    tokens: {
      access: await deps.sealer.seal(accessToken, tokenContext(ref, 'access')),
      refresh: await deps.sealer.seal(refreshToken, tokenContext(ref, 'refresh')),
      previousRefresh: undefined,
      ...lifetimeOf(grant.expiresInSeconds, now),
    },
    state: 'works',
    stateSince: at,
    problem: undefined,
    retryAt: undefined,
    refusedAsOf: undefined,
    refreshBegunAt: undefined,
    consentedAt: at,
    consentedBy: principalId,
  };
  await deps.accounts.save(account);
  return { kind: 'connected', account, wish, missing };
}

const unnamed = (provider: Provider, user: string): Identity => {
  if (provider.preset !== 'custom')
    throw new PostroomError('no-identity', `${provider.name} did not say who signed in.`);
  return {
    issuer: provider.id,
    subject: user.toLowerCase(),
    tenantId: undefined,
    objectId: undefined,
    user,
    name: undefined,
  };
};

const sameName = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();
const lastPart = (scope: string): string => scope.split('/').at(-1)?.toLowerCase() ?? '';
/** Microsoft shortens or lengthens the names of scopes in its answers. */
const sameScope = (a: string, b: string): boolean =>
  a.toLowerCase() === b.toLowerCase() || (lastPart(b) !== '' && lastPart(a) === lastPart(b));

function mailScopesOf(deps: FinishDeps, provider: Provider, wish: ConsentWish): readonly string[] {
  const preset = presetOf(provider, deps.config);
  return preset.name === 'custom' ? provider.scopes : preset.mailScopes(wish.protocols);
}
