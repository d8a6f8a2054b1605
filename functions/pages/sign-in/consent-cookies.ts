import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { CONSENT_MINUTES, consentCookie } from '../../../shared/consent/consent.ts';
import { INVITATION_COOKIES, invitationCookie, invitationKey } from '../../../shared/consent/invitation.ts';
import { Secret } from '../../../shared/platform/secret.ts';

// Lax: the return is a top-level navigation from the provider, on which a Strict cookie would be missing.
const attributes = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const;
/** Longer than a consent, so that a person who came too late still finds the way to the invitation. */
const INVITATION_COOKIE_SECONDS = 60 * 60;
const RESULT_COOKIE_SECONDS = 60 * 60;
const APPROVAL_COOKIE = '__Host-postroom-approval';
const LINK_COOKIE_SECONDS = 10 * 60;

/** Binds a consent to this browser until its end. */
export function keepConsentCookie(c: Context, key: string, cookie: Secret): void {
  setCookie(c, consentCookie(key), cookie.expose(), { ...attributes, maxAge: CONSENT_MINUTES * 60 });
}

/** Lets the page that says what became of a consent be reloaded for an hour. */
export function keepResultCookie(c: Context, key: string, cookie: Secret): void {
  setCookie(c, consentCookie(key), cookie.expose(), { ...attributes, maxAge: RESULT_COOKIE_SECONDS });
}

/** Stores the response to an approval, for the page that shows its result. */
export function keepApprovalCookie(c: Context, answer: string): void {
  const value = Buffer.from(answer).toString('base64url');
  setCookie(c, APPROVAL_COOKIE, value, { ...attributes, maxAge: RESULT_COOKIE_SECONDS });
}

/** The response to an approval in this browser. */
export function keptApprovalOf(c: Context): string | undefined {
  const value = getCookie(c, APPROVAL_COOKIE);
  return value === undefined ? undefined : Buffer.from(value, 'base64url').toString('utf8');
}

/** The value that binds a consent to this browser; undefined where the browser has none. */
export const consentCookieOf = (c: Context, key: string): Secret | undefined =>
  secretCookie(c, consentCookie(key));

/** Takes the token of an invitation out of the link, for this page and for the attempt to the provider. */
export function keepInvitationCookie(c: Context, token: Secret): void {
  const name = invitationCookie(invitationKey(token.expose()));
  setCookie(c, name, token.expose(), { ...attributes, maxAge: INVITATION_COOKIE_SECONDS });
}

/** Whether this browser has opened the invitation with its link. */
export function holdsInvitation(c: Context, key: string): boolean {
  const token = secretCookie(c, invitationCookie(key));
  return token !== undefined && invitationKey(token.expose()) === key;
}

/** The one invitation that this browser has opened; undefined where it has opened none or several. */
export function onlyInvitationOf(c: Context): string | undefined {
  const tokens = Object.entries(getCookie(c)).filter(([name]) => name.startsWith(INVITATION_COOKIES));
  const [only] = tokens;
  return tokens.length === 1 && only !== undefined ? invitationKey(only[1]) : undefined;
}

/** Lets the page with the link of a new invitation be reloaded, in the browser of the one who made it. */
export function keepLinkCookie(c: Context, key: string, token: Secret): void {
  setCookie(c, linkCookie(key), token.expose(), { ...attributes, maxAge: LINK_COOKIE_SECONDS });
}

/** The token of an invitation that was made in this browser a moment ago. */
export function newTokenOf(c: Context, key: string): Secret | undefined {
  const token = secretCookie(c, linkCookie(key));
  return token !== undefined && invitationKey(token.expose()) === key ? token : undefined;
}

const linkCookie = (key: string): string => `__Host-postroom-link-${key.slice(0, 12)}`;

function secretCookie(c: Context, name: string): Secret | undefined {
  const value = getCookie(c, name);
  return value === undefined ? undefined : new Secret(value);
}
