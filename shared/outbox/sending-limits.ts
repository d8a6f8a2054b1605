import type { Mailbox } from '../mailboxes/mailbox.ts';
import { isLoginOf } from '../mailboxes/mailbox-logins.ts';
import type { DeliveryProblem } from './delivery.ts';
import { offersUploads } from './upload-hosts.ts';

/**
 * What a mail server allows one account, kept across instances in one row per account that is changed by
 * compare-and-swap (docs/decisions/0025). Pure.
 */
export interface SendingLimits {
  /** Connections at the same time. */
  connections: number;
  /** Emails in any 60 seconds; absent: no limit. */
  perMinute?: number | undefined;
  /** Recipients in any 24 hours; absent: no limit. */
  recipientsPerDay?: number | undefined;
}

/**
 * Exchange Online's limits of SMTP submission, which also bound Graph sendMail.
 * https://learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements
 * https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits
 */
export const exchangeLimits: SendingLimits = { connections: 3, perMinute: 30, recipientsPerDay: 10_000 };
/** For servers whose limits are unknown: no more connections than Exchange allows, and what they refuse is retried. */
export const otherLimits: SendingLimits = { connections: 3 };

const MB = 1024 * 1024;
/** A request to Microsoft Graph: https://learn.microsoft.com/graph/api/resources/mail-api-overview */
export const GRAPH_REQUEST_BYTES = 4 * MB;

/** How large the attachments of an email may be in all; `advice`: what an admin can do if that is too little. */
export interface AttachmentLimit {
  bytes: number;
  advice?: string | undefined;
}

/**
 * How large the attachments may be that a mailbox sends. Exchange Online takes 35 MB by default, to which base64 has
 * added a third; one request to Microsoft Graph 4 MB, to which base64 has added a third twice. More leaves as a draft:
 * that needs Mail.ReadWrite, which an account has that also reads over Graph. Pure.
 */
export function attachmentLimitOf(
  mailbox: Pick<Mailbox, 'protocol' | 'providerId' | 'accountId' | 'sending'>,
): AttachmentLimit {
  const { sending } = mailbox;
  if (sending?.protocol !== 'graph-send') return { bytes: 25 * MB };
  if (!offersUploads(sending.host))
    return { bytes: 2 * MB, advice: 'To send larger attachments, ask an admin to send over SMTP instead.' };
  if (mailbox.protocol === 'graph' && isLoginOf(sending, mailbox)) return { bytes: 25 * MB };
  const advice =
    'To send larger attachments, ask an admin to read this mailbox over Microsoft Graph with the same account, or to send over SMTP instead.';
  return { bytes: 2 * MB, advice };
}

/** Permission to send some emails over one connection. */
export interface Slot {
  id: string;
  emails: number;
  recipients: number;
  /** ISO time after which its process counts as gone. */
  until: string;
}

export interface Usage {
  slots: readonly Slot[];
  /** When emails were sent within the last minute; milliseconds since the epoch. */
  sentAt: readonly number[];
  /** Recipients by hour since the epoch, for the last 25 hours. */
  recipients: Readonly<Record<string, number>>;
  /** The server asked for a pause. */
  pause?: { until: string; why: DeliveryProblem } | undefined;
}

export const noUsage: Usage = { slots: [], sentAt: [], recipients: {} };

export type Reservation =
  /** The first `emails` of those asked for may be sent. */
  | { kind: 'granted'; usage: Usage; emails: number }
  | { kind: 'busy'; why: 'connections' | 'minute' | 'day' | 'pause' };

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const HOURS_KEPT = 25;
/**
 * A run begins no further email after this time (`BURST_MS`), and none takes longer than five minutes
 * (`SENDING_MS`): only a process that is gone leaves an expired slot.
 */
const SLOT_MS = 10 * MINUTE;
export const BURST_MS = 4 * MINUTE;

/**
 * Reserves a connection for as many of these emails as the limits allow.
 * @param recipients how many recipients each email has
 * @param now milliseconds since the epoch
 */
export function reserve(
  before: Usage,
  limits: SendingLimits,
  { id, recipients, now }: { id: string; recipients: readonly number[]; now: number },
): Reservation {
  const usage = withoutExpired(before, now);
  if (usage.pause !== undefined) return { kind: 'busy', why: 'pause' };
  if (usage.slots.length >= limits.connections) return { kind: 'busy', why: 'connections' };
  // A slot's emails count as being sent now, until it is released with their real times.
  const inMinute = usage.sentAt.length + sum(usage.slots.map((slot) => slot.emails));
  const room = (limits.perMinute ?? Number.POSITIVE_INFINITY) - inMinute;
  if (room <= 0) return { kind: 'busy', why: 'minute' };
  const inDay = sum(Object.values(usage.recipients)) + sum(usage.slots.map((slot) => slot.recipients));
  let left = (limits.recipientsPerDay ?? Number.POSITIVE_INFINITY) - inDay;
  let emails = 0;
  for (const count of recipients.slice(0, room)) {
    if (count > left) break;
    left -= count;
    emails += 1;
  }
  if (emails === 0) return { kind: 'busy', why: 'day' };
  const slot = {
    id,
    emails,
    recipients: sum(recipients.slice(0, emails)),
    until: new Date(now + SLOT_MS).toISOString(),
  };
  return { kind: 'granted', usage: { ...usage, slots: [...usage.slots, slot] }, emails };
}

/**
 * Ends a reservation.
 * @param sent what the server was handed, whether it accepted it or not
 */
export function release(
  before: Usage,
  id: string,
  sent: readonly { at: number; recipients: number }[],
  now: number,
  pause?: Usage['pause'],
): Usage {
  const usage = withoutExpired(before, now);
  const recipients: Record<string, number> = { ...usage.recipients };
  for (const each of sent) {
    const hour = String(Math.floor(each.at / HOUR));
    recipients[hour] = (recipients[hour] ?? 0) + each.recipients;
  }
  return {
    slots: usage.slots.filter((slot) => slot.id !== id),
    sentAt: [...usage.sentAt, ...sent.map(({ at }) => at)].filter((at) => now - at < MINUTE),
    recipients,
    pause: pause ?? usage.pause,
  };
}

function withoutExpired(usage: Usage, now: number): Usage {
  const thisHour = Math.floor(now / HOUR);
  const hours = Object.entries(usage.recipients).filter(([hour]) => thisHour - Number(hour) < HOURS_KEPT);
  return {
    slots: usage.slots.filter(({ until }) => Date.parse(until) > now),
    sentAt: usage.sentAt.filter((at) => now - at < MINUTE),
    recipients: Object.fromEntries(hours),
    pause: usage.pause !== undefined && Date.parse(usage.pause.until) > now ? usage.pause : undefined,
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
