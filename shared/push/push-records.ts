import { z } from 'zod';
import { openRecords, type Stored } from '../platform/open-records.ts';
import { code, json, objectOf, oneOf, optional, recordKind, text, time, whole } from '../platform/records.ts';
import type { Tables } from '../platform/tables.ts';
import { type Push, pushStates, type Subscription, type Wake } from './subscription.ts';

// MailboxState:
//   `subscription` / `<mailboxId>`   the push of a mailbox; written when it changes, about twice a week
//   `wake` / `<mailboxId>`           when its last event was answered with a fetch; at most once in five seconds
// Not in the partition that each fetch reads. There, `push|<mailboxId>` only says until when the mail server
// announces new email (`saveAnnounced` of the mailboxes).
const PUSH = 'subscription';
const WAKE = 'wake';

const pushKind = recordKind<Push>()({
  table: 'MailboxState',
  version: 1,
  keysOf: ({ mailboxId }) => ({ partitionKey: PUSH, rowKey: mailboxId }),
  fromKeys: ({ rowKey }) => ({ mailboxId: rowKey }),
  columns: {
    state: oneOf(...pushStates),
    since: time,
    reason: optional(text),
    code: optional(code),
    subscription: optional(
      json(
        objectOf<Subscription>({
          providerId: z.string(),
          accountId: z.string(),
          resource: z.string(),
          subscriptionId: z.string(),
          createdAt: z.string(),
          renewedAt: z.string(),
          expiresAt: z.string(),
        }),
      ),
    ),
    clientStates: json(z.array(z.string())),
    settings: text,
    failures: whole,
    nextAt: time,
  },
});

const wakeKind = recordKind<Wake>()({
  table: 'MailboxState',
  version: 1,
  keysOf: ({ mailboxId }) => ({ partitionKey: WAKE, rowKey: mailboxId }),
  fromKeys: ({ rowKey }) => ({ mailboxId: rowKey }),
  columns: { eventAt: time, fetchAt: time },
});

export interface PushStore {
  /** Of all mailboxes, also of deleted ones until their subscription is removed. */
  all(): Promise<Push[]>;
  /** Undefined also if the row can't be read: the push is then set up again. */
  find(mailboxId: string): Promise<Push | undefined>;
  /** With its etag. @throws PostroomError `bad-row` if the row can't be read */
  get(mailboxId: string): Promise<Stored<Push> | undefined>;
  save(push: Push): Promise<void>;
  /**
   * Writes only if nothing was written since `etag`; undefined: if there is no row. False: someone else is
   * working on it.
   */
  claim(push: Push, etag: string | undefined): Promise<boolean>;
  /** Also the mailbox's last event. */
  remove(mailboxId: string): Promise<void>;
  wakes(): Promise<ReadonlyMap<string, Wake>>;
  getWake(mailboxId: string): Promise<Stored<Wake> | undefined>;
  saveWake(wake: Wake): Promise<void>;
  claimWake(wake: Wake, etag: string | undefined): Promise<boolean>;
}

/** Every method throws PostroomError if storage is unavailable. */
export function createPushStore(tables: Tables): PushStore {
  const pushes = openRecords(tables, pushKind);
  const wakes = openRecords(tables, wakeKind);
  return {
    all: () => pushes.list(PUSH),
    find: (mailboxId) => pushes.find(PUSH, mailboxId),
    get: (mailboxId) => pushes.get(PUSH, mailboxId),
    save: pushes.put,
    claim: (push, etag) => (etag === undefined ? pushes.insert(push) : pushes.replace(push, etag)),
    async remove(mailboxId) {
      await wakes.remove(WAKE, mailboxId);
      await pushes.remove(PUSH, mailboxId);
    },
    wakes: async () => new Map((await wakes.list(WAKE)).map((wake) => [wake.mailboxId, wake])),
    getWake: (mailboxId) => wakes.get(WAKE, mailboxId),
    saveWake: wakes.put,
    claimWake: (wake, etag) => (etag === undefined ? wakes.insert(wake) : wakes.replace(wake, etag)),
  };
}
