/** A browser's cookies by name. A jar is only used for one origin. */
export type CookieJar = Map<string, string>;

/** The value of the header `cookie`; undefined for an empty jar. */
export function cookieHeader(jar: CookieJar): string | undefined {
  return jar.size === 0 ? undefined : [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
}

/**
 * Stores the cookies of a response and removes those that it expires (RFC 6265 section 5.3; attributes do
 * not matter here).
 */
export function keepCookies(jar: CookieJar, response: Response): void {
  for (const line of response.headers.getSetCookie()) {
    const [pair = ''] = line.split(';');
    const at = pair.indexOf('=');
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
    if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
    else jar.set(name, value);
  }
}
