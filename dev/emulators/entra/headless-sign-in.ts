import { type CookieJar, cookieHeader, keepCookies } from '../../cookie-jar.ts';

/** The input for a page: fields of its form, or undefined to stop there. */
export type PageAnswer = (page: { title: string; html: string }) => Record<string, string> | undefined;

export interface SignInEnd {
  /** The URL of the final redirect, if it was reached. */
  callback: URL | undefined;
  /** Titles of the pages shown. */
  titles: string[];
  /** The page on which it stopped. */
  html: string | undefined;
  status: number | undefined;
}

const STEPS = 20;

/** Signs in as `upn` (first account page) and accepts everything. */
export const signInAs =
  (upn: string, password?: string): PageAnswer =>
  ({ title, html }) => {
    if (title.startsWith('Pick an account')) return { username: upn };
    if (title.startsWith('Sign in'))
      return html.includes('role="alert"')
        ? undefined
        : { username: upn, ...(password !== undefined && { password }) };
    if (title.startsWith('Permissions requested') || title.startsWith('Accept for'))
      return { action: 'accept' };
    return undefined;
  };

/** Follows an authorization request to the redirect URI without a browser: redirects, cookies, forms. */
export async function walkSignIn(options: {
  url: string;
  redirectUri: string;
  answer: PageAnswer;
  /** Can be passed from one sign-in to the next. */
  jar?: CookieJar;
}): Promise<SignInEnd> {
  const jar = options.jar ?? new Map<string, string>();
  const titles: string[] = [];
  let url = options.url;
  let body: string | undefined;
  for (let step = 0; step < STEPS; step++) {
    if (url.startsWith(options.redirectUri))
      return { callback: new URL(url), titles, html: undefined, status: undefined };
    const response = await request(url, body, jar);
    const html = await response.text();
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null) {
      url = new URL(location, url).href;
      body = undefined;
      continue;
    }
    const title = /<title>(.*?)<\/title>/.exec(html)?.[1] ?? '';
    titles.push(title);
    const fields = options.answer({ title, html });
    if (fields === undefined) return { callback: undefined, titles, html, status: response.status };
    url = new URL(unescapeHtml(/<form[^>]*action="([^"]+)"/.exec(html)?.[1] ?? url), url).href;
    body = new URLSearchParams(fields).toString();
  }
  throw new Error(`The sign-in did not end after ${STEPS} steps: ${titles.join(', ')}`);
}

const unescapeHtml = (text: string): string =>
  text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));

async function request(url: string, body: string | undefined, jar: CookieJar): Promise<Response> {
  const cookie = cookieHeader(jar);
  const response = await fetch(url, {
    redirect: 'manual',
    headers: {
      accept: 'text/html',
      ...(cookie !== undefined && { cookie }),
      ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    ...(body !== undefined && { method: 'POST', body }),
  });
  keepCookies(jar, response);
  return response;
}
