/** A parsed and cleaned email: the values between the parser and the decision. */
import type { Invitation } from '../tickets/invitation.ts';
import type { Encryption } from '../tickets/ticket.ts';
import type { AuthenticationField } from './authentication-results.ts';

export interface Address {
  /** Display name, cleaned; absent if there was none. */
  name: string | undefined;
  /** `local@domain`; the domain in lower-case ASCII. */
  address: string;
}

export type FromSource = 'from' | 'reply-to' | 'sender' | 'return-path';

export interface ParsedAttachment {
  /** Position in the email, from 0. */
  index: number;
  /** Safe to show and to offer as a download name; absent if the email gave none. */
  filename: string | undefined;
  /** As declared, in lower case; never guessed from the name; `application/octet-stream` if unusable. */
  contentType: string;
  /** Without angle brackets. */
  contentId: string | undefined;
  inline: boolean;
  /** Decoded bytes. 0 for a part that was cut out: the cutter's `end` event has its size. */
  size: number;
  /** Absent if the part was cut out before parsing. */
  content: Uint8Array | undefined;
  /** Number of the cut part (`attachment-cutter.ts`) with the bytes. */
  cut: number | undefined;
}

/** Marks of automatic email: whether it may get an automatic reply, and whether it is a bounce. */
export interface AutomaticMarks {
  /** `Auto-Submitted`, lower case, without parameters. */
  autoSubmitted?: string;
  /** `Precedence`, lower case. */
  precedence?: string;
  /** `List-Id`, or the name of another `List-…` header if that one is missing. */
  listId?: string;
  /** `Return-Path: <>`: a bounce or another email that must not be answered. */
  returnPathEmpty: boolean;
  /** A delivery, read or feedback report. */
  isReport: boolean;
  /** `X-Auto-Response-Suppress`, or `X-Autoreply` and similar fields as `name: value`. */
  suppress?: string;
  /** A `List-Id` or `List-Post` field: a list that people write to, or its digest (RFC 2919, RFC 2369). */
  isListId?: true;
  /**
   * Declared as an out-of-office reply: `auto-replied (vacation)` (RFC
   * 5230 section 4.7), or Exchange's own marks.
   */
  isVacation?: true;
  /** `X-Failed-Recipients`. */
  failedRecipients?: true;
  /** Lower-case addresses of `X-Failed-Recipients`; absent if it names none. */
  failedAddresses?: readonly string[];
  /** Message-IDs of the emails that it has attached, as bounces without a report do. */
  returnedIds?: readonly string[];
  /** Sent by a Postroom installation. */
  isPostroom?: true;
  /** Absent if it is not a report. */
  report?: ReportFacts;
}

/** The content of a report's machine-readable parts. */
export interface ReportFacts {
  /** On a delivery (RFC 3464), an abuse complaint (RFC 5965), or the display to a person (RFC 8098). */
  kind: 'delivery' | 'feedback' | 'disposition';
  /** Everything that it reports on was delivered. */
  isSuccess: boolean;
  /** Message-IDs of the emails that it reports on, with angle brackets. */
  messageIds: readonly string[];
  /** Lower-case addresses that it reports on. */
  recipients: readonly string[];
  /** What became of the delivery to each recipient (RFC 3464 section 2.3); absent if it names none. */
  deliveries?: readonly DeliveryFact[];
}

/** The fields of one recipient in a delivery report, each as its server wrote it. */
export interface DeliveryFact {
  /** Lower case; absent if the server names none. */
  recipient?: string;
  /** Lower case, such as `failed` or `delayed`. */
  action?: string;
  /** As `5.1.1` (RFC 3463). */
  status?: string;
  /** The remote server's own words, without the name of their protocol; at most 500 characters. */
  diagnostic?: string;
}

/** The note on an email that the first library could not read. */
export const SECOND_PARSER = 'read by the second parser';

export interface ParsedMessage {
  /** The first valid address of From, Reply-To, Sender, Return-Path. */
  from: Address | undefined;
  fromSource: FromSource | undefined;
  /**
   * The sender's display name, even without a valid address (`Mail Delivery Subsystem <MAILER-DAEMON>`). If
   * there is no name and From has no address, the text of From (`"Fax 030 1234567"@fax.example`).
   */
  fromName: string | undefined;
  replyTo: Address[];
  to: Address[];
  cc: Address[];
  /** One line; empty if the email has none. */
  subject: string;
  /** With angle brackets. */
  messageId: string | undefined;
  inReplyTo: string[];
  /** In the order of the email, newest last; at most 50, each at most 995 characters. */
  references: string[];
  /** ISO time of the Date header; absent if missing or unreadable, never the current time. */
  date: string | undefined;
  /**
   * The email's content as plain text, with `\n` as line end; made from its HTML if its own text says less.
   */
  text: string;
  /** Unchanged except for decoding to a string, **not** sanitized. */
  html: string | undefined;
  attachments: ParsedAttachment[];
  /** How it is encrypted; absent if it is not. */
  encryption?: Encryption | undefined;
  /** The meeting in its calendar part. */
  invitation?: Invitation | undefined;
  automatic: AutomaticMarks;
  /** The `Authentication-Results` fields, newest first; `ownServerResults` decides which to trust. */
  authentication: readonly AuthenticationField[];
  /** Remarks for a person, such as "header cut at 64 KB". */
  notes: string[];
}

export type ParseOutcome =
  | { kind: 'mail'; mail: ParsedMessage }
  /** It lacks the header fields of an email; skipped with this reason. */
  | { kind: 'not-a-mail'; reason: string }
  /** Quarantined with this reason. */
  | { kind: 'unreadable'; reason: string }
  /** Takes longer than most; only if the caller would rather retry it later than wait. */
  | { kind: 'slow' };

export interface ParseLimits {
  /** MIME parts, without the email itself. */
  parts: number;
  /** Nesting depth of containers (multipart, inline message). */
  depth: number;
  /** Bytes of the email's own header block. */
  headerBlock: number;
  /** Bytes of one header field. */
  header: number;
  /** Lines that a library reads. It makes an object of each, which fill the heap long before the bytes do. */
  lines: number;
}

/** The defaults of docs/design.md, "Limits". */
export const defaultParseLimits: ParseLimits = {
  parts: 1_000,
  depth: 50,
  headerBlock: 1024 * 1024,
  header: 64 * 1024,
  lines: 500_000,
};
