import { z } from 'zod';
import { type MessageClass, messageClasses } from '../message-class/message-class.ts';
import { invertedTime } from '../platform/inverted-time.ts';
import {
  type Column,
  type ColumnGroup,
  type Columns,
  flag,
  json,
  objectOf,
  oneOf,
  optional,
  recordKind,
  shortText,
  text,
  time,
  whole,
} from '../platform/records.ts';
import type { Invitation, MeetingTime } from './invitation.ts';
import { type HtmlShape, shapeOfHtml } from './mail-document.ts';
import type {
  Person,
  SenderAuthentication,
  Ticket,
  TicketAttachment,
  TicketMessage,
  TicketSummary,
} from './ticket.ts';

// Tickets: one partition a ticket, so that an email and all that belongs to it is one transaction.
//   ticketId / `head`                       the ticket
//   ticketId / `m|<inverted ms>|<K2>`          a message, the newest first; the time is the mail server's
//   ticketId / `a|<inverted ms>|<K2>|<index>`  an attachment, 4 digits; in the order of the messages, so that one range
//                                              holds those of a page of messages
//   ticketId / `f|…`                        a ticket that follows this one (follower-records.ts)
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

// Columns of several rows.

const short = shortText(SHORT);

/** A list as JSON that fits a column: what is over the end stays in the raw mail. */
function jsonWithin(list: readonly unknown[]): string {
  let kept = list.length;
  let fitting = JSON.stringify(list);
  while (fitting.length > INLINE_CHARACTERS) {
    kept = Math.floor((kept * INLINE_CHARACTERS) / (fitting.length + 1));
    fitting = JSON.stringify(list.slice(0, kept));
  }
  return fitting;
}

/** @param shorten what is stored of each */
const listWithin = <T>(
  one: z.ZodType<T>,
  shorten: (value: T) => T = (value) => value,
): Column<readonly T[]> => ({
  read: json(z.array(one)).read,
  write: (list) => jsonWithin(list.map((value) => shorten(value))),
});

const person = objectOf<Person>({ name: z.string().optional(), address: z.string().optional() });
const shortPerson = ({ name, address }: Person): Person => ({
  name: name === undefined ? undefined : short.write(name),
  address: address === undefined ? undefined : short.write(address),
});
const follows = objectOf<NonNullable<Ticket['follows']>>({ id: z.string(), number: z.number() });
const authentication = objectOf<SenderAuthentication>({
  spf: z.string().optional(),
  dkim: z.string().optional(),
  dmarc: z.string().optional(),
  fails: z.boolean(),
});

const meetingTime = objectOf<MeetingTime>({
  local: z.string(),
  zone: z.string().optional(),
  offset: z.number().optional(),
});
const invitation = objectOf<Invitation>({
  kind: z.enum(['invitation', 'cancellation', 'answer', 'counter', 'event']),
  title: z.string(),
  start: meetingTime,
  end: meetingTime.optional(),
  place: z.string().optional(),
  organizer: person.optional(),
  repeats: z.object({ every: z.number(), unit: z.enum(['day', 'week', 'month', 'year']) }).optional(),
  answer: z.object({ from: person, says: z.enum(['accepted', 'declined', 'tentative', 'other']) }).optional(),
});

const requester: ColumnGroup<Person> = {
  readAll: ({ requesterName, requesterAddress }) => ({
    name: optional(text).read(requesterName),
    address: optional(text).read(requesterAddress),
  }),
  writeAll: ({ name, address }) => ({
    requesterName: optional(short).write(name),
    requesterAddress: address,
  }),
};

/** The text itself in the column of this name, or a blob's name in the one beside it. */
const optionalBody = (name: 'text' | 'html'): ColumnGroup<Body | undefined> => ({
  readAll: (row) => {
    const inline = optional(text).read(row[name]);
    if (inline !== undefined) return { kind: 'inline', text: inline };
    const blob = optional(text).read(row[`${name}Blob`]);
    return blob === undefined ? undefined : { kind: 'blob', blob };
  },
  writeAll: (body) => {
    if (body === undefined) return {};
    return body.kind === 'inline' ? { [name]: body.text } : { [`${name}Blob`]: body.blob };
  },
});

const body = (name: 'text' | 'html'): ColumnGroup<Body> => {
  const group = optionalBody(name);
  return {
    readAll: (row) => {
      const found = group.readAll(row);
      if (found === undefined) throw new TypeError('not a text or a blob');
      return found;
    },
    writeAll: group.writeAll,
  };
};

const htmlShape: ColumnGroup<HtmlShape | undefined> = {
  readAll: ({ htmlLines, htmlRemoteImages }) =>
    htmlLines === undefined
      ? undefined
      : { lines: whole.read(htmlLines), remoteImages: flag.read(htmlRemoteImages) },
  writeAll: (shape) => ({ htmlLines: shape?.lines, htmlRemoteImages: shape?.remoteImages }),
};

/** No column for a person's message, which most are. */
const messageClass: Column<MessageClass | undefined> = {
  read: optional(oneOf(...messageClasses)).read,
  write: (value) => (value === 'person' ? undefined : value),
};

// Rows.

const summaryColumns: Columns<Omit<TicketSummary, 'id'>> = {
  number: whole,
  status: oneOf('open', 'closed'),
  subject: short,
  requester,
  mailboxId: text,
  lastAt: time,
  messageCount: whole,
  preview: short,
  messageClass,
};

/** A ticket, and index rows (`status|row key`) that it has outgrown and that are still to be removed. */
export interface TicketHead extends Ticket {
  stale: readonly string[];
}

export const HEAD = 'head';
export const headKind = recordKind<TicketHead>()({
  table: 'Tickets',
  version: 1,
  keysOf: ({ id }) => ({ partitionKey: id, rowKey: HEAD }),
  fromKeys: ({ partitionKey }) => ({ id: partitionKey }),
  columns: {
    ...summaryColumns,
    openedAt: time,
    participants: listWithin(z.string()),
    follows: optional(json(follows)),
    stale: {
      read: (value) => text.read(value).split(',').filter(Boolean),
      write: (keys) => keys.join(','),
    },
  },
});

/** The ticket of a head. */
export const withoutStale = ({ stale: _, ...ticket }: TicketHead): Ticket => ticket;

/** The ticket in the list of its status: what the list shows, so that it reads no head. */
export const indexKind = recordKind<TicketSummary>()({
  table: 'TicketIndex',
  version: 1,
  keysOf: (ticket) => ({ partitionKey: ticket.status, rowKey: indexRowKey(ticket) }),
  fromKeys: () => ({}),
  columns: { id: text, ...summaryColumns },
});

/** A message without its attachments, which have rows of their own. */
export interface MessageRecord extends Omit<NewMessage, 'attachments'> {
  ticketId: string;
  /** 0 where there are none, or a manifest blob lists them. */
  attachmentRows: number;
}

/** Texts over 24 Ki characters stand in a blob. */
export const messageKind = recordKind<MessageRecord>()({
  table: 'Tickets',
  version: 1,
  keysOf: ({ ticketId, at, key }) => ({ partitionKey: ticketId, rowKey: messageRowKey(at, key) }),
  fromKeys: ({ partitionKey }) => ({ ticketId: partitionKey }),
  columns: {
    key: text,
    at: time,
    sentAt: optional(text),
    from: { read: json(person).read, write: (value) => JSON.stringify(shortPerson(value)) },
    to: listWithin(person, shortPerson),
    cc: listWithin(person, shortPerson),
    replyTo: optional(listWithin(person, shortPerson)),
    subject: short,
    messageId: optional(short),
    answers: optional(listWithin(z.string())),
    preview: short,
    notes: listWithin(z.string(), (note) => short.write(note)),
    rawBlob: text,
    manifestBlob: optional(text),
    attachmentRows: whole,
    authentication: optional(json(authentication)),
    encryption: optional(oneOf('pgp', 'smime', 'rights')),
    invitation: optional(json(invitation)),
    folded: optional(short),
    messageClass,
    text: body('text'),
    html: optionalBody('html'),
    htmlShape,
  },
});

export const messageRecord = (ticketId: string, { attachments, ...message }: NewMessage): MessageRecord => ({
  ...message,
  ticketId,
  attachmentRows: message.manifestBlob === undefined ? attachments.length : 0,
});

/** A message read back. @param attachments what stood in their rows, or in the manifest blob */
export function storedMessage(
  { ticketId: _, attachmentRows: __, ...message }: MessageRecord,
  attachments: readonly TicketAttachment[],
): StoredMessage {
  const { html } = message;
  return {
    ...message,
    rowKey: messageRowKey(message.at, message.key),
    htmlShape: html?.kind === 'inline' ? shapeOfHtml(html.text) : message.htmlShape,
    attachments,
  };
}

export interface AttachmentRecord extends TicketAttachment {
  ticketId: string;
  /** Row key of the message that it came with. */
  messageRow: string;
}

export const attachmentKind = recordKind<AttachmentRecord>()({
  table: 'Tickets',
  version: 1,
  keysOf: ({ ticketId, messageRow, index }) => ({
    partitionKey: ticketId,
    rowKey: `a${messageRow.slice(1)}|${String(index).padStart(4, '0')}`,
  }),
  fromKeys: ({ partitionKey, rowKey }) => ({
    ticketId: partitionKey,
    messageRow: `m${rowKey.slice(1, rowKey.lastIndexOf('|'))}`,
  }),
  columns: {
    index: whole,
    filename: optional(text),
    contentType: short,
    contentId: optional(short),
    inline: flag,
    size: whole,
    blob: text,
  },
});
