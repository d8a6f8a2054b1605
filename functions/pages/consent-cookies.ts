import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { CONSENT_MINUTES, consentCookie } from '../../shared/consent/consent.ts';
import { invitationCookie } from '../../shared/consent/invitation.ts';
import { Secret } from '../../shared/platform/secret.ts';

// Lax: the way back is a top-level navigation from the provider, on which a Strict cookie would be missing.
const attributes = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const;
/** Longer than a consent, so that a person who came too late still finds the way to the invitation. */
const INVITATION_COOKIE_SECONDS = 60 * 60;

/** Binds a consent to this browser until its end. */
export function keepConsentCookie(c: Context, key: string, cookie: Secret): void {
  setCookie(c, consentCookie(key), cookie.expose(), { ...attributes, maxAge: CONSENT_MINUTES * 60 });
}

/** The value that binds a consent to this browser; undefined where the browser has none. */
export const consentCookieOf = (c: Context, key: string): Secret | undefined =>
  secretCookie(c, consentCookie(key));

/** Remembers whose invitation this browser follows, through the trip to the provider. */
export function keepInvitationCookie(c: Context, token: Secret): void {
  setCookie(c, invitationCookie, token.expose(), { ...attributes, maxAge: INVITATION_COOKIE_SECONDS });
}

/** The token of the invitation that this browser follows. */
export const invitationTokenOf = (c: Context): Secret | undefined => secretCookie(c, invitationCookie);

function secretCookie(c: Context, name: string): Secret | undefined {
  const value = getCookie(c, name);
  return value === undefined ? undefined : new Secret(value);
}
