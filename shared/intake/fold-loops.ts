import type { AutomaticMarks } from '../mime/parsed-message.ts';
import type { Decision } from './ledger.ts';

/** Automatic emails per hour; any above the limit are still added to the ticket, but folded. */
export const loopLimits = {
  /** From one sender: a busy monitoring system stays below it, a mail loop between two machines does not. */
  sender: 60,
  /** In one conversation, from all senders. */
  conversation: 20,
} as const;

/** Count of automatic emails in one hour, for one sender or conversation. */
export interface LoopCount {
  /** `2026-11-28T10`, by the mail server's clock. */
  hour: string;
  count: number;
}

/** An automatic email that was decided to become a ticket message. */
export interface AutomaticMail {
  key: string;
  /** Lower-case address; undefined when there was none. */
  sender: string | undefined;
  /** ISO time at which the mail server received it. */
  receivedAt: string;
  decision: Decision;
}

const NO_PERSON = new Set(['bulk', 'junk', 'auto_reply']);

/**
 * Whether a machine sent the email (RFC 3834 section 5; Precedence and the `X-` fields of older responders).
 * Mailing lists do not count as machines here: people write to them.
 */
export function isAutomatic(marks: AutomaticMarks): boolean {
  const { autoSubmitted, precedence, returnPathEmpty, isReport, suppress } = marks;
  // X-Auto-Response-Suppress asks recipients not to reply automatically;
  // Exchange also writes it on email from people.
  const isResponder = suppress?.startsWith('x-') === true;
  return (
    (autoSubmitted !== undefined && autoSubmitted !== 'no') ||
    NO_PERSON.has(precedence ?? '') ||
    returnPathEmpty ||
    isReport ||
    isResponder
  );
}

/** The names an email is counted under: its sender, and its conversation if it joins one. */
export function countedAs({ sender, decision }: Pick<AutomaticMail, 'sender' | 'decision'>): string[] {
  const { ticketId, opens } = decision;
  return [`sender|${sender ?? ''}`, ...(opens || ticketId === undefined ? [] : [`conversation|${ticketId}`])];
}

/**
 * Counts automatic emails in order and returns those to fold, by content key, with the reason. Pure: the same
 * counts and emails give the same result.
 * @param before stored counts by name; those of another hour restart at zero
 */
export function foldLoops(
  emails: readonly AutomaticMail[],
  before: ReadonlyMap<string, LoopCount>,
): { folded: Map<string, string>; counts: Map<string, LoopCount> } {
  const folded = new Map<string, string>();
  const counts = new Map(before);
  for (const mail of emails) {
    const hour = mail.receivedAt.slice(0, 13);
    for (const name of countedAs(mail)) {
      const last = counts.get(name);
      const count = (last?.hour === hour ? last.count : 0) + 1;
      counts.set(name, { hour, count });
      const what = name.startsWith('sender|') ? 'sender' : 'conversation';
      if (count <= loopLimits[what] || folded.has(mail.key)) continue;
      const where = what === 'sender' ? 'from this sender' : 'in this conversation';
      folded.set(
        mail.key,
        `Automatic message: more than ${loopLimits[what]} arrived ${where} within an hour.`,
      );
    }
  }
  return { folded, counts };
}
