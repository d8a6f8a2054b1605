import { mapLimited } from '../platform/concurrency.ts';
import type { Tables } from '../platform/tables.ts';
import { ticketsOfMessageId } from '../tickets/derived-rows.ts';
import { reserveNumbers } from '../tickets/ticket-numbers.ts';
import { ticketOf } from '../tickets/ticket-rows.ts';
import { type Candidate, decideMails, type KnownThread } from './decide-mails.ts';
import type { LedgerMail } from './ledger.ts';
import type { ParsedMail } from './parsed-mail.ts';
import type { ReadOutcome } from './read-mail.ts';
import type { IntakeDeps, Work } from './take-batch.ts';

/** Message-IDs looked up for one mail: what it answers, then its thread backwards. */
const LOOKUPS = 6;

/**
 * Step 4: decides for the mails of a batch that have no decision yet and stores all decisions in one transaction.
 * From then on the decision stands, whatever happens to the tickets and however often the batch is repeated.
 */
export async function decideBatch(
  deps: Pick<IntakeDeps, 'tables' | 'ledger' | 'ticketIdOf'>,
  mailboxId: string,
  work: readonly Work[],
  outcomes: readonly ReadOutcome[],
): Promise<LedgerMail[]> {
  const open = work.flatMap(({ mail }, index) => {
    const outcome = outcomes[index];
    return mail.state === 'received' && outcome !== undefined ? [{ mail, outcome }] : [];
  });
  const settled = work.filter(({ mail }) => mail.state !== 'received').map(({ mail }) => mail);
  if (open.length === 0) return settled;
  const inBatch = new Set(
    open.flatMap(({ outcome }) => (outcome.kind === 'message' ? [outcome.mail.messageId] : [])),
  );
  const candidates = await mapLimited(open, 16, async ({ mail, outcome }): Promise<Candidate> => {
    if (outcome.kind !== 'message')
      return { kind: 'settled', key: mail.key, fate: outcome.kind, reason: outcome.reason };
    const answers = answersOf(outcome.mail);
    const threads = await threadsOf(
      deps.tables,
      mailboxId,
      answers.filter((id) => !inBatch.has(id)),
    );
    return candidateOf(mail.key, deps.ticketIdOf(mailboxId, mail.key), outcome.mail, answers, threads);
  });
  const opening = [...decideMails(candidates, 0).values()].filter(({ opens }) => opens).length;
  const first = opening === 0 ? 0 : await reserveNumbers(deps.tables, opening);
  const decisions = decideMails(candidates, first);
  const decided = await deps.ledger.decide(
    mailboxId,
    open.flatMap(({ mail }) => {
      const decision = decisions.get(mail.key);
      return decision === undefined ? [] : [{ mail, decision }];
    }),
  );
  return [...settled, ...decided];
}

function answersOf(mail: ParsedMail): string[] {
  const nearestFirst = [...mail.inReplyTo, ...mail.references.toReversed()];
  const unique = [...new Set(nearestFirst)].filter((id) => id !== mail.messageId);
  // The end of a long chain may never have reached this mailbox; its root usually did.
  return unique.length <= LOOKUPS ? unique : [...unique.slice(0, LOOKUPS - 1), ...unique.slice(-1)];
}

function candidateOf(
  key: string,
  ownTicketId: string,
  mail: ParsedMail,
  answers: readonly string[],
  threads: readonly KnownThread[],
): Candidate {
  const people = [mail.from, ...mail.to, ...mail.cc].flatMap((person) =>
    person === undefined ? [] : [person.address.toLowerCase()],
  );
  const sender = mail.from?.address;
  return { kind: 'mail', key, ownTicketId, messageId: mail.messageId, answers, sender, people, threads };
}

/** Tickets that hold what a mail answers, the nearest first; stops at the first answer that leads anywhere. */
async function threadsOf(
  tables: Tables,
  mailboxId: string,
  answers: readonly string[],
): Promise<KnownThread[]> {
  for (const id of answers) {
    const ticketIds = await ticketsOfMessageId(tables, mailboxId, id);
    const heads = await mapLimited(ticketIds.slice(0, 20), 4, (ticketId) =>
      tables.open('Tickets').get(ticketId, 'head'),
    );
    const threads = heads.flatMap((row): KnownThread[] => {
      if (row === undefined) return [];
      const ticket = ticketOf(row);
      const { id: ticketId, number, status, participants } = ticket;
      return [{ ticketId, number, open: status === 'open', participants }];
    });
    if (threads.length > 0) return threads;
  }
  return [];
}
