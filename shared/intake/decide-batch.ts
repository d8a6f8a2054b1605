import { mapLimited } from '../platform/concurrency.ts';
import { openRecords } from '../platform/records.ts';
import type { Tables } from '../platform/tables.ts';
import { ticketsOfMessageId } from '../tickets/ticket-indexes.ts';
import { reserveNumbers } from '../tickets/ticket-numbers.ts';
import { HEAD, headKind } from '../tickets/ticket-records.ts';
import { type Candidate, decideMessages, type KnownThread } from './decide-messages.ts';
import { type AutomaticMail, foldLoops, isAutomatic } from './fold-loops.ts';
import type { Decision, LedgerMail } from './ledger.ts';
import { countAutomatic, readLoopCounts } from './loop-counts.ts';
import type { ParsedMessage } from './parsed-message.ts';
import type { ReadOutcome } from './read-message.ts';
import type { IntakeDeps, Work } from './process-batch.ts';

/** Message-IDs looked up for one email: what it answers, then its thread backwards. */
const LOOKUPS = 6;
const OWN_TEST = 'the test email that “Test connection” sent to this mailbox';

/**
 * Step 4: decides for the emails of a batch that have no decision yet and stores all decisions in one transaction.
 * From then on the decision stands, whatever happens to the tickets and however often the batch is repeated.
 */
export async function decideBatch(
  deps: Pick<IntakeDeps, 'tables' | 'ledger' | 'ticketIdOf' | 'isOwnTest'>,
  mailboxId: string,
  work: readonly Work[],
  outcomes: readonly ReadOutcome[],
): Promise<LedgerMail[]> {
  const outcomeOf = new Map(work.map(({ mail }, index) => [mail.key, outcomes[index]]));
  let mails = work.map(({ mail }) => mail);
  // Where another run decided some of them meanwhile, the rest is decided anew: a reply whose parent now stands in
  // another ticket, or under another number, must follow it. Each turn leaves fewer.
  while (mails.some((mail) => mail.state === 'received' && outcomeOf.get(mail.key) !== undefined)) {
    const decisions = await decisionsFor(deps, mailboxId, mails, outcomeOf);
    const automatic = automaticOf(mails, outcomeOf, decisions);
    const counts = await readLoopCounts(deps.tables, mailboxId, automatic);
    const { folded } = foldLoops(automatic, counts);
    const now = await deps.ledger.decide(
      mailboxId,
      mails.flatMap((mail) => {
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
    mails = mails.map((mail) => nowOf.get(mail.key) ?? mail);
  }
  return mails.filter(({ state }) => state !== 'received');
}

/** Mail of machines that becomes ticket messages, in order. */
function automaticOf(
  mails: readonly LedgerMail[],
  outcomeOf: ReadonlyMap<string, ReadOutcome | undefined>,
  decisions: ReadonlyMap<string, Decision>,
): AutomaticMail[] {
  return mails.flatMap(({ key, receivedAt }): AutomaticMail[] => {
    const outcome = outcomeOf.get(key);
    const decision = decisions.get(key);
    if (outcome?.kind !== 'message' || decision?.fate !== 'ticket') return [];
    const isAllowed = outcome.treatment?.kind === 'ticket' && outcome.treatment.isAllowed === true;
    if (isAllowed || !isAutomatic(outcome.mail.automatic)) return [];
    return [{ key, sender: outcome.mail.from?.address.toLowerCase(), receivedAt, decision }];
  });
}

/** Why a message that joins a ticket is collapsed there. One that opens a ticket stands open: there is nothing else to see. */
function foldedBySetting(
  outcome: ReadOutcome | undefined,
  decision: Decision | undefined,
): string | undefined {
  if (outcome?.kind !== 'message' || decision?.quiet !== true) return undefined;
  return outcome.treatment?.kind === 'fold' ? outcome.treatment.reason : undefined;
}

async function decisionsFor(
  deps: Pick<IntakeDeps, 'tables' | 'ticketIdOf' | 'isOwnTest'>,
  mailboxId: string,
  mails: readonly LedgerMail[],
  outcomeOf: ReadonlyMap<string, ReadOutcome | undefined>,
): Promise<Map<string, Decision>> {
  const decided = mails.flatMap(({ key, decision }): Candidate[] => {
    const outcome = outcomeOf.get(key);
    if (decision === undefined || outcome?.kind !== 'message') return [];
    const { messageId } = outcome.mail;
    return [{ kind: 'decided', key, decision, messageId, people: peopleOf(outcome.mail) }];
  });
  const open = mails.flatMap(({ key, state }) => {
    const outcome = outcomeOf.get(key);
    return state === 'received' && outcome !== undefined ? [{ key, outcome }] : [];
  });
  const inBatch = new Set(
    open.flatMap(({ outcome }) => (outcome.kind === 'message' ? [outcome.mail.messageId] : [])),
  );
  const undecided = await mapLimited(open, 16, async ({ key, outcome }): Promise<Candidate> => {
    if (outcome.kind !== 'message')
      return { kind: 'settled', key, fate: outcome.kind, reason: outcome.reason };
    const { messageId } = outcome.mail;
    if (messageId !== undefined && (await deps.isOwnTest?.(messageId)) === true)
      return { kind: 'settled', key, fate: 'skip', reason: OWN_TEST };
    const { treatment } = outcome;
    if (treatment?.kind === 'skip') return { kind: 'settled', key, fate: 'skip', reason: treatment.reason };
    const answers = answersOf(outcome.mail);
    const threads = await threadsOf(
      deps.tables,
      mailboxId,
      answers.filter((id) => !inBatch.has(id)),
    );
    const candidate = candidateOf(key, deps.ticketIdOf(mailboxId, key), outcome.mail, answers, threads);
    return {
      ...candidate,
      isForged: outcome.message.authentication?.fails === true,
      quiet: treatment?.kind === 'fold',
      ...(outcome.message.messageClass === 'bounce' && {
        reportsOn: outcome.mail.automatic.report?.recipients ?? [],
      }),
    };
  });
  const candidates = [...decided, ...undecided];
  const opening = [...decideMessages(candidates, 0).values()].flatMap(({ opens, ticketId }) =>
    opens && ticketId !== undefined ? [ticketId] : [],
  );
  const first = opening.length === 0 ? 0 : await reserveNumbers(deps.tables, opening);
  return decideMessages(candidates, first);
}

function answersOf(mail: ParsedMessage): string[] {
  // What a bounce reports on says more than what its server copied into its own header.
  const nearestFirst = [
    ...(mail.automatic.report?.messageIds ?? []),
    ...mail.inReplyTo,
    ...mail.references.toReversed(),
  ];
  const unique = [...new Set(nearestFirst)].filter((id) => id !== mail.messageId);
  // The end of a long chain may never have reached this mailbox; its root usually did.
  return unique.length <= LOOKUPS ? unique : [...unique.slice(0, LOOKUPS - 1), ...unique.slice(-1)];
}

function candidateOf(
  key: string,
  ownTicketId: string,
  mail: ParsedMessage,
  answers: readonly string[],
  threads: readonly KnownThread[],
): Candidate & { kind: 'mail' } {
  const sender = mail.from?.address;
  const people = peopleOf(mail);
  return { kind: 'mail', key, ownTicketId, messageId: mail.messageId, answers, sender, people, threads };
}

function peopleOf(mail: ParsedMessage): string[] {
  return [mail.from, ...mail.to, ...mail.cc].flatMap((person) =>
    person === undefined ? [] : [person.address.toLowerCase()],
  );
}

/**
 * Tickets that hold what an email answers, the nearest first; stops at the first answer that leads anywhere. A ticket that
 * cannot be read is none: what answers it opens another one.
 */
async function threadsOf(
  tables: Tables,
  mailboxId: string,
  answers: readonly string[],
): Promise<KnownThread[]> {
  const tickets = openRecords(tables, headKind);
  for (const id of answers) {
    const ticketIds = await ticketsOfMessageId(tables, mailboxId, id);
    const heads = await mapLimited(ticketIds.slice(0, 20), 4, (ticketId) => tickets.find(ticketId, HEAD));
    const threads = heads.flatMap((ticket): KnownThread[] => {
      if (ticket === undefined) return [];
      const { id: ticketId, number, status, participants } = ticket;
      return [{ ticketId, number, open: status === 'open', participants }];
    });
    if (threads.length > 0) return threads;
  }
  return [];
}
