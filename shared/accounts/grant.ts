import { Secret } from '../platform/secret.ts';
import type { EncryptedTokens } from './account.ts';
import { objectOf } from './token-failure.ts';

/** What a token endpoint gave. */
export interface Grant {
  accessToken: Secret | undefined;
  /** Absent when the provider goes on with the old one. */
  refreshToken: Secret | undefined;
  /** Seconds from now. */
  expiresInSeconds: number;
  /** Absent: as asked for (RFC 6749 section 5.1). */
  scopes: readonly string[] | undefined;
}

// RFC 6749 section 5.1 only recommends expires_in. An hour is what the large providers give, and a token that ends
// sooner is noticed when the mail server refuses it.
const ASSUMED_SECONDS = 3600;
const LONGEST_SECONDS = 30 * 86_400;

/** Reads an answer of the token endpoint, field by field: one odd field never costs the others. */
export function readGrant(text: string): Grant {
  const body = objectOf(text);
  const scope = body['scope'];
  return {
    accessToken: secretOf(body['access_token']),
    refreshToken: secretOf(body['refresh_token']),
    expiresInSeconds: secondsOf(body['expires_in']),
    scopes: typeof scope === 'string' ? scope.split(' ').filter((name) => name !== '') : undefined,
  };
}

const secretOf = (value: unknown): Secret | undefined =>
  typeof value === 'string' && value !== '' ? new Secret(value) : undefined;

/** `expires_in` as a number, as a string of digits (seen at several providers), as nothing, or as nonsense. */
function secondsOf(value: unknown): number {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return ASSUMED_SECONDS;
  return Math.min(Math.max(Math.floor(seconds), 0), LONGEST_SECONDS);
}

/** The same answer with an `expires_in` that the library accepts. */
export function tidyTokenBody(text: string): string {
  const body = objectOf(text);
  return 'access_token' in body
    ? JSON.stringify({ ...body, expires_in: secondsOf(body['expires_in']) })
    : text;
}

export interface Lifetime {
  /** ISO times. */
  receivedAt: string;
  accessExpiresAt: string;
  refreshAt: string;
}

const EARLY_MS = 10 * 60_000;

/**
 * When a token ends and from when it is replaced: ten minutes or half its life before the end, whichever is less, and up
 * to a tenth of that earlier, so that mailboxes which were connected together do not ask together.
 * @param spread from 0, at the last moment, to 1.
 */
export function lifetimeOf(expiresInSeconds: number, now: number, spread = Math.random()): Lifetime {
  const life = expiresInSeconds * 1000;
  const early = Math.min(EARLY_MS, life / 2) * (1 + spread / 10);
  return {
    receivedAt: new Date(now).toISOString(),
    accessExpiresAt: new Date(now + life).toISOString(),
    refreshAt: new Date(now + life - early).toISOString(),
  };
}

// Clocks of two instances differ; by more than this one of them was set.
const CLOCK_MS = 5 * 60_000;
// The longest pause that retry-pause.ts makes.
const LONGEST_WAIT_MS = 6 * 3_600_000 + CLOCK_MS;

/**
 * True while a token need not be replaced. One that was received in the future was received under a clock that has been
 * set since, and its times mean nothing. Pure.
 */
export function isFresh(
  { refreshAt, receivedAt }: Pick<EncryptedTokens, 'refreshAt' | 'receivedAt'>,
  now: number,
): boolean {
  return Date.parse(refreshAt) > now && Date.parse(receivedAt) <= now + CLOCK_MS;
}

/** True while the provider is not to be called again; a time further off than any that we keep is of another clock. */
export function isWaiting(retryAt: string | undefined, now: number): boolean {
  if (retryAt === undefined) return false;
  const wait = Date.parse(retryAt) - now;
  return wait > 0 && wait <= LONGEST_WAIT_MS;
}
