import { z } from 'zod';
import { codeFrom } from '../platform/problem.ts';
import { json, objectOf, oneOf, optional, recordKind, text, time } from '../platform/records.ts';
import { body, optionalBody } from '../tickets/message-records.ts';
import { ticketStatuses } from '../tickets/ticket.ts';
import { listWithin, short } from '../tickets/ticket-columns.ts';
import type { Delivery, DeliveryProblem, RefusedAddress } from './delivery.ts';
import type { OutboxAttachment, OutboxMessage, OutboxRef, Written } from './outbox-message.ts';

// Tickets:   ticketId / `o|<id>`                     an email of the ticket that is to leave or has left
// OutboxDue: `due` / `<ISO time>|<ticketId>|<id>`    when something is to be done with it; written before the email's
//                                                    own row, deleted after the email has left
//            `held` / `<mailboxId>|<ticketId>|<id>`  failed because of the way out: sent when that is repaired
//            `usage` / `<providerId>|<accountId>`    what an account has sent lately (sending-limits.ts)
//            `usage` / `relay`                       the same for the SMTP relay

export const OUTBOX = 'o|';
export const outboxRowKey = (id: string): string => `${OUTBOX}${id}`;

export const problem: z.ZodType<DeliveryProblem> = objectOf<DeliveryProblem>({
  code: z.string().transform(codeFrom) as unknown as z.ZodType<DeliveryProblem['code']>,
  reason: z.string(),
  isVerdict: z.boolean(),
});
const refused = z.array(objectOf<RefusedAddress>({ address: z.string(), line: z.string() }));
const isoTime = z.iso.datetime();

const delivery: z.ZodType<Delivery> = objectOf<Delivery>({
  status: z.discriminatedUnion('state', [
    z.object({ state: z.literal('queued'), due: isoTime }),
    z.object({ state: z.literal('sending'), claimedAt: isoTime }),
    z.object({ state: z.literal('retrying'), at: isoTime, due: isoTime, why: problem }),
    z.object({
      state: z.literal('unknown'),
      at: isoTime,
      due: isoTime.optional(),
      why: problem,
      searches: z.number(),
    }),
    z.object({
      state: z.literal('sent'),
      at: isoTime,
      answer: z.string(),
      foundInSent: z.boolean(),
      refused,
    }),
    z.object({ state: z.literal('failed'), at: isoTime, why: problem, isOfWayOut: z.boolean() }),
    z.object({ state: z.literal('withdrawn'), at: isoTime }),
  ]),
  attempts: z.number(),
  firstTriedAt: isoTime.optional(),
  sentAgainAt: isoTime.optional(),
});

const attachment = objectOf<OutboxAttachment>({
  filename: z.string(),
  contentType: z.string(),
  size: z.number(),
  blob: z.string(),
});

const written = objectOf<Written>({
  personId: z.string(),
  address: z.string().optional(),
  assigns: z.boolean().optional(),
  quotes: z.boolean(),
  statusBefore: z.enum(ticketStatuses).optional(),
  statusAfter: z.enum(ticketStatuses).optional(),
});

export const outboxKind = recordKind<OutboxMessage>()({
  table: 'Tickets',
  version: 1,
  keysOf: ({ ticketId, id }) => ({ partitionKey: ticketId, rowKey: outboxRowKey(id) }),
  fromKeys: ({ partitionKey, rowKey }) => ({ ticketId: partitionKey, id: rowKey.slice(OUTBOX.length) }),
  columns: {
    kind: oneOf('acknowledgement', 'reply', 'notification'),
    mailboxId: text,
    createdAt: time,
    by: optional(short),
    from: json(objectOf<OutboxMessage['from']>({ address: z.string(), name: z.string().optional() })),
    to: json(z.array(z.string())),
    cc: json(z.array(z.string())),
    bcc: json(z.array(z.string())),
    subject: short,
    text: body('text'),
    html: optionalBody('html'),
    attachments: json(z.array(attachment)),
    messageId: text,
    references: listWithin(z.string()),
    headers: json(z.record(z.string(), z.string())),
    delivery: json(delivery),
    written: optional(json(written)),
    source: optionalBody('source'),
  },
});

export const DUE = 'due';

/** An entry of the timetable. It may be outdated: the email's own row decides. */
export interface DueEmail extends OutboxRef {
  /** ISO time. */
  due: string;
  mailboxId: string;
  /** ISO time of the last write, before the transaction that the email's row is part of. */
  announcedAt: string;
}

export const dueRowKey = ({ due, ticketId, id }: Pick<DueEmail, 'due' | 'ticketId' | 'id'>): string =>
  `${due}|${ticketId}|${id}`;

/** The parts of a `dueRowKey`; undefined if the text is not one. */
export function partsOfDueKey(rowKey: string): { due: string; ticketId: string; id: string } | undefined {
  const [, due, ticketId, id] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\|([\w-]{1,64})\|([a-z0-9]{1,32})$/.exec(rowKey) ?? [];
  return due === undefined || ticketId === undefined || id === undefined ? undefined : { due, ticketId, id };
}

export const dueKind = recordKind<DueEmail>()({
  table: 'OutboxDue',
  version: 1,
  keysOf: (email) => ({ partitionKey: DUE, rowKey: dueRowKey(email) }),
  fromKeys: ({ rowKey }) => {
    const parts = partsOfDueKey(rowKey);
    if (parts === undefined) throw new TypeError('not a key of the timetable');
    return parts;
  },
  columns: { mailboxId: text, announcedAt: time },
});

/** An email that failed because of its way out, not because of itself. */
export interface HeldEmail extends OutboxRef {
  mailboxId: string;
  /** ISO time at which it was written, however often it was held. */
  writtenAt: string;
}

export const HELD = 'held';
/** The start of the row keys of a mailbox. */
export const heldOf = (mailboxId: string): string => `${mailboxId}|`;
export const heldRowKey = ({ mailboxId, ticketId, id }: Omit<HeldEmail, 'writtenAt'>): string =>
  `${heldOf(mailboxId)}${ticketId}|${id}`;

export const heldKind = recordKind<HeldEmail>()({
  table: 'OutboxDue',
  version: 1,
  keysOf: (email) => ({ partitionKey: HELD, rowKey: heldRowKey(email) }),
  fromKeys: ({ rowKey }) => {
    const [mailboxId = '', ticketId = '', id = ''] = rowKey.split('|');
    return { mailboxId, ticketId, id };
  },
  columns: { writtenAt: time },
});
