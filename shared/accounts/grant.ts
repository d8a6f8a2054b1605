import { Secret } from '../platform/secret.ts';
import type { EncryptedAccess } from './account.ts';
import { objectOf } from './token-failure.ts';

/** The tokens of a token response. */
export interface Grant {
  accessToken: Secret | undefined;
  /** Absent when the provider keeps the old one valid. */
  refreshToken: Secret | undefined;
  /** Seconds from now. */
  expiresInSeconds: number;
  /** Absent: as requested (RFC 6749 section 5.1). */
  scopes: readonly string[] | undefined;
}

// RFC 6749 section 5.1 only recommends expires_in. The large providers use one hour. If a token expires
// sooner, the mail server refuses it and a refresh follows.
const ASSUMED_SECONDS = 3600;
const LONGEST_SECONDS = 30 * 86_400;

/** Reads a token response field by field: an invalid field does not affect the others. */
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

/** Reads `expires_in`: a number, a string of digits (seen at several providers), or absent or invalid. */
function secondsOf(value: unknown): number {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return ASSUMED_SECONDS;
  return Math.min(Math.max(Math.floor(seconds), 0), LONGEST_SECONDS);
}

/** The same response with an `expires_in` that the library accepts. */
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
 * When a token expires and from when it is refreshed: ten minutes or half its lifetime before expiry,
 * whichever is less, and up to a tenth of that earlier, so that mailboxes connected together do not refresh
 * together.
 * @param spread from 0 (latest) to 1
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

// Allowed difference between the clocks of two instances; a larger one means that a clock was changed.
const CLOCK_MS = 5 * 60_000;
// The longest pause of retry-pause.ts.
const LONGEST_WAIT_MS = 6 * 3_600_000 + CLOCK_MS;

/**
 * True while a token need not be refreshed. A token received in the future was received before the clock
 * was set back, so its times mean nothing. Pure.
 */
export function isFresh(
  { refreshAt, receivedAt }: Pick<EncryptedAccess, 'refreshAt' | 'receivedAt'>,
  now: number,
): boolean {
  return Date.parse(refreshAt) > now && Date.parse(receivedAt) <= now + CLOCK_MS;
}

/**
 * True while the provider must not be called. A time later than any that we write comes from another clock.
 * Pure.
 */
export function isWaiting(retryAt: string | undefined, now: number): boolean {
  if (retryAt === undefined) return false;
  const wait = Date.parse(retryAt) - now;
  return wait > 0 && wait <= LONGEST_WAIT_MS;
}
