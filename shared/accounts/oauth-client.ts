import * as oauth from 'oauth4webapi';
import type { DemoWorld } from '../platform/config.ts';
import { PostroomError } from '../platform/errors.ts';
import { Secret } from '../platform/secret.ts';
import { type Credential, credentialsOf } from '../providers/credential.ts';
import { endpointsOf, type Provider, presetOf } from '../providers/provider.ts';
import type { Identity } from './account.ts';
import { type ClientProof, type ProofDeps, type ProofGap, proofOf } from './client-proof.ts';
import { type Grant, readGrant } from './grant.ts';
import { identityOf } from './identity.ts';
import { isMicrosoftShaped, issuerOfToken } from './issuer-rules.ts';
import { authenticationOf } from './oauth-authentication.ts';
import { type Declined, readCallback, type Untrusted } from './oauth-callback.ts';
import { createOAuthServers, type Exchange, hostOf } from './oauth-servers.ts';
import { failureOf, TokenEndpointError } from './token-endpoint-error.ts';
import { blamesCredential, type EndpointFailure, objectOf } from './token-failure.ts';

export interface AuthorizationAsk {
  redirectUri: string;
  state: Secret;
  nonce: Secret;
  verifier: Secret;
  scopes: readonly string[];
  /** Either a hint or the account picker: Microsoft rejects both together. */
  account: { kind: 'hint'; user: string } | { kind: 'choose' };
}

export type Failed = { kind: 'failed'; failure: EndpointFailure };
/**
 * No client authentication is possible: the provider is a draft, or Key Vault returns none of its entries.
 */
export type Unproven = { kind: 'unproven'; reason: 'draft' | ProofGap };

export type Redeemed =
  /** `credential`: the one that was accepted; pass it to promoteCredential once the grant is stored. */
  | { kind: 'redeemed'; grant: Grant; identity: Identity | undefined; credential: Credential }
  | Declined
  | Untrusted
  | Failed
  | Unproven;

/** `credential`: the one that was accepted; pass it to promoteCredential once the grant is stored. */
export type Refreshed = { kind: 'refreshed'; grant: Grant; credential: Credential } | Failed | Unproven;
export type AppGranted = { kind: 'granted'; grant: Grant; credential: Credential } | Failed | Unproven;

/**
 * Credentials are fetched inside and never returned: the next one is tried first, then the current one if
 * the provider refuses it.
 */
export interface OAuthClient {
  /** Reads the provider's discovery document; does not check the app. */
  reach(provider: Provider): Promise<{ kind: 'reached' } | Failed>;
  /** The URL of the authorization request. */
  authorizationAddress(
    provider: Provider,
    ask: AuthorizationAsk,
  ): Promise<{ kind: 'address'; url: string } | Failed>;
  /** Verifies the callback and exchanges the code for tokens. */
  redeem(
    provider: Provider,
    callback: {
      parameters: URLSearchParams;
      redirectUri: string;
      verifier: Secret;
      nonce: Secret;
      scopes: readonly string[];
    },
  ): Promise<Redeemed>;
  refresh(provider: Provider, refreshToken: Secret, options?: TokenOptions): Promise<Refreshed>;
  /** A token for the app itself, without a person (RFC 6749 section 4.4). */
  clientCredentials(
    provider: Provider,
    scopes: readonly string[],
    options?: TokenOptions,
  ): Promise<AppGranted>;
}

export interface TokenOptions {
  /** Uses only this credential. */
  only?: Credential;
  /**
   * Runs right before each token request. If it throws, the request is not sent and the error is rethrown.
   */
  before?: () => Promise<void>;
  /** Refresh only: the scopes of one resource. Absent: those of the first token. */
  scopes?: readonly string[];
}

export const newState = (): Secret => new Secret(oauth.generateRandomState());
export const newNonce = (): Secret => new Secret(oauth.generateRandomNonce());
export const newVerifier = (): Secret => new Secret(oauth.generateRandomCodeVerifier());

/**
 * OAuth 2.0 and OpenID Connect client. Every response of a provider is a value; an unavailable vault or
 * identity endpoint throws.
 */
export function createOAuthClient(
  deps: ProofDeps & { config: { local: boolean; demo: DemoWorld | undefined } },
): OAuthClient {
  const { config, seam } = deps;
  const servers = createOAuthServers(deps);

  /** Runs one exchange; failures become values. */
  async function attempt<T>(
    provider: Provider,
    run: (exchange: Exchange) => Promise<T>,
  ): Promise<T | Failed> {
    const exchange: Exchange = {};
    try {
      return await run(exchange);
    } catch (error) {
      if (error instanceof Withheld) throw error.cause;
      const failure =
        error instanceof TokenEndpointError
          ? error.failure(seam.now())
          : failureOf(error, provider, exchange, seam.now());
      return { kind: 'failed', failure };
    }
  }

  /** Runs an exchange with each credential in turn, until the provider accepts one. */
  async function proven<T extends { kind: string }>(
    provider: Provider,
    credentials: readonly Credential[],
    run: (exchange: Exchange, proof: ClientProof, credential: Credential) => Promise<T>,
  ): Promise<T | Failed | Unproven> {
    let refused: Failed | undefined;
    let unproven: Unproven = { kind: 'unproven', reason: 'draft' };
    for (const credential of credentials) {
      const proof = await proofOf(deps, provider, credential);
      if (proof.kind === 'gap') {
        unproven = { kind: 'unproven', reason: proof.gap };
        continue;
      }
      const outcome = await attempt(provider, (exchange) => run(exchange, proof, credential));
      if (!isRefusal(outcome)) return outcome;
      refused = outcome;
    }
    return refused ?? unproven;
  }

  return {
    reach: (provider) =>
      attempt(provider, async () => {
        await servers.of(provider);
        return { kind: 'reached' };
      }),

    authorizationAddress: (provider, ask) =>
      attempt(provider, async () => {
        const server = await servers.of(provider);
        const url = new URL(server.authorization_endpoint ?? '');
        const challenge = await oauth.calculatePKCECodeChallenge(ask.verifier.expose());
        const preset = presetOf(provider, config);
        const parameters: Record<string, string> = {
          client_id: provider.clientId,
          response_type: 'code',
          redirect_uri: ask.redirectUri,
          scope: ask.scopes.join(' '),
          state: ask.state.expose(),
          nonce: ask.nonce.expose(),
          code_challenge: challenge,
          code_challenge_method: 'S256',
          ...preset.authorizationExtras,
          ...accountParameters(ask, preset.authorizationExtras['prompt']),
        };
        for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
        return { kind: 'address', url: url.href };
      }),

    redeem: (provider, callback) =>
      proven<Redeemed>(provider, credentialsOf(provider), async (exchange, proof, credential) => {
        const server = await servers.of(provider);
        const client: oauth.Client = { client_id: provider.clientId };
        const byHand = endpointsOf(provider, config).kind === 'manual';
        const answer = readCallback(server, client, callback.parameters, { byHand });
        if (answer.kind !== 'code') return answer;
        // Microsoft takes the token's audience from the scope of this request; other providers do not
        // define such a parameter here.
        const additionalParameters = isMicrosoftShaped(provider) ? { scope: callback.scopes.join(' ') } : {};
        exchange.tidy = true;
        const response = await seam.call('token.code', () =>
          oauth.authorizationCodeGrantRequest(
            server,
            client,
            authenticationOf(server, proof),
            answer.parameters,
            callback.redirectUri,
            callback.verifier.expose(),
            { ...servers.wire(exchange), additionalParameters },
          ),
        );
        const { answer: given } = exchange;
        if (given?.status !== 200) throw new TokenEndpointError(exchange, hostOf(server));
        const grant = readGrant(given.text);
        const idToken = String(objectOf(given.text)['id_token'] ?? '');
        if (idToken === '' && byHand) return { kind: 'redeemed', grant, identity: undefined, credential };
        try {
          const trusted = {
            ...server,
            issuer: issuerOfToken(server.issuer, server.jwks_uri !== undefined, idToken),
          };
          const body = await oauth.processAuthorizationCodeResponse(trusted, client, response, {
            expectedNonce: callback.nonce.expose(),
            requireIdToken: true,
          });
          // Without a known key set the id_token is trusted because it came directly from the token
          // endpoint over TLS: https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation,
          // item 6.
          if (trusted.jwks_uri !== undefined)
            await seam.call('token.keys', () =>
              oauth.validateApplicationLevelSignature(trusted, response, servers.wire({})),
            );
          const identity = identityOf(oauth.getValidatedIdTokenClaims(body) ?? {});
          return { kind: 'redeemed', grant, identity, credential };
        } catch (error) {
          if (error instanceof PostroomError) throw error;
          return { kind: 'untrusted', reason: 'the ID token is not the one that was requested' };
        }
      }),

    refresh: (provider, refreshToken, options = {}) =>
      proven(provider, tried(provider, options), async (exchange, proof, credential) => {
        const server = await servers.of(provider);
        await permission(options);
        await seam.call('token.refresh', () =>
          oauth.refreshTokenGrantRequest(
            server,
            { client_id: provider.clientId },
            authenticationOf(server, proof),
            refreshToken.expose(),
            {
              ...servers.wire(exchange),
              ...(options.scopes !== undefined && {
                additionalParameters: { scope: options.scopes.join(' ') },
              }),
            },
          ),
        );
        // Not parsed by the library, which rejects a whole response for one invalid field and would lose a
        // rotated refresh token. The id_token in it is not used, so it is not read.
        return { kind: 'refreshed', grant: grantIn(exchange, server), credential };
      }),

    clientCredentials: (provider, scopes, options = {}) =>
      proven(provider, tried(provider, options), async (exchange, proof, credential) => {
        const server = await servers.of(provider);
        await permission(options);
        await seam.call('token.app', () =>
          oauth.clientCredentialsGrantRequest(
            server,
            { client_id: provider.clientId },
            authenticationOf(server, proof),
            { scope: scopes.join(' ') },
            servers.wire(exchange),
          ),
        );
        return { kind: 'granted', grant: grantIn(exchange, server), credential };
      }),
  };
}

const tried = (provider: Provider, { only }: TokenOptions): readonly Credential[] =>
  only === undefined ? credentialsOf(provider) : [only];

/** Thrown when a request was not sent. `attempt` rethrows it and turns all other errors into values. */
class Withheld extends Error {}

async function permission({ before }: TokenOptions): Promise<void> {
  try {
    await before?.();
  } catch (cause) {
    throw new Withheld('not sent', { cause });
  }
}

/** @throws TokenEndpointError */
function grantIn(exchange: Exchange, server: oauth.AuthorizationServer): Grant {
  const { answer } = exchange;
  if (answer?.status !== 200) throw new TokenEndpointError(exchange, hostOf(server));
  return readGrant(answer.text);
}

/**
 * The provider understood the request and refuses the client itself: another credential may be accepted.
 */
const isRefusal = (outcome: { kind: string }): outcome is Failed =>
  outcome.kind === 'failed' && 'failure' in outcome && blamesCredential(outcome.failure as EndpointFailure);

function accountParameters(ask: AuthorizationAsk, presetPrompt: string | undefined): Record<string, string> {
  if (ask.account.kind === 'hint') return { login_hint: ask.account.user };
  return { prompt: presetPrompt === undefined ? 'select_account' : `select_account ${presetPrompt}` };
}
