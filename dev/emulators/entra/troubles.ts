import type { Fault, FaultPattern } from '../faults.ts';
import { aadstsBody } from './error-bodies.ts';
import { errorBack } from './way-back.ts';

/** A fault that may also redirect to the app, with these parameters and the request's state. */
export interface ProviderFault extends Fault {
  wayBack?: Record<string, string>;
}

export interface TroubleOptions {
  /** Number of affected requests; default 1. */
  times?: number;
  /** The Retry-After of `throttled` and `unavailable`. */
  retryAfterSeconds?: number;
  /** The delay of `slow`. */
  delayMs?: number;
  /** Only requests of this app are affected; default: all. */
  clientId?: string;
}

const TENANT_THROTTLED = 'Tenant is throttled. Too many requests.';
const TRANSIENT = 'A transient error has occurred. Please try again.';

export const NOT_CONSENTED =
  "The user or administrator has not consented to use the application with ID '00000000-0000-4000-8000-000000000000' named 'Postroom (demo)'. Send an interactive authorization request for this user and resource.";

const authorize: FaultPattern = { path: '^/oauth2/v2.0/authorize$' };
const token: FaultPattern = { path: '^/oauth2/v2.0/token$' };
const refresh: FaultPattern = { ...token, params: { grant_type: 'refresh_token' } };

const retryAfter = (seconds: number | undefined): { headers?: Record<string, string> } =>
  seconds === undefined ? {} : { headers: { 'retry-after': String(seconds) } };

/**
 * Failures of Entra that cannot be produced by the state of an app, an account or a tenant. The others are
 * states: a secret or a redirect URI (`setApp`, `expireClientSecrets`), an admin's approval (`setTenant`),
 * a person (`revokeUser`, `setUser`). Messages:
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
const TROUBLES = {
  /** "Cancel" on the consent page. */
  declined: () => ({
    match: authorize,
    wayBack: {
      ...errorBack(65004, 'access_denied', 'User declined to consent to access the app.'),
      error_subcode: 'cancel',
    },
  }),
  /** Back from "Need admin approval". */
  'approval-needed': () => ({
    match: authorize,
    wayBack: errorBack(
      90094,
      'access_denied',
      'Postroom (demo) needs permission to access resources in your organization that only an admin can grant. Please ask an admin to grant permission to this app before you can use it.',
    ),
  }),
  'not-consented': () => ({
    match: authorize,
    wayBack: errorBack(65001, 'consent_required', NOT_CONSENTED),
  }),
  'blocked-by-policy': () => ({
    match: authorize,
    wayBack: errorBack(
      53003,
      'access_denied',
      'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
    ),
  }),
  'sign-in-unavailable': () => ({
    match: authorize,
    wayBack: errorBack(90033, 'temporarily_unavailable', TRANSIENT),
  }),
  /** A refresh that needs a person with a second factor. */
  'second-factor-needed': () => ({
    match: refresh,
    status: 400,
    body: aadstsBody(
      50076,
      'interaction_required',
      "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '00000002-0000-0ff1-ce00-000000000000'.",
      {
        suberror: 'basic_action',
        claims: '{"access_token":{"capolids":{"essential":true,"values":["demo"]}}}',
      },
    ),
  }),
  /** A refresh after all sessions were revoked. */
  'grant-revoked': () => ({
    match: refresh,
    status: 400,
    body: aadstsBody(
      50173,
      'invalid_grant',
      "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '2026-07-01T08:00:00.0000000Z' and the TokensValidFrom date (before which tokens are not valid) for this user is '2026-08-01T08:00:00.0000000Z'.",
      { suberror: 'bad_token' },
    ),
  }),
  /** A refresh that comes after 90 days without one. */
  'grant-idle': () => ({
    match: refresh,
    status: 400,
    body: aadstsBody(
      700082,
      'invalid_grant',
      'The refresh token has expired due to inactivity. The token was issued on 2026-08-01T08:00:00.0000000Z and was inactive for 90.00:00:00.',
    ),
  }),
  /** A refresh after the app's permissions were removed under Enterprise applications. */
  'consent-removed': () => ({
    match: refresh,
    status: 400,
    body: aadstsBody(65001, 'invalid_grant', NOT_CONSENTED, { suberror: 'consent_required' }),
  }),
  throttled: ({ retryAfterSeconds = 30 }) => ({
    match: token,
    status: 429,
    ...retryAfter(retryAfterSeconds),
    body: aadstsBody(90055, 'temporarily_unavailable', TENANT_THROTTLED),
  }),
  unavailable: ({ retryAfterSeconds }) => ({
    match: token,
    status: 503,
    ...retryAfter(retryAfterSeconds),
    body: aadstsBody(90033, 'temporarily_unavailable', TRANSIENT),
  }),
  slow: ({ delayMs = 3000 }) => ({ match: token, delay: delayMs }),
  'connection-lost': () => ({ match: token, destroy: true }),
} satisfies Record<string, (options: TroubleOptions) => ProviderFault>;

export type Trouble = keyof typeof TROUBLES;

/** @throws Error that lists the valid names, for any other */
export function faultOf(trouble: Trouble, options: TroubleOptions = {}): ProviderFault {
  if (!Object.hasOwn(TROUBLES, trouble))
    throw new Error(`The troubles are ${Object.keys(TROUBLES).join(', ')}.`);
  const fault: ProviderFault & { match: FaultPattern } = TROUBLES[trouble](options);
  const { times = 1, clientId } = options;
  const params = { ...fault.match.params, ...(clientId !== undefined && { client_id: clientId }) };
  return { ...fault, times, match: { ...fault.match, params } };
}
