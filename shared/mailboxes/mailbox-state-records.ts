import { z } from 'zod';
import {
  code,
  converted,
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
import type { Cursor, Refusal, UnfetchedMessage } from './cursor.ts';
import type { FirstFetch } from './first-fetch.ts';
import { positionData } from './inbox.ts';
import type { MailHour } from './mail-hours.ts';
import type { MailLoop } from './mail-loops.ts';
import type { FetchFailure } from './mailbox.ts';
import { type MessageIdentity, type MessageRef, messageRef } from './message-ref.ts';

// Table MailboxState, PartitionKey `state`:
//   `<mailboxId>|cursor`    its position in the folder; written when a fetch found something
//   `<mailboxId>|health`    why it can't be fetched, if it can't; written on change
//   `shard|<n>`             last success of each mailbox of a shard, and its hourly email counts; one write per
//                           shard run
//   `loop|<mailboxId>`      the last collapsed automatic email
//   `push|<mailboxId>`      until when its mail server announces new email; written by shared/push
//   `over|<shared cause>`   when the end of a fault that stopped many mailboxes was detected
// One query over `state` therefore returns everything that a shard run needs.
export const STATE = 'state';

const commaSeparated = (stored: string): string[] => (stored === '' ? [] : stored.split(','));

// `ref:fingerprint`, comma-separated: as JSON, a thousand of them would not fit into a column.
const leftText = (left: MessageIdentity): string => `${left.ref}:${left.fingerprint}`;
const leftOf = (stored: string): MessageIdentity => {
  const [ref = '', fingerprint = ''] = stored.split(':');
  return { ref: messageRef(ref), fingerprint };
};

/** Row keys of a mailbox: its ID, then the kind of state. */
const ofMailbox = (what: string) => ({
  keysOf: ({ mailboxId }: { mailboxId: string }): RowKeys => ({
    partitionKey: STATE,
    rowKey: `${mailboxId}|${what}`,
  }),
  fromKeys: ({ rowKey }: RowKeys) => ({ mailboxId: rowKey.slice(0, -`|${what}`.length) }),
});

const unfetchedTuples = z.array(
  z.tuple([z.string(), z.string(), z.number(), z.string(), z.enum(['download', 'storage'])]),
);

/** A cursor with its mailbox. */
interface MailboxCursor extends Cursor {
  mailboxId: string;
}

export const cursorKind = recordKind<MailboxCursor>()({
  table: 'MailboxState',
  version: 1,
  ...ofMailbox('cursor'),
  columns: {
    validity: text,
    folderKey: optional(text),
    position: json(positionData),
    left: converted(text, {
      read: (stored): readonly MessageIdentity[] => commaSeparated(stored).map(leftOf),
      write: (left) => left.map(leftText).join(','),
    }),
    waiting: converted(text, {
      read: (stored): readonly MessageRef[] => commaSeparated(stored).map(messageRef),
      write: (refs) => refs.join(','),
    }),
    lastMailAt: optional(time),
    backlog: optional(whole),
    first: optional(
      json(
        objectOf<FirstFetch>({
          since: z.string().optional(),
          upTo: positionData,
          at: z.string().transform(messageRef).optional(),
          total: z.number(),
          done: z.number(),
          startedAt: z.string(),
        }),
      ),
    ),
    deletedAt: optional(time),
    unfetched: optional(
      converted<z.infer<typeof unfetchedTuples>, readonly UnfetchedMessage[]>(json(unfetchedTuples), {
        read: (tuples) =>
          tuples.map(([ref, fingerprint, attempts, since, failed]) => ({
            ref: messageRef(ref),
            fingerprint,
            attempts,
            since,
            failed,
          })),
        write: (unfetched) =>
          unfetched.map((each) => [each.ref, each.fingerprint, each.attempts, each.since, each.failed]),
      }),
    ),
    refusal: optional(
      json(
        objectOf<Refusal>({
          action: z.string(),
          problem: z.string(),
          since: z.string(),
          triedAt: z.string(),
          listed: z.string().optional(),
        }),
      ),
    ),
  },
});

/** A failure with its mailbox. */
interface FailureRow extends FetchFailure {
  mailboxId: string;
}

export const failureKind = recordKind<FailureRow>()({
  table: 'MailboxState',
  version: 1,
  ...ofMailbox('health'),
  columns: {
    state: oneOf('retrying', 'action-required'),
    code,
    problem: text,
    said: optional(text),
    since: time,
    failures: whole,
    triedAt: time,
    nextTryAt: time,
  },
});

interface ShardState {
  shard: number;
  /** Mailbox ID → ISO time of the last successful fetch. */
  successes: ReadonlyMap<string, string>;
  hours: readonly MailHour[];
}

const successTuples = z.array(z.tuple([z.string(), z.string()]));
const hourTuples = z.array(z.tuple([z.string(), z.number(), z.number()]));

export const shardKind = recordKind<ShardState>()({
  table: 'MailboxState',
  version: 1,
  keysOf: ({ shard }) => ({ partitionKey: STATE, rowKey: `shard|${String(shard).padStart(5, '0')}` }),
  fromKeys: ({ rowKey }) => ({ shard: Number(rowKey.slice('shard|'.length)) }),
  columns: {
    successes: converted<z.infer<typeof successTuples>, ReadonlyMap<string, string>>(json(successTuples), {
      read: (tuples) => new Map(tuples),
      write: (successes) => [...successes],
    }),
    hours: converted<z.infer<typeof hourTuples>, readonly MailHour[]>(json(hourTuples), {
      read: (tuples) => tuples.map(([hour, emails, quarantined]) => ({ hour, emails, quarantined })),
      write: (hours) => hours.map(({ hour, emails, quarantined }) => [hour, emails, quarantined]),
    }),
  },
});

/** The end of a fault that stopped many mailboxes. */
interface Recovery {
  /** See `sharedCauseOf`. */
  cause: string;
  at: string;
}

export const recoveryKind = recordKind<Recovery>()({
  table: 'MailboxState',
  version: 1,
  keysOf: ({ cause }) => ({ partitionKey: STATE, rowKey: `over|${cause}` }),
  fromKeys: ({ rowKey }) => ({ cause: rowKey.slice('over|'.length) }),
  columns: { at: time },
});

const LONGEST_ADDRESS = 320;

export const mailLoopKind = recordKind<MailLoop>()({
  table: 'MailboxState',
  version: 1,
  keysOf: ({ mailboxId }) => ({ partitionKey: STATE, rowKey: `loop|${mailboxId}` }),
  fromKeys: ({ rowKey }) => ({ mailboxId: rowKey.slice('loop|'.length) }),
  columns: {
    sender: converted<string, string>(text, {
      read: (stored) => stored,
      write: (sender) => sender.slice(0, LONGEST_ADDRESS),
    }),
    at: time,
    ticketId: text,
    count: whole,
    stopsAcknowledgements: {
      read: (value) => (optional(flag).read(value) === true ? true : undefined),
      write: (value) => value,
    },
  },
});

/** A mailbox whose server announces new email, until this time. */
interface AnnouncedMailbox {
  mailboxId: string;
  until: string;
}

export const announcedKind = recordKind<AnnouncedMailbox>()({
  table: 'MailboxState',
  version: 1,
  keysOf: ({ mailboxId }) => ({ partitionKey: STATE, rowKey: `push|${mailboxId}` }),
  fromKeys: ({ rowKey }) => ({ mailboxId: rowKey.slice('push|'.length) }),
  columns: { until: time },
});
