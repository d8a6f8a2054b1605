import { mapLimited } from '../platform/concurrency.ts';
import type { Seam } from '../platform/seam.ts';
import type { EndpointRules } from '../providers/endpoint-safety.ts';
import { GraphClient } from './graph-client.ts';
import { type GraphPurpose, GraphRefusal, graphInboxError, inboxErrorOf } from './graph-errors.ts';
import { type GraphMailbox, openMailboxFolder } from './graph-mailbox.ts';
import type { GraphMessage } from './graph-messages.ts';
import { GraphPosition, positionFrom, type SavedPosition } from './graph-position.ts';
import { idOf, isGraphRef, secondsOf } from './graph-ref.ts';
import { continueTracking, startTracking } from './graph-tracking.ts';
import type { HeaderSearch, Inbox, InboxAddress, Listing, ListRequest } from './inbox.ts';
import { isSameFolder } from './mailbox.ts';
import type { MessageMeta, MessageRef } from './message-ref.ts';

/** Immutable IDs are never used again. */
const VALIDITY = '1';
const CHUNK_BYTES = 4 * 1024 * 1024;
/** Messages downloaded at once; the client has no more places for one mailbox. */
const DOWNLOADS = 4;
const DAY_MS = 86_400_000;

/**
 * Opens a folder of a mailbox over Microsoft Graph, version 1.0. Needs Mail.ReadWrite, for the mailbox of somebody
 * else Mail.ReadWrite.Shared, or the application permission Mail.ReadWrite.
 * @throws InboxError with a `failure` that depends on Graph's response
 */
export async function openGraphInbox(
  address: InboxAddress,
  seam: Seam,
  rules: EndpointRules,
): Promise<Inbox> {
  const client = new GraphClient(address, seam, rules);
  const purpose = isSameFolder(address.folder, 'INBOX') ? 'open-inbox' : 'open-folder';
  try {
    return new GraphInbox(await openMailboxFolder(client, address.folder), seam);
  } catch (error) {
    client.close();
    throw inboxErrorOf(error, purpose);
  }
}

/** The port over any source of Graph's responses. */
export class GraphInbox implements Inbox {
  readonly validity = VALIDITY;
  readonly total: number;
  readonly #mailbox: GraphMailbox;
  readonly #seam: Pick<Seam, 'now'>;
  /** Metadata that this session has read. */
  readonly #known = new Map<MessageRef, MessageMeta>();
  /** The order in which Graph listed messages: those of the same second have no other. */
  readonly #order = new Map<MessageRef, number>();
  /** IDs of refs that hold only a hash. */
  readonly #hashed = new Map<MessageRef, string>();

  constructor(mailbox: GraphMailbox, seam: Pick<Seam, 'now'>) {
    this.#mailbox = mailbox;
    this.#seam = seam;
    this.total = mailbox.folder.total;
  }

  list({ position: data, isVoid = false, also = [], since, unread }: ListRequest): Promise<Listing> {
    return this.#call('read', async () => {
      const saved = isVoid ? undefined : positionFrom(data);
      const continued = saved && (await continueTracking(this.#mailbox, saved));
      // Before the unread messages are read: what comes in between is found later.
      const tracked = continued ?? (await startTracking(this.#mailbox, this.#seam.now()));
      const found = this.#learn(tracked.found);
      const isKnown = saved !== undefined && continued !== undefined;
      const again = isKnown ? await this.#again(saved) : [];
      const { reached, takenAt } = tracked;
      const from = isKnown ? saved : reached;
      const position = new GraphPosition({ saved: from, reached, found: new Set(found), takenAt });
      const refs = new Set([
        ...found,
        ...again,
        ...(unread === false
          ? []
          : await this.#messages({ isUnread: true, from: unread && startOf(unread.since) })),
        ...(isKnown || since === undefined ? [] : await this.#messages({ from: dayBefore(since) })),
        ...(await this.#stillHere(also)),
      ]);
      return {
        refs: this.#sorted(refs),
        position: position.uncover(again),
        isAhead: isKnown && saved.next !== undefined,
        isSetBack: data !== undefined && !isKnown,
        witness: undefined,
      };
    });
  }

  latest(count: number): Promise<MessageRef[]> {
    return this.#call('read', async () => {
      const newest = await this.#mailbox.latest(count);
      return this.#sorted(this.#learn(newest.toReversed()));
    });
  }

  receivedSince(day: string): Promise<MessageRef[]> {
    return this.#call('read', () => this.#messages({ from: startOf(day) }));
  }

  receivedBefore(day: string): Promise<MessageRef[]> {
    return this.#call('read', () => this.#messages({ before: startOf(day) }));
  }

  all(): Promise<MessageRef[]> {
    return this.#call('read', () => this.#messages({}));
  }

  find({ words, messageId }: HeaderSearch): Promise<MessageRef[]> {
    return this.#call('read', async () => {
      // A quotation mark would end the words.
      const text = words.replaceAll(/["\\]/g, ' ').trim();
      const found = new Set(messageId === undefined ? [] : await this.#messages({ messageId }));
      for (const field of text === '' ? [] : (['from', 'subject'] as const))
        for (const ref of this.#learn(await this.#mailbox.search(field, text))) found.add(ref);
      return this.#sorted(found);
    });
  }

  junkFolder(): Promise<string | undefined> {
    return this.#call('read', () => this.#mailbox.junkFolder());
  }

  fetchMeta(refs: readonly MessageRef[]): Promise<MessageMeta[]> {
    return this.#call('read', async () => {
      await this.#stillHere(refs.filter((ref) => !this.#known.has(ref)));
      return this.#sorted(refs).flatMap((ref) => this.#known.get(ref) ?? []);
    });
  }

  fetchRaw(refs: readonly MessageRef[], each: (ref: MessageRef, raw: Uint8Array) => void): Promise<void> {
    return this.#call('read', async () => {
      const ids = await this.#idsOf(refs);
      await mapLimited([...ids], DOWNLOADS, async ([ref, id]) => {
        try {
          const chunks = await Array.fromAsync(this.#mailbox.value('source', id));
          each(ref, Buffer.concat(chunks));
        } catch (error) {
          if (!(error instanceof GraphRefusal) || !error.isGone) throw error;
        }
      });
    });
  }

  /** Graph does not announce the length of the MIME form: the end of the transfer is the end of the message. */
  async *streamRaw(ref: MessageRef): AsyncGenerator<Uint8Array> {
    try {
      let chunks: Uint8Array[] = [];
      let size = 0;
      for await (const bytes of this.#mailbox.value('part', await this.#idAt(ref))) {
        for (let rest = bytes; rest.byteLength > 0; ) {
          const part = rest.subarray(0, CHUNK_BYTES - size);
          chunks.push(part);
          size += part.byteLength;
          rest = rest.subarray(part.byteLength);
          if (size < CHUNK_BYTES) continue;
          yield Buffer.concat(chunks);
          chunks = [];
          size = 0;
        }
      }
      if (size > 0) yield Buffer.concat(chunks);
    } catch (error) {
      throw this.#errorOf(error, 'read');
    }
  }

  /** Graph always sends the whole message: the transfer is broken off. */
  fetchHead(ref: MessageRef, bytes: number): Promise<Uint8Array> {
    return this.#call('read', async () => {
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of this.#mailbox.value('part', await this.#idAt(ref))) {
        chunks.push(chunk);
        size += chunk.byteLength;
        if (size >= bytes) break;
      }
      return Buffer.concat(chunks).subarray(0, bytes);
    });
  }

  async currentValidity(): Promise<string> {
    return VALIDITY;
  }

  markSeen(refs: readonly MessageRef[]): Promise<void> {
    return this.#change(refs, (ids) => this.#mailbox.markSeen(ids));
  }

  async move(refs: readonly MessageRef[], folder: string): Promise<void> {
    await this.#change(refs, async (ids) => {
      try {
        await this.#mailbox.move(ids, folder);
      } catch (error) {
        if (!(error instanceof GraphRefusal) || !error.isGone) throw error;
        const said = `Microsoft Graph did not move stored email: there is no folder “${folder}”.`;
        throw graphInboxError('refused', said, { cause: error, said: error.message });
      }
    });
    for (const ref of refs) this.#known.delete(ref);
  }

  async remove(refs: readonly MessageRef[]): Promise<void> {
    await this.#change(refs, (ids) => this.#mailbox.remove(ids));
    for (const ref of refs) this.#known.delete(ref);
  }

  async close(): Promise<void> {
    this.#mailbox.close();
  }

  destroy(): void {
    this.#mailbox.close();
  }

  /** The messages that a saved position lists again. */
  async #again({ again, from }: SavedPosition): Promise<MessageRef[]> {
    return from === undefined ? this.#stillHere(again ?? []) : this.#messages({ from: isoOf(from) });
  }

  async #messages(filter: Parameters<GraphMailbox['messages']>[0]): Promise<MessageRef[]> {
    return this.#learn(await this.#mailbox.messages(filter));
  }

  /** Of these, the messages that are in the folder. */
  async #stillHere(refs: readonly MessageRef[]): Promise<MessageRef[]> {
    const ids = await this.#idsOf(refs);
    return ids.size === 0 ? [] : this.#learn(await this.#mailbox.describe([...ids.values()]));
  }

  /** In the order of arrival. */
  #sorted(refs: Iterable<MessageRef>): MessageRef[] {
    const placeOf = (ref: MessageRef): number => this.#order.get(ref) ?? 0;
    return [...refs]
      .filter(isGraphRef)
      .sort((one, other) => secondsOf(one) - secondsOf(other) || placeOf(one) - placeOf(other));
  }

  /** Keeps what a response tells about messages. */
  #learn(messages: readonly GraphMessage[]): MessageRef[] {
    for (const { id, meta } of messages) {
      if (!this.#order.has(meta.ref)) this.#order.set(meta.ref, this.#order.size);
      // Without a size it is not complete, and is asked for again.
      if (meta.size > 0) this.#known.set(meta.ref, meta);
      if (idOf(meta.ref) === undefined) this.#hashed.set(meta.ref, id);
    }
    return messages.map(({ meta }) => meta.ref);
  }

  /** The IDs of these refs, without those of other protocols, and of messages that are gone. */
  async #idsOf(refs: readonly MessageRef[]): Promise<Map<MessageRef, string>> {
    const ids = new Map<MessageRef, string>();
    for (const ref of refs.filter(isGraphRef)) {
      const id = idOf(ref) ?? this.#hashed.get(ref) ?? (await this.#idByTime(ref));
      if (id !== undefined) ids.set(ref, id);
    }
    return ids;
  }

  /** Finds the ID of a hashed ref from an earlier session among the messages of its second. */
  async #idByTime(ref: MessageRef): Promise<string | undefined> {
    const second = secondsOf(ref);
    await this.#messages({ from: isoOf(second), before: isoOf(second + 1) });
    return this.#hashed.get(ref);
  }

  async #idAt(ref: MessageRef): Promise<string> {
    const id = (await this.#idsOf([ref])).get(ref);
    if (id === undefined) throw graphInboxError('unavailable', 'The message is not in the mailbox any more.');
    return id;
  }

  #change(refs: readonly MessageRef[], effect: (ids: readonly string[]) => Promise<void>): Promise<void> {
    return this.#call('change', async () => {
      const ids = await this.#idsOf(refs);
      if (ids.size > 0) await effect([...ids.values()]);
    });
  }

  async #call<T>(purpose: GraphPurpose, effect: () => Promise<T>): Promise<T> {
    try {
      return await effect();
    } catch (error) {
      throw this.#errorOf(error, purpose);
    }
  }

  #errorOf(error: unknown, purpose: GraphPurpose): Error {
    return inboxErrorOf(error, purpose);
  }
}

const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** The start of a day in UTC. */
const startOf = (day: string): string => `${new Date(day).toISOString().slice(0, 10)}T00:00:00Z`;

const dayBefore = (time: string): string => new Date(Date.parse(time) - DAY_MS).toISOString();
