import type { connectInbox } from '../mailboxes/connect-inbox.ts';
import { type Inbox, InboxError } from '../mailboxes/inbox.ts';
import type { MessageMeta, MessageRef } from '../mailboxes/message-ref.ts';

/** Enough for a few messages that make the server drop the session; each takes about three. */
const MAX_SESSIONS = 16;

/**
 * Splits the messages over which a server dropped the session, to find the culprit. Pieces of square-root
 * size need fewer sessions than halving, and sessions cost more than commands.
 */
export function inPieces<T>(items: readonly T[]): T[][] {
  const size = Math.max(1, Math.floor(Math.sqrt(items.length)));
  const pieces: T[][] = [];
  for (let start = 0; start < items.length; start += size) pieces.push(items.slice(start, start + size));
  return pieces;
}

/** The validity changed, so known refs now mean other messages. */
export class Renumbered extends InboxError {
  constructor() {
    super(
      'unavailable',
      'The mail server renumbered its messages during the fetch; the next one starts over',
    );
    this.name = 'Renumbered';
  }
}

/**
 * The sessions of one fetch, one after the other: a message that makes the
 * server drop the connection ends its session.
 */
export class FetchSession {
  /** The validity that the first session found. */
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

  /** Whether more than half of the sessions have been used. */
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
   * Opens a new session after one failed.
   * @returns `away` if the server cannot be reached or asked for a pause, `spent` if this fetch has used up its
   * sessions
   * @throws Renumbered
   */
  async renew(broken: InboxError): Promise<'renewed' | 'spent' | 'away'> {
    if (this.#dropped || broken.retryAfterMs !== undefined) return 'away';
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

  /** Permanent: no new session is opened afterwards. */
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
  /** Listed by the server, but without metadata. */
  missing: MessageRef[];
  /** Not requested: the remaining sessions are reserved for messages with metadata. */
  unasked: MessageRef[];
}

/**
 * Fetches the metadata of these messages. If the server drops the session,
 * the range is split until the culprit is alone.
 */
export async function fetchMetaOf(session: FetchSession, refs: readonly MessageRef[]): Promise<FoundMeta> {
  try {
    const metas = await session.inbox.fetchMeta(refs);
    const known = new Set(metas.map(({ ref }) => ref));
    return { metas, missing: refs.filter((ref) => !known.has(ref)), unasked: [] };
  } catch (error) {
    if (!(error instanceof InboxError)) throw error;
    const renewed = await session.renew(error);
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
