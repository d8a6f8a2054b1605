import { createHash } from 'node:crypto';
import type { ClassSettings } from '../message-class/message-class.ts';
import type { FirstFetch } from './first-fetch.ts';

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
  /** What happens to an email on the server once it is stored. */
  afterFetch:
    | { kind: 'mark-seen' }
    | { kind: 'move'; folder: string }
    | { kind: 'delete' }
    /** Marked as read, and deleted so many days after it came, if it is stored. */
    | { kind: 'delete-later'; days: number }
    /** Nothing: the cursor alone knows what was fetched. */
    | { kind: 'leave' };
  /** The first day of which all email is fetched, `YYYY-MM-DD`; absent: unread email alone, however old. */
  fetchSince?: string | undefined;
  createdAt: string;
  /** What becomes of email that no person wrote, where it differs from `defaultHandling`. */
  classes?: ClassSettings | undefined;
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

/** Why the last fetches of a mailbox failed. */
export interface FetchFailure {
  state: 'retrying' | 'action-required';
  code: string;
  problem: string;
  /** The mail server's own words, where it is the one that fails. */
  said?: string | undefined;
  since: string;
  failures: number;
  /** ISO time of the fetch that failed last. */
  triedAt: string;
  nextTryAt: string;
}

/** What the last fetches said; absent while the mailbox has not been fetched. */
export interface MailboxHealth {
  mailboxId: string;
  state: 'ok' | 'retrying' | 'action-required';
  /** ISO time since which the state holds. */
  since: string;
  /** A sentence for a person; absent when all is well. */
  problem: string | undefined;
  /** Code of the problem. */
  code?: string | undefined;
  lastSuccessAt: string | undefined;
  lastMailAt: string | undefined;
  nextTryAt: string | undefined;
  /** Mails that the last fetch saw and left for the next one. */
  backlog: number | undefined;
  /** Absent: it is over. */
  first?: FirstFetch | undefined;
}

/** INBOX alone is the same folder in whatever case (RFC 3501 section 5.1). */
const folderName = (folder: string): string => (folder.toUpperCase() === 'INBOX' ? 'INBOX' : folder);

/** Whether two names mean one folder of a mailbox. */
export const isSameFolder = (one: string, other: string): boolean => folderName(one) === folderName(other);

/** 16 hex digits that stand for one folder of one address on one server. UIDs mean nothing outside of it. */
export function folderKeyOf({
  address,
  host,
  port,
  folder,
}: Pick<Mailbox, 'address' | 'host' | 'port' | 'folder'>): string {
  const parts = [address.toLowerCase(), host.toLowerCase(), port, folderName(folder)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** Another mailbox that fetches the same folder of the same address, under whatever name of its server. */
export function twinOf(
  mailbox: Pick<Mailbox, 'id' | 'address' | 'folder'>,
  all: readonly Mailbox[],
): Mailbox | undefined {
  return all.find(
    (other) =>
      other.id !== mailbox.id &&
      other.address.toLowerCase() === mailbox.address.toLowerCase() &&
      isSameFolder(other.folder, mailbox.folder),
  );
}
