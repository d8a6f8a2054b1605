import * as oauth from 'oauth4webapi';
import type { PracticeWorld } from '../platform/config.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import { Secret } from '../platform/secret.ts';
import { endpointProblem } from '../providers/endpoint-safety.ts';
import { type Answer, guardedFetch } from '../providers/guarded-fetch.ts';
import { endpointsOf, type Provider, presetOf } from '../providers/provider.ts';
import type { Identity } from './account.ts';
import { type Grant, readGrant, tidyTokenBody } from './grant.ts';
import { identityOf } from './identity.ts';
import { isIssuerOf, isMicrosoftShaped, issuerOfCallback, issuerOfToken } from './issuer-rules.ts';
import { codesOf, type EndpointFailure, objectOf, tidySentence } from './token-failure.ts';
import { failureOf, Unanswered } from './unanswered.ts';

export interface AuthorizationAsk {
  redirectUri: string;
  state: Secret;
  nonce: Secret;
  verifier: Secret;
  scopes: readonly string[];
  /** Either a hint or the account picker, never both: Microsoft refuses the pair. */
  account: { kind: 'hint'; user: string } | { kind: 'choose' };
}

export type Failed = { kind: 'failed'; failure: EndpointFailure };
export type Redeemed =
  | { kind: 'redeemed'; grant: Grant; identity: Identity | undefined }
  /** The provider sent the person back without a code. */
  | {
      kind: 'declined';
      error: string;
      subcode: string | undefined;
      codes: readonly number[];
      sentence: string | undefined;
    }
  /** The answer is not what was asked for: another issuer, audience, nonce or signature. */
  | { kind: 'untrusted'; reason: string }
  | Failed;

export interface OAuthClient {
  /** Where the browser is to go. */
  authorizationAddress(
    provider: Provider,
    ask: AuthorizationAsk,
  ): Promise<{ kind: 'address'; url: string } | Failed>;
  /** Checks the way back and trades the code for tokens. */
  redeem(
    provider: Provider,
    secret: Secret,
    callback: {
      parameters: URLSearchParams;
      redirectUri: string;
      verifier: Secret;
      nonce: Secret;
      scopes: readonly string[];
    },
  ): Promise<Redeemed>;
  refresh(
    provider: Provider,
    secret: Secret,
    refreshToken: Secret,
  ): Promise<{ kind: 'refreshed'; grant: Grant } | Failed>;
}

interface Known {
  server: oauth.AuthorizationServer;
  until: number;
}
const METADATA_MS = 60 * 60_000;

export const newState = (): Secret => new Secret(oauth.generateRandomState());
export const newNonce = (): Secret => new Secret(oauth.generateRandomNonce());
export const newVerifier = (): Secret => new Secret(oauth.generateRandomCodeVerifier());

/** OAuth 2.0 and OpenID Connect towards the providers. Everything a provider can answer is a value; nothing is thrown. */
export function createOAuthClient(deps: {
  config: { local: boolean; practice: PracticeWorld | undefined };
  seam: Seam;
}): OAuthClient {
  const { config, seam } = deps;
  const servers = new Map<string, Known>();
  const rules = { local: config.local };

  /** The library's fetch: our guarded one. The last answer is kept, because its status and Retry-After decide. */
  function wire(last: { answer?: Answer; tidy?: boolean }) {
    return {
      [oauth.allowInsecureRequests]: config.local,
      [oauth.customFetch]: async (
        url: string,
        options: {
          method: 'GET' | 'POST';
          headers: Record<string, string>;
          body?: URLSearchParams | undefined;
        },
      ): Promise<Response> => {
        const { method, headers, body } = options;
        const answer = await guardedFetch(url, { method, headers, body: body?.toString() }, rules);
        last.answer = answer;
        const text = last.tidy === true ? tidyTokenBody(answer.text) : answer.text;
        const empty = answer.status === 204 || answer.status === 304;
        return new Response(empty ? null : text, {
          status: answer.status,
          headers: { 'content-type': 'application/json' },
        });
      },
    };
  }

  async function serverOf(provider: Provider): Promise<oauth.AuthorizationServer> {
    const endpoints = endpointsOf(provider, config);
    if (endpoints.kind === 'manual') {
      const { authorization, token } = endpoints;
      return checked(provider, {
        issuer: new URL(token).origin,
        authorization_endpoint: authorization,
        token_endpoint: token,
      });
    }
    const { issuer } = endpoints;
    const known = servers.get(issuer);
    if (known !== undefined && known.until > seam.now()) return known.server;
    const problem = endpointProblem(issuer, rules);
    if (problem !== undefined) throw new PostroomError('endpoint-refused', problem);
    const last: { answer?: Answer } = {};
    const response = await seam.call('token.discovery', () =>
      oauth.discoveryRequest(new URL(issuer), wire(last)),
    );
    if (last.answer?.status !== 200) throw new Unanswered(last.answer, new URL(issuer).host);
    const announced = String(objectOf(last.answer.text)['issuer'] ?? '');
    if (!isIssuerOf(provider, issuer, announced))
      throw new PostroomError('endpoint-refused', `Discovery at ${issuer} names another issuer.`);
    const server = checked(provider, await oauth.processDiscoveryResponse(new URL(announced), response));
    servers.set(issuer, { server, until: seam.now() + METADATA_MS });
    return server;
  }

  /** Codes, secrets and tokens go to vetted addresses only: a preset's own hosts, or public ones over https. */
  function checked(provider: Provider, server: oauth.AuthorizationServer): oauth.AuthorizationServer {
    const hosts = presetOf(provider, config).endpointHosts;
    for (const address of [server.authorization_endpoint, server.token_endpoint, server.jwks_uri]) {
      if (address === undefined) continue;
      const problem = endpointProblem(address, rules);
      if (problem !== undefined || (hosts !== undefined && !hosts.includes(new URL(address).hostname)))
        throw new PostroomError(
          'endpoint-refused',
          `${provider.name} names an address that may not be used. ${problem ?? ''}`.trim(),
        );
    }
    if (server.authorization_endpoint === undefined || server.token_endpoint === undefined)
      throw new PostroomError('endpoint-refused', `${provider.name} does not say where people sign in.`);
    return server;
  }

  /** Runs one exchange; whatever broke becomes a value. */
  async function attempt<T>(
    provider: Provider,
    run: (last: { answer?: Answer; tidy?: boolean }) => Promise<T>,
  ): Promise<T | Failed> {
    const last: { answer?: Answer; tidy?: boolean } = {};
    try {
      return await run(last);
    } catch (error) {
      const failure =
        error instanceof Unanswered
          ? error.failure(seam.now())
          : failureOf(error, provider, last.answer, seam.now());
      return { kind: 'failed', failure };
    }
  }

  return {
    authorizationAddress: (provider, ask) =>
      attempt(provider, async () => {
        const server = await serverOf(provider);
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

    redeem: (provider, secret, callback) =>
      attempt<Redeemed>(provider, async (last) => {
        const server = await serverOf(provider);
        const client: oauth.Client = { client_id: provider.clientId };
        let parameters: URLSearchParams;
        try {
          const answering = { ...server, issuer: issuerOfCallback(server.issuer, callback.parameters) };
          parameters = oauth.validateAuthResponse(
            answering,
            client,
            callback.parameters,
            oauth.skipStateCheck,
          );
        } catch (error) {
          if (error instanceof oauth.AuthorizationResponseError) return declined(error);
          return { kind: 'untrusted', reason: 'the answer came from another issuer or is incomplete' };
        }
        if (!parameters.has('code')) return { kind: 'untrusted', reason: 'the answer has no code' };
        // Microsoft takes the audience of the token from the scope of this request; others know no such parameter here.
        const additionalParameters = isMicrosoftShaped(provider) ? { scope: callback.scopes.join(' ') } : {};
        last.tidy = true;
        const response = await seam.call('token.code', () =>
          oauth.authorizationCodeGrantRequest(
            server,
            client,
            authenticationOf(server, secret),
            parameters,
            callback.redirectUri,
            callback.verifier.expose(),
            { ...wire(last), additionalParameters },
          ),
        );
        const { answer } = last;
        if (answer?.status !== 200) throw new Unanswered(answer, hostOf(server));
        const grant = readGrant(answer.text);
        const idToken = String(objectOf(answer.text)['id_token'] ?? '');
        if (idToken === '' && endpointsOf(provider, config).kind === 'manual')
          return { kind: 'redeemed', grant, identity: undefined };
        try {
          const trusted = {
            ...server,
            issuer: issuerOfToken(server.issuer, server.jwks_uri !== undefined, idToken),
          };
          const body = await oauth.processAuthorizationCodeResponse(trusted, client, response, {
            expectedNonce: callback.nonce.expose(),
            requireIdToken: true,
          });
          // Without a known key set the id_token is trusted because it came straight from the token endpoint over
          // TLS: https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation, item 6.
          if (trusted.jwks_uri !== undefined)
            await seam.call('token.keys', () =>
              oauth.validateApplicationLevelSignature(trusted, response, wire({})),
            );
          return {
            kind: 'redeemed',
            grant,
            identity: identityOf(oauth.getValidatedIdTokenClaims(body) ?? {}),
          };
        } catch (error) {
          if (error instanceof PostroomError) throw error;
          return { kind: 'untrusted', reason: 'the identity token is not what was asked for' };
        }
      }),

    refresh: (provider, secret, refreshToken) =>
      attempt(provider, async (last) => {
        const server = await serverOf(provider);
        const client: oauth.Client = { client_id: provider.clientId };
        await seam.call('token.refresh', () =>
          oauth.refreshTokenGrantRequest(
            server,
            client,
            authenticationOf(server, secret),
            refreshToken.expose(),
            wire(last),
          ),
        );
        const { answer } = last;
        if (answer?.status !== 200) throw new Unanswered(answer, hostOf(server));
        // Not the library's reader: it refuses a whole answer for one odd field, and with it a rotated refresh
        // token that nothing can bring back. The id_token in it is not used, so it is not read.
        return { kind: 'refreshed', grant: readGrant(answer.text) };
      }),
  };
}

const hostOf = (server: oauth.AuthorizationServer): string =>
  new URL(server.token_endpoint ?? server.issuer).host;

function authenticationOf(server: oauth.AuthorizationServer, secret: Secret): oauth.ClientAuth {
  const offered = server.token_endpoint_auth_methods_supported;
  const onlyBasic =
    offered?.includes('client_secret_basic') === true && !offered.includes('client_secret_post');
  return onlyBasic ? oauth.ClientSecretBasic(secret.expose()) : oauth.ClientSecretPost(secret.expose());
}

function accountParameters(ask: AuthorizationAsk, presetPrompt: string | undefined): Record<string, string> {
  if (ask.account.kind === 'hint') return { login_hint: ask.account.user };
  return { prompt: presetPrompt === undefined ? 'select_account' : `select_account ${presetPrompt}` };
}

function declined(error: oauth.AuthorizationResponseError): Redeemed {
  const description = error.cause.get('error_description') ?? undefined;
  return {
    kind: 'declined',
    error: /^[\x21-\x7e]{1,80}$/.test(error.error) ? error.error : 'unknown_error',
    subcode: error.cause.get('error_subcode') ?? undefined,
    codes: codesOf(undefined, description),
    sentence: description === undefined ? undefined : tidySentence(description),
  };
}
