const OWN = 'https://own.invalid';
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * An address that may stand in an `href`: https, mailto, http on this machine, or a path of our own. Anything else is
 * undefined: escaping keeps a text inside its attribute, but it does not stop `javascript:` there.
 */
export function safeHref(url: string): string | undefined {
  const parsed = parse(url);
  if (parsed === undefined) return undefined;
  if (parsed.origin === OWN)
    return url.startsWith('/') ? `${parsed.pathname}${parsed.search}${parsed.hash}` : undefined;
  if (parsed.protocol === 'https:' || parsed.protocol === 'mailto:') return parsed.href;
  return parsed.protocol === 'http:' && LOOPBACK.has(parsed.hostname) ? parsed.href : undefined;
}

/** As a browser would read it on one of our pages, so that `//host` and `/\host` show what they are. */
function parse(url: string): URL | undefined {
  return URL.canParse(url, OWN) ? new URL(url, OWN) : undefined;
}
