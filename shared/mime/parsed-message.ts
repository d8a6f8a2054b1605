/** What an email says, once read and cleaned: the values between the parser and the decision. */
import type { Invitation } from '../tickets/invitation.ts';
import type { Encryption } from '../tickets/ticket.ts';
import type { AuthenticationField } from './authentication-results.ts';

export interface Address {
  /** Display name, cleaned; absent when there was none. */
  name: string | undefined;
  /** `local@domain`; the domain in lower-case ASCII. */
  address: string;
}

export type FromSource = 'from' | 'reply-to' | 'sender' | 'return-path';

export interface ParsedAttachment {
  /** Place in the mail, from 0. */
  index: number;
  /** Safe to show and to offer as a download's name; absent when the mail gave none. */
  filename: string | undefined;
  /** As declared, lower case; never guessed from the name; `application/octet-stream` when unusable. */
  contentType: string;
  /** Without angle brackets. */
  contentId: string | undefined;
  inline: boolean;
  /** Decoded bytes. 0 for a part that was cut out: the cutter's `end` event knows its size. */
  size: number;
  /** Absent when the part was cut out before parsing. */
  content: Uint8Array | undefined;
  /** Number of the cut part (`attachment-cutter.ts`) that holds the bytes. */
  cut: number | undefined;
}

/** What decides whether an automatic answer may go out, and what a bounce is. */
export interface AutomaticMarks {
  /** `Auto-Submitted`, lower case, without parameters. */
  autoSubmitted?: string;
  /** `Precedence`, lower case. */
  precedence?: string;
  /** `List-Id`, or the name of another `List-…` header when that one is missing. */
  listId?: string;
  /** `Return-Path: <>`: a bounce or another mail that must not be answered. */
  returnPathEmpty: boolean;
  /** A delivery, read or feedback report. */
  isReport: boolean;
  /** `X-Auto-Response-Suppress`, or `X-Autoreply` and its kin as `name: value`. */
  suppress?: string;
  /** A `List-Id` or `List-Post` field: a list that people write to, or its digest (RFC 2919, RFC 2369). */
  isListId?: true;
  /** Declares itself an absence note: `auto-replied (vacation)` (RFC 5230 section 4.7), or Exchange's own marks. */
  isVacation?: true;
  /** `X-Failed-Recipients`. */
  failedRecipients?: true;
  /** A Postroom sent it. */
  isPostroom?: true;
  /** Absent where it is no report. */
  report?: ReportFacts;
}

/** What a report says in its machine-readable parts. */
export interface ReportFacts {
  /** On delivery (RFC 3464), on an abuse (RFC 5965), or on the display to a person (RFC 8098). */
  kind: 'delivery' | 'feedback' | 'disposition';
  /** All that it reports was delivered. */
  isSuccess: boolean;
  /** Message-IDs of the emails that it is about, with angle brackets. */
  messageIds: readonly string[];
  /** Lower-case addresses that it is about. */
  recipients: readonly string[];
}

/** The note of an email that the first library did not read. */
export const SECOND_PARSER = 'read by the second parser';

export interface ParsedMessage {
  /** The first valid address of From, Reply-To, Sender, Return-Path. */
  from: Address | undefined;
  fromSource: FromSource | undefined;
  /**
   * The sender's display name; also when no valid address stood beside it (`Mail Delivery Subsystem <MAILER-DAEMON>`).
   * Without a name, and where From holds no address, the text that stands there (`"Fax 030 1234567"@fax.example`).
   */
  fromName: string | undefined;
  replyTo: Address[];
  to: Address[];
  cc: Address[];
  /** One line; empty when the mail has none. */
  subject: string;
  /** With angle brackets. */
  messageId: string | undefined;
  inReplyTo: string[];
  /** In the order of the mail, the newest last; at most 50, each at most 995 characters. */
  references: string[];
  /** ISO time of the Date header; absent when it is missing or unreadable, never the current time. */
  date: string | undefined;
  /** What the mail says as plain text, `\n` as line end; made from its HTML where its own text says less. */
  text: string;
  /** As it came, decoded to a string, **not** sanitised. */
  html: string | undefined;
  attachments: ParsedAttachment[];
  /** How it is encrypted; absent when it is not. */
  encryption?: Encryption | undefined;
  /** The meeting in its calendar part. */
  invitation?: Invitation | undefined;
  automatic: AutomaticMarks;
  /** The `Authentication-Results` fields, the newest first; whose word counts is for `ownServerResults` to say. */
  authentication: readonly AuthenticationField[];
  /** Remarks for a person, such as "header cut at 64 KB". */
  notes: string[];
}

export type ParseOutcome =
  | { kind: 'mail'; mail: ParsedMessage }
  /** Nothing that an email must have; skipped with this reason. */
  | { kind: 'not-a-mail'; reason: string }
  /** Goes to quarantine with this reason. */
  | { kind: 'unreadable'; reason: string }
  /** Takes longer than most: only where the caller would rather come back to it than wait. */
  | { kind: 'slow' };

export interface ParseLimits {
  /** MIME parts, without the mail itself. */
  parts: number;
  /** Containers (multipart, inline message) inside one another. */
  depth: number;
  /** Bytes of the mail's own header block. */
  headerBlock: number;
  /** Bytes of one header field. */
  header: number;
  /** Lines of what a library reads: it makes objects of each, which fill the heap long before the bytes do. */
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
