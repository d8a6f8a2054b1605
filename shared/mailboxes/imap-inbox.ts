import type { ImapFlow } from 'imapflow';
import { redact } from '../explanations/redact.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import { type EndpointRules, hostProblem } from '../providers/endpoint-safety.ts';
import { publicLookup } from '../providers/guarded-fetch.ts';
import { type Inbox, InboxError, type InboxFailure, type InboxSearch, type MessageMeta } from './inbox.ts';

const PIECE = 4 * 1024 * 1024;
const HIGHEST_UID = 4_294_967_295;
/** Of the UIDs in one command. Every server takes a line of 8192 octets, some no longer one (RFC 7162 section 4). */
const UID_SET_BYTES = 4000;
const CONNECT_MS = 20_000;
const SILENCE_MS = 60_000;
/** No message that is fetched whole is announced with more than 8 MB; a literal far beyond that ends the connection. */
const LARGEST_LITERAL = 64 * 1024 * 1024;

export interface ImapAddress {
  host: string;
  port: number;
  folder: string;
  /** The mailbox to open: for a shared mailbox not the user the token belongs to. */
  user: string;
  accessToken: Secret;
}

/**
 * Opens a folder over IMAP with XOAUTH2, TLS from the first byte. Unless `local`, the socket itself refuses a host that
 * leads to a private address.
 * @throws InboxError, told apart by what the server said.
 */
export async function openImapInbox(address: ImapAddress, seam: Seam, rules: EndpointRules): Promise<Inbox> {
  const problem = hostProblem(address.host, rules);
  if (problem !== undefined) throw new InboxError('unavailable', problem);
  const { ImapFlow } = await import('imapflow');
  const refusals = new RefusalLog();
  const client = new ImapFlow({
    host: address.host,
    port: address.port,
    secure: true,
    auth: { user: address.user, accessToken: address.accessToken.expose() },
    logger: refusals,
    maxLiteralSize: LARGEST_LITERAL,
    disableAutoIdle: true,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    tls: { minVersion: 'TLSv1.2', ...(!rules.local && { lookup: publicLookup }) },
  });
  // Without a listener an error on the idle socket would end the process; the call under way rejects by itself.
  client.on('error', () => {});
  try {
    await seam.call('imap.connect', () => client.connect());
    const folder = await seam.call('imap.select', () => client.mailboxOpen(address.folder));
    return new ImapInbox(client, refusals, seam, address.folder, {
      uidValidity: String(folder.uidValidity),
      uidNext: await uidNextOf(client, folder, seam),
      total: folder.exists,
    });
  } catch (error) {
    client.close();
    throw inboxError(error);
  }
}

/**
 * The next UID of the open folder. A server that leaves it out of its answer to SELECT (RFC 3501 section 6.3.1) is asked
 * for it; one that never tells is taken to go on from its highest UID.
 */
async function uidNextOf(
  client: ImapFlow,
  folder: { path: string; uidNext?: number; exists: number },
  seam: Seam,
): Promise<number> {
  if (folder.uidNext !== undefined) return folder.uidNext;
  const status = await seam.call('imap.status', () => client.status(folder.path, { uidNext: true }));
  if (status !== false && status.uidNext !== undefined) return status.uidNext;
  if (folder.exists === 0) return 1;
  const last = await seam.call('imap.facts', () => client.fetchOne('*', { uid: true }));
  return required(last, 'say which of its messages is the newest').uid + 1;
}

/** imapflow swallows why the server refused a command, but for a line in its log. */
class RefusalLog {
  #said = '';

  warn(entry: { err?: unknown }): void {
    this.#said = text(entry.err, 'responseText') || this.#said;
  }

  isLevelEnabled(level: string): boolean {
    return level === 'warn';
  }

  debug(): void {}

  info(): void {}

  /** Where there were none of these two, imapflow would write to the console. */
  error(): void {}

  fatal(): void {}

  /** What the server said since this was last asked. */
  take(): string {
    const said = this.#said;
    this.#said = '';
    return said;
  }
}

class ImapInbox implements Inbox {
  readonly uidValidity: string;
  readonly uidNext: number;
  readonly total: number;
  readonly #client: ImapFlow;
  readonly #refusals: RefusalLog;
  readonly #seam: Seam;
  readonly #folder: string;

  constructor(
    client: ImapFlow,
    refusals: RefusalLog,
    seam: Seam,
    folder: string,
    opened: { uidValidity: string; uidNext: number; total: number },
  ) {
    this.#client = client;
    this.#refusals = refusals;
    this.#seam = seam;
    this.#folder = folder;
    this.uidValidity = opened.uidValidity;
    this.uidNext = opened.uidNext;
    this.total = opened.total;
  }

  search({ unread, from, since, also = [] }: InboxSearch): Promise<number[]> {
    const [first, ...others] = uidSets(also);
    const alternatives = [
      ...(unread === false ? [] : [{ seen: false, ...(unread && { since: new Date(unread.since) }) }]),
      // Not `n:*`, which holds the newest mail even when that is below n (RFC 3501 section 6.4.8).
      ...(from === undefined ? [] : [{ uid: `${from}:${HIGHEST_UID}` }]),
      ...(since === undefined ? [] : [{ since: new Date(since) }]),
      ...(first === undefined ? [] : [{ uid: first }]),
    ];
    const [only, ...more] = alternatives;
    if (only === undefined) return Promise.resolve([]);
    const query = more.length === 0 ? only : { or: alternatives };
    return this.#call('search', async () => {
      const found = new Set<number>();
      for (const each of [query, ...others.map((uid) => ({ uid }))])
        for (const uid of required(await this.#client.search(each, { uid: true }), 'search')) found.add(uid);
      return sorted([...found]);
    });
  }

  receivedBefore(day: string): Promise<number[]> {
    return this.#call('search', async () =>
      sorted(required(await this.#client.search({ before: new Date(day) }, { uid: true }), 'search')),
    );
  }

  facts(uids: readonly number[]): Promise<MessageMeta[]> {
    return this.#call('facts', async () => {
      const found: MessageMeta[] = [];
      const query = { uid: true, size: true, internalDate: true, headers: ['message-id'] };
      // An answer without a size tells of flags that somebody changed.
      for (const set of uidSets(uids))
        for await (const mail of this.#client.fetch(set, query, { uid: true }))
          if (mail.size !== undefined)
            found.push({
              uid: mail.uid,
              size: mail.size,
              receivedAt: isoOf(mail.internalDate),
              messageId: messageIdOf(mail.headers),
            });
      return found.sort((a, b) => a.uid - b.uid);
    });
  }

  sources(uids: readonly number[], each: (uid: number, raw: Uint8Array) => void): Promise<void> {
    return this.#call('sources', async () => {
      for (const set of uidSets(uids))
        for await (const mail of this.#client.fetch(set, { uid: true, source: true }, { uid: true }))
          if (mail.source !== undefined) each(mail.uid, mail.source);
    });
  }

  /** A short piece is the end only where the size is reached, an empty one always: Exchange's RFC822.SIZE is an estimate. */
  async *pieces(uid: number, size: number): AsyncGenerator<Uint8Array> {
    for (let start = 0; ; ) {
      const piece = await this.#part(uid, start, PIECE);
      start += piece.byteLength;
      if (piece.byteLength > 0) yield piece;
      if (piece.byteLength === 0 || (piece.byteLength < PIECE && start >= size)) return;
    }
  }

  beginning(uid: number, bytes: number): Promise<Uint8Array> {
    return this.#part(uid, 0, bytes);
  }

  currentUidValidity(): Promise<string> {
    return this.#call('status', async () => {
      const status = required(await this.#client.status(this.#folder, { uidValidity: true }), 'status');
      return String(status.uidValidity);
    });
  }

  markSeen(uids: readonly number[]): Promise<void> {
    return this.#call('store', async () => {
      for (const set of uidSets(uids))
        this.#done(await this.#client.messageFlagsAdd(set, ['\\Seen'], { uid: true }), 'mark as read');
    });
  }

  move(uids: readonly number[], folder: string): Promise<void> {
    return this.#call('move', async () => {
      for (const set of uidSets(uids))
        this.#done(await this.#client.messageMove(set, folder, { uid: true }), 'move');
    });
  }

  remove(uids: readonly number[]): Promise<void> {
    return this.#call('delete', async () => {
      for (const set of uidSets(uids))
        this.#done(await this.#client.messageDelete(set, { uid: true }), 'delete');
    });
  }

  async close(): Promise<void> {
    try {
      await this.#call('logout', () => this.#client.logout());
    } catch {
      this.#client.close();
    }
  }

  drop(): void {
    this.#client.close();
  }

  /** imapflow gives the same false for a server that says no and for one that is gone. */
  #done(answer: unknown, what: string): void {
    const said = redact(this.#refusals.take()).slice(0, 200);
    if (answer !== false && answer !== undefined) return;
    if (!this.#client.usable) throw new InboxError('unavailable', `The mail server did not ${what}`);
    throw new InboxError(
      'refused',
      `The mail server did not ${what}${said === '' ? '' : `. It said: ${said}`}`,
      said === '' ? {} : { said },
    );
  }

  #part(uid: number, start: number, maxLength: number): Promise<Uint8Array> {
    return this.#call('part', async () => {
      const mail = await this.#client.fetchOne(String(uid), { source: { start, maxLength } }, { uid: true });
      const found = required(mail, 'find the mail any more');
      return found.source ?? new Uint8Array();
    });
  }

  #call<T>(operation: string, effect: () => Promise<T>): Promise<T> {
    return this.#seam.call(`imap.${operation}`, async () => {
      try {
        return await effect();
      } catch (error) {
        throw inboxError(error);
      }
    });
  }
}

/** imapflow reports much by its return value, false or undefined, where one would expect an error. */
function required<T>(value: T | false | undefined | null, what: string): T {
  if (value === false || value === undefined || value === null)
    throw new InboxError('unavailable', `The mail server did not ${what}`);
  return value;
}

const sorted = (uids: readonly number[]): number[] => [...uids].sort((a, b) => a - b);

/** `1:3,5`: the shortest way to say which emails, in as many sets as a command line has room for. */
export function uidSets(uids: readonly number[], bytes: number = UID_SET_BYTES): string[] {
  const ranges: [number, number][] = [];
  for (const uid of sorted(uids)) {
    const last = ranges.at(-1);
    if (last !== undefined && uid === last[1] + 1) last[1] = uid;
    else ranges.push([uid, uid]);
  }
  const sets: string[] = [];
  for (const [from, to] of ranges) {
    const range = from === to ? `${from}` : `${from}:${to}`;
    const last = sets.at(-1);
    if (last === undefined || last.length + range.length >= bytes) sets.push(range);
    else sets[sets.length - 1] = `${last},${range}`;
  }
  return sets;
}

function messageIdOf(headers: Buffer | undefined): string {
  const [, value = ''] = /^message-id\s*:(.*)$/is.exec(headers?.toString('latin1') ?? '') ?? [];
  return value.replace(/\s+/g, ' ').trim().slice(0, 1000);
}

function isoOf(date: Date | string | undefined): string {
  const time = date === undefined ? Number.NaN : new Date(date).getTime();
  return new Date(Number.isNaN(time) ? 0 : time).toISOString();
}

const text = (error: unknown, name: string): string => {
  const value =
    typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : '';
};

/** Tells failures apart by what the server said; imapflow calls a server that is down "authentication failed", too. */
function inboxError(error: unknown): InboxError {
  if (error instanceof InboxError) return error;
  const said = text(error, 'responseText') || text(error, 'response') || text(error, 'message');
  // A server may repeat what it was sent.
  const shown = redact(said).slice(0, 200);
  return new InboxError(failureOf(error, said), `The mail server said: ${shown}`, {
    cause: error,
    said: shown,
  });
}

function failureOf(error: unknown, said: string): InboxFailure {
  const flag = (name: string): boolean =>
    typeof error === 'object' && error !== null && (error as Record<string, unknown>)[name] === true;
  if (/authenticated but not connected/i.test(said)) return 'no-access';
  if (text(error, 'serverResponseCode') === 'UNAVAILABLE' || text(error, 'code') === 'ETHROTTLE')
    return 'unavailable';
  if (flag('authenticationFailed')) return 'token-refused';
  if (flag('mailboxMissing') || text(error, 'serverResponseCode') === 'NONEXISTENT') return 'folder-missing';
  return 'unavailable';
}
