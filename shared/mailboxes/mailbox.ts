import { createHash } from 'node:crypto';
import type { ClassSettings } from '../message-class/message-class.ts';
import type { Code } from '../platform/problem.ts';
import type { AnswerSettings } from './answer-settings.ts';
import type { FirstFetch } from './first-fetch.ts';
import type { FetchProtocol } from './open-inbox.ts';

/** An address to fetch: its server, its account, and what happens to fetched email. */
export interface Mailbox {
  id: string;
  address: string;
  protocol: FetchProtocol;
  host: string;
  port: number;
  folder: string;
  providerId: string;
  accountId: string;
  enabled: boolean;
  /** Minutes between fetches; 1 to 1440. */
  intervalMinutes: number;
  /** What happens to an email on the server after it is stored; see after-fetch.ts for what a protocol allows. */
  afterFetch:
    | { kind: 'mark-seen' }
    | { kind: 'move'; folder: string }
    | { kind: 'delete' }
    /** Marked as read, and deleted this many days after the server received it, if it is part of a ticket. */
    | { kind: 'delete-later'; days: number }
    /** Nothing changes: only the cursor and the ledger know what was fetched. */
    | { kind: 'leave' };
  /** The first day from which all email is fetched, `YYYY-MM-DD`; absent: only unread email, of any age. */
  fetchSince?: string | undefined;
  createdAt: string;
  /** Deviations from `defaultHandling` for automated email. */
  classes?: ClassSettings | undefined;
  /**
   * If true, email from the requester's domain joins the ticket that it replies to. Absent: only participants'
   * email does.
   */
  colleaguesJoin?: boolean | undefined;
  /** How email from this address is sent; absent: it sends none. */
  sending?: Sending | undefined;
  /** Absent: it acknowledges nothing, and its replies have neither signature nor tag. */
  answers?: AnswerSettings | undefined;
}

export const sendingProtocols = ['smtp', 'graph-send'] as const;
export type SendingProtocol = (typeof sendingProtocols)[number];

/** By an account of the mailbox's provider, or over the installation's SMTP relay, which needs no account. */
export type Sending = SendingLogin | { protocol: 'relay' };
/** Every way to send; the relay has neither a server nor an account of its own. */
export type SendingWay = SendingProtocol | 'relay';

/** The server and the account that send. */
export interface SendingLogin extends MailLogin {
  /** Absent: SMTP. */
  protocol?: SendingProtocol | undefined;
}

export const sendingProtocolOf = ({ protocol }: Pick<SendingLogin, 'protocol'>): SendingProtocol =>
  protocol ?? 'smtp';

/** The account that sends; undefined if the mailbox sends over the relay, or not at all. */
export const sendingLoginOf = ({ sending }: Pick<Mailbox, 'sending'>): SendingLogin | undefined =>
  sending?.protocol === 'relay' ? undefined : sending;

/**
 * A server and the account that signs in to it. For SMTP, port 465 uses implicit TLS, other ports
 * STARTTLS.
 */
export interface MailLogin {
  host: string;
  port: number;
  providerId: string;
  accountId: string;
}

/** Why the last fetches of a mailbox failed. */
export interface FetchFailure {
  state: 'retrying' | 'action-required';
  code: Code;
  problem: string;
  /** The mail server's message, if the server is what fails. */
  said?: string | undefined;
  since: string;
  failures: number;
  /** ISO time of the last failed fetch. */
  triedAt: string;
  nextTryAt: string;
}

/** The health after the last fetches; absent before the first fetch. */
export interface MailboxHealth {
  mailboxId: string;
  state: 'ok' | 'retrying' | 'action-required';
  /** ISO time of the last state change. */
  since: string;
  /** A sentence for a person; absent when all is well. */
  problem: string | undefined;
  /** Code of the problem. */
  code?: Code | undefined;
  lastSuccessAt: string | undefined;
  lastMailAt: string | undefined;
  nextTryAt: string | undefined;
  /** Number of emails that the last fetch left for the next one. */
  backlog: number | undefined;
  /** Progress of the first fetch. Absent: it is complete. */
  first?: FirstFetch | undefined;
  /** ISO time until which its mail server announces new email. Absent: it does not. */
  announcedUntil?: string | undefined;
}

/** Only INBOX is case-insensitive (RFC 3501 section 5.1). */
const folderName = (folder: string): string => (folder.toUpperCase() === 'INBOX' ? 'INBOX' : folder);

/** True when both names refer to the same folder. */
export const isSameFolder = (one: string, other: string): boolean => folderName(one) === folderName(other);

/** 16 hex digits that identify one folder of one address on one server. Refs are only meaningful within it. */
export function folderKeyOf({
  address,
  host,
  port,
  folder,
}: Pick<Mailbox, 'address' | 'host' | 'port' | 'folder'>): string {
  const parts = [address.toLowerCase(), host.toLowerCase(), port, folderName(folder)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** Another mailbox that fetches the same folder of the same address, under any name of its server. */
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
