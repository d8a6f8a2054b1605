/** How many acknowledgements leave: the limits that end a mail loop which no header shows. Pure. */

/** Per mailbox; an address that writes to two mailboxes has the windows of each. */
export const acknowledgementLimits = { senderHour: 1, senderDay: 5, mailboxHour: 200 } as const;
/** So many refusals within an hour are a machine. A person who writes twice in an hour is no loop. */
export const SUSPECTED_AFTER = 10;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A message, by its content key, and when it was counted, in milliseconds since the epoch. */
export type Counted = readonly [key: string, at: number];

/** What was counted for one recipient of acknowledgements. */
export interface SenderCount {
  /** Acknowledged within a day. */
  sent: readonly Counted[];
  /** Not acknowledged within the last hour; the newest of them. */
  refused: readonly Counted[];
}

export interface WindowCounts {
  /** By lower-case address. */
  senders: ReadonlyMap<string, SenderCount>;
  /** Acknowledged within the last hour, for the whole mailbox. */
  mailbox: readonly Counted[];
}

export interface AcknowledgementRequest {
  /** Content key of the message. */
  key: string;
  /** Lower-case address that would get it. */
  to: string;
}

export type ClosedWindow = 'sender-hour' | 'sender-day' | 'mailbox-hour';
export type WindowVerdict =
  | { kind: 'open' }
  /** `loop`: number of acknowledgements refused, when that looks like a mail loop. */
  | { kind: 'closed'; window: ClosedWindow; loop?: number };

/** For the timeline of the ticket. */
export const windowReasons: Readonly<Record<ClosedWindow, string>> = {
  'sender-hour': 'The sender was sent an acknowledgement within the last hour.',
  'sender-day': `The sender was sent ${acknowledgementLimits.senderDay} acknowledgements within a day.`,
  'mailbox-hour': `This mailbox sent ${acknowledgementLimits.mailboxHour} acknowledgements within an hour.`,
};

/**
 * Counts requests in order. A message that was counted before gets the same verdict and counts once. The same
 * counts and requests give the same result.
 */
export function openWindows(
  requests: readonly AcknowledgementRequest[],
  before: WindowCounts,
  now: number,
): { verdicts: Map<string, WindowVerdict>; counts: WindowCounts } {
  const senders = new Map(before.senders);
  let mailbox = within(before.mailbox, now, HOUR_MS);
  const verdicts = new Map<string, WindowVerdict>();
  for (const { key, to } of requests) {
    const known = senders.get(to) ?? { sent: [], refused: [] };
    const sent = within(known.sent, now, DAY_MS);
    const refused = within(known.refused, now, HOUR_MS);
    const wasRefused = refused.some(([each]) => each === key);
    const closed = sent.some(([each]) => each === key) ? undefined : closedWindow(sent, mailbox, now);
    // A refusal is final: a later run must not acknowledge what an earlier one decided to leave.
    if (closed === undefined && !wasRefused) {
      const isNew = !sent.some(([each]) => each === key);
      if (isNew) mailbox = [...mailbox, [key, now]];
      senders.set(to, { sent: isNew ? [...sent, [key, now]] : sent, refused });
      verdicts.set(key, { kind: 'open' });
      continue;
    }
    const window = closed ?? 'sender-hour';
    const all = wasRefused ? refused : [...refused, [key, now] as const];
    senders.set(to, { sent, refused: all.slice(-SUSPECTED_AFTER) });
    const isLoop = window !== 'sender-hour' || all.length >= SUSPECTED_AFTER;
    verdicts.set(key, { kind: 'closed', window, ...(isLoop && { loop: all.length }) });
  }
  return { verdicts, counts: { senders, mailbox } };
}

function closedWindow(
  sent: readonly Counted[],
  mailbox: readonly Counted[],
  now: number,
): ClosedWindow | undefined {
  if (sent.length >= acknowledgementLimits.senderDay) return 'sender-day';
  if (within(sent, now, HOUR_MS).length >= acknowledgementLimits.senderHour) return 'sender-hour';
  return mailbox.length >= acknowledgementLimits.mailboxHour ? 'mailbox-hour' : undefined;
}

/** A time in the future, from before the clock was set back, stays counted: the safe side is silence. */
const within = (counted: readonly Counted[], now: number, ms: number): Counted[] =>
  counted.filter(([, at]) => now - at < ms);
