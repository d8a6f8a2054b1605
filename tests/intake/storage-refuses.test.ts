import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type RunningAzurite, startAzurite } from '../../dev/emulators/storage/azurite.ts';
import { createActivityStore } from '../../shared/activity/activity-store.ts';
import { ticketIdOf } from '../../shared/intake/content-key.ts';
import type { FetchResult } from '../../shared/intake/fetch-mailbox.ts';
import { fetchShard, type ShardDeps } from '../../shared/intake/fetch-shard.ts';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import type { QuarantineEntry } from '../../shared/intake/quarantine-records.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { azureBlobs } from '../../shared/platform/azure-blobs.ts';
import { azureTables } from '../../shared/platform/azure-tables.ts';
import type { Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { listAll } from '../../shared/platform/tables.ts';
import { mailboxOf, parserHere } from '../harness/memory/intake-world.ts';
import { MemoryFolder, openMemoryInbox } from '../harness/memory/memory-inbox.ts';
import { keyOf } from '../harness/memory/tiny-mails.ts';
import { letter } from '../harness/stack/imap-world.ts';

// Storage that accepts everything except the data of one email, each time, as a real one refuses what is over a limit.

interface Refusal {
  service: 'blob' | 'table';
  /** In the body of the request. */
  holds: string;
  status: 400 | 413;
  code: string;
}

let azurite: RunningAzurite;
let refusal: Refusal | undefined;
let connectionString: string;
const servers: Server[] = [];

/** Forwards requests, except for those that are to be refused. */
async function gate(service: Refusal['service'], target: string): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const answer = async (): Promise<void> => {
      const body = Buffer.concat(await Array.fromAsync(incoming));
      if (incoming.method !== 'GET' && refusal?.service === service && body.includes(refusal.holds)) {
        outgoing.writeHead(refusal.status, {
          'content-type': 'application/json',
          'x-ms-error-code': refusal.code,
        });
        outgoing.end(
          JSON.stringify({ 'odata.error': { code: refusal.code, message: { lang: 'en-US', value: 'No' } } }),
        );
        return;
      }
      const url = new URL(incoming.url ?? '/', target);
      const headers = Object.entries(incoming.headers).filter(
        ([name]) => !['host', 'connection', 'content-length', 'transfer-encoding'].includes(name),
      );
      const response = await fetch(url, {
        method: incoming.method ?? 'GET',
        headers: headers.map(([name, value]): [string, string] => [name, String(value)]),
        ...(body.length > 0 && { body }),
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      const kept = [...response.headers].filter(
        ([name]) => !['content-encoding', 'content-length', 'transfer-encoding', 'connection'].includes(name),
      );
      outgoing.writeHead(response.status, Object.fromEntries(kept));
      outgoing.end(bytes);
    };
    answer().catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  azurite = await startAzurite();
  const parts = azurite.connectionString.split(';').map(async (part) => {
    const [, name, address] = /^(Blob|Table)Endpoint=(.+)$/.exec(part) ?? [];
    if (name === undefined || address === undefined) return part;
    const { origin, pathname } = new URL(address);
    return `${name}Endpoint=${await gate(name === 'Blob' ? 'blob' : 'table', origin)}${pathname}`;
  });
  connectionString = (await Promise.all(parts)).join(';');
});
afterAll(async () => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  await azurite?.stop();
});
beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  refusal = undefined;
});

class RefusedPostroom {
  readonly folder = new MemoryFolder();
  readonly #id: string;
  readonly #deps: ShardDeps;
  #now = Date.now();

  constructor(id: string) {
    this.#id = id;
    const seam: Seam = { now: () => this.#now, call: (_point, effect) => effect() };
    const settings = { kind: 'connection-string', connectionString } as const;
    const tables = azureTables(settings, seam);
    const mailboxes = createMailboxStore(tables);
    this.#deps = {
      seam,
      tables,
      blobs: azureBlobs(settings, seam),
      ledger: createLedgerStore(tables),
      quarantine: createQuarantineStore({ tables }),
      parser: parserHere,
      ticketIdOf,
      accessTokens: { get: async () => ({ kind: 'token', token: new Secret('t') }) },
      openInbox: () => openMemoryInbox(this.folder, seam),
      saveCursor: mailboxes.saveCursor,
      mailboxes,
      activity: createActivityStore(tables),
    };
  }

  deliver(...subjects: string[]): void {
    for (const subject of subjects) this.folder.deliver(letter(subject), new Date(this.#now).toISOString());
  }

  async fetch(): Promise<FetchResult | undefined> {
    this.#now += 61_000;
    const mailbox = mailboxOf({ kind: 'mark-seen' });
    await this.#deps.mailboxes.save({ ...mailbox, id: this.#id, address: `${this.#id}@contoso.example` });
    return (await fetchShard(this.#deps, { shard: 0, mailboxIds: [this.#id] })).get(this.#id);
  }

  /** Subjects of all tickets whose subject begins with the mailbox's ID. */
  async subjects(): Promise<string[]> {
    const rows = await listAll(this.#deps.tables.open('TicketIndex'), 'open');
    return rows
      .map((row) => String(row['subject']))
      .filter((subject) => subject.startsWith(this.#id))
      .sort();
  }

  async entries(): Promise<QuarantineEntry[]> {
    return (await this.#deps.quarantine.page(this.#id, { limit: 50 })).entries;
  }

  async troubles(): Promise<string[]> {
    return [...(await this.#deps.mailboxes.fetchState()).failing.values()].map(({ code }) => code);
  }
}

describe('rows or bytes of one email that storage permanently refuses', () => {
  const bad = (id: string): string => `${id} poison`;
  const refusals: [string, string, (id: string) => Refusal][] = [
    [
      'of its ticket, as too large',
      'ticket',
      (id) => ({
        service: 'table',
        holds: `"subject":"${bad(id)}"`,
        status: 413,
        code: 'RequestBodyTooLarge',
      }),
    ],
    [
      'of its ticket, as no valid input',
      'input',
      (id) => ({ service: 'table', holds: `"subject":"${bad(id)}"`, status: 400, code: 'InvalidInput' }),
    ],
    [
      'of the ledger, when it is begun',
      'ledger',
      (id) => ({
        service: 'table',
        holds: `mail|${keyOf(letter(bad(id)))}`,
        status: 400,
        code: 'InvalidInput',
      }),
    ],
    [
      'as it came',
      'raw',
      (id) => ({
        service: 'blob',
        holds: `Subject: ${bad(id)}`,
        status: 413,
        code: 'RequestBodyTooLarge',
      }),
    ],
  ];
  test.each(refusals)(
    '%s: the others continue at once, it ends in quarantine, and storage as a whole is not blamed',
    async (_what, id, refuse) => {
      const postroom = new RefusedPostroom(id);
      const good = [`${id} 1`, `${id} 2`, `${id} 3`];
      postroom.deliver(good[0] ?? '', bad(id), good[1] ?? '');
      refusal = refuse(id);
      expect(await postroom.fetch()).toMatchObject({ kind: 'fetched', opened: 2, quarantined: 0 });
      expect(await postroom.subjects()).toEqual(good.slice(0, 2));
      expect(postroom.folder.mails.map(({ seen }) => seen)).toEqual([true, false, true]);
      postroom.deliver(good[2] ?? '');
      for (let run = 0; run < 4; run += 1) {
        expect(await postroom.fetch()).toMatchObject({
          kind: expect.stringMatching(/^(fetched|nothing-new)$/),
        });
        expect(await postroom.troubles()).toEqual([]);
      }
      expect(await postroom.subjects()).toEqual(good);
      expect(await postroom.entries()).toMatchObject([
        { kind: 'quarantined', reason: expect.stringContaining('could not be stored') },
      ]);
      expect(await postroom.fetch()).toEqual({ kind: 'nothing-new' });
    },
  );
});
