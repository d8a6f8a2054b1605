import { PostroomError } from '../platform/errors.ts';
import { invertedTime } from '../platform/inverted-time.ts';
import type { Row, Value } from '../platform/tables.ts';
import { type HtmlShape, shapeOfHtml } from './mail-document.ts';
import type {
  Person,
  SenderAuthentication,
  Ticket,
  TicketAttachment,
  TicketMessage,
  TicketStatus,
  TicketSummary,
} from './ticket.ts';

// Tickets: one partition a ticket, so that an email and all that belongs to it is one transaction.
//   ticketId / `head`                       the ticket
//   ticketId / `m|<inverted ms>|<K2>`          a message, the newest first; the time is the mail server's
//   ticketId / `a|<inverted ms>|<K2>|<index>`  an attachment, 4 digits; in the order of the messages, so that one range
//                                              holds those of a page of messages
// TicketIndex: status / `<inverted ms>|<ticketId>`   newest first; derived from the head
// Text over INLINE_CHARACTERS is a blob, named by the row's column.

export const INLINE_CHARACTERS = 24 * 1024;
/** Attachments over this many go to one manifest blob: a transaction takes 100 rows. */
export const ATTACHMENT_ROWS = 80;
const SHORT = 1_000;

/** Text or HTML: in the row, or in the named blob. */
export type Body = { kind: 'inline'; text: string } | { kind: 'blob'; blob: string };

/** A message as the intake hands it over. */
export interface NewMessage extends Omit<TicketMessage, 'text' | 'hasHtml'> {
  text: Body;
  html: Body | undefined;
  preview: string;
  /** Set when the attachments stand in a manifest blob instead of rows. */
  manifestBlob: string | undefined;
  /** Of HTML that stands in a blob: what a page needs to know of it without reading it. */
  htmlShape?: HtmlShape | undefined;
}

export interface StoredMessage extends NewMessage {
  rowKey: string;
}

/**
 * A message's row key. Both parts are of the mail and its first place, never of the run, so that a rerun finds its own row.
 * @param receivedAt ISO time at which the mail server received it
 */
export function messageRowKey(receivedAt: string, key: string): string {
  return `m|${invertedTime(receivedAt)}|${key}`;
}

/** What names a message of a ticket in addresses: it is found by it without reading any other. */
export const messageRef = ({ at, key }: { at: string; key: string }): string => `${invertedTime(at)}-${key}`;

/** The row key behind `messageRef`; undefined when it is none. */
export function rowKeyOfRef(ref: string): string | undefined {
  const [, time, key] = /^(\d{14})-([\w-]{1,128})$/.exec(ref) ?? [];
  return time === undefined || key === undefined ? undefined : `m|${time}|${key}`;
}

/** The `messageRef` behind a message's row key. */
export const refOfRowKey = (rowKey: string): string => rowKey.slice('m|'.length).replace('|', '-');

/** Row keys of the attachments of messages that stand in this order, the newest first. */
export const attachmentRange = (newest: string, oldest: string): { from: string; to: string } => ({
  from: `a${newest.slice(1)}|`,
  to: `a${oldest.slice(1)}|~`,
});

/** Sorts tickets by their last message, the newest first, and keeps two of the same moment apart. */
export const indexRowKey = (head: { lastAt: string; id: string }): string =>
  `${invertedTime(head.lastAt)}|${head.id}`;

const shortened = (text: string): string => (text.length > SHORT ? `${text.slice(0, SHORT - 1)}…` : text);

const shortPerson = ({ name, address }: Person): Person => ({
  name: name === undefined ? undefined : shortened(name),
  address: address === undefined ? undefined : shortened(address),
});

/** A list as JSON that fits a column: what is over the end stays in the raw mail. */
function jsonWithin(list: readonly unknown[]): string {
  let kept = list.length;
  let json = JSON.stringify(list);
  while (json.length > INLINE_CHARACTERS) {
    kept = Math.floor((kept * INLINE_CHARACTERS) / (json.length + 1));
    json = JSON.stringify(list.slice(0, kept));
  }
  return json;
}

/** @param stale index rows (`status|row key`) that the ticket has outgrown and that are still to be removed */
export function headRow(ticket: Ticket, stale: readonly string[]): Row {
  return {
    partitionKey: ticket.id,
    rowKey: 'head',
    ...summaryColumns(ticket),
    openedAt: ticket.openedAt,
    participants: jsonWithin(ticket.participants),
    follows: ticket.follows === undefined ? undefined : JSON.stringify(ticket.follows),
    stale: stale.join(','),
  };
}

/** The ticket in the list of its status: what the list shows, so that it reads no head. */
export function indexRow(ticket: TicketSummary): Row {
  return {
    partitionKey: ticket.status,
    rowKey: indexRowKey(ticket),
    id: ticket.id,
    ...summaryColumns(ticket),
  };
}

function summaryColumns(ticket: TicketSummary): Record<string, Value | undefined> {
  return {
    number: ticket.number,
    status: ticket.status,
    subject: shortened(ticket.subject),
    requesterName: ticket.requester.name === undefined ? undefined : shortened(ticket.requester.name),
    requesterAddress: ticket.requester.address,
    mailboxId: ticket.mailboxId,
    lastAt: ticket.lastAt,
    messageCount: ticket.messageCount,
    preview: shortened(ticket.preview),
  };
}

/** A message without its attachments, which have rows of their own. Texts over 24 Ki characters stand in a blob. */
export function messageRow(ticketId: string, message: NewMessage): Row {
  return {
    partitionKey: ticketId,
    rowKey: messageRowKey(message.at, message.key),
    key: message.key,
    at: message.at,
    sentAt: message.sentAt,
    from: JSON.stringify(shortPerson(message.from)),
    to: jsonWithin(message.to.map(shortPerson)),
    cc: jsonWithin(message.cc.map(shortPerson)),
    subject: shortened(message.subject),
    messageId: message.messageId === undefined ? undefined : shortened(message.messageId),
    preview: shortened(message.preview),
    notes: jsonWithin(message.notes.map(shortened)),
    rawBlob: message.rawBlob,
    manifestBlob: message.manifestBlob,
    attachmentRows: message.manifestBlob === undefined ? message.attachments.length : 0,
    authentication: message.authentication === undefined ? undefined : JSON.stringify(message.authentication),
    folded: message.folded === undefined ? undefined : shortened(message.folded),
    ...bodyColumns('text', message.text),
    ...bodyColumns('html', message.html),
    htmlLines: message.htmlShape?.lines,
    htmlRemoteImages: message.htmlShape?.remoteImages,
  };
}

/** @param message the one that it came with */
export function attachmentRow(
  ticketId: string,
  message: { at: string; key: string },
  attachment: TicketAttachment,
): Row {
  return {
    partitionKey: ticketId,
    rowKey: `a|${invertedTime(message.at)}|${message.key}|${String(attachment.index).padStart(4, '0')}`,
    index: attachment.index,
    filename: attachment.filename,
    contentType: shortened(attachment.contentType),
    contentId: attachment.contentId === undefined ? undefined : shortened(attachment.contentId),
    inline: attachment.inline,
    size: attachment.size,
    blob: attachment.blob,
  };
}

function bodyColumns(name: 'text' | 'html', body: Body | undefined): Record<string, Value | undefined> {
  if (body === undefined) return {};
  return body.kind === 'inline' ? { [name]: body.text } : { [`${name}Blob`]: body.blob };
}

/** The head read back. */
export function ticketOf(row: Row): Ticket {
  const follows = optionalText(row, 'follows');
  return {
    ...summaryOf(row, row.partitionKey),
    openedAt: text(row, 'openedAt'),
    participants: JSON.parse(text(row, 'participants')) as string[],
    follows: follows === undefined ? undefined : (JSON.parse(follows) as { id: string; number: number }),
  };
}

/** Row keys of `status|rowKey` under which the ticket may still stand in the index, though it has moved on. */
export const staleOf = (row: Row): readonly string[] =>
  (optionalText(row, 'stale') ?? '').split(',').filter(Boolean);

/** A row of the list read back; with an id also a head, which has the same columns. */
export function summaryOf(row: Row, id: string = text(row, 'id')): TicketSummary {
  return {
    id,
    number: number(row, 'number'),
    status: statusOf(row),
    subject: text(row, 'subject'),
    requester: { name: optionalText(row, 'requesterName'), address: optionalText(row, 'requesterAddress') },
    mailboxId: text(row, 'mailboxId'),
    lastAt: text(row, 'lastAt'),
    messageCount: number(row, 'messageCount'),
    preview: text(row, 'preview'),
  };
}

const statusOf = (row: Row): TicketStatus => (text(row, 'status') === 'closed' ? 'closed' : 'open');

/** A message's row read back, with what stood in the rows of its attachments. */
export function messageOf(row: Row, attachments: readonly TicketAttachment[]): StoredMessage {
  const authentication = optionalText(row, 'authentication');
  const html = bodyOf(row, 'html');
  return {
    rowKey: row.rowKey,
    key: text(row, 'key'),
    at: text(row, 'at'),
    sentAt: optionalText(row, 'sentAt'),
    from: JSON.parse(text(row, 'from')) as Person,
    to: JSON.parse(text(row, 'to')) as Person[],
    cc: JSON.parse(text(row, 'cc')) as Person[],
    subject: text(row, 'subject'),
    messageId: optionalText(row, 'messageId'),
    preview: text(row, 'preview'),
    notes: JSON.parse(text(row, 'notes')) as string[],
    rawBlob: text(row, 'rawBlob'),
    manifestBlob: optionalText(row, 'manifestBlob'),
    text: bodyOf(row, 'text') ?? { kind: 'inline', text: '' },
    html,
    htmlShape: html?.kind === 'inline' ? shapeOfHtml(html.text) : shapeOf(row),
    attachments,
    authentication:
      authentication === undefined ? undefined : (JSON.parse(authentication) as SenderAuthentication),
    folded: optionalText(row, 'folded'),
  };
}

/** An attachment's row read back. */
export function attachmentOf(row: Row): TicketAttachment {
  return {
    index: number(row, 'index'),
    filename: optionalText(row, 'filename'),
    contentType: text(row, 'contentType'),
    contentId: optionalText(row, 'contentId'),
    inline: row['inline'] === true,
    size: number(row, 'size'),
    blob: text(row, 'blob'),
  };
}

function shapeOf(row: Row): HtmlShape | undefined {
  const [lines, remoteImages] = [row['htmlLines'], row['htmlRemoteImages']];
  return typeof lines === 'number' ? { lines, remoteImages: remoteImages === true } : undefined;
}

function bodyOf(row: Row, name: 'text' | 'html'): Body | undefined {
  const inline = optionalText(row, name);
  if (inline !== undefined) return { kind: 'inline', text: inline };
  const blob = optionalText(row, `${name}Blob`);
  return blob === undefined ? undefined : { kind: 'blob', blob };
}

function optionalText(row: Row, column: string): string | undefined {
  const value = row[column];
  return typeof value === 'string' ? value : undefined;
}

function text(row: Row, column: string): string {
  const value = optionalText(row, column);
  if (value === undefined)
    throw new PostroomError('bad-row', `${row.partitionKey}/${row.rowKey} has no ${column}`);
  return value;
}

function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number')
    throw new PostroomError('bad-row', `${row.partitionKey}/${row.rowKey} has no ${column}`);
  return value;
}
