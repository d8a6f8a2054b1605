/** A ticket, its messages and its attachments as rows, and back. */
import { describe, expect, test } from 'vitest';
import type { Row } from '../../shared/platform/tables.ts';
import {
  attachmentKind,
  attachmentRange,
  messageKind,
  messageRecord,
  messageRef,
  messageRowKey,
  type NewMessage,
  refOfRowKey,
  rowKeyOfRef,
  storedMessage,
} from '../../shared/tickets/message-records.ts';
import type { Ticket, TicketAttachment } from '../../shared/tickets/ticket.ts';
import { INLINE_CHARACTERS } from '../../shared/tickets/ticket-columns.ts';
import { headKind, indexKind, indexRowKey } from '../../shared/tickets/ticket-records.ts';

const AT = '2026-11-24T10:00:00.000Z';
const LATER = '2026-11-24T10:00:00.001Z';
const ticket: Ticket = {
  id: 't1',
  number: 7,
  status: 'open',
  subject: 'Help',
  requester: { name: 'Kim', address: 'kim@customer.example' },
  mailboxId: 'box',
  lastAt: AT,
  messageCount: 2,
  preview: 'Hello',
  openedAt: AT,
  participants: ['kim@customer.example'],
  follows: undefined,
};
const attachment: TicketAttachment = {
  index: 3,
  filename: 'a.pdf',
  contentType: 'application/pdf',
  contentId: '<a>',
  inline: true,
  size: 9,
  blob: 'b',
};
const message: NewMessage = {
  key: 'k',
  at: AT,
  sentAt: AT,
  from: { name: 'Kim', address: 'kim@customer.example' },
  to: [{ name: undefined, address: 'support@contoso.example' }],
  cc: [],
  subject: 'Help',
  messageId: '<1@customer.example>',
  preview: 'Hello',
  notes: ['cut'],
  rawBlob: 'raw',
  manifestBlob: undefined,
  text: { kind: 'inline', text: 'Hello' },
  html: undefined,
  attachments: [],
  authentication: undefined,
  folded: undefined,
};
const headRow = (one: Ticket, stale: readonly string[] = []): Row => headKind.toRow({ ...one, stale });
const messageRow = (one: NewMessage): Row => messageKind.toRow(messageRecord('t1', one));
const attachmentRow = (of: { at: string; key: string }, one: TicketAttachment): Row =>
  attachmentKind.toRow({ ...one, ticketId: 't1', messageRow: messageRowKey(of.at, of.key) });
const readMessage = (row: Row) => storedMessage(messageKind.fromRow(row), []);
/** As returned by a table: without empty columns. */
const stored = (row: Row): Row => JSON.parse(JSON.stringify(row)) as Row;

describe('a ticket', () => {
  test.each<[string, Ticket]>([
    ['as it is', ticket],
    ['closed', { ...ticket, status: 'closed' }],
    ['that follows another one', { ...ticket, follows: { id: 't0', number: 6 } }],
    ['with an assignee', { ...ticket, assignee: { name: 'Sam', address: 'sam@contoso.example' } }],
    ['with an assignee without an address', { ...ticket, assignee: { name: 'Sam', address: undefined } }],
    ['of an unknown author', { ...ticket, requester: { name: undefined, address: undefined } }],
  ])('%s is read back as it was written', (_what, one) => {
    expect(headKind.fromRow(stored(headRow(one)))).toEqual({ ...one, stale: [] });
    const { openedAt, participants, follows, ...summary } = one;
    expect(indexKind.fromRow(stored(indexKind.toRow(one)))).toEqual(summary);
    expect([openedAt, participants, follows]).toEqual([one.openedAt, one.participants, one.follows]);
  });

  test('of an earlier version, without an assignee, is read', () => {
    const row = stored(headRow(ticket));
    expect(Object.keys(row).filter((name) => name.startsWith('assignee'))).toEqual([]);
    expect(headKind.fromRow(row).assignee).toBeUndefined();
  });

  test('is listed under its status, newest first, also if two have the same time', () => {
    expect(indexKind.toRow(ticket).partitionKey).toBe('open');
    expect(indexRowKey({ lastAt: LATER, id: 'a' }) < indexRowKey({ lastAt: AT, id: 'a' })).toBe(true);
    expect(indexRowKey({ lastAt: AT, id: 'a' })).not.toBe(indexRowKey({ lastAt: AT, id: 'b' }));
  });

  test('names its outdated rows', () => {
    const head = headRow(ticket, ['open|1', 'closed|2']);
    expect(headKind.fromRow(stored(head)).stale).toEqual(['open|1', 'closed|2']);
    expect(headKind.fromRow(stored(headRow(ticket))).stale).toEqual([]);
  });

  test('has at most 1,000 characters in a column that lists show', () => {
    const long = { ...ticket, subject: 'a'.repeat(1001), preview: 'b'.repeat(1000) };
    expect(indexKind.toRow({ ...long, requester: { name: 'c'.repeat(1001), address: 'd' } })).toMatchObject({
      subject: `${'a'.repeat(999)}…`,
      preview: 'b'.repeat(1000),
      requesterName: `${'c'.repeat(999)}…`,
    });
  });

  test('stores as many participants as fit into a column', () => {
    const participants = Array.from({ length: 2000 }, (_, index) => `somebody-${index}@customer.example`);
    const json = String(headRow({ ...ticket, participants })['participants']);
    const kept = JSON.parse(json) as string[];
    expect(json.length).toBeLessThanOrEqual(INLINE_CHARACTERS);
    expect(json.length).toBeGreaterThan(INLINE_CHARACTERS * 0.9);
    expect(kept).toEqual(participants.slice(0, kept.length));
    const exact = ['x'.repeat(INLINE_CHARACTERS - 4)];
    expect(JSON.parse(String(headRow({ ...ticket, participants: exact })['participants']))).toEqual(exact);
    const over = ['x'.repeat(INLINE_CHARACTERS - 3)];
    expect(headRow({ ...ticket, participants: over })['participants']).toBe('[]');
  });

  test.each(['number', 'messageCount', 'subject', 'mailboxId', 'lastAt', 'preview', 'status', 'openedAt'])(
    'without its %s is rejected by name',
    (column) => {
      const row = { ...stored(headRow(ticket)), [column]: undefined };
      expect(() => headKind.fromRow(row)).toThrow(`Tickets/t1/head: the column ${column} does not contain`);
      expect(() => headKind.fromRow({ ...row, [column]: true })).toThrow(
        expect.objectContaining({ code: 'bad-row' }),
      );
    },
  );
});

describe('a message', () => {
  test.each<[string, Partial<NewMessage>]>([
    ['as it is', {}],
    ['without what an email may lack', { sentAt: undefined, messageId: undefined }],
    ['in blobs', { text: { kind: 'blob', blob: 't' }, html: { kind: 'blob', blob: 'h' }, manifestBlob: 'm' }],
    ['folded away', { folded: 'Too many.' }],
    ['that asks for answers elsewhere', { replyTo: [{ name: 'Sales', address: 'sales@customer.example' }] }],
    [
      'with what the server found',
      { authentication: { spf: 'pass', dkim: 'fail', dmarc: 'none', fails: true } },
    ],
  ])('%s is read back as it was written', (_what, wish) => {
    const one = { ...message, ...wish };
    const { rowKey, htmlShape, ...read } = readMessage(stored(messageRow(one)));
    expect(read).toEqual(one);
    expect(rowKey).toBe(messageRowKey(one.at, one.key));
    expect(htmlShape).toBeUndefined();
  });

  test('has the structure of its HTML, wherever that is stored', () => {
    const shape = { lines: 12, remoteImages: true };
    const inBlob = { ...message, html: { kind: 'blob', blob: 'h' } as const, htmlShape: shape };
    expect(readMessage(stored(messageRow(inBlob))).htmlShape).toEqual(shape);
    const none = { ...inBlob, htmlShape: { lines: 1, remoteImages: false } };
    expect(readMessage(stored(messageRow(none))).htmlShape).toEqual({
      lines: 1,
      remoteImages: false,
    });
    const inRow = { ...message, html: { kind: 'inline', text: '<p>a</p>' } as const };
    expect(readMessage(stored(messageRow(inRow))).htmlShape).toMatchObject({ remoteImages: false });
  });

  test('counts the rows of its attachments, which are none if a blob lists them', () => {
    const two = { ...message, attachments: [attachment, attachment] };
    expect(messageRow(two)['attachmentRows']).toBe(2);
    expect(messageRow({ ...two, manifestBlob: 'm' })['attachmentRows']).toBe(0);
  });

  test('has short texts in its columns, whatever an email contains', () => {
    const long = 'x'.repeat(2000);
    const short = `${'x'.repeat(999)}…`;
    const row = messageRow({
      ...message,
      from: { name: long, address: long },
      to: [{ name: long, address: undefined }],
      subject: long,
      messageId: long,
      preview: long,
      notes: [long],
      folded: long,
    });
    expect(row).toMatchObject({ subject: short, messageId: short, preview: short, folded: short });
    expect(JSON.parse(String(row['from']))).toEqual({ name: short, address: short });
    expect(JSON.parse(String(row['to']))).toEqual([{ name: short }]);
    expect(JSON.parse(String(row['notes']))).toEqual([short]);
  });

  test('cannot be read if a row has lost its text', () => {
    const row = { ...stored(messageRow(message)), text: undefined };
    expect(() => readMessage(row)).toThrow('Tickets/t1/');
    expect(() => readMessage(row)).toThrow('the column text does not contain');
  });

  test('is found by its address, and by no other text', () => {
    const ref = messageRef({ at: AT, key: 'k-1' });
    expect(rowKeyOfRef(ref)).toBe(messageRowKey(AT, 'k-1'));
    expect(refOfRowKey(messageRowKey(AT, 'k-1'))).toBe(ref);
    for (const odd of [
      `x${ref}`,
      `${ref}|`,
      '123-k',
      `${ref}/..`,
      ref.replace('-', '|'),
      '',
      `${ref.slice(0, 15)}`,
    ])
      expect(rowKeyOfRef(odd)).toBeUndefined();
    const [time = ''] = ref.split('-');
    expect(rowKeyOfRef(`${time}-${'k'.repeat(128)}`)).toBe(`m|${time}|${'k'.repeat(128)}`);
    expect(rowKeyOfRef(`${time}-${'k'.repeat(129)}`)).toBeUndefined();
  });
});

describe('an attachment', () => {
  test.each<[string, TicketAttachment]>([
    ['as it is', attachment],
    ['without a name', { ...attachment, filename: undefined, contentId: undefined, inline: false }],
  ])('%s is read back as it was written', (_what, one) => {
    expect(attachmentKind.fromRow(stored(attachmentRow(message, one)))).toEqual({
      ...one,
      ticketId: 't1',
      messageRow: messageRowKey(message.at, message.key),
    });
  });

  test('has short texts in its columns', () => {
    const row = attachmentRow(message, {
      ...attachment,
      contentType: 'x'.repeat(1001),
      contentId: 'y'.repeat(1001),
    });
    expect(row).toMatchObject({ contentType: `${'x'.repeat(999)}…`, contentId: `${'y'.repeat(999)}…` });
  });

  test('is between the newest and the oldest message of its page', () => {
    const keyOf = (at: string): string => attachmentRow({ at, key: 'k' }, attachment).rowKey;
    const { from, to } = attachmentRange(messageRowKey(LATER, 'k'), messageRowKey(AT, 'k'));
    for (const key of [keyOf(AT), keyOf(LATER)]) expect(from <= key && key < to).toBe(true);
    const before = keyOf('2026-11-24T10:00:00.002Z');
    const after = keyOf('2026-11-24T09:59:59.999Z');
    expect(before < from && after > to).toBe(true);
    expect(keyOf(AT)).toMatch(/\|0003$/);
  });
});
