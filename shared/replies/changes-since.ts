/** What changed on a ticket since a page showed it, so that nobody replies to something they have not read. Pure. */
import { z } from 'zod';
import { assigneeKey } from '../tickets/assignee.ts';
import { type Person, type TicketStatus, ticketStatuses } from '../tickets/ticket.ts';

export interface TicketState {
  status: TicketStatus;
  assignee: Person | undefined;
  /** Received messages, newest first, by `messageRef`. */
  messages: readonly { ref: string; from: string; at: string }[];
  /** Replies that were written here, newest first. */
  replies: readonly { id: string; by: string; at: string }[];
}

/** As many as a page shows of each; a change is among them. */
const KNOWN = 20;

const seen = z.object({
  s: z.enum(ticketStatuses),
  /** The assignee. Absent in drafts of earlier versions. */
  a: z.string().optional(),
  m: z.array(z.string()),
  /** Time of the oldest known message: what is older was on an earlier page. */
  from: z.string(),
  r: z.array(z.string()),
});

/** For a hidden field of the form, and for the draft. Holds nothing of a message. */
export function seenToken({ status, assignee, messages, replies }: TicketState): string {
  const shown = messages.slice(0, KNOWN);
  const token: z.infer<typeof seen> = {
    s: status,
    a: assigneeKey(assignee),
    m: shown.map(({ ref }) => ref),
    from: messages.length > KNOWN ? (shown.at(-1)?.at ?? '') : '',
    r: replies.slice(0, KNOWN).map(({ id }) => id),
  };
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/**
 * What changed since the token was made, in sentences, newest first; empty if nothing did.
 * @returns undefined for a token that is not ours: show the page again
 */
export function changesSince(token: string, now: TicketState): string[] | undefined {
  const before = readToken(token);
  if (before === undefined) return undefined;
  const [messages, replies] = [new Set(before.m), new Set(before.r)];
  const news = [
    ...now.messages
      .slice(0, KNOWN)
      .filter(({ ref, at }) => !messages.has(ref) && at >= before.from)
      .map(({ from, at }) => ({ at, words: `${from} wrote ${clock(at)}.` })),
    ...now.replies
      .slice(0, KNOWN)
      .filter(({ id }) => !replies.has(id))
      .map(({ by, at }) => ({ at, words: `${by} replied ${clock(at)}.` })),
  ].sort((a, b) => (a.at < b.at ? 1 : -1));
  const status = before.s === now.status ? [] : [statusWords[now.status]];
  const assignee =
    before.a === undefined || before.a === assigneeKey(now.assignee)
      ? []
      : [
          now.assignee === undefined
            ? 'The ticket is no longer assigned to anybody.'
            : `The ticket was assigned to ${now.assignee.name ?? now.assignee.address}.`,
        ];
  return [...status, ...assignee, ...news.map(({ words }) => words)];
}

const statusWords: Readonly<Record<TicketStatus, string>> = {
  open: 'The ticket was reopened.',
  waiting: 'The ticket was set to waiting for the customer.',
  closed: 'The ticket was closed.',
};

const clock = (at: string): string => `at ${new Date(at).toISOString().slice(11, 16)} UTC`;

function readToken(token: string): z.infer<typeof seen> | undefined {
  try {
    return seen.safeParse(JSON.parse(Buffer.from(token.slice(0, 10_000), 'base64url').toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
