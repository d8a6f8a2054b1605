import { createHash } from 'node:crypto';
import { openRecords } from '../platform/open-records.ts';
import { oneOf, recordKind, text, time } from '../platform/records.ts';
import type { Seam } from '../platform/seam.ts';
import type { Tables } from '../platform/tables.ts';
import type { SenderRule } from './sender-rule.ts';

// Table Mailboxes: `sender` / hash of the sender   a rule for the sender, for all mailboxes.

const SENDERS = 'sender';
const keyOf = (sender: string): string => createHash('sha256').update(sender).digest('hex').slice(0, 32);

const senderRuleKind = recordKind<SenderRule>()({
  table: 'Mailboxes',
  version: 1,
  keysOf: ({ sender }) => ({ partitionKey: SENDERS, rowKey: keyOf(sender) }),
  fromKeys: () => ({}),
  columns: { sender: text, kind: oneOf('blocked', 'allowed'), addedAt: time, addedBy: text },
});

/** How long an instance caches the rules. */
const FRESH_MS = 30_000;

export interface SenderRuleStore {
  /** Sorted by sender, read from storage. */
  list(): Promise<SenderRule[]>;
  /** The same, cached for up to 30 seconds: the intake reads it for every batch. */
  recent(): Promise<readonly SenderRule[]>;
  /** Adds a rule, or replaces the one for the same sender. */
  save(rule: SenderRule): Promise<void>;
  remove(sender: string): Promise<void>;
}

/** Rules for senders. Every method throws PostroomError when storage is unavailable. */
export function createSenderRuleStore({
  tables,
  seam,
}: {
  tables: Tables;
  seam: Pick<Seam, 'now'>;
}): SenderRuleStore {
  const rules = openRecords(tables, senderRuleKind);
  let read: { at: number; rules: readonly SenderRule[] } | undefined;
  const list: SenderRuleStore['list'] = async () => {
    const all = await rules.list(SENDERS);
    return all.sort((a, b) => (a.sender < b.sender ? -1 : 1));
  };
  return {
    list,
    async recent() {
      const now = seam.now();
      // If the clock was set back, the cache is not fresh.
      if (read === undefined || now - read.at >= FRESH_MS || now < read.at)
        read = { at: now, rules: await list() };
      return read.rules;
    },
    async save(rule) {
      await rules.put(rule);
      read = undefined;
    },
    async remove(sender) {
      await rules.remove(SENDERS, keyOf(sender));
      read = undefined;
    },
  };
}
