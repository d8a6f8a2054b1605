import { oneOf, optional, recordKind, shortText, text, time, whole } from '../platform/records.ts';

// Quarantine: mailboxId / `<inverted ms>|<K2>|<place>`: mail kept apart and mail passed over, newest first.
// Derived from the ledger: a repeated run writes the same rows again.

export interface QuarantineEntry {
  /** Row key. */
  key: string;
  mailboxId: string;
  kind: 'quarantined' | 'skipped';
  /** In plain words. */
  reason: string;
  /** ISO time the mail server received it. */
  at: string;
  from: string | undefined;
  subject: string | undefined;
  size: number;
  /** Absent when the mail was too large to take; it is still on the server. */
  rawBlob: string | undefined;
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
    size: whole,
    rawBlob: optional(text),
  },
});
