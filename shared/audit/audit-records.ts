import { z } from 'zod';
import { invertedTime } from '../platform/inverted-time.ts';
import { type Column, json, objectOf, recordKind, shortText, time } from '../platform/records.ts';
import type { AuditEntry, ChangedSetting } from './audit.ts';

// Audit: month `2026-11` / `<inverted ms>|<turn>|<random>`   a change, newest first
//        `months` / month                                   the months that hold changes, written before their first one
// The turn counts down in each process, so that two changes within a millisecond keep their order; the random part
// keeps those of two processes apart.
// Only ever added to.

/** An audit entry with its order within the same millisecond. */
export interface AuditRecord extends AuditEntry {
  /** `<turn>|<random>` */
  order: string;
}

const MAX_CHARACTERS = 250;
const short = shortText(MAX_CHARACTERS);

/** Something with an ID and a name, each cut to the size of a column. */
const named = <T extends { id: string; name: string }>(schema: z.ZodType<T>): Column<T> => ({
  read: json(schema).read,
  write: (value) => JSON.stringify({ ...value, id: short.write(value.id), name: short.write(value.name) }),
});

export const auditKind = recordKind<AuditRecord>()({
  table: 'Audit',
  version: 1,
  keysOf: ({ at, order }) => ({ partitionKey: at.slice(0, 7), rowKey: `${invertedTime(at)}|${order}` }),
  fromKeys: ({ rowKey }) => ({ order: rowKey.slice(rowKey.indexOf('|') + 1) }),
  columns: {
    at: time,
    principal: named(objectOf<AuditEntry['principal']>({ id: z.string(), name: z.string() })),
    action: short,
    subject: named(objectOf<AuditEntry['subject']>({ kind: z.string(), id: z.string(), name: z.string() })),
    changes: json(
      z.array(
        objectOf<ChangedSetting>({
          name: z.string(),
          before: z.string().optional(),
          after: z.string().optional(),
        }),
      ),
    ),
  },
});

export const MONTHS = 'months';
