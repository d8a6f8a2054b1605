import type { ImapFlow, SearchObject } from 'imapflow';
import { redact } from '../explanations/redact.ts';
import type { Seam } from '../platform/seam.ts';
import { inboxError, type RefusalLog, required } from './imap-errors.ts';
import { goOnFrom, uidOf, uidRef, uidsAmong } from './imap-position.ts';
import { headerSearch, type ListSearch, listSearches } from './imap-search.ts';
import { type HeaderSearch, type Inbox, InboxError, type Listing, type ListRequest } from './inbox.ts';
import type { MessageMeta, MessageRef } from './message-ref.ts';
import { ascending, uidSets } from './uid-sets.ts';

const CHUNK_BYTES = 4 * 1024 * 1024;
/**
 * UIDs at the end of the folder in which the latest messages are searched: some of them may have been deleted.
 */
const LATEST_UIDS = 50;
/** Use UIDs in the command and its response. */
const UID = { uid: true } as const;

/** A folder when it was opened. */
export interface OpenedFolder {
  validity: string;
  uidNext: number;
  total: number;
  /** Number of unread messages; absent: the folder is selected, and a search tells more. */
  unseen?: number;
}

/** Selects the folder only when a command needs it: most looks end with what STATUS says. */
export class ImapInbox implements Inbox {
  readonly validity: string;
  readonly total: number;
  readonly #uidNext: number;
  readonly #client: ImapFlow;
  readonly #refusals: RefusalLog;
  readonly #seam: Seam;
  readonly #folder: string;
  /** Undefined once the folder is selected: STATUS is out of date by then. */
  #unseen: number | undefined;
  #selecting: Promise<void> | undefined;

  constructor(client: ImapFlow, refusals: RefusalLog, seam: Seam, folder: string, opened: OpenedFolder) {
    this.#client = client;
    this.#refusals = refusals;
    this.#seam = seam;
    this.#folder = folder;
    this.validity = opened.validity;
    this.#uidNext = opened.uidNext;
    this.total = opened.total;
    this.#unseen = opened.unseen;
  }

  async list({ position: saved, isVoid = false, also = [], since, unread }: ListRequest): Promise<Listing> {
    const { position, isKnown, isSetBack } = goOnFrom(saved, { uidNext: this.#uidNext, isVoid });
    const hasUnread = unread !== false && this.#unseen !== 0;
    const isQuiet = isKnown && position.uid >= this.#uidNext - 1 && !hasUnread && also.length === 0;
    if (this.#unseen !== undefined && isQuiet)
      return { refs: [], position, isSetBack, witness: position.witness };
    const uids = await this.#search({
      unread,
      from: isKnown ? position.uid + 1 : undefined,
      since: isKnown ? undefined : since,
      also: uidsAmong(also),
    });
    return { refs: uids.map(uidRef), position, isSetBack, witness: isKnown ? position.witness : undefined };
  }

  async latest(count: number): Promise<MessageRef[]> {
    const uids = await this.#search({ from: Math.max(1, this.#uidNext - LATEST_UIDS) });
    return uids.slice(-count).map(uidRef);
  }

  #search(request: ListSearch): Promise<number[]> {
    const searches = listSearches(request);
    if (searches.length === 0) return Promise.resolve([]);
    return this.#call('search', async () => {
      const found = new Set<number>();
      for (const search of searches)
        for (const uid of required(await this.#client.search(search, UID), 'search')) found.add(uid);
      return ascending([...found]);
    });
  }

  receivedSince(day: string): Promise<MessageRef[]> {
    return this.#refsOf({ since: new Date(day) });
  }

  receivedBefore(day: string): Promise<MessageRef[]> {
    return this.#refsOf({ before: new Date(day) });
  }

  all(): Promise<MessageRef[]> {
    return this.#refsOf({ all: true });
  }

  #refsOf(query: SearchObject): Promise<MessageRef[]> {
    return this.#call('search', async () =>
      ascending(required(await this.#client.search(query, UID), 'search')).map(uidRef),
    );
  }

  find(search: HeaderSearch): Promise<MessageRef[]> {
    const query = headerSearch(search);
    return query === undefined ? Promise.resolve([]) : this.#refsOf(query);
  }

  /**
   * Identified by the attribute `\\Junk` (RFC 6154) or, for servers without it such as Exchange Online, by its
   * common names in many languages.
   */
  junkFolder(): Promise<string | undefined> {
    return this.#callUnselected('list', async () => {
      const folders = await this.#client.list();
      return folders.find(({ specialUse }) => specialUse === '\\Junk')?.path;
    });
  }

  fetchMeta(refs: readonly MessageRef[]): Promise<MessageMeta[]> {
    return this.#call('facts', async () => {
      const found: { uid: number; meta: MessageMeta }[] = [];
      const query = { uid: true, size: true, internalDate: true, headers: ['message-id'] };
      // A response without a size is an unsolicited update after another client changed flags.
      for (const set of setsOf(refs))
        for await (const { uid, size, internalDate, headers } of this.#client.fetch(set, query, UID))
          if (size !== undefined)
            found.push({
              uid,
              meta: {
                ref: uidRef(uid),
                size,
                receivedAt: isoOf(internalDate),
                messageId: messageIdOf(headers),
              },
            });
      return found.sort((a, b) => a.uid - b.uid).map(({ meta }) => meta);
    });
  }

  fetchRaw(refs: readonly MessageRef[], each: (ref: MessageRef, raw: Uint8Array) => void): Promise<void> {
    return this.#call('sources', async () => {
      for (const set of setsOf(refs))
        for await (const { uid, source } of this.#client.fetch(set, { uid: true, source: true }, UID))
          if (source !== undefined) each(uidRef(uid), source);
    });
  }

  /**
   * A short chunk is the end only once the announced size is reached, because Exchange's RFC822.SIZE is an
   * estimate. An empty chunk is always the end.
   */
  async *streamRaw(ref: MessageRef, size: number): AsyncGenerator<Uint8Array> {
    for (let start = 0; ; ) {
      const chunk = await this.#part(ref, start, CHUNK_BYTES);
      start += chunk.byteLength;
      if (chunk.byteLength > 0) yield chunk;
      if (chunk.byteLength === 0 || (chunk.byteLength < CHUNK_BYTES && start >= size)) return;
    }
  }

  fetchHead(ref: MessageRef, bytes: number): Promise<Uint8Array> {
    return this.#part(ref, 0, bytes);
  }

  currentValidity(): Promise<string> {
    return this.#callUnselected('status', async () => {
      const status = required(await this.#client.status(this.#folder, { uidValidity: true }), 'status');
      return String(status.uidValidity);
    });
  }

  markSeen(refs: readonly MessageRef[]): Promise<void> {
    return this.#call('store', async () => {
      for (const set of setsOf(refs))
        this.#expectDone(await this.#client.messageFlagsAdd(set, ['\\Seen'], UID), 'mark as read');
    });
  }

  move(refs: readonly MessageRef[], folder: string): Promise<void> {
    return this.#call('move', async () => {
      for (const set of setsOf(refs))
        this.#expectDone(await this.#client.messageMove(set, folder, UID), 'move');
    });
  }

  remove(refs: readonly MessageRef[]): Promise<void> {
    return this.#call('delete', async () => {
      for (const set of setsOf(refs)) this.#expectDone(await this.#client.messageDelete(set, UID), 'delete');
    });
  }

  append(raw: Uint8Array): Promise<void> {
    return this.#callUnselected('append', async () => {
      this.#expectDone(
        await this.#client.append(this.#folder, Buffer.from(raw), [String.raw`\Seen`]),
        'keep the email',
      );
    });
  }

  async close(): Promise<void> {
    try {
      await this.#callUnselected('logout', () => this.#client.logout());
    } catch {
      this.#client.close();
    }
  }

  destroy(): void {
    this.#client.close();
  }

  /** imapflow returns the same `false` for a refusal and for a lost connection. */
  #expectDone(answer: unknown, what: string): void {
    const said = redact(this.#refusals.take()).slice(0, 200);
    if (answer !== false && answer !== undefined) return;
    if (!this.#client.usable) throw new InboxError('unavailable', `The mail server did not ${what}`);
    throw new InboxError(
      'refused',
      `The mail server did not ${what}${said === '' ? '' : `. It said: ${said}`}`,
      said === '' ? {} : { said },
    );
  }

  #part(ref: MessageRef, start: number, maxLength: number): Promise<Uint8Array> {
    return this.#call('part', async () => {
      const mail = await this.#client.fetchOne(String(uidOf(ref)), { source: { start, maxLength } }, UID);
      const found = required(mail, 'find the mail any more');
      return found.source ?? new Uint8Array();
    });
  }

  async #call<T>(operation: string, effect: () => Promise<T>): Promise<T> {
    await this.#select();
    return this.#callUnselected(operation, effect);
  }

  #callUnselected<T>(operation: string, effect: () => Promise<T>): Promise<T> {
    return this.#seam.call(`imap.${operation}`, async () => {
      try {
        return await effect();
      } catch (error) {
        throw inboxError(error, this.#refusals.throttled);
      }
    });
  }

  /** @throws InboxError if the server renumbered its messages since the folder was opened */
  async #select(): Promise<void> {
    if (this.#unseen === undefined) return;
    this.#selecting ??= this.#callUnselected('select', async () => {
      const { uidValidity } = await this.#client.mailboxOpen(this.#folder);
      if (String(uidValidity) !== this.validity)
        throw new InboxError('unavailable', 'The mail server numbered its mail anew');
      this.#unseen = undefined;
    });
    await this.#selecting;
  }
}

const setsOf = (refs: readonly MessageRef[]): string[] => uidSets(refs.map(uidOf));

function messageIdOf(headers: Buffer | undefined): string {
  const [, value = ''] = /^message-id\s*:(.*)$/is.exec(headers?.toString('latin1') ?? '') ?? [];
  return value.replace(/\s+/g, ' ').trim().slice(0, 1000);
}

function isoOf(date: Date | string | undefined): string {
  const time = date === undefined ? Number.NaN : new Date(date).getTime();
  return new Date(Number.isNaN(time) ? 0 : time).toISOString();
}
