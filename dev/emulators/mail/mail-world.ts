/** Who may open which mailbox. The owner is the user whose sign-in name is the address itself. */
export interface EmulatedMailbox {
  readonly address: string;
  /** Sign-in names that may open it beside its owner: a shared mailbox. */
  readonly delegates?: readonly string[];
  /** False: no app may open it with a token of its own. In Exchange Online that is so until somebody allows the app. */
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
  /** A missing port is chosen free. `lmtp` exists with kind `debian` only. */
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
  /** Puts one email into the inbox, byte for byte, no header added. */
  deliver(address: string, raw: Uint8Array, receivedAt?: Date): Promise<void>;
  /** The same for many; their UIDs follow the order given. */
  deliverMany(address: string, raws: readonly Uint8Array[]): Promise<void>;
  stop(): Promise<void>;
}

/** The standard folders of every demo mailbox beside INBOX, named as Exchange Online names them. */
export const standardFolders = ['Drafts', 'Sent Items', 'Deleted Items', 'Junk Email', 'Archive'] as const;

/**
 * What Exchange Online offers over IMAP, and no more: a server with CONDSTORE, ESEARCH or SPECIAL-USE
 * would let code pass here that fails there.
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
