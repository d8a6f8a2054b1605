import { createHash } from 'node:crypto';
import { createActivityStore } from '../../../shared/activity/activity-store.ts';
import { ticketIdOf } from '../../../shared/intake/content-key.ts';
import type { FetchResult } from '../../../shared/intake/fetch-mailbox.ts';
import { fetchShard, type ShardDeps } from '../../../shared/intake/fetch-shard.ts';
import { createLedgerStore } from '../../../shared/intake/ledger-store.ts';
import { createQuarantineStore } from '../../../shared/intake/quarantine-store.ts';
import type { Shard } from '../../../shared/intake/queue-due-mailboxes.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { createMailboxStore } from '../../../shared/mailboxes/mailbox-store.ts';
import type { FetchProtocol } from '../../../shared/mailboxes/open-inbox.ts';
import { Pop3Position } from '../../../shared/mailboxes/pop3-position.ts';
import { parseMessage } from '../../../shared/mime/parse-message.ts';
import { defaultParseLimits, type ParseOutcome } from '../../../shared/mime/parsed-message.ts';
import type { ParserPool } from '../../../shared/mime/parser-pool.ts';
import type { Blobs } from '../../../shared/platform/blobs.ts';
import { openSeam } from '../../../shared/platform/seam.ts';
import { createTicketStore, type TicketStore } from '../../../shared/tickets/ticket-store.ts';
import { FaultySeam, type FaultySeamOptions } from './faulty-seam.ts';
import { MemoryBlobs } from './memory-blobs.ts';
import { type FolderMail, MemoryFolder } from './memory-inbox.ts';
import { type MemoryProtocol, memoryProtocols } from './memory-protocols.ts';
import { MemoryTables } from './memory-tables.ts';
import { violationsNow } from './promises.ts';
import { SignIn } from './sign-in.ts';
import { keyOf, type TinyMail } from './tiny-mails.ts';

export const mailboxOf = (afterFetch: Mailbox['afterFetch'], protocol: FetchProtocol = 'imap'): Mailbox => ({
  id: 'support',
  address: 'support@contoso.example',
  protocol,
  host: 'localhost',
  port: 993,
  folder: 'INBOX',
  providerId: 'p'.repeat(26),
  accountId: 'a'.repeat(26),
  enabled: true,
  intervalMinutes: 1,
  afterFetch,
  createdAt: '2026-11-01T00:00:00.000Z',
});

/** How a run is made: as in the product, or with a deliberate mistake. */
export type Design = (
  deps: ShardDeps,
  shard: Shard,
  context: { folder: MemoryFolder; seam: FaultySeam },
) => Promise<ReadonlyMap<string, FetchResult | undefined>>;

export const product: Design = fetchShard;

export interface RunOptions extends Omit<FaultySeamOptions, 'now' | 'afterEffect'> {
  /** Simulates a lost lease: both of two runs believe that they have it. */
  ignoreLease?: boolean;
  parser?: (seam: FaultySeam) => ParserPool;
  afterEffect?: FaultySeamOptions['afterEffect'];
}

export interface RunEnd {
  seam: FaultySeam;
  result: FetchResult | undefined;
  error: unknown;
}

export interface WorldOptions {
  design?: Design;
  afterFetch?: Mailbox['afterFetch'];
  protocol?: FetchProtocol;
  /** How the mailbox answers. */
  answers?: Mailbox['answers'];
  /** Of the mailbox. */
  address?: string;
  /** The access token has expired when the watched email arrives: the next run requests another one. */
  tokenEnds?: boolean;
}

const START = Date.parse('2026-11-24T10:00:00.000Z');

/** One mailbox, its server, its storage, and processes that fetch it sequentially or concurrently. */
export class IntakeWorld {
  folder = new MemoryFolder();
  readonly tables = new MemoryTables(openSeam);
  readonly blobs = new MemoryBlobs({ ...openSeam, now: () => this.now });
  readonly tickets: TicketStore = createTicketStore({ tables: this.tables, blobs: this.blobs });
  mailbox: Mailbox;
  /** Name of an email by its content key; copies share one. */
  readonly names = new Map<string, string>();
  readonly mails: (TinyMail & { receivedAt: string })[] = [];
  /** Violations found after an operation. */
  readonly violations = new Set<string>();
  now = START;
  readonly #signIn: SignIn;
  readonly #design: Design;
  #savedMailbox: Mailbox | undefined;
  #checkedAt = -1;

  constructor({
    design = product,
    afterFetch = { kind: 'mark-seen' },
    protocol = 'imap',
    answers,
    address,
  }: WorldOptions = {}) {
    this.#design = design;
    this.mailbox = { ...mailboxOf(afterFetch, protocol), answers };
    if (address !== undefined) this.mailbox.address = address;
    this.#signIn = new SignIn(
      this.tables,
      () => this.mailbox,
      () => this.now,
    );
  }

  /** A person may switch the mailbox to another one. */
  get #protocol(): MemoryProtocol {
    return memoryProtocols[this.mailbox.protocol];
  }

  /** The cached access token expires now. */
  endToken(): Promise<void> {
    return this.#signIn.endToken();
  }

  deliver(mails: readonly TinyMail[]): void {
    for (const mail of mails) {
      this.now += 1000;
      const receivedAt = this.#protocol.receivedAt(mail.raw, new Date(this.now).toISOString());
      this.folder.deliver(mail.raw, receivedAt);
      this.mails.push({ ...mail, receivedAt });
      if (mail.disposition !== 'copy') this.names.set(keyOf(mail.raw, receivedAt), mail.name);
    }
  }

  /**
   * One fetch by a separate process; a minute passes, so that the lease of a crashed one has expired, and after failures as
   * many as the mailbox has to wait.
   */
  async run(options: RunOptions = {}): Promise<RunEnd> {
    this.now += 61_000;
    const { failing } = await createMailboxStore(this.tables).fetchState();
    this.now = Math.max(this.now, Date.parse(failing.get(this.mailbox.id)?.nextTryAt ?? '1970-01-01'));
    const seam = new FaultySeam({
      ...options,
      now: () => this.now,
      afterEffect: (point) => {
        options.afterEffect?.(point);
        this.look(`after ${point}`);
      },
    });
    const tables = this.tables.behind(seam);
    const ownBlobs = this.blobs.behind(seam);
    const mailboxes = createMailboxStore(tables);
    const deps: ShardDeps = {
      seam,
      tables,
      blobs: options.ignoreLease === true ? withoutLease(ownBlobs) : ownBlobs,
      ledger: createLedgerStore(tables),
      quarantine: createQuarantineStore({ tables }),
      parser: options.parser?.(seam) ?? parserOfRepeats,
      ticketIdOf,
      accessTokens: await this.#signIn.accessTokens(seam, { tables, blobs: ownBlobs }),
      openInbox: () => this.#protocol.open(this.folder, seam),
      saveCursor: mailboxes.saveCursor,
      mailboxes,
      activity: createActivityStore(tables),
    };
    if (this.#savedMailbox !== this.mailbox) {
      await createMailboxStore(this.tables).save(this.mailbox);
      this.#savedMailbox = this.mailbox;
    }
    try {
      const context = { folder: this.folder, seam };
      const shard = { shard: 0, mailboxIds: [this.mailbox.id] };
      const results = await this.#design(deps, shard, context);
      return { seam, result: results.get(this.mailbox.id), error: undefined };
    } catch (error) {
      return { seam, result: undefined, error };
    }
  }

  /** Runs without faults until there is nothing to do. */
  async runUntilQuiet(options: RunOptions = {}): Promise<void> {
    for (let count = 0; count < 8; count += 1) {
      const { result } = await this.run(options);
      if (result?.kind === 'nothing-new') return;
    }
    this.violations.add('P1: eight runs without faults, and still not quiet');
  }

  /** The server, or over POP3 the cursor, forgets which messages were read. */
  async forgetRead(): Promise<void> {
    for (const mail of this.folder.mails) mail.seen = false;
    if (this.#protocol.hasUnread) return;
    const mailboxes = createMailboxStore(this.tables);
    const cursor = (await mailboxes.fetchState()).cursors.get(this.mailbox.id);
    if (cursor !== undefined)
      await mailboxes.saveCursor(this.mailbox.id, {
        ...cursor,
        position: new Pop3Position([], new Set()).toData(),
      });
  }

  /**
   * Whether the server shows in the end that an email was imported. Over POP3 it does only if it has deleted it;
   * email that was deliberately not imported stays there.
   */
  isToBeSettled({ raw, receivedAt }: FolderMail): boolean {
    if (this.#protocol.hasUnread) return true;
    const key = keyOf(raw, receivedAt);
    const mail = this.mails.find((each) => keyOf(each.raw, each.receivedAt) === key);
    return this.mailbox.afterFetch.kind === 'delete' && mail?.disposition !== 'not an email';
  }

  /** Checks the promises that must hold at every moment against the current state. */
  look(when: string): void {
    const settled = this.folder.all.filter((mail) => mail.settled).length;
    const state = this.tables.changes * 10_000 + settled;
    if (state === this.#checkedAt) return;
    this.#checkedAt = state;
    for (const violation of violationsNow(this)) this.violations.add(`${violation} (${when})`);
  }
}

function withoutLease(blobs: Blobs): Blobs {
  return {
    putOnce: (name, bytes) => blobs.putOnce(name, bytes),
    read: (name) => blobs.read(name),
    stream: (name) => blobs.stream(name),
    remove: (name) => blobs.remove(name),
    lease: async () => ({ renew: async () => true, release: async () => {} }),
  };
}

/** The product's parser in this thread, without a new thread for each of thousands of runs. */
export const parserHere: ParserPool = {
  parse: (raw, nonce) =>
    parseMessage(raw, {
      parser: 'mailparser',
      limits: defaultParseLimits,
      ...(nonce === undefined ? {} : { nonce }),
    }),
  async close() {},
};

const outcomes = new Map<string, Promise<ParseOutcome>>();

/**
 * The same for simulations that read the same few emails thousands of times: each is parsed once, and every reader gets a
 * copy, as from a thread. One with cut attachments contains the nonce of its reading and is parsed each time.
 */
const parserOfRepeats: ParserPool = {
  ...parserHere,
  async parse(raw, nonce) {
    const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
    if (nonce !== undefined && bytes.includes(nonce)) return parserHere.parse(raw, nonce);
    const key = createHash('sha256').update(raw).digest('base64');
    const parsed = outcomes.get(key) ?? parserHere.parse(raw, nonce);
    outcomes.set(key, parsed);
    return structuredClone(await parsed);
  },
};
