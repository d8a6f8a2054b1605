import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { startMailServer } from '../../../dev/emulators/mail/mail-server.ts';
import type { MailServer, MailServerKind } from '../../../dev/emulators/mail/mail-world.ts';
import { type MisbehavingImap, startMisbehavingImap } from '../../../dev/emulators/mail/misbehaving-imap.ts';
import { createActivityStore } from '../../../shared/activity/activity-store.ts';
import { ticketIdOf } from '../../../shared/intake/content-key.ts';
import { type FetchTask, runTask } from '../../../shared/intake/fetch-again.ts';
import type { FetchResult } from '../../../shared/intake/fetch-mailbox.ts';
import { fetchShard, type ShardDeps } from '../../../shared/intake/fetch-shard.ts';
import { createLedgerStore } from '../../../shared/intake/ledger-store.ts';
import { createQuarantineStore } from '../../../shared/intake/quarantine-store.ts';
import type { Cursor } from '../../../shared/mailboxes/cursor.ts';
import { uidOf } from '../../../shared/mailboxes/imap-position.ts';
import type { Inbox } from '../../../shared/mailboxes/inbox.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { createMailboxStore } from '../../../shared/mailboxes/mailbox-store.ts';
import { openImapInbox } from '../../../shared/mailboxes/open-imap-inbox.ts';
import { type VerifiedMailbox, verifyMailbox } from '../../../shared/mailboxes/verify-mailbox.ts';
import { openSeam, type Seam, type SeamPoint } from '../../../shared/platform/seam.ts';
import { Secret } from '../../../shared/platform/secret.ts';
import type { Row } from '../../../shared/platform/tables.ts';
import { mailboxOf, parserHere } from '../memory/intake-world.ts';
import { MemoryBlobs } from '../memory/memory-blobs.ts';
import { MemoryTables } from '../memory/memory-tables.ts';
import { type MailLab, makeMailLab, support } from './mail-lab.ts';

const MINUTE = 60_000;

export const letter = (subject: string, body = subject): Buffer =>
  Buffer.from(
    `From: kim@customer.example\r\nTo: ${support}\r\nSubject: ${subject}\r\n` +
      `Message-ID: <${subject.replaceAll(' ', '-')}@customer.example>\r\n\r\n${body}\r\n`,
  );

/** One mailbox on a real mail server with configurable misbehavior, and storage in memory. */
export class ImapWorld {
  readonly lab: MailLab;
  readonly tables: MemoryTables;
  readonly blobs: MemoryBlobs;
  mailbox: Mailbox;
  /** Throws in place of a call to storage or to the mail server. */
  beforeCall: (point: SeamPoint) => void = () => {};
  readonly calls: SeamPoint[] = [];
  now = Date.now();
  /** Another proxy in place of the misbehaving one. */
  via: { host: string; port: number } | undefined;
  readonly #deps: ShardDeps;
  #server: MailServer;
  #proxy: MisbehavingImap;

  private constructor(
    lab: MailLab,
    server: MailServer,
    proxy: MisbehavingImap,
    afterFetch: Mailbox['afterFetch'],
  ) {
    this.lab = lab;
    this.#server = server;
    this.#proxy = proxy;
    this.mailbox = mailboxOf(afterFetch);
    const seam: Seam = {
      now: () => this.now,
      call: (point, effect) => {
        this.calls.push(point);
        this.beforeCall(point);
        return effect();
      },
    };
    const whole = new MemoryTables(openSeam);
    this.tables = whole;
    const tables = whole.behind(seam);
    const mailboxes = createMailboxStore(tables);
    this.blobs = new MemoryBlobs({ ...openSeam, now: () => this.now });
    this.#deps = {
      seam,
      tables,
      blobs: this.blobs.behind(seam),
      ledger: createLedgerStore(tables),
      quarantine: createQuarantineStore({ tables }),
      parser: parserHere,
      ticketIdOf,
      accessTokens: {
        get: async () => ({ kind: 'token', token: new Secret(await lab.token(support)) }),
      },
      openInbox: (address) => openImapInbox({ ...address, ...this.#endpoint() }, seam, { local: true }),
      saveCursor: mailboxes.saveCursor,
      mailboxes,
      activity: createActivityStore(tables),
    };
  }

  static async start(
    kind: MailServerKind,
    afterFetch: Mailbox['afterFetch'] = { kind: 'mark-seen' },
  ): Promise<ImapWorld> {
    const lab = await makeMailLab(kind);
    // The counterpart of NODE_EXTRA_CA_CERTS for a separate process.
    setDefaultCACertificates([...getCACertificates('default'), lab.ca]);
    const server = await startMailServer(lab.options);
    const proxy = await startMisbehavingImap({ target: server.imap, tls: lab.options.tls });
    return new ImapWorld(lab, server, proxy, afterFetch);
  }

  async stop(): Promise<void> {
    await this.#proxy.stop();
    await this.#server.stop();
    this.lab.remove();
  }

  get faults(): MisbehavingImap['faults'] {
    return this.#proxy.faults;
  }

  get struck(): Readonly<Record<string, number>> {
    return this.#proxy.struck();
  }

  #endpoint(): { host: string; port: number } {
    const { host, port } = this.via ?? this.#proxy;
    return { host, port };
  }

  /** The server itself. */
  get imap(): MailServer['imap'] {
    return this.#server.imap;
  }

  deliver(...raws: Uint8Array[]): Promise<void> {
    return this.#server.deliverMany(support, raws);
  }

  /** The mail server no longer responds. */
  async unplug(): Promise<void> {
    await this.#proxy.stop();
  }

  async plugIn(): Promise<void> {
    this.#proxy = await startMisbehavingImap({ target: this.#server.imap, tls: this.lab.options.tls });
  }

  /** The current state of the server, to be restored later. */
  async backup(): Promise<() => Promise<void>> {
    const copy = mkdtempSync(path.join(tmpdir(), 'postroom-backup-'));
    // With owners and permissions, which Dovecot and Postfix require.
    const put = (from: string, to: string): unknown => execFileSync('cp', ['-a', `${from}/.`, to]);
    await this.#restart(() => put(this.lab.stateDir, copy));
    return async () => {
      await this.#restart(() => {
        for (const entry of readdirSync(this.lab.stateDir))
          rmSync(path.join(this.lab.stateDir, entry), { recursive: true });
        put(copy, this.lab.stateDir);
      });
      rmSync(copy, { recursive: true });
    };
  }

  async #restart(meanwhile: () => void): Promise<void> {
    await this.#proxy.stop();
    await this.#server.stop();
    meanwhile();
    this.#server = await this.#startAgain();
    await this.plugIn();
  }

  /** At the same ports: another process may hold one of them for a moment. */
  async #startAgain(): Promise<MailServer> {
    for (let attempt = 1; ; attempt += 1)
      try {
        return await startMailServer(this.lab.options);
      } catch (error) {
        if (attempt === 3) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
  }

  /** What saving the form of the mailbox does. */
  connect(): Promise<VerifiedMailbox> {
    return verifyMailbox(this.#deps, this.mailbox);
  }

  /** One run of the product, a minute after the previous one. */
  async fetch(minutes = 1): Promise<FetchResult | undefined> {
    this.now += minutes * MINUTE + 1000;
    await createMailboxStore(this.tables).save(this.mailbox);
    const results = await fetchShard(this.#deps, { shard: 0, mailboxIds: [this.mailbox.id] });
    return results.get(this.mailbox.id);
  }

  async fetches(count: number): Promise<void> {
    for (let number = 0; number < count; number += 1) await this.fetch();
  }

  /** Additional requests in the queue message of a fetch. */
  async task(task: FetchTask): Promise<void> {
    this.now += MINUTE;
    await createMailboxStore(this.tables).save(this.mailbox);
    await runTask(this.#deps, this.mailbox.id, task);
  }

  /** Reads the server as another mail client does, past the proxy. */
  async asColleague<T>(look: (inbox: Inbox) => Promise<T>): Promise<T> {
    const { host, port } = this.#server.imap;
    const accessToken = new Secret(await this.lab.token(support));
    const address = { host, port, folder: this.mailbox.folder, user: support, accessToken };
    const inbox = await openImapInbox(address, openSeam, { local: true });
    try {
      return await look(inbox);
    } finally {
      await inbox.close();
    }
  }

  unread(): Promise<number[]> {
    return this.asColleague(async (inbox) => (await inbox.list({})).refs.map(uidOf));
  }

  rows(): Row[] {
    return this.tables.dump('Tickets').filter(({ rowKey }) => rowKey.startsWith('m|'));
  }

  /** Subjects of all messages in tickets, sorted. */
  subjects(): string[] {
    return this.rows()
      .map((row) => String(row['subject']))
      .sort();
  }

  entries(): { kind: string; reason: string }[] {
    return this.tables
      .dump('Quarantine')
      .map((row) => ({ kind: String(row['kind']), reason: String(row['reason']) }));
  }

  async cursor(): Promise<Cursor | undefined> {
    const { cursors } = await createMailboxStore(this.tables).fetchState();
    return cursors.get(this.mailbox.id);
  }
}
