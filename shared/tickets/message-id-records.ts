import { createHash } from 'node:crypto';
import { recordKind, text } from '../platform/records.ts';

// MessageIds: mailboxId / `<hash of Message-ID>|<ticketId>`: a Message-ID that is used again points to both tickets and
// steals neither.

export const messageIdHash = (messageId: string): string =>
  createHash('sha256').update(messageId).digest('hex').slice(0, 40);

/** A ticket that holds an email with a Message-ID of this hash. */
export interface MessageIdRecord {
  mailboxId: string;
  hash: string;
  ticketId: string;
}

export const messageIdKind = recordKind<MessageIdRecord>()({
  table: 'MessageIds',
  version: 1,
  keysOf: ({ mailboxId, hash, ticketId }) => ({ partitionKey: mailboxId, rowKey: `${hash}|${ticketId}` }),
  fromKeys: ({ partitionKey, rowKey }) => ({
    mailboxId: partitionKey,
    hash: rowKey.slice(0, rowKey.indexOf('|')),
  }),
  columns: { ticketId: text },
});
