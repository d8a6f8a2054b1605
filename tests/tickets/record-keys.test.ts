/** Values in the keys of a row are read back from them. */
import { expect, test } from 'vitest';
import { followerKind } from '../../shared/tickets/follower-records.ts';
import { messageIdKind } from '../../shared/tickets/message-id-records.ts';
import { messageKind } from '../../shared/tickets/message-records.ts';
import { counterKind, numberKind } from '../../shared/tickets/number-records.ts';

test('the row of a Message-ID names its mailbox, its hash and its ticket', () => {
  const record = { mailboxId: 'box', hash: 'a1b2', ticketId: 't000001', holds: true };
  expect(messageIdKind.toRow(record)).toMatchObject({ partitionKey: 'box', rowKey: 'a1b2|t000001' });
  expect(messageIdKind.fromRow(messageIdKind.toRow(record))).toEqual(record);
  const answered = { ...record, holds: false };
  expect(messageIdKind.toRow(answered)).toMatchObject({ partitionKey: 'box', rowKey: 'a1b2|~t000001' });
  expect(messageIdKind.fromRow(messageIdKind.toRow(answered))).toEqual(answered);
});

test('the row of a ticket that follows another one names both, in the order of their numbers', () => {
  const record = { ticketId: 't000001', number: 42, followerId: 't000042' };
  expect(followerKind.toRow(record)).toMatchObject({ partitionKey: 't000001', rowKey: 'f|0000000042' });
  expect(followerKind.fromRow(followerKind.toRow(record))).toEqual(record);
});

test('the row of a number names it and its ticket, and the counter the last one', () => {
  const record = { number: 42, ticketId: 't000042' };
  expect(numberKind.fromRow(numberKind.toRow(record))).toEqual(record);
  expect(counterKind.fromRow(counterKind.toRow({ last: 42 }))).toEqual({ last: 42 });
});

test('the row of a message names its ticket', () => {
  const row = messageKind.toRow({
    ticketId: 't000001',
    key: 'k',
    at: '2026-11-24T10:00:00.000Z',
    sentAt: undefined,
    from: { name: 'Pat', address: 'pat@customer.example' },
    to: [],
    cc: [],
    subject: 'Hello',
    messageId: undefined,
    preview: 'Hello',
    notes: [],
    rawBlob: 'raw/1',
    manifestBlob: undefined,
    attachmentRows: 0,
    text: { kind: 'inline', text: 'Hello' },
    html: undefined,
    authentication: undefined,
    folded: undefined,
    htmlShape: undefined,
  });
  expect(messageKind.fromRow(row)).toMatchObject({ ticketId: 't000001', key: 'k', subject: 'Hello' });
});
