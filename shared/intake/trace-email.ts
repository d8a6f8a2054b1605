import type { Decision, LedgerMail } from './ledger.ts';

/** One step in the processing of an email, for a person. */
export interface TraceStep {
  what: string;
  /** ISO time, if known. */
  at: string | undefined;
}

/**
 * What became of an email, for a person: the page “Where is my email?” and `npm run replay` show the same.
 */
export interface Trace {
  outcome: 'ticket' | 'skipped' | 'not-imported' | 'in-progress';
  /** One sentence with the reason. */
  summary: string;
  ticket: { id: string; number: number } | undefined;
  steps: readonly TraceStep[];
}

/** The recorded facts about an email. ISO times. */
export interface TraceFacts {
  /** When the mail server received it. */
  receivedAt: string | undefined;
  /** When its place in the ledger was written; absent: it was listed but never stored. */
  storedAt?: string | undefined;
  /** When its row in the ledger was last written. */
  updatedAt?: string | undefined;
  /** The ledger knows the same email from another place. */
  isCopy?: boolean | undefined;
  mail: Pick<LedgerMail, 'state' | 'attempts'> & { decision?: Partial<Decision> | undefined };
}

/** The trace of an email in the ledger. Pure. */
export function traceOf({ receivedAt, storedAt, updatedAt, isCopy = false, mail }: TraceFacts): Trace {
  const { state, attempts, decision } = mail;
  const { ticketId, number } = decision ?? {};
  const ticket = ticketId === undefined || number === undefined ? undefined : { id: ticketId, number };
  const isDone = state === 'done' && decision !== undefined;
  const summary = isDone
    ? summaryOf(decision, isCopy)
    : `Postroom is processing it${attempts > 1 ? ` (attempt ${attempts})` : ''}.`;
  const wasRead = isDone && decision.disposition !== 'quarantine';
  return {
    outcome: isDone ? outcomeOf(decision, isCopy) : 'in-progress',
    summary,
    ticket,
    steps: [
      { what: 'Received by the mail server.', at: receivedAt },
      { what: 'Listed by a fetch; its original was stored.', at: storedAt },
      ...(wasRead ? [{ what: 'Read by Postroom.', at: updatedAt }] : []),
      { what: summary, at: updatedAt },
    ],
  };
}

/** The trace of an email that the mail server lists but that was never stored. Pure. */
export function traceOfUnfetched(receivedAt: string | undefined, reason: string): Trace {
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

function outcomeOf({ disposition }: Partial<Decision>, isCopy: boolean): Trace['outcome'] {
  if (isCopy || disposition === 'skip') return 'skipped';
  return disposition === 'ticket' ? 'ticket' : 'not-imported';
}

/** The decision for an email and its reason, in a sentence or two. Pure. */
export function summaryOf(decision: Partial<Decision>, isCopy: boolean): string {
  const { disposition, number = '?', opens = false, follows, reason = 'unknown reason', folded } = decision;
  if (isCopy) {
    const original =
      disposition === 'ticket'
        ? `in ticket #${number}`
        : `that was ${disposition === 'skip' ? 'skipped' : 'not imported'}`;
    return `Skipped: it is a copy of an email ${original}.`;
  }
  if (disposition === 'skip') return `Skipped: ${withoutStop(reason)}.`;
  if (disposition !== 'ticket') return `Not imported: ${withoutStop(reason)}.`;
  const collapsed = folded === undefined ? '' : ` It is collapsed in the conversation: ${folded}`;
  if (!opens) return `Added to ticket #${number} as a reply.${collapsed}`;
  const because =
    follows === undefined
      ? ''
      : ` It answers ticket #${follows.number}, which was closed or has other participants.`;
  return `Opened ticket #${number}.${because}${collapsed}`;
}

/** A reason for use within a sentence: some reasons are sentences themselves. */
export const withoutStop = (reason: string): string => reason.replace(/\.$/, '');
