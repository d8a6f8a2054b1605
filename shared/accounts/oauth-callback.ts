import * as oauth from 'oauth4webapi';
import { issuerByHand, issuerOfCallback } from './issuer-rules.ts';
import { codesOf, tidySentence } from './token-failure.ts';

/** The provider sent the person back without a code. */
export interface Declined {
  kind: 'declined';
  error: string;
  subcode: string | undefined;
  codes: readonly number[];
  sentence: string | undefined;
}

/** The response does not match the request: another issuer, audience, nonce or signature. */
export interface Untrusted {
  kind: 'untrusted';
  reason: string;
}

/**
 * Reads the provider's callback parameters. The state has been verified before. Pure.
 * @param byHand the endpoints were entered manually, so the issuer is unknown
 */
export function readCallback(
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  brought: URLSearchParams,
  { byHand }: { byHand: boolean },
): { kind: 'code'; parameters: URLSearchParams } | Declined | Untrusted {
  const issuer = byHand ? issuerByHand(server, brought) : issuerOfCallback(server.issuer, brought);
  if (issuer === undefined)
    return {
      kind: 'untrusted',
      reason:
        'the response names an issuer on a different host than the endpoints that were entered; enter the provider’s issuer instead',
    };
  try {
    const answering = { ...server, issuer };
    const parameters = oauth.validateAuthResponse(answering, client, brought, oauth.skipStateCheck);
    return parameters.has('code')
      ? { kind: 'code', parameters }
      : { kind: 'untrusted', reason: 'the response has no code' };
  } catch (error) {
    if (error instanceof oauth.AuthorizationResponseError) return declined(error);
    return { kind: 'untrusted', reason: 'the response came from another issuer or is incomplete' };
  }
}

function declined(error: oauth.AuthorizationResponseError): Declined {
  const description = error.cause.get('error_description') ?? undefined;
  return {
    kind: 'declined',
    error: /^[\x21-\x7e]{1,80}$/.test(error.error) ? error.error : 'unknown_error',
    subcode: error.cause.get('error_subcode') ?? undefined,
    codes: codesOf(undefined, description),
    sentence: description === undefined ? undefined : tidySentence(description),
  };
}
