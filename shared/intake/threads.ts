import { messageIdOrder, type TicketOfMessageId } from '../tickets/message-id-records.ts';
import { TICKETS_OF_MESSAGE_ID } from '../tickets/ticket-indexes.ts';

/** A ticket that an email may belong to. */
export interface KnownThread {
  ticketId: string;
  number: number;
  open: boolean;
  /** Lower-case addresses. */
  participants: readonly string[];
  /** Address of whoever opened it; absent where that mail had none. */
  requester?: string | undefined;
}

/** What storage knows of the threads that the emails of a batch name. */
export interface KnownThreads {
  /** By Message-ID. */
  byMessageId: ReadonlyMap<string, readonly TicketOfMessageId[]>;
  /** IDs of the tickets of this mailbox that subjects name, by number. */
  byNumber: ReadonlyMap<number, string>;
  /** By ticket ID. A ticket without an entry here is gone or cannot be read. */
  threads: ReadonlyMap<string, KnownThread>;
}

/** An email that is in a ticket, as far as threads are concerned. */
export interface ThreadMessage {
  messageId: string | undefined;
  /** Message-IDs it answers, the nearest first. */
  answers: readonly string[];
  /** Numbers of tickets that its subject names. */
  tags: readonly number[];
  sender: string | undefined;
  /** The receiving server found that the mail does not come from that sender (`failsAuthentication`). */
  isForged?: boolean;
  /** Joins also a closed ticket and leaves it closed (`Treatment`). */
  quiet?: boolean;
  /** Lower-case addresses that a bounce reports on: it joins a ticket in which one of them took part. */
  reportsOn?: readonly string[];
  /** Lower-case addresses of its sender and recipients. */
  people: readonly string[];
}

/** A bounce adds nobody: whoever forges one would take part from then on (`append-messages.ts` does the same). */
const newParticipants = ({ people, reportsOn }: ThreadMessage): readonly string[] =>
  reportsOn === undefined ? people : [];

/**
 * The threads that are known while the emails of a batch are decided one after the other. What a decision adds counts for
 * the next email exactly as if it had been stored: where a batch begins and ends must not show in any ticket.
 */
export class Threads {
  readonly #byMessageId: Map<string, readonly TicketOfMessageId[]>;
  readonly #byNumber: ReadonlyMap<number, string>;
  readonly #threads: Map<string, KnownThread>;
  /** Tickets opened meanwhile: they come after all that storage knows, as their numbers do once they have one. */
  readonly #opened: string[] = [];

  constructor({ byMessageId, byNumber, threads }: KnownThreads) {
    this.#byMessageId = new Map(byMessageId);
    this.#byNumber = byNumber;
    this.#threads = new Map(threads);
  }

  /**
   * Threads that these Message-IDs lead to, each once. First those that hold one of the messages, then those that hold only
   * an answer to one, since anyone can claim to answer a message. Within both, the nearest message first, then the oldest
   * ticket.
   */
  of(messageIds: readonly string[]): KnownThread[] {
    const found = messageIds.map((id) => this.#ticketsOf(id));
    const ids = [true, false].flatMap((holds) =>
      found.flatMap((tickets) => this.#oldestFirst(tickets.filter((ticket) => ticket.holds === holds))),
    );
    return [...new Set(ids)].flatMap((id) => this.#threads.get(id) ?? []);
  }

  /** Threads of these ticket numbers. Nobody knows the number of a ticket that the batch itself opens. */
  numbered(numbers: readonly number[]): KnownThread[] {
    return numbers.flatMap((number) => this.#threads.get(this.#byNumber.get(number) ?? '') ?? []);
  }

  /** A ticket begins with a message. */
  open(ticketId: string, number: number, message: ThreadMessage): void {
    this.#opened.push(ticketId);
    const { sender: requester } = message;
    const participants = newParticipants(message);
    this.#threads.set(ticketId, { ticketId, number, open: true, participants, requester });
    this.#leadTo(ticketId, message);
  }

  /** A message joins a ticket, which has its people as participants then and is open, unless the message is quiet. */
  join(ticketId: string, number: number, message: ThreadMessage): void {
    const known = this.#threads.get(ticketId);
    const participants = [...new Set([...(known?.participants ?? []), ...newParticipants(message)])];
    const open = message.quiet === true && known !== undefined ? known.open : true;
    this.#threads.set(ticketId, { ...known, ticketId, number, open, participants });
    this.#leadTo(ticketId, message);
  }

  /** As the rows of the Message-IDs will (`writeIndexes`). */
  #leadTo(ticketId: string, { messageId, answers, isForged }: ThreadMessage): void {
    const add = (id: string, holds: boolean): void => {
      const known = this.#byMessageId.get(id) ?? [];
      if (known.some((each) => each.ticketId === ticketId && each.holds === holds)) return;
      this.#byMessageId.set(id, [...known, { ticketId, holds }]);
    };
    if (messageId !== undefined) add(messageId, true);
    if (isForged !== true) for (const id of answers) add(id, false);
  }

  /** The same ones as storage would give first, whichever of them are stored by now. */
  #ticketsOf(messageId: string): readonly TicketOfMessageId[] {
    const known = this.#byMessageId.get(messageId) ?? [];
    if (known.length <= TICKETS_OF_MESSAGE_ID) return known;
    return known
      .toSorted((a, b) => (messageIdOrder(a) < messageIdOrder(b) ? -1 : 1))
      .slice(0, TICKETS_OF_MESSAGE_ID);
  }

  #oldestFirst(tickets: readonly TicketOfMessageId[]): string[] {
    const age = (ticketId: string): number =>
      this.#opened.includes(ticketId)
        ? Number.MAX_SAFE_INTEGER
        : (this.#threads.get(ticketId)?.number ?? Number.MAX_SAFE_INTEGER);
    const ids = tickets.map(({ ticketId }) => ticketId);
    return ids.toSorted((a, b) => age(a) - age(b) || this.#opened.indexOf(a) - this.#opened.indexOf(b));
  }
}
