import { openRecords } from '../platform/open-records.ts';
import { recordKind, text, time } from '../platform/records.ts';
import type { Tables } from '../platform/tables.ts';
import type { CannedReply } from './canned-reply.ts';

// Table Mailboxes: `canned` / id   a canned reply, for all mailboxes.

const CANNED = 'canned';
const cannedReplyKind = recordKind<CannedReply>()({
  table: 'Mailboxes',
  version: 1,
  keysOf: ({ id }) => ({ partitionKey: CANNED, rowKey: id }),
  fromKeys: ({ rowKey }) => ({ id: rowKey }),
  columns: { name: text, text, changedAt: time, changedBy: text },
});

export interface CannedReplyStore {
  /** By name. */
  list(): Promise<CannedReply[]>;
  get(id: string): Promise<CannedReply | undefined>;
  /** @param reply its `id` is ours (random), never typed */
  save(reply: CannedReply): Promise<void>;
  remove(id: string): Promise<void>;
}

/** Every method throws PostroomError when storage is unavailable. */
export function createCannedReplyStore(tables: Tables): CannedReplyStore {
  const replies = openRecords(tables, cannedReplyKind);
  return {
    async list() {
      const all = await replies.list(CANNED);
      return all.sort((a, b) => a.name.localeCompare(b.name, 'en') || (a.id < b.id ? -1 : 1));
    },
    get: (id) => replies.find(CANNED, id),
    save: replies.put,
    async remove(id) {
      await replies.remove(CANNED, id);
    },
  };
}
