import { z } from 'zod';
import type { AccountRef } from '../mailboxes/connect-inbox.ts';
import { openRecords } from '../platform/open-records.ts';
import { json, objectOf, recordKind } from '../platform/records.ts';
import type { Tables } from '../platform/tables.ts';
import { problem } from './outbox-records.ts';
import {
  noUsage,
  type Reservation,
  release,
  reserve,
  type SendingLimits,
  type Slot,
  type Usage,
} from './sending-limits.ts';

/** Who is counted: an account, or the relay for all mailboxes that send over it. */
export type Sender = AccountRef | 'relay';

interface UsageRecord {
  sender: Sender;
  usage: Usage;
}

const USAGE = 'usage';
const rowKeyOf = (sender: Sender): string =>
  sender === 'relay' ? sender : `${sender.providerId}|${sender.accountId}`;

const usage = objectOf<Usage>({
  slots: z.array(
    objectOf<Slot>({ id: z.string(), emails: z.number(), recipients: z.number(), until: z.iso.datetime() }),
  ),
  sentAt: z.array(z.number()),
  recipients: z.record(z.string(), z.number()),
  pause: z.object({ until: z.iso.datetime(), why: problem }).optional(),
});

const usageKind = recordKind<UsageRecord>()({
  table: 'OutboxDue',
  version: 1,
  keysOf: ({ sender }) => ({ partitionKey: USAGE, rowKey: rowKeyOf(sender) }),
  fromKeys: ({ rowKey }) => {
    const [providerId = '', accountId] = rowKey.split('|');
    return { sender: accountId === undefined ? 'relay' : { providerId, accountId } };
  },
  columns: { usage: json(usage) },
});

/** Keeps the limits of accounts that send. */
export interface SendingUsage {
  reserve(
    sender: Sender,
    limits: SendingLimits,
    asked: { id: string; recipients: readonly number[]; now: number },
  ): Promise<Reservation>;
  /** Ends a reservation; if this never happens, it ends by itself after ten minutes. */
  release(
    sender: Sender,
    id: string,
    sent: readonly { at: number; recipients: number }[],
    now: number,
    pause?: Usage['pause'],
  ): Promise<void>;
  /** Ends a pause that the server asked for, because a person has repaired something. */
  endPause(sender: Sender): Promise<void>;
}

/** As many processes as may change one row at the same moment. */
const TRIES = 10;

export function createSendingUsage(tables: Tables): SendingUsage {
  const rows = openRecords(tables, usageKind);

  /** @param change undefined: nothing is to be written */
  async function update(sender: Sender, change: (before: Usage) => Usage | undefined): Promise<boolean> {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const stored = await rows.get(USAGE, rowKeyOf(sender));
      const after = change(stored?.record.usage ?? noUsage);
      if (after === undefined) return true;
      const record = { sender, usage: after };
      if (stored === undefined ? await rows.insert(record) : await rows.replace(record, stored.etag))
        return true;
    }
    return false;
  }

  return {
    async reserve(sender, limits, asked) {
      let result: Reservation = { kind: 'busy', why: 'connections' };
      const isWritten = await update(sender, (before) => {
        result = reserve(before, limits, asked);
        return result.kind === 'granted' ? result.usage : undefined;
      });
      return isWritten ? result : { kind: 'busy', why: 'connections' };
    },
    async release(sender, id, sent, now, pause) {
      await update(sender, (before) => release(before, id, sent, now, pause));
    },
    async endPause(sender) {
      await update(sender, (before) =>
        before.pause === undefined ? undefined : { ...before, pause: undefined },
      );
    },
  };
}
