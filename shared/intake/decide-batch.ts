import type { Mailbox } from '../mailboxes/mailbox.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { openRecords } from '../platform/open-records.ts';
import type { Tables } from '../platform/tables.ts';
import type { TicketOfMessageId } from '../tickets/message-id-records.ts';
import { NUMBERS, numberKind, numberRowKey } from '../tickets/number-records.ts';
import { numbersInAddresses } from '../tickets/plus-address.ts';
import { numbersInSubject } from '../tickets/subject-tag.ts';
import { ticketsOfMessageId } from '../tickets/ticket-indexes.ts';
import { reserveNumbers } from '../tickets/ticket-numbers.ts';
import { HEAD, headKind } from '../tickets/ticket-records.ts';
import { answersOf } from './answers-of.ts';
import type { IntakeDeps, Work } from './batch.ts';
import { type Candidate, decideMessages, isOpenTo, type ThreadRules } from './decide-messages.ts';
import { type AutomaticMail, foldLoops, isAutomatic } from './fold-loops.ts';
import type { Decision, LedgerMail } from './ledger.ts';
import { countAutomatic, readLoopCounts } from './loop-counts.ts';
import type { MessageFacts, ReadOutcome } from './read-message.ts';
import type { KnownThread, KnownThreads, ThreadMessage } from './threads.ts';

const OWN_TEST = 'the test email that “Test connection” sent to this mailbox';

/**
 * Step 4: decides the emails of a batch that have no decision yet and stores all decisions in one
 * transaction. From then on the decision is final, whatever happens to the tickets and however often the
 * batch is retried.
 */
export async function decideBatch(
  deps: Pick<IntakeDeps, 'tables' | 'ledger' | 'ticketIdOf' | 'isOwnTest'>,
  mailbox: ThreadRules & Pick<Mailbox, 'id' | 'address'>,
  work: readonly Work[],
  outcomes: readonly ReadOutcome[],
): Promise<LedgerMail[]> {
  const mailboxId = mailbox.id;
  const outcomeOf = new Map(work.map(({ mail }, index) => [mail.key, outcomes[index]]));
  let emails = work.map(({ mail }) => mail);
  // If another run has decided some of them, the rest is decided again: a reply whose parent is now in
  // another ticket, or under another number, must follow it. Each pass leaves fewer undecided emails.
  while (emails.some((mail) => mail.state === 'received' && outcomeOf.get(mail.key) !== undefined)) {
    const decisions = await decisionsFor(deps, mailbox, emails, outcomeOf);
    const automatic = automaticOf(emails, outcomeOf, decisions);
    const counts = await readLoopCounts(deps.tables, mailboxId, automatic);
    const { folded } = foldLoops(automatic, counts);
    const now = await deps.ledger.decide(
      mailboxId,
      emails.flatMap((mail) => {
        const decision = decisions.get(mail.key);
        const reason = folded.get(mail.key) ?? foldedBySetting(outcomeOf.get(mail.key), decision);
        return decision === undefined ? [] : [{ mail, decision: { ...decision, folded: reason } }];
      }),
    );
    const nowOf = new Map(now.map((mail) => [mail.key, mail]));
    const stored = automatic.flatMap((mail) => {
      const decision = nowOf.get(mail.key)?.decision;
      return decision === undefined ? [] : [{ ...mail, decision }];
    });
    await countAutomatic(deps.tables, mailboxId, stored, counts);
    emails = emails.map((mail) => nowOf.get(mail.key) ?? mail);
  }
  return emails.filter(({ state }) => state !== 'received');
}

/** Automatic email that becomes ticket messages, in order. */
function automaticOf(
  emails: readonly LedgerMail[],
  outcomeOf: ReadonlyMap<string, ReadOutcome | undefined>,
  decisions: ReadonlyMap<string, Decision>,
): AutomaticMail[] {
  return emails.flatMap(({ key, receivedAt }): AutomaticMail[] => {
    const outcome = outcomeOf.get(key);
    const decision = decisions.get(key);
    if (outcome?.kind !== 'message' || decision?.disposition !== 'ticket') return [];
    const isAllowed = outcome.treatment?.kind === 'ticket' && outcome.treatment.isAllowed === true;
    if (isAllowed || !isAutomatic(outcome.mail.automatic)) return [];
    return [{ key, sender: outcome.mail.from?.address.toLowerCase(), receivedAt, decision }];
  });
}

/**
 * Why a message that joins a ticket is collapsed there. A message that opens a
 * ticket stays expanded: nothing else is visible.
 */
function foldedBySetting(
  outcome: ReadOutcome | undefined,
  decision: Decision | undefined,
): string | undefined {
  if (outcome?.kind !== 'message' || decision?.quiet !== true) return undefined;
  return outcome.treatment?.kind === 'fold' ? outcome.treatment.reason : undefined;
}

async function decisionsFor(
  deps: Pick<IntakeDeps, 'tables' | 'ticketIdOf' | 'isOwnTest'>,
  mailbox: ThreadRules & Pick<Mailbox, 'id' | 'address'>,
  emails: readonly LedgerMail[],
  outcomeOf: ReadonlyMap<string, ReadOutcome | undefined>,
): Promise<Map<string, Decision>> {
  const decided = emails.flatMap(({ key, decision }): Candidate[] => {
    const outcome = outcomeOf.get(key);
    if (decision === undefined || outcome?.kind !== 'message') return [];
    // Settings may have changed since; the stored decision counts.
    const quiet = decision.quiet === true;
    return [{ kind: 'decided', key, decision, ...threadMessageOf(outcome, mailbox), quiet }];
  });
  const open = emails.flatMap(({ key, state }) => {
    const outcome = outcomeOf.get(key);
    return state === 'received' && outcome !== undefined ? [{ key, outcome }] : [];
  });
  const lookUp = createLookUp(deps.tables, mailbox);
  const undecided = await mapLimited(open, 16, async ({ key, outcome }): Promise<Candidate> => {
    if (outcome.kind !== 'message')
      return { kind: 'no-ticket', key, disposition: outcome.kind, reason: outcome.reason };
    const { messageId } = outcome.mail;
    if (messageId !== undefined && (await deps.isOwnTest?.(messageId)) === true)
      return { kind: 'no-ticket', key, disposition: 'skip', reason: OWN_TEST };
    const { treatment } = outcome;
    if (treatment?.kind === 'skip')
      return { kind: 'no-ticket', key, disposition: 'skip', reason: treatment.reason };
    const message = threadMessageOf(outcome, mailbox);
    await lookUp.threadsOf(message);
    return { kind: 'mail', key, ownTicketId: deps.ticketIdOf(mailbox.id, key), ...message };
  });
  const candidates = [...decided, ...undecided];
  const known = await lookUp.known();
  const opening = [...decideMessages(candidates, known, 0, mailbox).values()].flatMap(
    ({ opens, ticketId }) => (opens && ticketId !== undefined ? [ticketId] : []),
  );
  const first = opening.length === 0 ? 0 : await reserveNumbers(deps.tables, opening);
  return decideMessages(candidates, known, first, mailbox);
}

function threadMessageOf(
  { mail, message, treatment, provenTickets = [] }: ReadOutcome & { kind: 'message' },
  { address }: Pick<Mailbox, 'address'>,
): ThreadMessage {
  return {
    messageId: mail.messageId,
    answers: answersOf(mail),
    tags: [...new Set([...numbersInSubject(mail.subject), ...numbersInAddresses(peopleOf(mail), address)])],
    sender: mail.from?.address,
    isForged: message.authentication?.fails === true,
    quiet: treatment?.kind === 'fold',
    ...(message.messageClass === 'bounce' && { reportsOn: mail.automatic.report?.recipients ?? [] }),
    provenTickets,
    people: peopleOf(mail),
  };
}

function peopleOf(mail: MessageFacts): string[] {
  return [mail.from, ...mail.to, ...mail.cc].flatMap((person) =>
    person === undefined ? [] : [person.address.toLowerCase()],
  );
}

interface LookUp {
  /**
   * Loads the threads that a message answers and the tickets that its
   * subject names, as far as they can matter.
   */
  threadsOf(message: ThreadMessage): Promise<void>;
  /** Everything that was loaded. */
  known(): Promise<KnownThreads>;
}

/**
 * Requests each Message-ID and each ticket once per batch. A ticket that cannot be read counts as missing.
 */
function createLookUp(tables: Tables, mailbox: ThreadRules & Pick<Mailbox, 'id' | 'address'>): LookUp {
  const heads = openRecords(tables, headKind);
  const ids = new Map<string, Promise<TicketOfMessageId[]>>();
  const numbers = new Map<number, Promise<string | undefined>>();
  const threads = new Map<string, Promise<KnownThread | undefined>>();
  const once = <Key, T>(known: Map<Key, Promise<T>>, key: Key, ask: () => Promise<T>): Promise<T> => {
    const answer = known.get(key) ?? ask();
    known.set(key, answer);
    return answer;
  };
  const readThread = async (ticketId: string): Promise<KnownThread | undefined> => {
    const ticket = await heads.find(ticketId, HEAD);
    if (ticket?.mailboxId !== mailbox.id) return undefined;
    const { number, status, participants, requester } = ticket;
    return { ticketId, number, open: status !== 'closed', participants, requester: requester.address };
  };
  /**
   * A number that was reserved but not used points to a ticket with another
   * number. All mailboxes share one number sequence.
   */
  const readNumber = async (number: number): Promise<string | undefined> => {
    const reserved = await openRecords(tables, numberKind).find(NUMBERS, numberRowKey(number));
    const ticket = reserved && (await heads.find(reserved.ticketId, HEAD));
    return ticket?.number === number && ticket.mailboxId === mailbox.id ? ticket.id : undefined;
  };
  const resolveAll = async <Key, T>(
    known: ReadonlyMap<Key, Promise<T | undefined>>,
  ): Promise<Map<Key, T>> => {
    const answers = await Promise.all([...known].map(async ([key, answer]) => [key, await answer] as const));
    return new Map(answers.flatMap(([key, answer]) => (answer === undefined ? [] : [[key, answer]])));
  };
  return {
    async threadsOf(message) {
      for (const ticketId of message.provenTickets ?? [])
        await once(threads, ticketId, () => readThread(ticketId));
      for (const id of message.answers) {
        const tickets = await once(ids, id, () => ticketsOfMessageId(tables, mailbox.id, id));
        const found = await mapLimited(tickets, 4, async ({ ticketId, holds }) => {
          const thread = await once(threads, ticketId, () => readThread(ticketId));
          return holds && thread !== undefined && isOpenTo(thread, message, mailbox);
        });
        // It joins this ticket or an earlier one: a batch opens tickets and adds to them, but closes none.
        if (found.includes(true)) return;
      }
      for (const number of message.tags) {
        const ticketId = await once(numbers, number, () => readNumber(number));
        if (ticketId !== undefined) await once(threads, ticketId, () => readThread(ticketId));
      }
    },
    async known() {
      return {
        byMessageId: await resolveAll(ids),
        byNumber: await resolveAll(numbers),
        threads: await resolveAll(threads),
      };
    },
  };
}
