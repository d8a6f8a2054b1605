import { z } from 'zod';
import {
  converted,
  flag,
  json,
  objectOf,
  oneOf,
  optional,
  recordKind,
  text,
  time,
} from '../platform/records.ts';
import { type ConnectionTest, type ExpectedMail, type Step, stepNames } from './connection-test.ts';

// Table ConnectionTests:
//   mailbox / protocol    the last test of each protocol; a new one takes its place
//   `waiting` / mailbox   of which a test waits for its mail, so that one request finds them
//   `mark` / mark         an email to oneself that was sent; the intake notes there that it arrived

const MAX_CHARACTERS = 30_000;

const step = objectOf<Step>({
  name: z.enum(stepNames),
  state: z.enum(['passed', 'failed', 'waiting']),
  ms: z.number(),
  found: z.string(),
  evidence: z.string().optional(),
  narrowed: z.string().optional(),
  protocolWorks: z.boolean().optional(),
});

const expectedMail = objectOf<ExpectedMail>({
  mark: z.string(),
  sentAt: z.string(),
  until: z.string(),
});

/** A test and its mailbox. */
export interface MailboxTest extends ConnectionTest {
  mailboxId: string;
}

const protocol = oneOf('imap', 'pop3', 'graph', 'smtp', 'graph-send', 'relay');

export const connectionTestKind = recordKind<MailboxTest>()({
  table: 'ConnectionTests',
  version: 1,
  keysOf: ({ mailboxId, protocol }) => ({ partitionKey: mailboxId, rowKey: protocol }),
  fromKeys: ({ partitionKey, rowKey }) => ({
    mailboxId: partitionKey,
    protocol: protocol.read(rowKey),
  }),
  columns: {
    server: optional(text),
    startedAt: time,
    steps: json(z.array(step)),
    // Shortened to the size of a column.
    transcript: converted(text, {
      read: (stored): readonly string[] => stored.split('\n'),
      write: (lines) => lines.join('\n').slice(0, MAX_CHARACTERS),
    }),
    expected: optional(json(expectedMail)),
  },
});

export const WAITING = 'waiting';
export const waitingKind = recordKind<{ mailboxId: string }>()({
  table: 'ConnectionTests',
  version: 1,
  keysOf: ({ mailboxId }) => ({ partitionKey: WAITING, rowKey: mailboxId }),
  fromKeys: ({ rowKey }) => ({ mailboxId: rowKey }),
  columns: {},
});

/** A sent test email. */
interface SentMark {
  mark: string;
  sentAt: string;
  /** True once the intake has processed it. */
  taken: boolean;
}

export const MARKS = 'mark';
export const markKind = recordKind<SentMark>()({
  table: 'ConnectionTests',
  version: 1,
  keysOf: ({ mark }) => ({ partitionKey: MARKS, rowKey: mark }),
  fromKeys: ({ rowKey }) => ({ mark: rowKey }),
  columns: { sentAt: time, taken: flag },
});
