/** Emails to agents about new tickets and replies: who gets one, and when. Pure; the outbox sends them. */
import type { AnswerSettings } from '../mailboxes/answer-settings.ts';
import { isOwnAddress } from '../mailboxes/own-address.ts';
import type { MessageClass } from '../message-class/message-class.ts';
import type { Person } from '../tickets/ticket.ts';

export interface AgentEvent {
  /** `unsent`: an agent’s reply failed, reached only some recipients, or its delivery is unknown. */
  kind: 'ticket' | 'reply' | 'unsent';
  /** Content key of the message; of an unsent reply, a hash of its ID and of the time of its state. */
  key: string;
  ticketId: string;
  /** The ticket's mailbox, which sends the email. */
  mailboxId: string;
  number: number;
  subject: string;
  from: Person;
  /** The start of the text, in one line; of an unsent reply, the reason. */
  preview: string;
  /** ISO time. */
  at: string;
}

export interface ArrivedMessage {
  opensTicket: boolean;
  /** Address of the assignee, if they can be alerted. */
  assignee: string | undefined;
  sender: string | undefined;
  messageClass: MessageClass;
  /** Collapsed in its ticket: no news. */
  isFolded: boolean;
  /** Imported by the first fetch of the mailbox. */
  isFirstFetch: boolean;
}

/**
 * The agents who are told of a message. A reply goes to the assignee, and to the agents of the mailbox only while
 * there is no assignee who can be told. Never to the writer of the message, and never to a mailbox of ours, which
 * would open a ticket about the ticket.
 * @param own lower-case addresses of all our mailboxes
 */
export function agentsToAlert(
  { opensTicket, assignee, sender, messageClass, isFolded, isFirstFetch }: ArrivedMessage,
  answers: Pick<AnswerSettings, 'alertOnTicket' | 'alertOnReply'> | undefined,
  own: ReadonlySet<string>,
): string[] {
  if (isFolded || isFirstFetch || messageClass === 'own') return [];
  // An automatic reply to an automatic answer is no reason to interrupt anybody.
  if (messageClass === 'auto-reply' || messageClass === 'out-of-office') return [];
  const told = opensTicket
    ? [...(answers?.alertOnTicket ?? []), ...(assignee === undefined ? [] : [assignee])]
    : assignee === undefined
      ? (answers?.alertOnReply ?? [])
      : [assignee];
  const all = new Set(told.map((address) => address.toLowerCase()));
  return [...all].filter((address) => address !== sender?.toLowerCase() && !isOwnAddress(address, own));
}

/** One email a person and minute at most. */
export const ALERT_GAP_MS = 60_000;
/** A digest lists the first; the rest is counted. */
export const MAX_LISTED = 20;
/** Keys of events that were sent, so that a rerun of the intake does not tell twice. */
const MAX_TOLD = 100;

/** What waits for one agent, and what they were told. */
export interface AgentQueue {
  /** When the last email was made, in milliseconds since the epoch; 0: never. */
  lastAt: number;
  waiting: readonly AgentEvent[];
  /** Waiting events that are only counted. */
  more: number;
  /** Shortened keys of events that are waiting or sent, newest last. */
  told: readonly string[];
}

export const emptyQueue: AgentQueue = { lastAt: 0, waiting: [], more: 0, told: [] };

/** An email to make: one event, or a digest of several. */
export interface AgentMail {
  events: readonly AgentEvent[];
  /** Further events that are not listed. */
  more: number;
}

/** Adds events that the agent was not told of yet. The same events and queue give the same result. */
export function addEvents(queue: AgentQueue, events: readonly AgentEvent[]): AgentQueue {
  const told = new Set(queue.told);
  const added = events.filter((event) => {
    const key = keyOf(event);
    const isNew = !told.has(key);
    told.add(key);
    return isNew;
  });
  const waiting = [...queue.waiting, ...added];
  return {
    lastAt: queue.lastAt,
    waiting: waiting.slice(0, MAX_LISTED),
    more: queue.more + Math.max(0, waiting.length - MAX_LISTED),
    told: [...told].slice(-MAX_TOLD),
  };
}

/**
 * The email that is due, and the queue without it. Undefined if nothing waits, or the last email is less than a
 * minute old: what comes meanwhile makes one digest. A clock that was set back does not stop it for longer.
 */
export function takeDue(queue: AgentQueue, now: number): { mail: AgentMail; queue: AgentQueue } | undefined {
  const isSoon = now >= queue.lastAt && now - queue.lastAt < ALERT_GAP_MS;
  if (queue.waiting.length === 0 || isSoon) return undefined;
  return {
    mail: { events: queue.waiting, more: queue.more },
    queue: { lastAt: now, waiting: [], more: 0, told: queue.told },
  };
}

const keyOf = ({ kind, ticketId, key }: AgentEvent): string =>
  `${kind.slice(0, 1)}${ticketId.slice(0, 12)}${key.slice(0, 16)}`;
