import { getDomain } from 'tldts';

/**
 * The registrable domains of some host names, each once, in the order of the names: `login.example.co.uk` gives
 * `example.co.uk`. Two names of one registrable domain have one owner. Names under a private suffix of the public suffix
 * list (`a.github.io`, `b.github.io`) have different owners. A name without a public suffix stands for itself.
 * https://publicsuffix.org/list/ Pure.
 */
export const registrableDomainsOf = (hosts: readonly string[]): string[] => [
  ...new Set(hosts.map((host) => getDomain(host, { allowPrivateDomains: true }) ?? host.toLowerCase())),
];
