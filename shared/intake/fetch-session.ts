import type { connectInbox } from '../mailboxes/connect-inbox.ts';
import { type Inbox, InboxError, type MessageMeta } from '../mailboxes/inbox.ts';

/** For some messages of a fetch at which the server breaks off: each takes about three. */
const MAX_SESSIONS = 16;

/**
 * Where a server broke off over many messages, the one at fault is sought in pieces. The square root finds it with fewer
 * sessions than halving, which cost more than commands do.
 */
export function inPieces<T>(items: readonly T[]): T[][] {
  const size = Math.max(1, Math.floor(Math.sqrt(items.length)));
  const pieces: T[][] = [];
  for (let start = 0; start < items.length; start += size) pieces.push(items.slice(start, start + size));
  return pieces;
}

/** The numbers that were learnt mean other email now. */
export class Renumbered extends InboxError {
  constructor() {
    super('unavailable', 'The mail server numbered its mail anew during the fetch; the next one starts over');
    this.name = 'Renumbered';
  }
}

/** The sessions of one fetch, one after the other: a server that breaks off at a message ends the session with it. */
export class FetchSession {
  /** As the first session found them. */
  readonly uidValidity: string;
  readonly uidNext: number;
  readonly #connect: () => ReturnType<typeof connectInbox>;
  #inbox: Inbox;
  #opened = 1;
  #dropped = false;

  constructor(inbox: Inbox, connect: () => ReturnType<typeof connectInbox>) {
    this.uidValidity = inbox.uidValidity;
    this.uidNext = inbox.uidNext;
    this.#connect = connect;
    this.#inbox = inbox;
  }

  /** Whether half of the sessions were needed so far. */
  get isHalfSpent(): boolean {
    return this.#opened > MAX_SESSIONS / 2;
  }

  get isDropped(): boolean {
    return this.#dropped;
  }

  get inbox(): Inbox {
    return this.#inbox;
  }

  /**
   * Opens a session in place of one that broke off.
   * @returns `away` where the server cannot be reached, `spent` where this fetch opened enough of them
   * @throws Renumbered
   */
  async renew(): Promise<'renewed' | 'spent' | 'away'> {
    if (this.#dropped) return 'away';
    if (this.#opened >= MAX_SESSIONS) return 'spent';
    await this.#inbox.close();
    this.#opened += 1;
    const connected = await this.#connect();
    if (connected.kind !== 'connected') return 'away';
    this.#inbox = connected.inbox;
    if (this.#dropped) connected.inbox.drop();
    if (connected.inbox.uidValidity !== this.uidValidity) throw new Renumbered();
    return 'renewed';
  }

  /** For good: no session follows. */
  drop(): void {
    this.#dropped = true;
    this.#inbox.drop();
  }

  close(): Promise<void> {
    return this.#inbox.close();
  }
}

export interface FoundFacts {
  /** Ascending by UID. */
  facts: MessageMeta[];
  /** The server lists them and tells nothing of them. */
  missing: number[];
  /** Not asked about: the sessions that are left are for those of which the server tells. */
  unasked: number[];
}

/** What the server tells of these messages. Where it breaks off, the range is cut until the one at fault stands alone. */
export async function factsOf(session: FetchSession, uids: readonly number[]): Promise<FoundFacts> {
  try {
    const facts = await session.inbox.facts(uids);
    const told = new Set(facts.map(({ uid }) => uid));
    return { facts, missing: uids.filter((uid) => !told.has(uid)), unasked: [] };
  } catch (error) {
    if (!(error instanceof InboxError)) throw error;
    const renewed = await session.renew();
    if (renewed === 'away') throw error;
    const isEnough = renewed === 'spent' || (session.isHalfSpent && uids.length > 1);
    if (isEnough) return { facts: [], missing: [], unasked: [...uids] };
    if (uids.length === 1) return { facts: [], missing: [...uids], unasked: [] };
    const found: FoundFacts = { facts: [], missing: [], unasked: [] };
    for (const piece of inPieces(uids)) {
      const { facts, missing, unasked } = await factsOf(session, piece);
      found.facts.push(...facts);
      found.missing.push(...missing);
      found.unasked.push(...unasked);
    }
    return found;
  }
}
