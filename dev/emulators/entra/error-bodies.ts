import { randomUUID } from 'node:crypto';

/** The body of an error at Entra's token endpoint (Microsoft: "Request an access token", error response example). */
export interface EntraError {
  error: string;
  error_description: string;
  error_codes: number[];
  timestamp: string;
  trace_id: string;
  correlation_id: string;
  error_uri: string;
  suberror?: string;
  claims?: string;
}

export interface ErrorExtras {
  correlation?: string;
  suberror?: string;
  claims?: string;
}

/** Formats an error as Entra does, with the AADSTS number and the IDs for support. */
export function aadstsBody(code: number, error: string, text: string, extras: ErrorExtras = {}): EntraError {
  const timestamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const trace = randomUUID();
  const correlation = extras.correlation ?? randomUUID();
  return {
    error,
    error_description: `AADSTS${code}: ${text} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    trace_id: trace,
    correlation_id: correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    ...(extras.suberror !== undefined && { suberror: extras.suberror }),
    ...(extras.claims !== undefined && { claims: extras.claims }),
  };
}

/** Values that the message of an error may contain. */
export interface ErrorContext {
  client: string;
  domain: string;
  scope: string;
  grantType: string;
}

export interface EntraFailure {
  status: number;
  error: string;
  code: number;
  text: string;
}

type Row = [
  pattern: RegExp,
  status: number,
  error: string,
  code: number,
  text: (c: ErrorContext, detail: string) => string,
];

const BAD_REQUEST = 'Invalid request. Request is malformed or invalid.';

// oidc-provider's error, detail and description → Entra's response. The first matching row applies.
const ROWS: readonly Row[] = [
  [
    /invalid_client.*secret is expired/,
    401,
    'invalid_client',
    7000222,
    (c) =>
      `The provided client secret keys for app '${c.client}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.`,
  ],
  [
    /invalid_client.*invalid secret/,
    401,
    'invalid_client',
    7000215,
    (c) =>
      `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${c.client}'.`,
  ],
  [
    /invalid_client.*client not found|client is invalid/,
    400,
    'unauthorized_client',
    700016,
    (c) =>
      `Application with identifier '${c.client}' was not found in the directory '${c.domain}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
  ],
  [
    /invalid_client.*mechanism does not match|no client authentication/,
    401,
    'invalid_client',
    7000218,
    () => `The request body must contain the following parameter: 'client_assertion' or 'client_secret'.`,
  ],
  [
    /invalid_client.*federated/,
    401,
    'invalid_client',
    700213,
    () =>
      `No matching federated identity record found for presented assertion. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.`,
  ],
  [
    /invalid_client/,
    401,
    'invalid_client',
    700027,
    () =>
      `The certificate with identifier used to sign the client assertion is not registered on application, or the client assertion is not valid.`,
  ],
  [
    /invalid_grant.*authorization code.*(consumed|already used)/,
    400,
    'invalid_grant',
    54005,
    () =>
      `OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.`,
  ],
  [
    /invalid_grant.*authorization code.*expired/,
    400,
    'invalid_grant',
    70008,
    () =>
      `The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.`,
  ],
  [/invalid_grant.*authorization code/, 400, 'invalid_grant', 9002313, () => BAD_REQUEST],
  [
    /invalid_grant.*refresh token is expired/,
    400,
    'invalid_grant',
    700082,
    () =>
      `The refresh token has expired due to inactivity. The token was issued on 2026-01-01T00:00:00.0000000Z and was inactive for 90.00:00:00.`,
  ],
  [
    /invalid_grant.*(revoked|grant (is )?(not found|expired)|account.*not found|already used)/,
    400,
    'invalid_grant',
    50173,
    () =>
      `The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.`,
  ],
  [
    /invalid_grant.*(PKCE|code_verifier)/,
    400,
    'invalid_grant',
    501481,
    () => `The Code_Verifier does not match the code_challenge supplied in the authorization request.`,
  ],
  [/invalid_grant/, 400, 'invalid_grant', 9002313, () => BAD_REQUEST],
  [
    /invalid_scope|invalid_target/,
    400,
    'invalid_scope',
    70011,
    (c) =>
      `The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope ${c.scope} is not valid.`,
  ],
  [
    /unsupported_grant_type/,
    400,
    'unsupported_grant_type',
    70003,
    (c) => `The app requested an unsupported grant type '${c.grantType}'.`,
  ],
  [
    /missing required parameter/,
    400,
    'invalid_request',
    900144,
    (_, detail) => `The request body must contain the following parameter: '${missingParameter(detail)}'.`,
  ],
  [/./, 400, 'invalid_request', 90014, (_, detail) => detail],
];

const missingParameter = (detail: string): string => {
  const found = /'([^']+)'|parameter\(s\) ([^ ]+)/.exec(detail);
  return found?.[1] ?? found?.[2] ?? '';
};

/**
 * Translates oidc-provider's error ("invalid_client invalid secret provided …") into Entra's number and
 * message.
 */
export function entraFailure(detail: string, context: ErrorContext): EntraFailure {
  for (const [pattern, status, error, code, text] of ROWS)
    if (pattern.test(detail)) return { status, error, code, text: text(context, detail) };
  return { status: 400, error: 'invalid_request', code: 90014, text: BAD_REQUEST };
}

/** Two resources in one token request, which is only allowed at the authorize endpoint (AADSTS28000). */
export const TWO_RESOURCES =
  'Provided value for the input parameter scope is not valid because it contains more than one resource.';
