import { z } from 'zod';
import { fixers } from '../explanations/explanation.ts';
import { codeFrom } from '../platform/problem.ts';
import { json, objectOf, oneOf, optional, recordKind, text, time, whole } from '../platform/records.ts';
import {
  type Alert,
  alertKinds,
  type Finding,
  keyHash,
  type Subject,
  severities,
  subjectKinds,
} from './alert.ts';
import { channels, type Delivery, events, type Notification, type Outgoing } from './notification.ts';

// Alerts:  `alert` / `open|<hash of the key>`                       an open alert: one row per fault, so it opens once
//          `alert` / `outgoing|<due>|<notification>|<channel>`      a pending notification; each attempt changes its key
//          `alert` / `past|<id>`                                    a closed alert; the ID starts with the inverted opening
//          `alert` / `sent|<notification>|<channel>`                a notification that was sent or abandoned; its ID
//                                                                   starts with the ID of its alert
// One partition: an alert and its notifications change in one transaction. `open` and `outgoing` are adjacent, so that one
// query reads all that the monitor needs.
export const PARTITION = 'alert';
export const OPEN = 'open|';
export const OUTGOING = 'outgoing|';
export const PAST = 'past|';
export const SENT = 'sent|';

const finding = objectOf<Finding>({
  kind: z.enum(alertKinds),
  subject: objectOf<Subject>({ kind: z.enum(subjectKinds), id: z.string(), name: z.string() }),
  severity: z.enum(severities),
  headline: z.string(),
  cause: z.string(),
  code: z.string().transform(codeFrom).optional(),
  since: z.string(),
  affected: z.string(),
  who: z.enum(fixers),
  fix: objectOf<Finding['fix']>({ label: z.string(), href: z.string() }),
  stage: z.string().optional(),
  size: z.number().optional(),
});
const findingsBySource = objectOf<Alert['findings']>({
  watch: finding.optional(),
  review: finding.optional(),
  sending: finding.optional(),
}).refine((bySource) => Object.values(bySource).some((one) => one !== undefined), 'no finding');
const notification = objectOf<Notification>({
  id: z.string(),
  what: z.enum(events),
  at: z.string(),
  openedAt: z.string(),
  key: z.string(),
  finding,
});

/** The ETag is of the row that an alert was read from. */
export type AlertRecord = Omit<Alert, 'etag'>;

const alertKind = (rowKeyOf: (alert: AlertRecord) => string) =>
  recordKind<AlertRecord>()({
    table: 'Alerts',
    version: 1,
    keysOf: (alert) => ({ partitionKey: PARTITION, rowKey: rowKeyOf(alert) }),
    fromKeys: () => ({}),
    columns: {
      id: text,
      key: text,
      findings: json(findingsBySource),
      openedAt: time,
      notifiedAt: time,
      notificationCount: whole,
      notifiedAs: text,
      closedAt: optional(time),
    },
  });

export const openRowKey = (key: string): string => `${OPEN}${keyHash(key)}`;
export const openAlertKind = alertKind(({ key }) => openRowKey(key));
export const pastAlertKind = alertKind(({ id }) => `${PAST}${id}`);

export const outgoingKind = recordKind<Outgoing>()({
  table: 'Alerts',
  version: 1,
  keysOf: ({ dueAt, notification: { id }, channel }) => ({
    partitionKey: PARTITION,
    rowKey: `${OUTGOING}${dueAt}|${id}|${channel}`,
  }),
  fromKeys: () => ({}),
  columns: {
    notification: json(notification),
    channel: oneOf(...channels),
    attempts: whole,
    dueAt: time,
  },
});

/** The result of sending a notification over one channel. */
export interface SentRecord extends Delivery {
  notificationId: string;
}

export const sentKind = recordKind<SentRecord>()({
  table: 'Alerts',
  version: 1,
  keysOf: ({ notificationId, channel }) => ({
    partitionKey: PARTITION,
    rowKey: `${SENT}${notificationId}|${channel}`,
  }),
  fromKeys: ({ rowKey }) => ({ notificationId: rowKey.slice(SENT.length, rowKey.lastIndexOf('|')) }),
  columns: {
    channel: oneOf(...channels),
    what: oneOf(...events),
    at: time,
    result: oneOf('delivered', 'given-up'),
    attempts: whole,
  },
});
