import { createLimiter } from '../platform/concurrency.ts';

/** Mailboxes of a shard that are looked at at once. */
export const LOOKS_AT_ONCE = 100;
/**
 * At one server. Some servers refuse an address with more connections than they expect of an office
 * (20 in cPanel's Dovecot and in Courier's MAXPERIP); FreeScout's users were blocked for it (freescout #4227).
 */
const USUAL_AT_ONCE = 20;
/** These count connections by mailbox, not by address. */
const LARGE =
  /(?:^|\.)(?:office365\.com|office365\.us|office\.com|outlook\.cn|outlook\.com|gmail\.com|googlemail\.com|graph\.microsoft\.com|graph\.microsoft\.us|chinacloudapi\.cn)$/i;

/** How many connections one shard opens to a server at once. Pure. */
export const connectionsAt = (host: string): number => (LARGE.test(host) ? LOOKS_AT_ONCE : USUAL_AT_ONCE);

/** Runs looks at once, as many at each server as it takes. */
export function paceByHost(): <T>(host: string, look: () => Promise<T>) => Promise<T> {
  const limiters = new Map<string, ReturnType<typeof createLimiter>>();
  return (host, look) => {
    const key = host.toLowerCase();
    const limiter = limiters.get(key) ?? createLimiter(connectionsAt(key));
    limiters.set(key, limiter);
    return limiter(look);
  };
}
