import { randomUUID } from 'node:crypto';
import { readBounce } from '../bounces/read-bounce.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { failsAuthentication, ownServerResults } from '../mime/authentication-results.ts';
import { previewOf } from '../mime/normalise-message.ts';
import type { ParsedAttachment, ParsedMessage } from '../mime/parsed-message.ts';
import type { ParserPool } from '../mime/parser-pool.ts';
import type { Blobs } from '../platform/blobs.ts';
import { mapLimited } from '../platform/concurrency.ts';
import type { SenderRule } from '../senders/sender-rule.ts';
import type { BounceReport } from '../tickets/bounce.ts';
import { shapeOfHtml } from '../tickets/mail-document.ts';
import { ATTACHMENT_ROWS, type Body, type NewMessage } from '../tickets/message-records.ts';
import type { TicketAttachment } from '../tickets/ticket.ts';
import { INLINE_CHARACTERS } from '../tickets/ticket-columns.ts';
import { answersOf } from './answers-of.ts';
import { classify } from './classify.ts';
import { type CutMail, cutOut } from './cut-attachments.ts';
import { type NamedEmails, namedEmails, type SentEmailOf } from './sent-emails.ts';
import { headerBlock, type StoredMail } from './store-raw.ts';
import { quietBounce, type Treatment, treatmentOf } from './treatment.ts';

export type ReadOutcome =
  /** `treatment`: the result of the current settings; absent if the settings are unknown. */
  | {
      kind: 'message';
      message: NewMessage;
      mail: MessageFacts;
      treatment?: Treatment | undefined;
      /** IDs of the tickets whose emails it answers or reports on, nearest first; proven by their Message-IDs. */
      provenTickets?: readonly string[];
    }
  | {
      kind: 'quarantine';
      reason: string;
      from: string | undefined;
      subject: string | undefined;
      messageId?: string | undefined;
    }
  | { kind: 'skip'; reason: string };

/** The facts a decision needs. Bodies and attachments are in storage by then and no longer in memory. */
export type MessageFacts = Omit<ParsedMessage, 'text' | 'html' | 'attachments'>;

export interface ReadDeps {
  blobs: Blobs;
  parser: ParserPool;
  /** The admins' rules for senders; absent: none. */
  senderRules?: (() => Promise<readonly SenderRule[]>) | undefined;
  /** Absent: Postroom has sent none. */
  sentEmailOf?: SentEmailOf | undefined;
}

/** The mailbox fields that reading needs. */
export type ReadFor = Pick<Mailbox, 'id' | 'host' | 'address' | 'classes'>;

const UPLOADS = 4;
/**
 * Step 3: cuts out and stores the attachments and reads the rest in the worker. Afterwards everything is in
 * storage.
 * @param patienceMs returns `slow` if reading takes longer; absent: reads to the end, whatever the result
 */
export function readMail(deps: ReadDeps, mailbox: ReadFor, stored: StoredMail): Promise<ReadOutcome>;
export function readMail(
  deps: ReadDeps,
  mailbox: ReadFor,
  stored: StoredMail,
  patienceMs: number | undefined,
): Promise<ReadOutcome | { kind: 'slow' }>;
export async function readMail(
  deps: ReadDeps,
  mailbox: ReadFor,
  stored: StoredMail,
  patienceMs?: number,
): Promise<ReadOutcome | { kind: 'slow' }> {
  const mailboxId = mailbox.id;
  if (stored.oversized && stored.raw !== undefined)
    return quarantined(deps, stored.raw, 'larger than 100 MB; it is still on the mail server, unread');
  const nonce = randomUUID();
  const cut = await cutOut(deps.blobs, `att/${mailboxId}/${stored.key}`, nonce, stored);
  if (cut === 'too-large')
    return quarantined(deps, stored.raw, 'too large to read: its text alone is larger than 24 MB');
  const outcome = await deps.parser.parse(cut.rest, nonce, {
    owner: mailboxId,
    ...(patienceMs !== undefined && { patienceMs }),
  });
  switch (outcome.kind) {
    case 'mail':
      return messageOutcome(deps, mailbox, stored, outcome.mail, cut);
    case 'not-a-mail':
      return { kind: 'skip', reason: 'not an email' };
    case 'slow':
      return outcome;
    case 'unreadable':
      return quarantined(deps, stored.raw, outcome.reason);
  }
}

async function messageOutcome(
  deps: ReadDeps,
  mailbox: ReadFor,
  stored: StoredMail,
  mail: ParsedMessage,
  cut: CutMail,
): Promise<ReadOutcome> {
  const declared = classify(mail, mailbox.address);
  const named = await namedEmails(deps.sentEmailOf, mail, declared === 'bounce');
  const messageClass = named.itself === undefined ? declared : 'own';
  const bounce = messageClass === 'bounce' ? bounceReportOf(mail, named) : undefined;
  const rules = (await deps.senderRules?.()) ?? [];
  const { text: _text, html: _html, attachments: _attachments, ...facts } = mail;
  return {
    kind: 'message',
    mail: facts,
    message: { ...(await storedMessage(deps, mailbox, stored, mail, cut)), messageClass, bounce },
    treatment: quietBounce(
      treatmentOf({ sender: mail.from?.address, messageClass }, mailbox.classes, rules),
      bounce,
    ),
    provenTickets: [...new Set([...named.answered.values()].map(({ ticketId }) => ticketId))],
  };
}

function bounceReportOf(mail: ParsedMessage, { answered }: NamedEmails): BounceReport {
  const [id] = answered.values();
  return { emailId: id?.id, bounces: readBounce(mail, (messageId) => answered.has(messageId)) };
}

/** Sender and subject for the quarantine page, from the headers alone. */
async function quarantined(
  deps: ReadDeps,
  raw: Uint8Array | undefined,
  reason: string,
): Promise<ReadOutcome> {
  const headers = raw === undefined ? undefined : await deps.parser.parse(headerBlock(raw));
  const mail = headers?.kind === 'mail' ? headers.mail : undefined;
  return {
    kind: 'quarantine',
    reason,
    from: mail?.from?.address ?? mail?.fromName,
    subject: mail?.subject,
    messageId: mail?.messageId,
  };
}

async function storedMessage(
  { blobs }: ReadDeps,
  { id: mailboxId, host }: Pick<Mailbox, 'id' | 'host'>,
  stored: StoredMail,
  mail: ParsedMessage,
  cut: CutMail,
): Promise<NewMessage> {
  const attachments = await mapLimited(mail.attachments, UPLOADS, (each) =>
    storedAttachment(blobs, `att/${mailboxId}/${stored.key}`, each, cut),
  );
  const body = `body/${mailboxId}/${stored.key}`;
  const manifestBlob = attachments.length > ATTACHMENT_ROWS ? `${body}/attachments` : undefined;
  if (manifestBlob !== undefined) await blobs.putOnce(manifestBlob, Buffer.from(JSON.stringify(attachments)));
  const [text, html] = await Promise.all([
    storedBody(blobs, `${body}/text`, mail.text),
    mail.html === undefined ? undefined : storedBody(blobs, `${body}/html`, mail.html),
  ]);
  return {
    key: stored.key,
    at: stored.receivedAt,
    sentAt: mail.date,
    from: { name: mail.from?.name ?? mail.fromName, address: mail.from?.address },
    to: mail.to,
    cc: mail.cc,
    replyTo: mail.replyTo.length === 0 ? undefined : mail.replyTo,
    subject: mail.subject,
    messageId: mail.messageId,
    answers: answersOf(mail),
    notes: [...mail.notes, ...stored.notes],
    rawBlob: stored.rawBlob,
    attachments,
    text,
    html,
    htmlShape: html?.kind === 'blob' ? shapeOfHtml(mail.html ?? '') : undefined,
    preview: previewOf(mail),
    manifestBlob,
    authentication: authenticationOf(mail, host),
    encryption: mail.encryption,
    invitation: mail.invitation,
  };
}

/** The verdict of the mailbox's own server about the sender; undefined if there is none. */
function authenticationOf(mail: ParsedMessage, imapHost: string): NewMessage['authentication'] {
  const results = ownServerResults(mail.authentication, imapHost);
  if (results === undefined) return undefined;
  const { spf, dkim, dmarc } = results;
  return { spf, dkim, dmarc, fails: failsAuthentication(results, mail.from?.address) };
}

async function storedAttachment(
  blobs: Blobs,
  prefix: string,
  attachment: ParsedAttachment,
  cut: CutMail,
): Promise<TicketAttachment> {
  const { index, filename, contentType, contentId, inline } = attachment;
  const part = attachment.cut === undefined ? undefined : cut.parts.get(attachment.cut);
  if (part !== undefined) return { index, filename, contentType, contentId, inline, ...part };
  const blob = `${prefix}/${index}`;
  const content = attachment.content ?? new Uint8Array();
  await blobs.putOnce(blob, content);
  return { index, filename, contentType, contentId, inline, blob, size: content.byteLength };
}

async function storedBody(blobs: Blobs, blob: string, text: string): Promise<Body> {
  if (text.length <= INLINE_CHARACTERS) return { kind: 'inline', text };
  await blobs.putOnce(blob, Buffer.from(text));
  return { kind: 'blob', blob };
}
