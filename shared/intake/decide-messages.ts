import type { Mailbox } from '../mailboxes/mailbox.ts';
import { areColleagues } from './colleagues.ts';
import type { Decision } from './ledger.ts';
import { type KnownThread, type KnownThreads, type ThreadMessage, Threads } from './threads.ts';

/** Settings of the mailbox that concern threads. */
export type ThreadRules = Pick<Mailbox, 'colleaguesJoin'>;

/** The facts about an email that its decision depends on. */
export type Candidate =
  | ({
      kind: 'mail';
      key: string;
      /** The ID of the ticket this email opens, if it opens one. */
      ownTicketId: string;
    } & ThreadMessage)
  | { kind: 'no-ticket'; key: string; disposition: 'quarantine' | 'skip'; reason: string }
  /** Already decided, by this or another run, and final. The other decisions of the batch depend on it. */
  | ({ kind: 'decided'; key: string; decision: Decision } & ThreadMessage);

/**
 * Decides for emails in UID order: quarantine, skip, a reply, or a new ticket. Pure. A reply joins the first
 * of its threads that is open to its sender, beginning with those of our own emails. If there is none, it
 * joins the ticket that its subject names, if the sender took part in it. Otherwise it opens a ticket that
 * refers to the first of these. Emails that are already decided come first and get no entry in the result.
 * The outcome does not depend on which emails are decided together and which were stored before.
 * @param known the Message-IDs that the emails answer, as far as needed
 * @param firstNumber the number of the first new ticket; further tickets count up. It does not affect
 * decisions.
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
    if (candidate.kind === 'no-ticket') {
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
    // A number proves less than a Message-ID: anyone can guess it, and other systems use similar tags.
    const named = threads.numbered(candidate.tags).filter((thread) => mayAdd(candidate, thread, {}));
    const proven = threads.withIds(candidate.provenTickets ?? []);
    const joined =
      proven.find((thread) => mayJoinProven(candidate, thread)) ??
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
    const [old] = [...proven, ...answered, ...named];
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

/**
 * Whether a message may join a ticket that it answers: the ticket is open or the message is quiet, and
 * `mayAdd` is true. Pure.
 */
export const isOpenTo = (thread: KnownThread, message: Writer, rules: ThreadRules): boolean =>
  (thread.open || message.quiet === true) && mayAdd(message, thread, rules);

/**
 * Whether a message may join the ticket of an email of ours that it names. Only who had that email can name it, so
 * that the sender may be unknown. A bounce of it belongs there in any case. Pure.
 */
const mayJoinProven = ({ isForged, quiet, reportsOn }: Writer, { open }: KnownThread): boolean =>
  reportsOn !== undefined || (isForged !== true && (open || quiet === true));

type Writer = Pick<ThreadMessage, 'sender' | 'isForged' | 'quiet' | 'reportsOn'>;

/**
 * Whether the sender may add to a ticket: the sender took part in it or, if the mailbox allows it, is a
 * colleague of the requester, or the email is a delivery report about a participant. A Message-ID alone
 * proves nothing, since anyone can copy one. A From address that the receiving server refutes proves nothing
 * either.
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
