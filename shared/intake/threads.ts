import { messageIdOrder, type TicketOfMessageId } from '../tickets/message-id-records.ts';
import { TICKETS_OF_MESSAGE_ID } from '../tickets/ticket-indexes.ts';

/** A ticket that an email may belong to. */
export interface KnownThread {
  ticketId: string;
  number: number;
  open: boolean;
  /** Lower-case addresses. */
  participants: readonly string[];
  /** Address of the person who opened it; absent if that email had none. */
  requester?: string | undefined;
}

/** The stored threads that the emails of a batch refer to. */
export interface KnownThreads {
  /** By Message-ID. */
  byMessageId: ReadonlyMap<string, readonly TicketOfMessageId[]>;
  /** IDs of the tickets of this mailbox that subjects name, by number. */
  byNumber: ReadonlyMap<number, string>;
  /** By ticket ID. A ticket without an entry here was deleted or cannot be read. */
  threads: ReadonlyMap<string, KnownThread>;
}

/** The thread-related fields of an email in a ticket. */
export interface ThreadMessage {
  messageId: string | undefined;
  /** Message-IDs that it answers, nearest first. */
  answers: readonly string[];
  /** Ticket numbers in its subject. */
  tags: readonly number[];
  sender: string | undefined;
  /** The receiving server found that the email is not from that sender (`failsAuthentication`). */
  isForged?: boolean;
  /** Also joins a closed ticket and leaves it closed (`Treatment`). */
  quiet?: boolean;
  /** Lower-case addresses that a bounce reports on: it joins a ticket in which one of them took part. */
  reportsOn?: readonly string[];
  /** IDs of the tickets whose emails it names, nearest first; proven by their Message-IDs. */
  provenTickets?: readonly string[];
  /** Lower-case addresses of its sender and recipients. */
  people: readonly string[];
}

/**
 * A bounce adds no participants: otherwise a forged one would make its sender a participant (see
 * `append-messages.ts`).
 */
const newParticipants = ({ people, reportsOn }: ThreadMessage): readonly string[] =>
  reportsOn === undefined ? people : [];

/**
 * The known threads while the emails of a batch are decided one by one. A decision affects the next email
 * exactly as if it had been stored: batch boundaries must not influence any ticket.
 */
export class Threads {
  readonly #byMessageId: Map<string, readonly TicketOfMessageId[]>;
  readonly #byNumber: ReadonlyMap<number, string>;
  readonly #threads: Map<string, KnownThread>;
  /** Tickets opened meanwhile: they come after all stored ones, as their numbers will. */
  readonly #opened: string[] = [];

  constructor({ byMessageId, byNumber, threads }: KnownThreads) {
    this.#byMessageId = new Map(byMessageId);
    this.#byNumber = byNumber;
    this.#threads = new Map(threads);
  }

  /**
   * Threads that these Message-IDs lead to, each once. First those that contain one of the messages, then
   * those that only contain an answer to one, since anyone can claim to answer a message. Within both groups,
   * the nearest message first, then the oldest ticket.
   */
  of(messageIds: readonly string[]): KnownThread[] {
    const found = messageIds.map((id) => this.#ticketsOf(id));
    const ids = [true, false].flatMap((holds) =>
      found.flatMap((tickets) => this.#oldestFirst(tickets.filter((ticket) => ticket.holds === holds))),
    );
    return [...new Set(ids)].flatMap((id) => this.#threads.get(id) ?? []);
  }

  /** Threads with these ticket numbers. A ticket opened by the batch itself has no known number yet. */
  numbered(numbers: readonly number[]): KnownThread[] {
    return numbers.flatMap((number) => this.#threads.get(this.#byNumber.get(number) ?? '') ?? []);
  }

  /** Threads with these IDs, if they are of this mailbox. */
  withIds(ticketIds: readonly string[]): KnownThread[] {
    return ticketIds.flatMap((id) => this.#threads.get(id) ?? []);
  }

  /** Opens a ticket with its first message. */
  open(ticketId: string, number: number, message: ThreadMessage): void {
    this.#opened.push(ticketId);
    const { sender: requester } = message;
    const participants = newParticipants(message);
    this.#threads.set(ticketId, { ticketId, number, open: true, participants, requester });
    this.#leadTo(ticketId, message);
  }

  /**
   * Adds a message to a ticket: its people become participants and the
   * ticket is open, unless the message is quiet.
   */
  join(ticketId: string, number: number, message: ThreadMessage): void {
    const known = this.#threads.get(ticketId);
    const participants = [...new Set([...(known?.participants ?? []), ...newParticipants(message)])];
    const open = message.quiet === true && known !== undefined ? known.open : true;
    this.#threads.set(ticketId, { ...known, ticketId, number, open, participants });
    this.#leadTo(ticketId, message);
  }

  /** Mirrors the Message-ID rows that `writeIndexes` will write. */
  #leadTo(ticketId: string, { messageId, answers, isForged }: ThreadMessage): void {
    const add = (id: string, holds: boolean): void => {
      const known = this.#byMessageId.get(id) ?? [];
      if (known.some((each) => each.ticketId === ticketId && each.holds === holds)) return;
      this.#byMessageId.set(id, [...known, { ticketId, holds }]);
    };
    if (messageId !== undefined) add(messageId, true);
    if (isForged !== true) for (const id of answers) add(id, false);
  }

  /** The same ones that storage would return first, whichever of them are stored by now. */
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
