import type { Mailbox } from '../mailboxes/mailbox.ts';
import { areColleagues } from './colleagues.ts';
import type { Decision } from './ledger.ts';
import { type KnownThread, type KnownThreads, type ThreadMessage, Threads } from './threads.ts';

/** Settings of the mailbox that concern threads. */
export type ThreadRules = Pick<Mailbox, 'colleaguesJoin'>;

/** What a decision needs to know of an email. */
export type Candidate =
  | ({
      kind: 'mail';
      key: string;
      /** The ticket this email opens, if it opens one. */
      ownTicketId: string;
    } & ThreadMessage)
  | { kind: 'settled'; key: string; disposition: 'quarantine' | 'skip'; reason: string }
  /** Decided before or by another run, for good: the others of the batch go by it. */
  | ({ kind: 'decided'; key: string; decision: Decision } & ThreadMessage);

/**
 * Decides for emails in UID order what becomes of each: quarantine, skip, a reply, or a ticket of its own. Pure.
 * A reply joins the first of its threads that is open to its sender, else the ticket that its subject names if the sender
 * took part in it; otherwise it opens a ticket that names the first of them. Emails that are decided already come first and
 * get no entry in the result. The outcome does not depend on which emails are decided together and which are stored before.
 * @param known of every Message-ID that one of the emails answers, as far as it is needed
 * @param firstNumber the number of the first new ticket; the next ones follow. It decides nothing.
 * @param rules what the mailbox allows
 */
export function decideMessages(
  candidates: readonly Candidate[],
  known: KnownThreads,
  firstNumber: number,
  rules: ThreadRules = {},
): Map<string, Decision> {
  const decisions = new Map<string, Decision>();
  const threads = new Threads(known);
  let number = firstNumber;
  for (const candidate of candidates) {
    if (candidate.kind === 'settled') {
      decisions.set(candidate.key, {
        ...nothing,
        disposition: candidate.disposition,
        reason: candidate.reason,
      });
      continue;
    }
    if (candidate.kind === 'decided') {
      const { ticketId, number: itsNumber } = candidate.decision;
      if (ticketId !== undefined && itsNumber !== undefined) threads.join(ticketId, itsNumber, candidate);
      continue;
    }
    const answered = threads.of(candidate.answers);
    // A number proves less than a Message-ID: anyone can guess it, and tags of other systems look the same.
    const named = threads.numbered(candidate.tags).filter((thread) => mayAdd(candidate, thread, {}));
    const joined =
      answered.find((thread) => isOpenTo(thread, candidate, rules)) ??
      named.find(({ open }) => open || candidate.quiet === true);
    if (joined !== undefined) {
      const { ticketId } = joined;
      const quiet = candidate.quiet === true ? true : undefined;
      decisions.set(candidate.key, {
        ...nothing,
        disposition: 'ticket',
        ticketId,
        number: joined.number,
        quiet,
      });
      threads.join(ticketId, joined.number, candidate);
      continue;
    }
    const [old] = [...answered, ...named];
    const follows = old === undefined ? undefined : { id: old.ticketId, number: old.number };
    const { ownTicketId: ticketId } = candidate;
    decisions.set(candidate.key, {
      ...nothing,
      disposition: 'ticket',
      ticketId,
      number,
      opens: true,
      follows,
    });
    threads.open(ticketId, number, candidate);
    number += 1;
  }
  return decisions;
}

const nothing = {
  ticketId: undefined,
  number: undefined,
  opens: false,
  follows: undefined,
  reason: undefined,
} as const;

/** Whether a message may join a ticket that it answers: the ticket is open or the message quiet, and `mayAdd`. Pure. */
export const isOpenTo = (thread: KnownThread, message: Writer, rules: ThreadRules): boolean =>
  (thread.open || message.quiet === true) && mayAdd(message, thread, rules);

type Writer = Pick<ThreadMessage, 'sender' | 'isForged' | 'quiet' | 'reportsOn'>;

/**
 * Whether the sender may add to a ticket: it took part in it or, where the mailbox allows it, is a colleague of the
 * requester, or it reports a delivery to someone who took part. A Message-ID alone proves nothing, since anyone can copy one, nor does a From that the receiving server refutes.
 */
function mayAdd(
  { sender, isForged, reportsOn = [] }: Writer,
  thread: KnownThread,
  { colleaguesJoin }: ThreadRules,
): boolean {
  if (isForged === true) return false;
  if (reportsOn.some((address) => thread.participants.includes(address))) return true;
  if (sender === undefined) return false;
  if (thread.participants.includes(sender.toLowerCase())) return true;
  return colleaguesJoin === true && thread.requester !== undefined && areColleagues(sender, thread.requester);
}
