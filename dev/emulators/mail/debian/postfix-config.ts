import { BOUNCING_DOMAIN, domainsOf, type EmulatedMailbox } from '../mail-world.ts';
import { fillConfig } from './fill-config.ts';

export interface PostfixPlan {
  readonly etc: string;
  readonly queue: string;
  readonly data: string;
  readonly log: string;
  /** Dovecot's socket for sign-ins. */
  readonly authSocket: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly ports: { readonly smtp: number; readonly drop: number; readonly lmtp: number };
  readonly mailboxes: readonly EmulatedMailbox[];
  /** See `MailServerOptions`. */
  readonly catchAll: string | undefined;
}

/** The files Postfix is started with, by path relative to `etc`. */
export function postfixFiles(plan: PostfixPlan): Map<string, string> {
  const { etc, queue, data, log, authSocket, certFile, keyFile, ports } = plan;
  const addresses = plan.mailboxes.map(({ address }) => address.toLowerCase());
  const domains = domainsOf(addresses);
  return new Map([
    [
      'main.cf',
      fillConfig('main.cf', {
        ...{ etc, queue, data, log, authSocket, certFile, keyFile, lmtpPort: ports.lmtp },
        domains: [...domains].join(' '),
        aliases: plan.catchAll === undefined ? '' : `regexp:${etc}/catch-all`,
      }),
    ],
    ['master.cf', fillConfig('master.cf', { smtpPort: ports.smtp, dropPort: ports.drop })],
    // Every address of another domain is an alias of this mailbox.
    ['catch-all', catchAllTable([...domains, BOUNCING_DOMAIN], plan.catchAll ?? '')],
    // A table for `texthash`: who may send from an address, and which addresses exist.
    ['mailboxes', addresses.map((address) => `${address} ${address}\n`).join('')],
  ]);
}

/** A table for `regexp`; nothing matches within the domains. */
const catchAllTable = (domains: readonly string[], catchAll: string): string =>
  [
    ...domains.map((domain) => `if !/@${domain.replaceAll('.', '\\.')}$/`),
    `/^[^@]+@[^@]+$/ ${catchAll}`,
    ...domains.map(() => 'endif'),
    '',
  ].join('\n');
