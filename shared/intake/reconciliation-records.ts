import { z } from 'zod';
import { type MessageRef, messageRef } from '../mailboxes/message-ref.ts';
import { openRecords } from '../platform/open-records.ts';
import {
  flag,
  json,
  objectOf,
  optional,
  type RecordKind,
  recordKind,
  text,
  time,
  whole,
} from '../platform/records.ts';
import { listAll, type Tables } from '../platform/tables.ts';
import { readRows } from '../platform/unreadable-rows.ts';

// MailboxState, partition `reconciliation`:
//   `<mailboxId>|check`       the last check of the folder against the ledger
//   `<mailboxId>|recovered`   the result of the first fetch after the last outage
// Not in the partition that each fetch reads.

/** A message in the folder that is not in the ledger. */
export interface MissingMessage {
  ref: MessageRef;
  /** ISO time at which the mail server received it. */
  receivedAt: string;
  /** Bytes. */
  size: number;
  messageId: string;
}

/** The counts of one check. Each message in the folder is in exactly one of the four. */
export interface FolderCount {
  /** In the ledger: in a ticket, skipped or unimported. */
  inLedger: number;
  /** To be fetched next. */
  waiting: number;
  /** Read by a person before the mailbox was connected: not imported. */
  older: number;
  missing: number;
}

export interface FolderCheck {
  mailboxId: string;
  folder: string;
  /** ISO time of the last start; later than `checkedAt` while a check is running. */
  startedAt: string;
  /** ISO time; absent until the first check has ended. */
  checkedAt?: string | undefined;
  count?: FolderCount | undefined;
  /** The first of the missing messages, oldest first. */
  missing: readonly MissingMessage[];
  /** Why the last check failed, in a sentence. */
  problem?: string | undefined;
}

/** The result of the first fetch after an outage. */
export interface RecoveredMail {
  mailboxId: string;
  /** ISO times: when fetching started to fail, and when it worked again. */
  since: string;
  until: string;
  emails: number;
  /** The fetch left some for the next one. */
  more: boolean;
}

/** How many of the missing messages are listed; one click fetches as many. */
export const MAX_LISTED = 100;
export const allIn = ({ inLedger, waiting, older, missing }: FolderCount): number =>
  inLedger + waiting + older + missing;

const RECONCILIATION = 'reconciliation';
const CHECK = '|check';
const RECOVERED = '|recovered';

const folderCheckKind = recordKind<FolderCheck>()({
  table: 'MailboxState',
  version: 1,
  keysOf: ({ mailboxId }) => ({ partitionKey: RECONCILIATION, rowKey: `${mailboxId}${CHECK}` }),
  fromKeys: ({ rowKey }) => ({ mailboxId: rowKey.slice(0, -CHECK.length) }),
  columns: {
    folder: text,
    startedAt: time,
    checkedAt: optional(time),
    count: optional(
      json(
        objectOf<FolderCount>({
          inLedger: z.number(),
          waiting: z.number(),
          older: z.number(),
          missing: z.number(),
        }),
      ),
    ),
    missing: json(
      z.array(
        objectOf<MissingMessage>({
          ref: z.string().transform(messageRef),
          receivedAt: z.string(),
          size: z.number(),
          messageId: z.string(),
        }),
      ),
    ),
    problem: optional(text),
  },
});

const recoveredKind = recordKind<RecoveredMail>()({
  table: 'MailboxState',
  version: 1,
  keysOf: ({ mailboxId }) => ({ partitionKey: RECONCILIATION, rowKey: `${mailboxId}${RECOVERED}` }),
  fromKeys: ({ rowKey }) => ({ mailboxId: rowKey.slice(0, -RECOVERED.length) }),
  columns: { since: time, until: time, emails: whole, more: flag },
});

export interface ReconciliationStore {
  check(mailboxId: string): Promise<FolderCheck | undefined>;
  /** Of all mailboxes, by ID; one request. */
  all(): Promise<{
    checks: ReadonlyMap<string, FolderCheck>;
    recovered: ReadonlyMap<string, RecoveredMail>;
  }>;
  saveCheck(check: FolderCheck): Promise<void>;
  recovered(mailboxId: string): Promise<RecoveredMail | undefined>;
  saveRecovered(recovered: RecoveredMail): Promise<void>;
  /** Of a deleted mailbox. */
  remove(mailboxId: string): Promise<void>;
}

/** Every method throws PostroomError if storage is unavailable. */
export function createReconciliationStore(tables: Tables): ReconciliationStore {
  const checks = openRecords(tables, folderCheckKind);
  const recovered = openRecords(tables, recoveredKind);
  const rows = tables.open('MailboxState');
  return {
    check: (mailboxId) => checks.find(RECONCILIATION, `${mailboxId}${CHECK}`),
    recovered: (mailboxId) => recovered.find(RECONCILIATION, `${mailboxId}${RECOVERED}`),
    saveCheck: checks.put,
    saveRecovered: recovered.put,
    async remove(mailboxId) {
      await checks.remove(RECONCILIATION, `${mailboxId}${CHECK}`);
      await recovered.remove(RECONCILIATION, `${mailboxId}${RECOVERED}`);
    },
    async all() {
      const found = await listAll(rows, RECONCILIATION);
      const read = <T extends { mailboxId: string }>(end: string, kind: RecordKind<T>): Map<string, T> => {
        const own = found.filter(({ rowKey }) => rowKey.endsWith(end));
        const covers = (rowKey: string): boolean => rowKey.endsWith(end);
        const place = { table: kind.table, partition: RECONCILIATION, part: end, covers };
        return new Map(readRows(tables, place, own, kind.fromRow).map((each) => [each.mailboxId, each]));
      };
      return { checks: read(CHECK, folderCheckKind), recovered: read(RECOVERED, recoveredKind) };
    },
  };
}
