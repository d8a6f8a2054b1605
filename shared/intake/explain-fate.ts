import type { Decision, LedgerMail } from './ledger.ts';

/** One step of an email on its way, for a person. */
export interface FateStep {
  what: string;
  /** ISO time, where it is known. */
  at: string | undefined;
}

/** What became of an email, for a person: the page “Where is my email?” and `npm run replay` say the same. */
export interface Fate {
  outcome: 'ticket' | 'skipped' | 'not-imported' | 'in-progress';
  /** One sentence with the reason. */
  summary: string;
  ticket: { id: string; number: number } | undefined;
  steps: readonly FateStep[];
}

/** What is known of an email. ISO times. */
export interface FateFacts {
  /** When the mail server received it. */
  receivedAt: string | undefined;
  /** When its place in the ledger was written; absent: it was listed and never stored. */
  storedAt?: string | undefined;
  /** When its row in the ledger was last written. */
  settledAt?: string | undefined;
  /** The ledger knows the same email from another place. */
  isCopy?: boolean | undefined;
  mail: Pick<LedgerMail, 'state' | 'attempts'> & { decision?: Partial<Decision> | undefined };
}

/** The fate of an email in the ledger. Pure. */
export function fateOf({ receivedAt, storedAt, settledAt, isCopy = false, mail }: FateFacts): Fate {
  const { state, attempts, decision } = mail;
  const { ticketId, number } = decision ?? {};
  const ticket = ticketId === undefined || number === undefined ? undefined : { id: ticketId, number };
  const isSettled = state === 'done' && decision !== undefined;
  const summary = isSettled
    ? summaryOf(decision, isCopy)
    : `Postroom is working on it${attempts > 1 ? ` (attempt ${attempts})` : ''}.`;
  const wasRead = isSettled && decision.fate !== 'quarantine';
  return {
    outcome: isSettled ? outcomeOf(decision, isCopy) : 'in-progress',
    summary,
    ticket,
    steps: [
      { what: 'Received by the mail server.', at: receivedAt },
      { what: 'Listed by a fetch; its original was stored.', at: storedAt },
      ...(wasRead ? [{ what: 'Read by Postroom.', at: settledAt }] : []),
      { what: summary, at: settledAt },
    ],
  };
}

/** The fate of an email that the mail server lists and that was never stored. Pure. */
export function unfetchedFate(receivedAt: string | undefined, reason: string): Fate {
  const summary = `Not imported: ${withoutStop(reason)}.`;
  return {
    outcome: 'not-imported',
    summary,
    ticket: undefined,
    steps: [
      { what: 'Received by the mail server.', at: receivedAt },
      { what: 'Listed by a fetch.', at: undefined },
      { what: summary, at: undefined },
    ],
  };
}

function outcomeOf({ fate }: Partial<Decision>, isCopy: boolean): Fate['outcome'] {
  if (isCopy || fate === 'skip') return 'skipped';
  return fate === 'ticket' ? 'ticket' : 'not-imported';
}

/** What was decided for an email and why, in a sentence or two. Pure. */
export function summaryOf(decision: Partial<Decision>, isCopy: boolean): string {
  const { fate, number = '?', opens = false, follows, reason = 'unknown reason', folded } = decision;
  if (isCopy) {
    const original =
      fate === 'ticket' ? `in ticket #${number}` : `that was ${fate === 'skip' ? 'skipped' : 'not imported'}`;
    return `Skipped: it is a copy of an email ${original}.`;
  }
  if (fate === 'skip') return `Skipped: ${withoutStop(reason)}.`;
  if (fate !== 'ticket') return `Not imported: ${withoutStop(reason)}.`;
  const collapsed = folded === undefined ? '' : ` It is collapsed in the conversation: ${folded}`;
  if (!opens) return `Added to ticket #${number} as a reply.${collapsed}`;
  const because =
    follows === undefined
      ? ''
      : ` It answers ticket #${follows.number}, which was closed, or of which its sender was no participant.`;
  return `Opened ticket #${number}.${because}${collapsed}`;
}

/** A reason that stands within a sentence: some are sentences themselves. */
export const withoutStop = (reason: string): string => reason.replace(/\.$/, '');
