import { BlockList, isIP } from 'node:net';

/**
 * `local`: allows what only a developer's machine may do: http, loopback, private addresses, other ports.
 */
export interface EndpointRules {
  local: boolean;
}

// Special-purpose ranges of RFC 6890 and its successors, and Azure's two metadata services: a secret or a
// token must never be sent there, and a response from there must never reach a page.
const refused = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  refused.addSubnet(network, prefix, 'ipv4');
refused.addAddress('168.63.129.16', 'ipv4');

// Only global unicast is public. These ranges of it are tunnels (6to4, Teredo) and documentation.
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');
const refusedUnicast = new BlockList();
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  refusedUnicast.addSubnet(network, prefix, 'ipv6');

/** True for an IP address on the public internet. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !refused.check(address, 'ipv4');
  if (family === 6) return globalUnicast.check(address, 'ipv6') && !refusedUnicast.check(address, 'ipv6');
  return false;
}

const HOST_NAME = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/i;
// The last one is the short name of Google's metadata service, which resolves to a link-local address.
const PRIVATE_NAMES =
  /(?:^|\.)(?:localhost|local|internal|lan|home|corp|home\.arpa|intranet|localdomain|metadata\.goog)$/i;

/**
 * A sentence when connecting to a host is not allowed, otherwise undefined. DNS names are resolved and
 * checked again at connect time.
 */
export function hostProblem(host: string, { local }: EndpointRules): string | undefined {
  if (local) return host === '' ? 'Enter a host name.' : undefined;
  if (isIP(host.replace(/^\[|\]$/g, '')) !== 0) return 'Use the name of the server, not its IP address.';
  if (!HOST_NAME.test(host)) return 'Enter a full host name, for example imap.example.org.';
  if (PRIVATE_NAMES.test(host))
    return 'This name belongs to a private network; Postroom only reaches public servers.';
  return undefined;
}

/** A sentence when a provider's endpoint is not allowed, otherwise undefined. */
export function endpointProblem(address: string, rules: EndpointRules): string | undefined {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return 'Enter a full address, for example https://login.example.org/authorize.';
  }
  if (url.protocol !== 'https:' && !(rules.local && url.protocol === 'http:'))
    return 'The address must begin with https://.';
  if (url.username !== '' || url.password !== '')
    return 'The address must not contain a user name or a password.';
  if (url.hash !== '') return 'The address must not have a part after #.';
  return hostProblem(url.hostname, rules);
}
