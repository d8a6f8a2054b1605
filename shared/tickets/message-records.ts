import { z } from 'zod';
import { invertedTime, timeOfInverted } from '../platform/inverted-time.ts';
import {
  type ColumnGroup,
  flag,
  json,
  objectOf,
  oneOf,
  optional,
  recordKind,
  text,
  time,
  whole,
} from '../platform/records.ts';
import { bounceReport } from './bounce.ts';
import type { Invitation, MeetingTime } from './invitation.ts';
import { type HtmlShape, shapeOfHtml } from './mail-document.ts';
import type { Person, SenderAuthentication, TicketAttachment, TicketMessage } from './ticket.ts';
import { listWithin, messageClass, short } from './ticket-columns.ts';

// Rows of messages and their attachments, in the partition of their ticket in the table Tickets:
//   ticketId / `m|<inverted ms>|<K2>`          a message, newest first, by the time the mail server received it
//   ticketId / `a|<inverted ms>|<K2>|<index>`  an attachment, with a 4-digit index; sorted like the messages, so one
//                                              range reads the attachments of a page of messages
// Text longer than INLINE_CHARACTERS is stored in a blob, and the row has the blob's name.

/** More attachments than this are listed in one manifest blob, because a transaction takes at most 100 rows. */
export const ATTACHMENT_ROWS = 80;

/** Text or HTML: in the row, or in the named blob. */
export type Body = { kind: 'inline'; text: string } | { kind: 'blob'; blob: string };

/** A message as the intake passes it on. */
export interface NewMessage extends Omit<TicketMessage, 'text' | 'hasHtml'> {
  text: Body;
  html: Body | undefined;
  preview: string;
  /** Set when a manifest blob lists the attachments, instead of rows. */
  manifestBlob: string | undefined;
  /** For HTML stored in a blob: what a page has to know before it loads the HTML. */
  htmlShape?: HtmlShape | undefined;
}

export interface StoredMessage extends NewMessage {
  rowKey: string;
}

/**
 * A message's row key. It depends only on the email and on where it was first received, never on the run, so a
 * rerun finds its own row.
 * @param receivedAt ISO time at which the mail server received it
 */
export function messageRowKey(receivedAt: string, key: string): string {
  return `m|${invertedTime(receivedAt)}|${key}`;
}

/** Identifies a message within its ticket in URLs. The message is read by it without reading any other row. */
export const messageRef = ({ at, key }: { at: string; key: string }): string => `${invertedTime(at)}-${key}`;

/** The row key of a `messageRef`; undefined if the text is not a valid one. */
export function rowKeyOfRef(ref: string): string | undefined {
  const [, time, key] = /^(\d{14})-([\w-]{1,128})$/.exec(ref) ?? [];
  return time === undefined || key === undefined ? undefined : `m|${time}|${key}`;
}

/** The ISO time in a `messageRef`; undefined if the text is not a valid one. */
export function timeOfRef(ref: string): string | undefined {
  const time = /^\d{14}(?=-)/.exec(ref)?.[0];
  return time === undefined ? undefined : timeOfInverted(time);
}

/** The `messageRef` of a message's row key. */
export const refOfRowKey = (rowKey: string): string => rowKey.slice('m|'.length).replace('|', '-');

/**
 * The range of row keys that has the attachments of a run of messages.
 * @param newest row key of the newest of these messages
 * @param oldest row key of the oldest
 */
export const attachmentRange = (newest: string, oldest: string): { from: string; to: string } => ({
  from: `a${newest.slice(1)}|`,
  to: `a${oldest.slice(1)}|~`,
});

const person = objectOf<Person>({ name: z.string().optional(), address: z.string().optional() });
const shortPerson = ({ name, address }: Person): Person => ({
  name: name === undefined ? undefined : short.write(name),
  address: address === undefined ? undefined : short.write(address),
});

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

/** Text is in the column `name`, or in the blob whose name is in the column beside it. */
export const optionalBody = (name: 'text' | 'html' | 'source'): ColumnGroup<Body | undefined> => ({
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

/** As `optionalBody`, for a text that every row has. */
export const body = (name: 'text' | 'html'): ColumnGroup<Body> => {
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

/** A message without its attachments, which have their own rows. */
export interface MessageRecord extends Omit<NewMessage, 'attachments'> {
  ticketId: string;
  /** 0 if there are none, or if a manifest blob lists them. */
  attachmentRows: number;
}

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
    silence: optional(short),
    bounce: optional(json(bounceReport)),
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

/** A message as read back. @param attachments from their rows or from the manifest blob */
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
  /** Row key of its message. */
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
