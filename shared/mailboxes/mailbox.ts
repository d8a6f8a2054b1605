/** An address that is fetched: where it is, who signs in, and what happens to fetched mail. */
export interface Mailbox {
  id: string;
  address: string;
  protocol: 'imap' | 'pop3';
  host: string;
  port: number;
  folder: string;
  providerId: string;
  accountId: string;
  enabled: boolean;
  /** Minutes between fetches; 1 to 1440. */
  intervalMinutes: number;
  /** What happens to a mail on the server once it is stored. */
  afterFetch: { kind: 'mark-seen' } | { kind: 'move'; folder: string } | { kind: 'delete' };
  createdAt: string;
  /** For "Test connection": mail is fetched over IMAP. Absent: not set up. */
  pop3?: MailLogin | undefined;
  /** How mail leaves for this address, over SMTP; absent: none does. */
  sending?: MailLogin | undefined;
}

/** A mail server and the account that signs in there. Of SMTP, 465 is TLS from the first byte, other ports STARTTLS. */
export interface MailLogin {
  host: string;
  port: number;
  providerId: string;
  accountId: string;
}

/** What the last fetches said; absent while the mailbox has not been fetched. */
export interface MailboxHealth {
  mailboxId: string;
  state: 'works' | 'retrying' | 'needs-person';
  /** ISO time since which the state holds. */
  since: string;
  /** A sentence for a person; absent when all is well. */
  problem: string | undefined;
  lastSuccessAt: string | undefined;
  lastMailAt: string | undefined;
  nextTryAt: string | undefined;
  /** Mails that the last fetch saw and left for the next one. */
  backlog: number | undefined;
}
