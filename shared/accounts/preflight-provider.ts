import { PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import { Secret } from '../platform/secret.ts';
import { clouds } from '../providers/clouds.ts';
import type { Credential } from '../providers/credential.ts';
import type { Preflight, Proof } from '../providers/preflight.ts';
import type { Provider } from '../providers/provider.ts';
import { claimsOfAppToken } from './app-account.ts';
import { isMicrosoftShaped } from './issuer-rules.ts';
import type { OAuthClient, Unproven } from './oauth-client.ts';
import { type EndpointFailure, judgeFailure } from './token-failure.ts';

interface PreflightDeps {
  oauth: OAuthClient;
  seam: Pick<Seam, 'now'>;
}

/** What one credential proved. */
interface Shown {
  tenant: Proof;
  client: Proof;
  credential: Proof;
  evidence?: string | undefined;
  enterpriseId?: string | undefined;
}

/**
 * Checks tenant, client ID and each credential before anybody signs in. Tokens are discarded. What can't be
 * reached is "unknown"; nothing is thrown.
 */
export async function preflightProvider(deps: PreflightDeps, provider: Provider): Promise<Preflight> {
  const at = new Date(deps.seam.now()).toISOString();
  const reached = await deps.oauth.reach(provider);
  if (reached.kind === 'failed') {
    const { failure } = reached;
    const nothing = nothingThere(provider, failure);
    const isWrong = nothing !== undefined || isNoTenant(failure) || failure.error === 'endpoint-refused';
    return {
      at,
      tenant: isWrong ? 'wrong' : 'unknown',
      client: 'unknown',
      credential: 'unknown',
      evidence: nothing ?? evidenceOf(failure),
    };
  }
  const present = await showing(deps, provider, provider.credential);
  if (provider.nextCredential === undefined) return { at, ...present };
  const next = await showing(deps, provider, provider.nextCredential);
  return {
    at,
    ...present,
    tenant: better(present.tenant, next.tenant),
    client: better(present.client, next.client),
    enterpriseId: present.enterpriseId ?? next.enterpriseId,
    next: next.credential,
    ...(next.evidence !== undefined && { nextEvidence: next.evidence }),
  };
}

/** The server does not know the issuer: the URL is wrong, and a retry can't help. */
function nothingThere({ endpoints }: Provider, { status }: EndpointFailure): string | undefined {
  if (status !== 404 || endpoints?.kind !== 'discovery') return undefined;
  return `Discovery at ${endpoints.issuer} finds nothing (status ${status}).`;
}

const better = (one: Proof, other: Proof): Proof => (one === 'proven' ? one : other);

async function showing(
  deps: PreflightDeps,
  provider: Provider,
  credential: Credential | undefined,
): Promise<Shown> {
  if (credential === undefined || provider.clientId === '')
    return { tenant: 'proven', client: 'unknown', credential: 'unknown' };
  try {
    return isMicrosoftShaped(provider)
      ? await asApp(deps, provider, credential)
      : await withMadeUpToken(deps, provider, credential);
  } catch (error) {
    if (!(error instanceof PostroomError)) throw error;
    return { tenant: 'proven', client: 'unknown', credential: 'unknown', evidence: error.message };
  }
}

/**
 * Entra checks an authorization code before the credential, so the check uses client credentials, where the
 * credential comes first. Graph's `/.default` exists in every tenant and needs no permission.
 */
async function asApp(deps: PreflightDeps, provider: Provider, credential: Credential): Promise<Shown> {
  const scope = `${clouds[provider.cloud].graph}/.default`;
  const answer = await deps.oauth.clientCredentials(provider, [scope], { only: credential });
  switch (answer.kind) {
    case 'granted': {
      const { accessToken } = answer.grant;
      const enterpriseId = accessToken && claimsOfAppToken(accessToken).objectId;
      return { tenant: 'proven', client: 'proven', credential: 'proven', enterpriseId };
    }
    case 'unproven':
      return gone(provider, answer);
    case 'failed':
      return { ...judgeAppFailure(answer.failure), evidence: evidenceOf(answer.failure) };
  }
}

/**
 * Other providers check the credential first (RFC 6749 section 5.2), so a made-up token shows whether they
 * accept it.
 */
async function withMadeUpToken(
  deps: PreflightDeps,
  provider: Provider,
  credential: Credential,
): Promise<Shown> {
  const answer = await deps.oauth.refresh(provider, new Secret('postroom-preflight'), { only: credential });
  if (answer.kind === 'refreshed') return { tenant: 'proven', client: 'proven', credential: 'proven' };
  if (answer.kind === 'unproven') return gone(provider, answer);
  const { failure } = answer;
  if (failure.error === 'invalid_grant') return { tenant: 'proven', client: 'proven', credential: 'proven' };
  const refused = failure.error === 'invalid_client';
  return {
    tenant: 'proven',
    client: 'unknown',
    credential: refused ? 'wrong' : 'unknown',
    evidence: evidenceOf(failure),
  };
}

// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
const NO_TENANT = new Set([90002, 90019, 900021, 900023, 90038, 50059]);
const NO_CLIENT = new Set([700016, 70001, 700011, 7000112, 7000229, 1000031, 900382, 900432, 700038]);

const isNoTenant = ({ codes }: EndpointFailure): boolean => codes.some((code) => NO_TENANT.has(code));

/** Which of the three a failed client credentials request blames. Pure. */
function judgeAppFailure(failure: EndpointFailure): Omit<Shown, 'evidence'> {
  if (isNoTenant(failure)) return { tenant: 'wrong', client: 'unknown', credential: 'unknown' };
  if (failure.codes.some((code) => NO_CLIENT.has(code)))
    return { tenant: 'proven', client: 'wrong', credential: 'unknown' };
  if (failure.error === 'invalid_client' && judgeFailure(failure).kind === 'action-required')
    return { tenant: 'proven', client: 'proven', credential: 'wrong' };
  return { tenant: 'proven', client: 'unknown', credential: 'unknown' };
}

function gone(provider: Provider, { reason }: Unproven): Shown {
  const where = reason === 'disabled' ? 'is disabled in Key Vault' : 'is not in Key Vault';
  return {
    tenant: 'proven',
    client: 'unknown',
    credential: 'wrong',
    evidence: `The credential of ${provider.name} ${where}.`,
  };
}

const LONGEST_EVIDENCE = 700;

/** The provider's message, with the IDs that Microsoft's support asks for. */
function evidenceOf(failure: EndpointFailure): string {
  const { sentence, error, detail, traceId, correlationId } = failure;
  const isWord = failure.codes.length === 0 && error !== undefined && /^[a-z_]+$/.test(error);
  const said = isWord
    ? `error: ${error}\nerror_description: ${sentence ?? detail}`
    : (sentence ?? (error === undefined ? detail : `${error}: ${detail}`));
  const ids = [
    ...(traceId === undefined ? [] : [`Trace ID: ${traceId}`]),
    ...(correlationId === undefined ? [] : [`Correlation ID: ${correlationId}`]),
  ];
  return [said, ...ids].join('\n').slice(0, LONGEST_EVIDENCE);
}
