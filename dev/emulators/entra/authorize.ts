import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import type { KnownTenant } from './directory.ts';
import { type Asked, engineRequest, engineScope } from './engine-request.ts';
import { aadstsBody } from './error-bodies.ts';
import { sendPage } from './interactions.ts';
import { isKnownScope, words } from './scopes.ts';
import { troublePage } from './sign-in-pages.ts';
import { requestFacts } from './tenant-provider.ts';
import { asInAddress, errorBack, sendBack } from './way-back.ts';

/**
 * Errors that the authorize endpoint shows on its own page: the redirect URI can't be trusted, or the
 * request is invalid.
 */
export function authorizeTrouble(params: URLSearchParams, tenant: KnownTenant): string | undefined {
  const id = params.get('client_id') ?? '';
  const client = tenant.clients.find((candidate) => candidate.id === id);
  if (client === undefined)
    return `AADSTS700016: Application with identifier '${id}' was not found in the directory '${tenant.domain}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`;
  const redirect = params.get('redirect_uri') ?? '';
  if (!client.redirectUris.includes(redirect))
    return `AADSTS50011: The redirect URI '${redirect}' specified in the request does not match the redirect URIs configured for the application '${id}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to fix this.`;
  // Microsoft's library drops the hint when both are given, because they contradict each other.
  if (params.has('login_hint') && words(params.get('prompt') ?? '').includes('select_account'))
    return `AADSTS90023: Invalid request. 'login_hint' and 'prompt=select_account' must not be sent together: send the hint alone, or ask for another account without it.`;
  return undefined;
}

/** Starts or resumes a sign-in. */
export async function authorize(
  asked: Asked,
  response: ServerResponse,
  provider: Provider,
  tenant: KnownTenant,
): Promise<void> {
  const { params } = asked;
  if (asked.path === '/oauth2/v2.0/authorize') {
    const trouble = authorizeTrouble(params, tenant);
    if (trouble !== undefined) return sendPage(response, troublePage(describe(trouble)), 400);
    const scope = engineScope(params.get('scope') ?? '');
    const unknown = words(scope).find((name) => !isKnownScope(name));
    if (unknown !== undefined) return refuseScope(params, unknown, response);
    params.set('scope', scope);
  }
  dressRedirects(response);
  await requestFacts.run({ hasAssertion: false, secret: undefined, proven: false }, () =>
    provider.callback()(engineRequest(asked), response),
  );
}

const describe = (sentence: string): string => {
  const [, code = '0', text = ''] = /^AADSTS(\d+): (.*)$/s.exec(sentence) ?? [];
  return aadstsBody(Number(code), 'invalid_request', text).error_description;
};

function refuseScope(params: URLSearchParams, name: string, response: ServerResponse): void {
  const text = `The application asked for scope '${name}' that doesn't exist on the resource. Contact the app vendor.`;
  sendBack(response, params, errorBack(650053, 'invalid_client', text));
}

const SENTENCES: Record<string, [code: number, text: string]> = {
  login_required: [50058, 'A silent sign-in request was sent but no user is signed in.'],
  interaction_required: [50058, 'A silent sign-in request was sent but no user is signed in.'],
  consent_required: [
    65001,
    'The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource.',
  ],
};

/** Entra sends `session_state` and no `iss` (RFC 9207), and its errors start with a number. */
function dressRedirects(response: ServerResponse): void {
  const setHeader = response.setHeader.bind(response);
  response.setHeader = (name, value) => {
    if (name.toLowerCase() !== 'location' || typeof value !== 'string' || !/[?&](code|error)=/.test(value))
      return setHeader(name, value);
    const target = new URL(value);
    const { searchParams } = target;
    searchParams.delete('iss');
    if (searchParams.has('code')) searchParams.set('session_state', randomUUID());
    const error = searchParams.get('error') ?? '';
    const sentence = SENTENCES[error];
    if (sentence !== undefined)
      searchParams.set('error_description', aadstsBody(sentence[0], error, sentence[1]).error_description);
    const description = searchParams.get('error_description');
    if (description !== null) searchParams.set('error_description', asInAddress(description));
    if (description?.includes('AADSTS65004') === true) searchParams.set('error_subcode', 'cancel');
    return setHeader(name, target.href);
  };
}
