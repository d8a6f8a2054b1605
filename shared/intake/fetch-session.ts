import type { connectInbox } from '../mailboxes/connect-inbox.ts';
import { type Inbox, InboxError } from '../mailboxes/inbox.ts';
import type { MessageMeta, MessageRef } from '../mailboxes/message-ref.ts';

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

/** The refs that were learnt mean other email now. */
export class Renumbered extends InboxError {
  constructor() {
    super('unavailable', 'The mail server numbered its mail anew during the fetch; the next one starts over');
    this.name = 'Renumbered';
  }
}

/** The sessions of one fetch, one after the other: a server that breaks off at a message ends the session with it. */
export class FetchSession {
  /** As the first session found it. */
  readonly validity: string;
  readonly #connect: () => ReturnType<typeof connectInbox>;
  #inbox: Inbox;
  #opened = 1;
  #dropped = false;

  constructor(inbox: Inbox, connect: () => ReturnType<typeof connectInbox>) {
    this.validity = inbox.validity;
    this.#connect = connect;
    this.#inbox = inbox;
  }

  /** Whether half of the sessions were needed so far. */
  get isHalfSpent(): boolean {
    return this.#opened > MAX_SESSIONS / 2;
  }

  get isDestroyed(): boolean {
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
    if (this.#dropped) connected.inbox.destroy();
    if (connected.inbox.validity !== this.validity) throw new Renumbered();
    return 'renewed';
  }

  /** For good: no session follows. */
  destroy(): void {
    this.#dropped = true;
    this.#inbox.destroy();
  }

  close(): Promise<void> {
    return this.#inbox.close();
  }
}

export interface FoundMeta {
  /** Sorted. */
  metas: MessageMeta[];
  /** The server lists them and tells nothing of them. */
  missing: MessageRef[];
  /** Not asked about: the sessions that are left are for those of which the server tells. */
  unasked: MessageRef[];
}

/** What the server tells of these messages. Where it breaks off, the range is cut until the one at fault stands alone. */
export async function fetchMetaOf(session: FetchSession, refs: readonly MessageRef[]): Promise<FoundMeta> {
  try {
    const metas = await session.inbox.fetchMeta(refs);
    const known = new Set(metas.map(({ ref }) => ref));
    return { metas, missing: refs.filter((ref) => !known.has(ref)), unasked: [] };
  } catch (error) {
    if (!(error instanceof InboxError)) throw error;
    const renewed = await session.renew();
    if (renewed === 'away') throw error;
    const isEnough = renewed === 'spent' || (session.isHalfSpent && refs.length > 1);
    if (isEnough) return { metas: [], missing: [], unasked: [...refs] };
    if (refs.length === 1) return { metas: [], missing: [...refs], unasked: [] };
    const found: FoundMeta = { metas: [], missing: [], unasked: [] };
    for (const piece of inPieces(refs)) {
      const { metas: facts, missing, unasked } = await fetchMetaOf(session, piece);
      found.metas.push(...facts);
      found.missing.push(...missing);
      found.unasked.push(...unasked);
    }
    return found;
  }
}
