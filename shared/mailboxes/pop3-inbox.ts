import type { Seam } from '../platform/seam.ts';
import type { EndpointRules } from '../providers/endpoint-safety.ts';
import {
  type HeaderSearch,
  type Inbox,
  type InboxAddress,
  InboxError,
  type Listing,
  type ListRequest,
} from './inbox.ts';
import { connectSocket, SocketError } from './line-socket.ts';
import type { MessageMeta, MessageRef } from './message-ref.ts';
import { goneError, inboxError } from './pop3-errors.ts';
import { matchesSearch, readPop3Header } from './pop3-headers.ts';
import { goOnFrom } from './pop3-position.ts';
import { type Pop3Maildrop, Pop3Session } from './pop3-session.ts';
import { type Opened, Pop3Turns } from './pop3-turns.ts';

const CHUNK_BYTES = 4 * 1024 * 1024;
const CONNECT_MS = 20_000;
const DAY_MS = 86_400_000;
/** UIDLs never change (RFC 1939 section 7). If a server changes them anyway, all messages have new refs. */
const VALIDITY = '1';
/** A shorter line is rare, so that this many bytes a line are enough. */
const LINE_BYTES = 40;
/** Search reads the headers of the newest messages only: a page waits for it. */
const SEARCHED = 300;
/** Messages of the other side of a day that end the search for it: servers list messages in order of arrival. */
const BEYOND_DAY = 50;

/**
 * Opens a maildrop over POP3 with XOAUTH2 and implicit TLS. Unless `local`, the socket rejects hosts that
 * resolve to a private address.
 * @throws InboxError with a `failure` that depends on the server's response
 */
export function openPop3Inbox(address: InboxAddress, seam: Seam, rules: EndpointRules): Promise<Inbox> {
  return openMaildrop(async () => {
    const { host, port, user, accessToken } = address;
    const wire = await seam.call('pop3.connect', () =>
      connectSocket({ host, port }, { rules, withinMs: CONNECT_MS }),
    );
    try {
      const { distrust } = await wire.encrypt();
      if (distrust !== undefined)
        throw new SocketError(distrust, `The certificate of ${host} is not trusted`);
      const session = await Pop3Session.greeted(wire, seam);
      await session.signIn(user, accessToken);
      return session;
    } catch (error) {
      wire.close();
      throw error;
    }
  }, seam);
}

/** The inbox on any source of sessions. @param connect opens a session and signs in */
export async function openMaildrop(connect: () => Promise<Pop3Maildrop>, seam: Seam): Promise<Inbox> {
  const inbox = new Pop3Inbox(connect, seam);
  await inbox.open();
  return inbox;
}

class Pop3Inbox implements Inbox {
  readonly validity = VALIDITY;
  readonly #turns: Pop3Turns;
  readonly #seam: Seam;
  readonly #metas = new Map<MessageRef, MessageMeta>();
  #total = 0;

  constructor(connect: () => Promise<Pop3Maildrop>, seam: Seam) {
    this.#turns = new Pop3Turns(connect);
    this.#seam = seam;
  }

  get total(): number {
    return this.#total;
  }

  async open(): Promise<void> {
    await this.#turns.inTurn(async ({ order }) => {
      this.#total = order.length;
    });
  }

  list({ position: saved, isVoid = false, also = [], since, unread }: ListRequest): Promise<Listing> {
    return this.#turns.inTurn(async (opened) => {
      const { order } = opened;
      const { position, isKnown, isSetBack } = goOnFrom(saved, order, { isVoid });
      const wanted = new Set(also);
      if (isKnown || unread === undefined) {
        for (const ref of order) if (!isKnown || !position.covers(ref)) wanted.add(ref);
      } else {
        const days = [
          ...(since === undefined ? [] : [Date.parse(since) - DAY_MS]),
          ...(unread === false ? [] : [Date.parse(unread.since)]),
        ];
        if (days.length > 0)
          for (const ref of await this.#since(opened, new Date(Math.min(...days)).toISOString()))
            wanted.add(ref);
      }
      return { refs: order.filter((ref) => wanted.has(ref)), position, isSetBack, witness: undefined };
    });
  }

  latest(count: number): Promise<MessageRef[]> {
    return this.#turns.inTurn(async ({ order }) => order.slice(-count));
  }

  receivedSince(day: string): Promise<MessageRef[]> {
    return this.#turns.inTurn(async (opened) => {
      const found = await this.#since(opened, day);
      return opened.order.filter((ref) => found.has(ref));
    });
  }

  receivedBefore(day: string): Promise<MessageRef[]> {
    return this.#turns.inTurn(async (opened) => {
      const found = await this.#since(opened, day);
      return opened.order.filter((ref) => !found.has(ref));
    });
  }

  all(): Promise<MessageRef[]> {
    return this.#turns.inTurn(async ({ order }) => [...order]);
  }

  find(search: HeaderSearch): Promise<MessageRef[]> {
    if (search.words === '' && search.messageId === undefined) return Promise.resolve([]);
    return this.#turns.inTurn(async ({ drop, order, numbers }) => {
      const newest = order.slice(-SEARCHED);
      const matching = new Set<number>();
      await drop.headers(numbersOf(newest, numbers), (number, head) => {
        if (matchesSearch(head, search)) matching.add(number);
      });
      return newest.filter((ref) => matching.has(numbers.get(ref) ?? 0));
    });
  }

  /** POP3 knows one folder only. */
  async junkFolder(): Promise<undefined> {
    return undefined;
  }

  fetchMeta(refs: readonly MessageRef[]): Promise<MessageMeta[]> {
    return this.#turns.inTurn((opened) => this.#metaOf(opened, refs));
  }

  fetchRaw(refs: readonly MessageRef[], each: (ref: MessageRef, raw: Uint8Array) => void): Promise<void> {
    return this.#turns.inTurn(async ({ drop, order, numbers }) => {
      const wanted = inOrder(order, refs);
      const refOf = new Map(wanted.map((ref) => [numbers.get(ref), ref]));
      await drop.whole(numbersOf(wanted, numbers), (number, raw) => {
        const ref = refOf.get(number);
        if (ref !== undefined) each(ref, raw);
      });
    });
  }

  /** The server always sends the whole message: if the caller stops early, that ends the session. */
  async *streamRaw(ref: MessageRef): AsyncGenerator<Uint8Array> {
    const turn = await this.#turns.take();
    let isWhole = false;
    try {
      const { drop, numbers } = await this.#turns.race(this.#turns.session());
      const number = numbers.get(ref);
      if (number === undefined) throw goneError();
      const chunks = chunksOf(drop.mail(number));
      for (;;) {
        const { done, value } = await this.#turns.race(this.#seam.call('pop3.part', () => chunks.next()));
        if (done === true) break;
        yield value;
      }
      isWhole = true;
    } catch (error) {
      throw inboxError(error);
    } finally {
      if (!isWhole) this.#turns.forget();
      turn.end();
    }
  }

  fetchHead(ref: MessageRef, bytes: number): Promise<Uint8Array> {
    return this.#turns.inTurn(async ({ drop, numbers }) => {
      const number = numbers.get(ref);
      if (number === undefined) throw goneError();
      return (await drop.beginning(number, Math.ceil(bytes / LINE_BYTES))).subarray(0, bytes);
    });
  }

  currentValidity(): Promise<string> {
    return this.#turns.inTurn(async () => VALIDITY);
  }

  /** POP3 has no flags: only the position and the ledger know what was read. */
  markSeen(_refs: readonly MessageRef[]): Promise<void> {
    return this.#turns.inTurn(async () => {});
  }

  move(_refs: readonly MessageRef[], _folder: string): Promise<void> {
    return this.#turns.inTurn(async () => {
      throw new InboxError('refused', 'Email cannot be moved over POP3, which knows one folder only', {
        code: 'pop3-refused',
      });
    });
  }

  /**
   * Deletes by DELE, and ends the session: only QUIT makes the server delete (RFC 1939 section 6). The next call
   * opens another session.
   */
  remove(refs: readonly MessageRef[]): Promise<void> {
    return this.#turns.inTurn(async ({ drop, order, numbers }) => {
      const there = numbersOf(inOrder(order, refs), numbers);
      if (there.length === 0) return;
      await drop.removeAll(there);
      await this.#turns.quit();
    });
  }

  close(): Promise<void> {
    return this.#turns.close();
  }

  destroy(): void {
    this.#turns.destroy();
  }

  /** Messages received on this day or later; see BEYOND_DAY. */
  async #since(opened: Opened, day: string): Promise<ReadonlySet<MessageRef>> {
    const from = new Date(Math.floor(Date.parse(day) / DAY_MS) * DAY_MS).toISOString();
    const ends = await this.#metaOf(opened, [...opened.order.slice(0, 1), ...opened.order.slice(-1)]);
    const isNewestLast = (ends.at(0)?.receivedAt ?? '') <= (ends.at(-1)?.receivedAt ?? '');
    const newestFirst = isNewestLast ? opened.order.toReversed() : opened.order;
    const found = new Set<MessageRef>();
    let older = 0;
    for (let start = 0; start < newestFirst.length && older < BEYOND_DAY; start += BEYOND_DAY) {
      const metas = await this.#metaOf(opened, newestFirst.slice(start, start + BEYOND_DAY));
      older = 0;
      for (const { ref, receivedAt } of metas)
        if (receivedAt >= from) found.add(ref);
        else older += 1;
    }
    return found;
  }

  async #metaOf(opened: Opened, refs: readonly MessageRef[]): Promise<MessageMeta[]> {
    const { drop, order, numbers } = opened;
    const wanted = inOrder(order, refs);
    const unknown = wanted.filter((ref) => !this.#metas.has(ref));
    if (unknown.length > 0) {
      opened.sizes ??= await drop.sizes();
      const refOf = new Map(unknown.map((ref) => [numbers.get(ref), ref]));
      await drop.headers(numbersOf(unknown, numbers), (number, head) => {
        const ref = refOf.get(number);
        const size = opened.sizes?.get(number);
        if (ref !== undefined && size !== undefined)
          this.#metas.set(ref, { ref, size, ...readPop3Header(head) });
      });
    }
    return wanted.flatMap((ref) => this.#metas.get(ref) ?? []);
  }
}

/** The same bytes in chunks of 4 MB, and the rest. */
async function* chunksOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    for (let rest = piece; rest.byteLength > 0; ) {
      const part = rest.subarray(0, CHUNK_BYTES - size);
      rest = rest.subarray(part.byteLength);
      held.push(part);
      size += part.byteLength;
      if (size < CHUNK_BYTES) continue;
      yield Buffer.concat(held);
      [held, size] = [[], 0];
    }
  }
  if (size > 0) yield Buffer.concat(held);
}

function inOrder(order: readonly MessageRef[], refs: readonly MessageRef[]): MessageRef[] {
  const wanted = new Set(refs);
  return order.filter((ref) => wanted.has(ref));
}

const numbersOf = (refs: readonly MessageRef[], numbers: ReadonlyMap<MessageRef, number>): number[] =>
  refs.flatMap((ref) => numbers.get(ref) ?? []);
