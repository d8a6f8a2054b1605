import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  flag,
  json,
  objectOf,
  oneOf,
  optional,
  type RowKeys,
  recordKind,
  text,
  time,
  whole,
} from '../platform/records.ts';
import type { LoopCount } from './fold-loops.ts';
import { type Decision, dispositions, type LedgerMail, type LedgerPlace, mailStates } from './ledger.ts';

// Ledger, one partition per mailbox:
//   mailboxId / `at|<folder key>|<UIDVALIDITY>|<UID>|<fingerprint>`
//                              which email was at a place on the server (numbers padded to 10 digits);
//                              in POP3 a constant and the hash of the UIDL instead of the first two
//   mailboxId / `mail|<K2>`    what became of an email, at whatever place it was
//   mailboxId / `auto|<hash of the counted name>`
//                              automatic email of the last hour that had any; one row per sender or
//                              conversation, overwritten in the next hour
// Each new email costs two of these rows: the fields read for every email
// are plain columns, and only a decision is JSON.

interface OfMailbox {
  mailboxId: string;
}

const ofMailbox = ({ partitionKey }: RowKeys): OfMailbox => ({ mailboxId: partitionKey });

const decision = objectOf<Decision>({
  disposition: z.enum(dispositions),
  ticketId: z.string().optional(),
  number: z.number().optional(),
  opens: z.boolean(),
  follows: objectOf<NonNullable<Decision['follows']>>({ id: z.string(), number: z.number() }).optional(),
  reason: z.string().optional(),
  folded: z.string().optional(),
  quiet: z.literal(true).optional(),
});

const MAIL = 'mail|';
export const mailRowKey = (key: string): string => `${MAIL}${key}`;

/** The ETag is that of the row the email was read from. */
export const mailKind = recordKind<OfMailbox & Omit<LedgerMail, 'etag'>>()({
  table: 'Ledger',
  version: 1,
  keysOf: ({ mailboxId, key }) => ({ partitionKey: mailboxId, rowKey: mailRowKey(key) }),
  fromKeys: (keys) => ({ ...ofMailbox(keys), key: keys.rowKey.slice(MAIL.length) }),
  columns: {
    state: oneOf(...mailStates),
    attempts: whole,
    place: text,
    rawBlob: text,
    receivedAt: time,
    size: whole,
    decision: optional(json(decision)),
  },
});

/** Written once and never changed. */
export const placeKind = recordKind<OfMailbox & LedgerPlace>()({
  table: 'Ledger',
  version: 1,
  keysOf: ({ mailboxId, place }) => ({ partitionKey: mailboxId, rowKey: place }),
  fromKeys: (keys) => ({ ...ofMailbox(keys), place: keys.rowKey }),
  columns: { key: text, copy: flag },
});

/** @param name the counted sender or conversation, such as `sender|<address>` */
export const countKey = (name: string): string =>
  `auto|${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;

interface LoopCountRecord extends OfMailbox, LoopCount {
  /** Row key: `countKey` of the counted name. */
  key: string;
}

export const loopCountKind = recordKind<LoopCountRecord>()({
  table: 'Ledger',
  version: 1,
  keysOf: ({ mailboxId, key }) => ({ partitionKey: mailboxId, rowKey: key }),
  fromKeys: (keys) => ({ ...ofMailbox(keys), key: keys.rowKey }),
  columns: { hour: text, count: whole },
});
