import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { escapeHtml, hostPage, seeOther } from './html.ts';
import type { Answer } from './http-answer.ts';
import type { DemoPerson } from './options.ts';

/** The platform's cookie name. */
const COOKIE = 'AppServiceAuthSession';
const SESSION_SECONDS = 8 * 3600;
/** The tenant of the demo people, which the host's setting allows. */
export const SIGN_IN_TENANT = '5b1f0a52-3c44-4c09-9d3e-6f1a2b7c8d00';
const LOGIN = '/.auth/login/aad';

export interface SignIn {
  /** Handles the paths under /.auth, which the app never sees. `form` is present for a POST. */
  answer(path: string, query: URLSearchParams, headers: Headers, form: URLSearchParams | undefined): Answer;
  /** Removes the headers that only the platform may set, then sets those of the signed-in user. */
  withPrincipal(headers: Headers): Headers;
}

/**
 * Imitates the sign-in that App Service puts before an app: its paths, its session cookie and its headers.
 * https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
 * @param now milliseconds since the epoch.
 */
export async function createSignIn(
  stateDir: string,
  people: readonly DemoPerson[],
  now: () => number,
): Promise<SignIn> {
  const key = await keptKey(stateDir);
  const signature = (text: string): string => createHmac('sha256', key).update(text).digest('base64url');

  const sessionOf = (person: DemoPerson): string => {
    const session = { id: person.id, until: now() + SESSION_SECONDS * 1000 };
    const payload = Buffer.from(JSON.stringify(session)).toString('base64url');
    return `${payload}.${signature(payload)}`;
  };

  const signedIn = (headers: Headers): DemoPerson | undefined => {
    const [payload = '', given = ''] = (cookieOf(headers, COOKIE) ?? '').split('.');
    const expected = signature(payload);
    if (given.length !== expected.length || !timingSafeEqual(Buffer.from(given), Buffer.from(expected)))
      return undefined;
    const session = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as {
      id: string;
      until: number;
    };
    return session.until > now() ? people.find(({ id }) => id === session.id) : undefined;
  };

  return {
    answer(path, query, headers, form) {
      if (path === LOGIN && form !== undefined) {
        const person = people.find(({ id }) => id === form.get('person'));
        if (person === undefined)
          return hostPage('Nobody was chosen', `<p><a href="${LOGIN}">Choose again</a></p>`, 400);
        return seeOther(
          ownPath(form.get('post_login_redirect_uri')),
          `${COOKIE}=${sessionOf(person)}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${SESSION_SECONDS}`,
        );
      }
      if (path === LOGIN) return loginPage(people, ownPath(query.get('post_login_redirect_uri')));
      if (path === '/.auth/logout')
        return seeOther(
          ownPath(query.get('post_logout_redirect_uri')),
          `${COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`,
        );
      if (path === '/.auth/me') return whoAmI(signedIn(headers));
      return hostPage('No such sign-in page', `<p><a href="${LOGIN}">Sign in</a></p>`, 404);
    },
    withPrincipal(headers) {
      const seen = new Headers(headers);
      for (const name of [...seen.keys()]) if (/^x-ms-(client-principal|token)/.test(name)) seen.delete(name);
      const person = signedIn(headers);
      if (person === undefined) return seen;
      seen.set('x-ms-client-principal', Buffer.from(JSON.stringify(principalOf(person))).toString('base64'));
      seen.set('x-ms-client-principal-id', person.id);
      seen.set('x-ms-client-principal-name', person.upn);
      seen.set('x-ms-client-principal-idp', 'aad');
      return seen;
    },
  };
}

/**
 * The page to return to: a path of this site, otherwise the start page. Browsers read `\` as `/` and drop
 * tabs and line ends, so the text is checked as a browser would read it.
 */
export function ownPath(text: string | null): string {
  const site = 'http://localhost';
  if (text === null || !text.startsWith('/') || !URL.canParse(text, site)) return '/';
  const url = new URL(text, site);
  const path = url.pathname + url.search + url.hash;
  return url.origin === site && !path.startsWith('//') ? path : '/';
}

/** In Microsoft's shape. */
export function principalOf({ id, name, upn, roles }: DemoPerson): {
  auth_typ: string;
  claims: { typ: string; val: string }[];
  name_typ: string;
  role_typ: string;
} {
  return {
    auth_typ: 'aad',
    claims: [
      { typ: 'http://schemas.microsoft.com/identity/claims/tenantid', val: SIGN_IN_TENANT },
      { typ: 'http://schemas.microsoft.com/identity/claims/objectidentifier', val: id },
      { typ: 'name', val: name },
      { typ: 'preferred_username', val: upn },
      ...roles.map((role) => ({ typ: 'roles', val: role })),
    ],
    name_typ: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
    role_typ: 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role',
  };
}

function whoAmI(person: DemoPerson | undefined): Answer {
  const sessions =
    person === undefined
      ? []
      : [{ provider_name: 'aad', user_id: person.upn, user_claims: principalOf(person).claims }];
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    body: JSON.stringify(sessions),
  };
}

function loginPage(people: readonly DemoPerson[], back: string): Answer {
  const buttons = people
    .map(
      ({ id, name, upn, roles }) =>
        `<li><button name="person" value="${escapeHtml(id)}">${escapeHtml(name)}<span>${escapeHtml(upn)}, ${
          roles.length === 0 ? 'no role' : `role ${escapeHtml(roles.join(', '))}`
        }</span></button></li>`,
    )
    .join('\n');
  return hostPage(
    'Who are you today?',
    `<p>In Azure, people sign in here with their Microsoft 365 account. On this machine you choose one of the demo people.</p>
<form method="post" action="${LOGIN}"><input type="hidden" name="post_login_redirect_uri" value="${escapeHtml(back)}">
<ul class="people">${buttons}</ul></form>`,
  );
}

function cookieOf(headers: Headers, name: string): string | undefined {
  const pairs = (headers.get('cookie') ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Stored, so that a restart does not sign everyone out. */
async function keptKey(stateDir: string): Promise<Buffer> {
  const file = join(stateDir, 'sign-in-key');
  await mkdir(stateDir, { recursive: true });
  try {
    await writeFile(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return Buffer.from(await readFile(file, 'utf8'), 'base64url');
}
