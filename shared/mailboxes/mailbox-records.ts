import { z } from 'zod';
import { handlings, setClasses } from '../message-class/message-class.ts';
import { flag, json, objectOf, oneOf, optional, recordKind, text, time, whole } from '../platform/records.ts';
import { answerSettings } from './answer-settings.ts';
import { type Mailbox, type Sending, type SendingLogin, sendingProtocols } from './mailbox.ts';
import { fetchProtocols } from './open-inbox.ts';

// Table Mailboxes:
//   `mailbox` / id    a mailbox's settings
//   `removed` / id    the address of a deleted mailbox, whose stored email remains

const sending = optional(
  json<Sending>(
    z.union([
      z.object({ protocol: z.literal('relay') }),
      objectOf<SendingLogin>({
        protocol: z.enum(sendingProtocols).optional(),
        host: z.string(),
        port: z.number(),
        providerId: z.string(),
        accountId: z.string(),
      }),
    ]),
  ),
);

export const MAILBOXES = 'mailbox';
export const mailboxKind = recordKind<Mailbox>()({
  table: 'Mailboxes',
  version: 1,
  keysOf: ({ id }) => ({ partitionKey: MAILBOXES, rowKey: id }),
  fromKeys: ({ rowKey }) => ({ id: rowKey }),
  columns: {
    address: text,
    protocol: oneOf(...fetchProtocols),
    host: text,
    port: whole,
    folder: text,
    providerId: text,
    accountId: text,
    enabled: flag,
    intervalMinutes: whole,
    afterFetch: json(
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('mark-seen') }),
        z.object({ kind: z.literal('move'), folder: z.string() }),
        z.object({ kind: z.literal('delete') }),
        z.object({ kind: z.literal('delete-later'), days: z.int() }),
        z.object({ kind: z.literal('leave') }),
      ]),
    ),
    fetchSince: optional(text),
    createdAt: time,
    colleaguesJoin: optional(flag),
    classes: optional(json(z.partialRecord(z.enum(setClasses), z.enum(handlings)))),
    sending,
    answers: optional(json(answerSettings)),
  },
});

/** A mailbox that was deleted. */
export interface RemovedMailbox {
  id: string;
  address: string;
}

export const REMOVED = 'removed';
export const removedMailboxKind = recordKind<RemovedMailbox>()({
  table: 'Mailboxes',
  version: 1,
  keysOf: ({ id }) => ({ partitionKey: REMOVED, rowKey: id }),
  fromKeys: ({ rowKey }) => ({ id: rowKey }),
  columns: { address: text },
});
