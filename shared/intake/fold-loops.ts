import type { AutomaticMarks } from '../mime/parsed-message.ts';
import type { Decision } from './ledger.ts';

/** Automatic mail an hour; what is over it is filed all the same, folded away. */
export const loopLimits = {
  /** From one sender: a chatty monitoring system stays below it, a loop of two machines does not. */
  sender: 60,
  /** In one conversation, whoever sends it. */
  conversation: 20,
} as const;

/** Mail by machines in one hour, under the name of what is counted. */
export interface LoopCount {
  /** `2026-11-28T10`, of the mail server's clock. */
  hour: string;
  count: number;
}

/** An automatic mail that was decided to become a ticket message. */
export interface AutomaticMail {
  key: string;
  /** Lower-case address; undefined when there was none. */
  sender: string | undefined;
  /** ISO time the mail server received it. */
  receivedAt: string;
  decision: Decision;
}

const NO_PERSON = new Set(['bulk', 'junk', 'auto_reply']);

/**
 * Whether a machine sent the mail (RFC 3834 section 5; Precedence and the `X-` fields of older responders). Mailing lists
 * are no machines in this sense: people write to them.
 */
export function isAutomatic(marks: AutomaticMarks): boolean {
  const { autoSubmitted, precedence, returnPathEmpty, isReport, suppress } = marks;
  // X-Auto-Response-Suppress asks for no answer; Exchange writes it on mail of people, too.
  const isResponder = suppress?.startsWith('x-') === true;
  return (
    (autoSubmitted !== undefined && autoSubmitted !== 'no') ||
    NO_PERSON.has(precedence ?? '') ||
    returnPathEmpty ||
    isReport ||
    isResponder
  );
}

/** Under which names an email is counted: its sender, and its conversation where it joins one. */
export function countedAs({ sender, decision }: Pick<AutomaticMail, 'sender' | 'decision'>): string[] {
  const { ticketId, opens } = decision;
  return [`sender|${sender ?? ''}`, ...(opens || ticketId === undefined ? [] : [`conversation|${ticketId}`])];
}

/**
 * Counts automatic mail in its order and says which of it is to be folded, by content key with the reason. Pure: the same
 * counts and mail give the same answer.
 * @param before counts by name, as they were stored; those of another hour begin anew
 */
export function foldLoops(
  mails: readonly AutomaticMail[],
  before: ReadonlyMap<string, LoopCount>,
): { folded: Map<string, string>; counts: Map<string, LoopCount> } {
  const folded = new Map<string, string>();
  const counts = new Map(before);
  for (const mail of mails) {
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
        `Automatic message: more than ${loopLimits[what]} of them came ${where} within an hour.`,
      );
    }
  }
  return { folded, counts };
}
