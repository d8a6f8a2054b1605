import { mapLimited } from '../platform/concurrency.ts';
import type { Seam } from '../platform/seam.ts';
import type { EndpointRules } from '../providers/endpoint-safety.ts';
import { type BatchAnswer, GraphClient, type GraphRequest } from './graph-client.ts';
import { type GraphPurpose, GraphRefusal, graphInboxError, inboxErrorOf } from './graph-errors.ts';
import { findFolder, type GraphFolder, junkFolderName } from './graph-folders.ts';
import { type GraphMessage, MESSAGE_FIELDS, messageIn, readPage, readPages } from './graph-messages.ts';
import { GraphPosition, positionFrom } from './graph-position.ts';
import { byArrival, idOf, isGraphRef, secondsOf } from './graph-ref.ts';
import { continueTracking, startTracking } from './graph-tracking.ts';
import type { HeaderSearch, Inbox, InboxAddress, Listing, ListRequest } from './inbox.ts';
import { isSameFolder } from './mailbox.ts';
import type { MessageMeta, MessageRef } from './message-ref.ts';

/** Immutable IDs are never used again. */
const VALIDITY = '1';
const CHUNK_BYTES = 4 * 1024 * 1024;
/** Messages downloaded at once; the client has no more places for one mailbox. */
const DOWNLOADS = 4;
/** Messages in a page of a list; Graph's limit is 1,000. */
const PAGE = 500;
/** Before every message: `$orderby` needs its field first in the filter. */
const EVER = '1970-01-01T00:00:00Z';
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
    return new GraphInbox(client, seam, await findFolder(client, address.folder));
  } catch (error) {
    client.close();
    throw inboxErrorOf(error, purpose, seam.now());
  }
}

class GraphInbox implements Inbox {
  readonly validity = VALIDITY;
  readonly total: number;
  readonly #client: GraphClient;
  readonly #seam: Seam;
  readonly #folder: GraphFolder;
  /** Path of the folder's resource. */
  readonly #path: string;
  /** Metadata that this session has read. */
  readonly #known = new Map<MessageRef, MessageMeta>();
  /** IDs of refs that hold only a hash. */
  readonly #hashed = new Map<MessageRef, string>();

  constructor(client: GraphClient, seam: Seam, folder: GraphFolder) {
    this.#client = client;
    this.#seam = seam;
    this.#folder = folder;
    this.#path = `${client.mailbox}/mailFolders/${encodeURIComponent(folder.id)}`;
    this.total = folder.total;
  }

  list({ position: data, isVoid = false, also = [], since, unread }: ListRequest): Promise<Listing> {
    return this.#reading(async () => {
      const saved = isVoid ? undefined : positionFrom(data);
      const continued = saved && (await continueTracking(this.#client, saved));
      // Before the unread messages are read: what comes in between is found later.
      const tracked = continued ?? (await startTracking(this.#client, this.#path, this.#seam.now()));
      const found = this.#learn(tracked.found);
      const isKnown = saved !== undefined && continued !== undefined;
      const again = isKnown && saved.from !== undefined ? await this.#since(isoOf(saved.from)) : [];
      const position = new GraphPosition({
        saved: isKnown ? saved : tracked.reached,
        reached: tracked.reached,
        found: new Set(found),
        takenAt: tracked.takenAt,
      }).uncover(again);
      const refs = new Set([
        ...found,
        ...again,
        ...(await this.#unread(unread)),
        ...(isKnown || since === undefined ? [] : await this.#since(dayBefore(since))),
        ...(await this.#stillHere(also)),
      ]);
      return {
        refs: byArrival(refs),
        position,
        isSetBack: data !== undefined && !isKnown,
        witness: undefined,
      };
    });
  }

  latest(count: number): Promise<MessageRef[]> {
    return this.#reading(async () => {
      const query = `$orderby=receivedDateTime%20desc&$top=${count}&${MESSAGE_FIELDS}`;
      const { messages } = await readPage(this.#client, 'search', `${this.#path}/messages?${query}`);
      return byArrival(this.#learn(messages.toReversed()));
    });
  }

  receivedSince(day: string): Promise<MessageRef[]> {
    return this.#reading(() => this.#since(startOf(day)));
  }

  receivedBefore(day: string): Promise<MessageRef[]> {
    return this.#reading(() => this.#filtered(`receivedDateTime lt ${startOf(day)}`));
  }

  all(): Promise<MessageRef[]> {
    return this.#reading(() => this.#since(EVER));
  }

  /**
   * Searches as Outlook does: words from their beginning, in an index that a new message enters within moments.
   * https://learn.microsoft.com/graph/search-query-parameter#using-search-on-message-collections
   */
  find({ words, messageId }: HeaderSearch): Promise<MessageRef[]> {
    return this.#reading(async () => {
      const text = words.replaceAll(/["\\]/g, ' ').trim();
      const found = new Set<MessageRef>();
      if (messageId !== undefined)
        for (const ref of await this.#filtered(
          `receivedDateTime ge ${EVER} and internetMessageId eq '${messageId.replaceAll("'", "''")}'`,
        ))
          found.add(ref);
      for (const field of text === '' ? [] : ['from', 'subject'])
        for (const ref of await this.#messages(`$search=${encodeURIComponent(`"${field}:${text}"`)}`))
          found.add(ref);
      return byArrival(found);
    });
  }

  junkFolder(): Promise<string | undefined> {
    return this.#reading(() => junkFolderName(this.#client));
  }

  fetchMeta(refs: readonly MessageRef[]): Promise<MessageMeta[]> {
    return this.#reading(async () => {
      await this.#stillHere(refs.filter((ref) => !this.#known.has(ref)));
      return byArrival(refs).flatMap((ref) => this.#known.get(ref) ?? []);
    });
  }

  fetchRaw(refs: readonly MessageRef[], each: (ref: MessageRef, raw: Uint8Array) => void): Promise<void> {
    return this.#reading(async () => {
      const ids = await this.#idsOf(refs);
      await mapLimited([...ids], DOWNLOADS, async ([ref, id]) => {
        try {
          const chunks = await Array.fromAsync(this.#client.bytes('source', this.#valueOf(id)));
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
      for await (const bytes of this.#client.bytes('part', await this.#valueAt(ref))) {
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
    return this.#reading(async () => {
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of this.#client.bytes('part', await this.#valueAt(ref))) {
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
    return this.#changing('mark', refs, (path) => ({ method: 'PATCH', path, body: { isRead: true } }));
  }

  async move(refs: readonly MessageRef[], folder: string): Promise<void> {
    const target = await this.#target(folder);
    await this.#changing('move', refs, (path) => ({
      method: 'POST',
      path: `${path}/move`,
      body: { destinationId: target.id },
    }));
    for (const ref of refs) this.#known.delete(ref);
  }

  /**
   * Deleted messages are in the folder for deleted items, and deleted from there for good.
   * https://learn.microsoft.com/graph/api/message-delete
   */
  async remove(refs: readonly MessageRef[]): Promise<void> {
    await this.#changing('delete', refs, (path) => ({ method: 'DELETE', path }));
    for (const ref of refs) this.#known.delete(ref);
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  destroy(): void {
    this.#client.close();
  }

  async #target(folder: string): Promise<GraphFolder> {
    try {
      return await findFolder(this.#client, folder);
    } catch (error) {
      if (!(error instanceof GraphRefusal) || !error.isGone) throw this.#errorOf(error, 'change');
      const said = `Microsoft Graph did not move stored email: there is no folder “${folder}”.`;
      throw graphInboxError('refused', said, { cause: error, said: error.message });
    }
  }

  async #unread(unread: ListRequest['unread']): Promise<MessageRef[]> {
    if (unread === false) return [];
    return this.#filtered(`receivedDateTime ge ${startOf(unread?.since ?? EVER)} and isRead eq false`);
  }

  #since(time: string): Promise<MessageRef[]> {
    return this.#filtered(`receivedDateTime ge ${timeOf(time)}`);
  }

  #filtered(filter: string): Promise<MessageRef[]> {
    return this.#messages(`$filter=${encodeURIComponent(filter)}&$orderby=receivedDateTime%20asc`);
  }

  async #messages(query: string): Promise<MessageRef[]> {
    const path = `${this.#path}/messages?${query}&$top=${PAGE}&${MESSAGE_FIELDS}`;
    return this.#learn(await readPages(this.#client, 'search', path));
  }

  /** Of these, the messages that are in the folder. */
  async #stillHere(refs: readonly MessageRef[]): Promise<MessageRef[]> {
    const ids = await this.#idsOf(refs);
    const requests = [...ids.values()].map(
      (id): GraphRequest => ({
        method: 'GET',
        path: `/messages/${encodeURIComponent(id)}?${MESSAGE_FIELDS}`,
      }),
    );
    const answers = await this.#client.batch('facts', requests);
    this.#throwRefused(answers);
    const messages = answers.flatMap(({ body, refusal }) =>
      refusal === undefined ? (messageIn(body) ?? []) : [],
    );
    return this.#learn(
      messages.filter(({ folderId }) => folderId === undefined || folderId === this.#folder.id),
    );
  }

  /** Keeps what a response tells about messages. */
  #learn(messages: readonly GraphMessage[]): MessageRef[] {
    for (const { id, meta } of messages) {
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
    const [from, to] = [isoOf(secondsOf(ref)), isoOf(secondsOf(ref) + 1)];
    await this.#filtered(`receivedDateTime ge ${timeOf(from)} and receivedDateTime lt ${timeOf(to)}`);
    return this.#hashed.get(ref);
  }

  async #valueAt(ref: MessageRef): Promise<string> {
    const id = (await this.#idsOf([ref])).get(ref);
    if (id === undefined) throw graphInboxError('unavailable', 'The message is not in the mailbox any more.');
    return this.#valueOf(id);
  }

  #valueOf(id: string): string {
    return `${this.#client.mailbox}/messages/${encodeURIComponent(id)}/$value`;
  }

  #changing(
    operation: string,
    refs: readonly MessageRef[],
    requestFor: (path: string) => GraphRequest,
  ): Promise<void> {
    return this.#call('change', async () => {
      const ids = await this.#idsOf(refs);
      const requests = [...ids.values()].map((id) => requestFor(`/messages/${encodeURIComponent(id)}`));
      this.#throwRefused(await this.#client.batch(operation, requests));
    });
  }

  /** A message that is gone needs nothing more; any other refusal is one. */
  #throwRefused(answers: readonly BatchAnswer[]): void {
    const refused = answers.find(({ refusal }) => refusal !== undefined && !refusal.isGone)?.refusal;
    if (refused !== undefined) throw refused;
  }

  #reading<T>(effect: () => Promise<T>): Promise<T> {
    return this.#call('read', effect);
  }

  async #call<T>(purpose: GraphPurpose, effect: () => Promise<T>): Promise<T> {
    try {
      return await effect();
    } catch (error) {
      throw this.#errorOf(error, purpose);
    }
  }

  #errorOf(error: unknown, purpose: GraphPurpose): Error {
    return inboxErrorOf(error, purpose, this.#seam.now());
  }
}

const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** A time or day as Graph's filters want it. */
const timeOf = (time: string): string => `${new Date(time).toISOString().slice(0, 19)}Z`;

/** The start of a day in UTC. */
const startOf = (day: string): string => `${new Date(day).toISOString().slice(0, 10)}T00:00:00Z`;

const dayBefore = (time: string): string => new Date(Date.parse(time) - DAY_MS).toISOString();
