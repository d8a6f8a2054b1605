/**
 * True for names that only this machine answers to. A page elsewhere can make its own name resolve to
 * 127.0.0.1 and would then count as same-origin; its name reveals it.
 */
export function isLoopbackName(host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '127.0.0.1' ||
    hostname === '[::1]'
  );
}

/**
 * Programs send neither header and are allowed; a browser always states where a state-changing request
 * comes from.
 */
export function isSameOrigin(headers: Headers, origin: string): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin' || site === 'none';
  const given = headers.get('origin');
  return given === null || given === origin;
}
