import { setTimeout as pause } from 'node:timers/promises';
import { TableClient, TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { ImapFlow } from 'imapflow';
import type { DemoUser } from '../../../dev/demo/organization.ts';
import { adminAt, type Demo, openDemo } from '../../../dev/demo.ts';
import type { MailServerKind } from '../../../dev/emulators/mail/mail-world.ts';
import type { HostProcess } from '../../../dev/host/host-process.ts';
import type { ShardMessage } from '../../../functions/triggers/fetch-shard.ts';
import { createMailboxStore } from '../../../shared/mailboxes/mailbox-store.ts';
import type { FetchProtocol } from '../../../shared/mailboxes/open-inbox.ts';
import { azureBlobs } from '../../../shared/platform/azure-blobs.ts';
import { azureTables } from '../../../shared/platform/azure-tables.ts';
import type { Blobs } from '../../../shared/platform/blobs.ts';
import { openSeam } from '../../../shared/platform/seam.ts';
import type { Tables } from '../../../shared/platform/tables.ts';
import { appUnderTest } from './app-under-test.ts';

export const SUPPORT = 'support@contoso.example';

/** The built app in its own demo. Hosts are processes, so that they can be killed. */
export interface Postroom extends Demo, AsyncDisposable {
  tables: Tables;
  blobs: Blobs;
}

export async function openPostroom(
  mail: MailServerKind,
  { inMemory = true, users }: { inMemory?: boolean; users?: readonly DemoUser[] } = {},
): Promise<Postroom> {
  const running = new AsyncDisposableStack();
  const stack = { mail, inMemory, ...(users !== undefined && { users }) };
  const demo = await openDemo({ app: { dir: appUnderTest() }, stack, running }).catch(
    async (error: unknown) => {
      await running.disposeAsync();
      throw error;
    },
  );
  const { connectionString } = demo.stack.storage;
  const storage = { kind: 'connection-string', connectionString } as const;
  return {
    ...demo,
    tables: azureTables(storage, openSeam),
    blobs: azureBlobs(storage, openSeam),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/**
 * Registers the demo provider and the support mailbox through the app's own pages; returns the mailbox's ID. Over
 * POP3, stored email is deleted from the server, because otherwise the server would not show what was imported.
 */
export async function connectSupport(
  { stack, startHost, tables }: Postroom,
  protocol: FetchProtocol = 'imap',
): Promise<string> {
  const host = await startHost({ port: stack.ports.web });
  try {
    const visitor = await adminAt(host);
    const ways = protocol === 'graph' ? ['imap', 'graph'] : undefined;
    const id = await visitor.connectMailbox(SUPPORT, stack.mail.imap, ways);
    const mailboxes = createMailboxStore(tables);
    const mailbox = await mailboxes.get(id);
    if (mailbox === undefined) throw new Error(`There is no mailbox ${id}`);
    if (protocol === 'pop3')
      await mailboxes.save({ ...mailbox, protocol, ...stack.mail.pop3, afterFetch: { kind: 'delete' } });
    if (protocol === 'graph')
      await mailboxes.save({ ...mailbox, protocol, host: 'localhost', port: stack.graph.port });
    return id;
  } finally {
    await host.stop();
  }
}

/** Starts a fetch as the host's operator may, without waiting for it. Runs are distinguished by their shards. */
export async function startFetch(
  host: HostProcess,
  mailboxId: string,
  { shard = 0, task }: { shard?: number; task?: ShardMessage['task'] } = {},
): Promise<void> {
  const response = await fetch(`${host.url}/admin/functions/fetchShard`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input: JSON.stringify({ shard, mailboxIds: [mailboxId], task }) }),
  });
  if (response.status !== 202) throw new Error(`The fetch was not started: ${response.status}`);
}

/** One complete fetch. @throws Error with the mailbox's failure when it fails or does not end in time. */
export async function fetchOnce(
  postroom: Postroom,
  host: HostProcess,
  mailboxId: string,
  { shard = 0, limitMs = 60_000 } = {},
): Promise<void> {
  const mailboxes = createMailboxStore(postroom.tables);
  const successOf = async (): Promise<string | undefined> =>
    (await mailboxes.fetchState()).shards.get(shard)?.get(mailboxId);
  const before = await successOf();
  await startFetch(host, mailboxId, { shard });
  const end = Date.now() + limitMs;
  while ((await successOf()) === before) {
    const trouble = (await mailboxes.fetchState()).failing.get(mailboxId);
    if (trouble !== undefined || Date.now() > end)
      throw new Error(
        `The fetch did not work: ${trouble?.problem ?? 'time is over'}\n${postroom.log().slice(-3000)}`,
      );
    await pause(60);
  }
}

/** Every row of every table (or of one) as text, without what a repeated write of the same row changes. */
export async function dumpTables(connectionString: string, only?: string): Promise<Map<string, string>> {
  const service = TableServiceClient.fromConnectionString(connectionString, {
    allowInsecureConnection: true,
  });
  const rows = new Map<string, string>();
  for await (const { name = '' } of service.listTables()) {
    if (only !== undefined && only !== name) continue;
    const table = TableClient.fromConnectionString(connectionString, name, { allowInsecureConnection: true });
    for await (const entity of table.listEntities<Record<string, unknown>>()) {
      const { partitionKey, rowKey, etag: _etag, timestamp: _timestamp, ...columns } = entity;
      const sorted = Object.entries(columns).sort(([a], [b]) => (a < b ? -1 : 1));
      rows.set(`${name}/${partitionKey}/${rowKey}`, JSON.stringify(sorted));
    }
  }
  return rows;
}

/** Releases what a dead process still holds, as time would do. */
export async function breakLease(connectionString: string, mailboxId: string): Promise<void> {
  const blob = BlobServiceClient.fromConnectionString(connectionString)
    .getContainerClient('postroom')
    .getBlobClient(`lease/${mailboxId}`);
  await blob
    .getBlobLeaseClient()
    .breakLease(0)
    .catch((error: unknown) => {
      const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
      // 404: never acquired; 409: not held.
      if (status !== 404 && status !== 409) throw error;
    });
}

export interface Watcher {
  /** UIDs of all email, and of the email marked as read, as the server has it now. */
  look(): Promise<{ all: number[]; seen: number[]; uidValidity: string }>;
  /** Marks everything as unread. */
  unsee(): Promise<void>;
  close(): Promise<void>;
}

/** A second mail client of the support mailbox. */
export async function watchInbox({ stack }: Postroom): Promise<Watcher> {
  const accessToken = await stack.identityProvider.control.mintAccessToken({ upn: SUPPORT });
  const client = new ImapFlow({
    ...stack.demo.imap,
    secure: true,
    tls: { ca: stack.ca },
    auth: { user: SUPPORT, accessToken },
    logger: false,
  });
  client.on('error', () => undefined);
  await client.connect();
  const { uidValidity } = await client.mailboxOpen('INBOX');
  const search = async (query: { all: true } | { seen: true }): Promise<number[]> => {
    const found = await client.search(query, { uid: true });
    if (found === false || found === undefined) throw new Error('The mail server did not search');
    return [...found].sort((a, b) => a - b);
  };
  return {
    async look() {
      await client.noop();
      return {
        all: await search({ all: true }),
        seen: await search({ seen: true }),
        uidValidity: String(uidValidity),
      };
    },
    async unsee() {
      await client.messageFlagsRemove('1:*', ['\\Seen'], { uid: true });
    },
    close: () => client.logout(),
  };
}
