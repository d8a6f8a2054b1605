import { registrableDomainsOf } from '../platform/registrable-domains.ts';
import { isPublicMailDomain } from './public-mail-domains.ts';

/**
 * Whether two addresses belong to the same organization: they share a registrable domain, such as
 * `contoso.co.uk` of `kim@sales.contoso.co.uk`, and it is not one where anyone can have an address. Pure.
 */
export function areColleagues(one: string, other: string): boolean {
  const hosts = [one, other].map((address) => address.slice(address.lastIndexOf('@') + 1).toLowerCase());
  const [domain, another] = registrableDomainsOf(hosts);
  return domain !== undefined && domain !== '' && another === undefined && !isPublicMailDomain(domain);
}
