import type { MailboxFiles } from './mailbox-files.ts';

/** Access to a mailbox. The owner is the user whose username is the address itself. */
export interface EmulatedMailbox {
  readonly address: string;
  /** Usernames that may open it besides its owner: a shared mailbox. */
  readonly delegates?: readonly string[];
  /**
   * False: no app may open it with its own token. In Exchange Online this is so until an admin allows the
   * app.
   */
  readonly openToApps?: boolean;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export type MailServerKind = 'debian' | 'npm';

export interface MailServerOptions {
  readonly kind: MailServerKind;
  /** Mail, UIDVALIDITY and UIDs live here and survive restarts. */
  readonly stateDir: string;
  /** PEM texts. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  /** The access token's `iss`, `https://sts.windows.net/<tid>/`. */
  readonly issuer: string;
  /** The RSA key that signs access tokens; the PEM is SPKI. */
  readonly signingKey: { readonly kid: string; readonly publicPem: string };
  readonly mailboxes: readonly EmulatedMailbox[];
  /**
   * The catch-all mailbox, one of `mailboxes`: it receives the email to all addresses outside of their domains, as if
   * all customers read their mail there. Absent: such email bounces.
   */
  readonly catchAll?: string | undefined;
  /** A missing port is chosen automatically. `lmtp` exists with kind `debian` only. */
  readonly ports?: {
    readonly imap?: number;
    readonly pop3?: number;
    readonly smtp?: number;
    readonly drop?: number;
    readonly lmtp?: number;
  };
}

export interface MailServer {
  readonly kind: MailServerKind;
  /** Implicit TLS. */
  readonly imap: Endpoint;
  /** Implicit TLS. */
  readonly pop3: Endpoint;
  /** Submission: STARTTLS, then XOAUTH2 and nothing else. */
  readonly smtp: Endpoint;
  /** SMTP without sign-in for any mail program on this machine; takes mail for the demo mailboxes only. */
  readonly drop: Endpoint;
  /** Adds one email to the inbox, byte for byte, without additional headers. */
  deliver(address: string, raw: Uint8Array, receivedAt?: Date): Promise<void>;
  /** The same for several emails; their UIDs follow the given order. */
  deliverMany(address: string, raws: readonly Uint8Array[]): Promise<void>;
  /** Address of the mailbox that gets the email to this address; undefined: it bounces. */
  destinationOf(address: string): string | undefined;
  /** The mailbox of this address itself; undefined: there is none. */
  mailbox(address: string): MailboxFiles | undefined;
  stop(): Promise<void>;
}

/** Email to this domain bounces in every case, so that a bounce can be tried. */
export const BOUNCING_DOMAIN = 'nowhere.example';

/** The domains of the mailboxes, in lower case. */
export const domainsOf = (mailboxes: Iterable<string>): Set<string> =>
  new Set([...mailboxes].map((address) => address.slice(address.lastIndexOf('@') + 1).toLowerCase()));

/** `support+orders@contoso.example` belongs to `support@contoso.example`. Lower case. */
export const withoutTag = (address: string): string => address.toLowerCase().replace(/\+[^@]*(?=@)/, '');

/** See `MailServer`. @param mailboxes in lower case */
export function destinationOf(
  address: string,
  { mailboxes, catchAll }: { mailboxes: ReadonlySet<string>; catchAll?: string | undefined },
): string | undefined {
  const mailbox = withoutTag(address);
  if (mailboxes.has(mailbox)) return mailbox;
  const [domain = ''] = domainsOf([mailbox]);
  return domainsOf(mailboxes).has(domain) || domain === BOUNCING_DOMAIN ? undefined : catchAll?.toLowerCase();
}

/** The standard folders of every demo mailbox besides INBOX, named as in Exchange Online. */
export const standardFolders = ['Drafts', 'Sent Items', 'Deleted Items', 'Junk Email', 'Archive'] as const;

/**
 * The IMAP capabilities of Exchange Online and no others: with CONDSTORE, ESEARCH or SPECIAL-USE, code
 * would work here that fails there.
 */
export const exchangeCapabilities = [
  'IMAP4',
  'IMAP4rev1',
  'SASL-IR',
  'UIDPLUS',
  'MOVE',
  'ID',
  'UNSELECT',
  'CHILDREN',
  'IDLE',
  'NAMESPACE',
  'LITERAL+',
] as const;
