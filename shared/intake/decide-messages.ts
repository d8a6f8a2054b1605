import type { Decision } from './ledger.ts';

/** A ticket that an email may belong to. */
export interface KnownThread {
  ticketId: string;
  number: number;
  open: boolean;
  /** Lower-case addresses. */
  participants: readonly string[];
}

/** What a decision needs to know of an email. */
export type Candidate =
  | {
      kind: 'mail';
      key: string;
      /** The ticket this email opens, if it opens one. */
      ownTicketId: string;
      messageId: string | undefined;
      /** Message-IDs it answers, the nearest first. */
      answers: readonly string[];
      sender: string | undefined;
      /** The receiving server found that the mail does not come from that sender (`failsAuthentication`). */
      isForged?: boolean;
      /** Joins also a closed ticket, and is no news there (`Treatment`). */
      quiet?: boolean;
      /** Lower-case addresses that a bounce reports on: it joins a ticket in which one of them took part. */
      reportsOn?: readonly string[];
      people: readonly string[];
      /** Tickets in storage that hold one of those. */
      threads: readonly KnownThread[];
    }
  | { kind: 'settled'; key: string; fate: 'quarantine' | 'skip'; reason: string }
  /** Decided before or by another run, for good: the others of the batch go by it. */
  | {
      kind: 'decided';
      key: string;
      decision: Decision;
      messageId: string | undefined;
      people: readonly string[];
    };

/**
 * Decides for emails in UID order what becomes of each: quarantine, skip, a reply, or a ticket of its own. Pure.
 * A reply joins an open ticket if its sender took part in it (a Message-ID alone proves nothing: anyone can copy one, nor
 * does a From that the receiving server refutes); otherwise it opens a ticket that names the old one. The batch's own emails are looked at before storage.
 * Mails that are decided already come first and get no entry in the result.
 * @param firstNumber the number of the first new ticket; the next ones follow.
 */
export function decideMessages(candidates: readonly Candidate[], firstNumber: number): Map<string, Decision> {
  const decisions = new Map<string, Decision>();
  const batch = new Map<string, KnownThread>();
  let number = firstNumber;
  for (const candidate of candidates) {
    if (candidate.kind === 'settled') {
      decisions.set(candidate.key, { ...nothing, fate: candidate.fate, reason: candidate.reason });
      continue;
    }
    if (candidate.kind === 'decided') {
      const { ticketId, number: itsNumber } = candidate.decision;
      if (ticketId !== undefined && itsNumber !== undefined && candidate.messageId !== undefined)
        batch.set(candidate.messageId, {
          ticketId,
          number: itsNumber,
          open: true,
          participants: candidate.people,
        });
      continue;
    }
    const nearby = candidate.answers.flatMap((id) => batch.get(id) ?? []);
    const threads = [...nearby, ...candidate.threads];
    const joined = threads.find(
      (thread) => (thread.open || candidate.quiet === true) && tookPart(candidate, thread),
    );
    let thread: KnownThread;
    if (joined !== undefined) {
      const { ticketId } = joined;
      const quiet = candidate.quiet === true ? true : undefined;
      decisions.set(candidate.key, { ...nothing, fate: 'ticket', ticketId, number: joined.number, quiet });
      const people = candidate.reportsOn === undefined ? candidate.people : [];
      thread = { ...joined, participants: [...joined.participants, ...people] };
    } else {
      const [old] = threads;
      const follows = old === undefined ? undefined : { id: old.ticketId, number: old.number };
      const { ownTicketId: ticketId } = candidate;
      decisions.set(candidate.key, { ...nothing, fate: 'ticket', ticketId, number, opens: true, follows });
      thread = { ticketId, number, open: true, participants: candidate.people };
      number += 1;
    }
    if (candidate.messageId !== undefined && !batch.has(candidate.messageId))
      batch.set(candidate.messageId, thread);
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

function tookPart(
  {
    sender,
    isForged,
    reportsOn = [],
  }: Pick<Candidate & { kind: 'mail' }, 'sender' | 'isForged' | 'reportsOn'>,
  thread: KnownThread,
): boolean {
  if (isForged === true) return false;
  if (reportsOn.some((address) => thread.participants.includes(address))) return true;
  if (sender === undefined) return false;
  return thread.participants.includes(sender.toLowerCase());
}
