import type { Failure } from '../explanations/explain.ts';
import { type Code, codeFrom } from '../platform/problem.ts';
import { withoutSecrets } from './sent-secrets.ts';
import type { SignInEvent } from './sign-in-history.ts';

/** How a request to a provider failed, without secrets. */
export interface EndpointFailure {
  /** HTTP status; undefined when there was no response. */
  status: number | undefined;
  /** `error` of RFC 6749 section 5.2, if present. */
  error: string | undefined;
  /** Microsoft's `suberror`. */
  suberror: string | undefined;
  /** Microsoft's numbers, as in AADSTS7000222. */
  codes: readonly number[];
  /** The provider's own message, without trace lines. */
  sentence: string | undefined;
  retryAfterSeconds: number | undefined;
  /** For the provider's support; Microsoft sends them. */
  traceId?: string | undefined;
  correlationId?: string | undefined;
  /** As Microsoft writes it: `2026-11-24 01:42:11Z`. */
  timestamp?: string | undefined;
  /** Our description, used when the provider gave none. */
  detail: string;
}

export type Verdict =
  | { kind: 'retrying'; code: Code; message: string; retryAfterSeconds: number | undefined }
  /** `blames`: what a person has to renew. */
  | { kind: 'action-required'; code: Code; message: string; blames: 'grant' | 'credential' | 'settings' };

export type Lasting = Extract<Verdict, { kind: 'action-required' }>;

const LONGEST_RETRY_AFTER = 3600;
const SENTENCE_CHARACTERS = 400;

// A person has to sign in again. https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#error-codes-for-token-endpoint-errors
const NEEDS_SIGN_IN = new Set([
  'invalid_grant',
  'interaction_required',
  'consent_required',
  'login_required',
  'bad_token',
]);
// Microsoft's suberrors with the same meaning, which also come with `invalid_request` and others. The list
// is that of its own client library: https://github.com/AzureAD/microsoft-authentication-library-for-js
// (InteractionRequiredAuthError).
const SUBERRORS_NEED_SIGN_IN = new Set([
  'bad_token',
  'token_expired',
  'basic_action',
  'additional_action',
  'consent_required',
  'user_password_expired',
  'ui_not_allowed',
  'interrupted_user',
]);
/** Another sign-in would be refused as well; the provider's own message says what helps. */
const SUBERROR_NEEDS_ADMIN = 'message_only';
const NEEDS_CREDENTIAL = new Set(['invalid_client', 'unauthorized_client']);
const PASSES = new Set(['temporarily_unavailable', 'server_error', 'slow_down']);
// Outages and throttling that Microsoft sends with a permanent `error`: AADSTS50196 as invalid_grant when
// an app sends too many requests, AADSTS700024 as invalid_client although each request has a new assertion.
// Codes decide nothing else.
const ASKED_TOO_OFTEN = 50196;
const PASSING_CODES = new Set([50033, ASKED_TOO_OFTEN, 70012, 90006, 90012, 90024, 90033, 90055, 700024]);
/** An app that continues within this time is blocked for longer. */
const TOO_OFTEN_PAUSE_SECONDS = 600;

/**
 * Decides whether a failure is temporary or needs a person. Pure: a failure that may be temporary never
 * asks for a person.
 */
export function judgeFailure(failure: EndpointFailure): Verdict {
  const code = codeOf(failure);
  const message = failure.sentence ?? failure.detail;
  const { status, error, suberror = '' } = failure;
  const isKnown =
    error !== undefined || suberror === SUBERROR_NEEDS_ADMIN || SUBERRORS_NEED_SIGN_IN.has(suberror);
  const passes =
    status === undefined ||
    status < 400 ||
    status === 408 ||
    status === 425 ||
    status === 429 ||
    status >= 500 ||
    !isKnown ||
    PASSES.has(error ?? '') ||
    failure.codes.some((number) => PASSING_CODES.has(number));
  if (passes) return { kind: 'retrying', code, message, retryAfterSeconds: pauseAsked(failure) };
  const lasts = (blames: Lasting['blames']): Lasting => ({ kind: 'action-required', code, message, blames });
  if (NEEDS_CREDENTIAL.has(error ?? '')) return lasts('credential');
  if (suberror === SUBERROR_NEEDS_ADMIN) return lasts('settings');
  if (NEEDS_SIGN_IN.has(error ?? '') || SUBERRORS_NEED_SIGN_IN.has(suberror)) return lasts('grant');
  return lasts('settings');
}

function pauseAsked({ codes, retryAfterSeconds }: EndpointFailure): number | undefined {
  if (!codes.includes(ASKED_TOO_OFTEN)) return retryAfterSeconds;
  return Math.max(retryAfterSeconds ?? 0, TOO_OFTEN_PAUSE_SECONDS);
}

const DAY_MS = 86_400_000;

/**
 * As judgeFailure, with the history: a refusal without an OAuth error, as from a proxy or a wrong URL,
 * requires a person once it has lasted for a day. Pure.
 * @param history the refreshes before this one, newest first
 * @param now milliseconds since the epoch
 */
export function judgeWithHistory(
  failure: EndpointFailure,
  history: readonly SignInEvent[],
  now: number,
): Verdict {
  const verdict = judgeFailure(failure);
  const { status, error, codes } = failure;
  const [newest] = history;
  const isWordless = status !== undefined && status >= 400 && status < 500 && error === undefined;
  const mayPass = status === 408 || status === 425 || status === 429 || codes.length > 0;
  if (verdict.kind !== 'retrying' || !isWordless || mayPass || newest?.code !== verdict.code) return verdict;
  const isLasting =
    newest.result === 'action-required' ||
    (newest.result === 'retrying' && now - Date.parse(newest.at) >= DAY_MS);
  if (!isLasting) return verdict;
  return {
    kind: 'action-required',
    code: verdict.code,
    message: `The server at the provider’s endpoint has refused requests for more than a day, and its responses are not those of a sign-in service. Compare the provider’s endpoints with its documentation, and check whether a proxy or firewall is in between. ${verdict.message}`,
    blames: 'settings',
  };
}

/** True when the provider refuses the client itself, not the grant or the request. */
export function blamesCredential(failure: EndpointFailure): boolean {
  const verdict = judgeFailure(failure);
  return verdict.kind === 'action-required' && verdict.blames === 'credential';
}

// The cause is what was granted at, or is demanded by, one resource: consent (65001, 65004), the resource in
// this tenant (500011, 650052, 650057), the scope (650053, 70011), and conditional access, which is set per
// resource (50076, 50079, 50158, 53000 to 53004).
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes#aadsts-error-codes
const RESOURCE_CODES = new Set([
  65001, 65004, 500011, 650052, 650053, 650057, 70011, 50076, 50079, 50158, 53000, 53001, 53002, 53003, 53004,
]);
const RESOURCE_ERRORS = new Set(['consent_required', 'invalid_scope', 'invalid_resource', 'invalid_target']);

/**
 * True when a lasting refusal concerns the resource that was asked for, and not the sign-in as a whole: the
 * same refresh token may work for another resource. Pure.
 */
export const blamesResource = ({ codes, error = '', suberror = '' }: EndpointFailure): boolean =>
  codes.some((code) => RESOURCE_CODES.has(code)) ||
  (codes.length === 0 && (RESOURCE_ERRORS.has(error) || suberror === 'consent_required'));

/** `AADSTS7000222` if Microsoft sent a number, otherwise the OAuth error, otherwise the status. */
export function codeOf({ codes, error, status }: EndpointFailure): Code {
  const [number] = codes;
  if (number !== undefined) return `AADSTS${number}`;
  if (error !== undefined) return codeFrom(error);
  return status === undefined ? 'no-answer' : `http-${status}`;
}

/** The parts of a failed response that an explanation needs, as the provider sent them. Pure. */
export function explainable(failure: EndpointFailure): Failure {
  const { error, suberror, sentence, detail, traceId, correlationId, timestamp } = failure;
  return {
    code: codeOf(failure),
    error,
    suberror,
    said: sentence ?? detail,
    traceId,
    correlationId,
    timestamp,
  };
}

/**
 * Reads a failed response. Pure; unknown forms are judged by the status.
 * @param sent secrets of the request, which the provider may repeat: they are masked before anything is
 * shortened or stored
 */
export function readFailure(
  host: string,
  answer: { status: number; text: string; retryAfter: string | undefined },
  now: number,
  sent: readonly string[] = [],
): EndpointFailure {
  const body = objectOf(answer.text);
  const stringField = (name: string): string | undefined => {
    const text = stringOf(body[name]);
    return text && withoutSecrets(text, sent);
  };
  const error = stringField('error');
  const description = stringField('error_description');
  return {
    status: answer.status,
    error: error === undefined || !/^[\x21-\x7e]{1,80}$/.test(error) ? undefined : error,
    suberror: stringField('suberror'),
    codes: codesOf(body['error_codes'], description),
    sentence: description === undefined ? undefined : tidySentence(description),
    retryAfterSeconds: secondsOf(answer.retryAfter, now),
    ...idsOf(body),
    detail: `${host} answered with status ${answer.status}.`,
  };
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function idsOf(
  body: Record<string, unknown>,
): Pick<EndpointFailure, 'traceId' | 'correlationId' | 'timestamp'> {
  const guid = (name: string): string | undefined => {
    const value = stringOf(body[name]);
    return value !== undefined && GUID.test(value) ? value : undefined;
  };
  const [traceId, correlationId] = [guid('trace_id'), guid('correlation_id')];
  const at = body['timestamp'];
  const timestamp = typeof at === 'string' && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/.test(at) ? at : undefined;
  return {
    ...(traceId !== undefined && { traceId }),
    ...(correlationId !== undefined && { correlationId }),
    ...(timestamp !== undefined && { timestamp }),
  };
}

/** A failure without a response. */
export const silence = (detail: string): EndpointFailure => ({
  status: undefined,
  error: undefined,
  suberror: undefined,
  codes: [],
  sentence: undefined,
  retryAfterSeconds: undefined,
  detail,
});

/** Microsoft's message on one line, without the trace ID, correlation ID and timestamp that follow it. */
export function tidySentence(description: string): string {
  const [sentence = ''] = description.slice(0, 4000).split(/\s*Trace ID:/i);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters of a foreign text become spaces
  const line = sentence.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  return line.length > SENTENCE_CHARACTERS ? `${line.slice(0, SENTENCE_CHARACTERS)}…` : line;
}

/** Microsoft's error numbers, from their own field or from the text. */
export function codesOf(field: unknown, description: string | undefined): number[] {
  if (Array.isArray(field)) {
    const numbers = field.filter((value): value is number => Number.isInteger(value));
    if (numbers.length > 0) return numbers;
  }
  const inText = /AADSTS(\d{3,9})/.exec(description?.slice(0, 4000) ?? '')?.[1];
  return inText === undefined ? [] : [Number(inText)];
}

/** `Retry-After` as seconds or as a date (RFC 9110 section 10.2.3), at most an hour. */
function secondsOf(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now) / 1000;
  if (Number.isNaN(seconds)) return undefined;
  return Math.min(Math.max(Math.ceil(seconds), 1), LONGEST_RETRY_AFTER);
}

/** The JSON object in a text; empty if there is none. */
export function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

const stringOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
