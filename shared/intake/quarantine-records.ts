import { z } from 'zod';
import {
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

// Quarantine: mailboxId / `<inverted ms>|<K2>|<place>`: unimported and skipped email, newest first.
// Derived from the ledger: a retry writes the same rows again.
// MailboxState: `unimported` / the same row key: open entries of all mailboxes. One request counts them.

export const outcomes = ['imported', 'ticket made', 'dismissed'] as const;

/** How an unimported email was handled. `imported`: a retry could read it. */
export interface Handled {
  outcome: (typeof outcomes)[number];
  /** ISO time. */
  at: string;
  /** Name of the person. */
  by: string;
  ticket?: { id: string; number: number } | undefined;
}

export interface QuarantineEntry {
  /** Row key. */
  key: string;
  mailboxId: string;
  kind: 'quarantined' | 'skipped';
  /** In plain words. */
  reason: string;
  /** ISO time at which the mail server received it. */
  at: string;
  from: string | undefined;
  subject: string | undefined;
  /** As in the header, with angle brackets. */
  messageId?: string | undefined;
  size: number;
  /** Absent if the email was too large to import; it is still on the server. */
  rawBlob: string | undefined;
  /** Absent: not handled yet. */
  handled?: Handled | undefined;
}

export const quarantineKind = recordKind<QuarantineEntry>()({
  table: 'Quarantine',
  version: 1,
  keysOf: ({ mailboxId, key }) => ({ partitionKey: mailboxId, rowKey: key }),
  fromKeys: ({ partitionKey, rowKey }) => ({ mailboxId: partitionKey, key: rowKey }),
  columns: {
    kind: oneOf('quarantined', 'skipped'),
    reason: shortText(1000),
    at: time,
    from: optional(shortText(500)),
    subject: optional(shortText(500)),
    messageId: optional(shortText(1000)),
    size: whole,
    rawBlob: optional(text),
    handled: optional(
      json(
        objectOf<Handled>({
          outcome: z.enum(outcomes),
          at: z.string(),
          by: z.string(),
          ticket: objectOf<NonNullable<Handled['ticket']>>({ id: z.string(), number: z.number() }).optional(),
        }),
      ),
    ),
  },
});

/** An unimported email that waits for a person. */
export interface OpenEntry {
  key: string;
  mailboxId: string;
  at: string;
}

export const OPEN = 'unimported';
export const openEntryKind = recordKind<OpenEntry>()({
  table: 'MailboxState',
  version: 1,
  keysOf: ({ key }) => ({ partitionKey: OPEN, rowKey: key }),
  fromKeys: ({ rowKey }) => ({ key: rowKey }),
  columns: { mailboxId: text, at: time },
});

/** The content key and the place in a row key. Pure. */
export function partsOfEntryKey(key: string): { contentKey: string; place: string } {
  const [, contentKey = '', place = ''] = key.split('|');
  return { contentKey, place: place.replaceAll('-', '|') };
}
