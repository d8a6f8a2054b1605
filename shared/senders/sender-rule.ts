import { domainToASCII } from 'node:url';
import { registrableDomainsOf } from '../platform/registrable-domains.ts';

/** An admin's rule for email from an address, or from a domain and its subdomains. */
export interface SenderRule {
  /** `local@domain` or a domain; lower case, the domain in ASCII. */
  sender: string;
  kind: 'blocked' | 'allowed';
  /** ISO time. */
  addedAt: string;
  /** Name of the person who added it. */
  addedBy: string;
}

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const LOCAL = /^[^\s\p{Cc}()<>[\]:;@\\,"]{1,64}$/u;

/**
 * Parses a sender as typed: `kim@example.org`, `example.org` or `@example.org`. Pure.
 * @returns undefined for anything else
 */
export function parseSender(typed: string): string | undefined {
  const text = typed.trim();
  const at = text.lastIndexOf('@');
  // Other characters of a URL's host would be cut off or decoded.
  if (!/^[\p{L}\p{N}.-]+$/u.test(text.slice(at + 1))) return undefined;
  const [local, domain] = [text.slice(0, Math.max(0, at)), domainToASCII(text.slice(at + 1)).toLowerCase()];
  const labels = domain.split('.');
  if (domain.length > 253 || labels.length < 2 || !labels.every((label) => LABEL.test(label)))
    return undefined;
  if (/^\d+$/.test(labels.at(-1) ?? '')) return undefined;
  if (at <= 0) return domain;
  return LOCAL.test(local) ? `${local.toLowerCase()}@${domain}` : undefined;
}

/** Why a rule for this sender is not allowed, in a sentence; undefined if it is. Pure. */
export function senderProblem(sender: string | undefined): string | undefined {
  if (sender === undefined)
    return 'Enter an email address such as kim@example.org, or a domain such as example.org.';
  const isSuffix = !sender.includes('@') && registrableDomainsOf([`a.${sender}`])[0] === `a.${sender}`;
  if (isSuffix)
    return `${sender} is shared by many organizations. Enter the domain of one of them, for example example.${sender}.`;
  return undefined;
}

/** The rule that applies to a sender. An allow rule takes precedence over a block rule. Pure. */
export function ruleFor(rules: readonly SenderRule[], address: string | undefined): SenderRule | undefined {
  if (address === undefined) return undefined;
  const sender = address.toLowerCase();
  const domain = sender.slice(sender.lastIndexOf('@') + 1);
  const matching = rules.filter(
    (rule) => rule.sender === sender || rule.sender === domain || domain.endsWith(`.${rule.sender}`),
  );
  return matching.find(({ kind }) => kind === 'allowed') ?? matching[0];
}
