const OWN = 'https://own.invalid';
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * An address that is safe in an `href`: https, mailto, http on this machine, or one of our own paths. Anything else is
 * undefined: escaping keeps a text inside its attribute, but it does not stop `javascript:` there.
 */
export function safeHref(url: string): string | undefined {
  if (!URL.canParse(url)) return ownPath(url);
  const { protocol, hostname, href } = new URL(url);
  if (protocol === 'https:' || protocol === 'mailto:') return href;
  return protocol === 'http:' && LOOPBACK.has(hostname) ? href : undefined;
}

/** Read as a browser would on one of our pages: there `//host` and `/\host` are other people's. */
function ownPath(url: string): string | undefined {
  if (!url.startsWith('/') || !URL.canParse(url, OWN)) return undefined;
  const { origin, pathname, search, hash } = new URL(url, OWN);
  return origin === OWN ? `${pathname}${search}${hash}` : undefined;
}
