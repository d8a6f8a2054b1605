import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApp, builtApp, isBuildCurrent } from '../build.ts';
import { type HostProcess, startHostProcess } from '../host/host-process.ts';
import { demoPeople } from '../host/options.ts';
import { SIGN_IN_TENANT } from '../host/sign-in.ts';
import { type Stack, startStack } from '../stack.ts';
import { Browser } from '../visitor.ts';
import { type StoredRow, storedRows } from './storage-rows.ts';

/** The owner of all scratch mailboxes. */
const OWNER = 'scratch@contoso.example';

export interface ScratchWorld {
  stack: Stack;
  folder: string;
  settings: Readonly<Record<string, string>>;
  /** The built app on the local host; nothing in it starts by itself. */
  host: HostProcess;
  /** Adds one of the mailboxes on the pages; gives its id. */
  addMailbox(address: string, imap?: { host: string; port: number }): Promise<string>;
  /** For the owner, who may open every scratch mailbox; got without Postroom. */
  accessToken: string;
  rows(table: string, partitionKey: string): Promise<StoredRow[]>;
}

export interface ScratchOptions {
  mailboxes: readonly string[];
  /** App settings beside those of the world. */
  settings?: Readonly<Record<string, string>>;
  /** See HostOptions. */
  outsideListeners?: boolean;
  /** What was started, to be disposed of at the end, also of an interrupted start. */
  running: AsyncDisposableStack;
  progress(text: string): void;
}

/**
 * A demo of its own: state in a new folder below the system's temporary one, free ports, storage in memory,
 * provider and account set up on Postroom's own pages.
 */
export async function openScratchWorld({
  mailboxes,
  settings: moreSettings = {},
  outsideListeners = false,
  running,
  progress,
}: ScratchOptions): Promise<ScratchWorld> {
  if (!(await isBuildCurrent())) {
    progress('Building …');
    await buildApp();
  }
  progress('Starting a scratch world …');
  const folder = await mkdtemp(join(tmpdir(), 'postroom-scratch-'));
  running.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  // Dovecot runs as a user of its own, who must be able to enter.
  await chmod(folder, 0o755);
  const stack = await startStack({
    stateDir: folder,
    mail: 'auto',
    inMemory: true,
    users: [{ upn: OWNER, name: 'Scratch Desk', sharedMailboxes: [...mailboxes] }],
    // A run may take longer than an access token of the demo lasts.
    accessTokenSeconds: 3600,
  });
  running.defer(() => stack.stop());
  const settings = {
    FETCH_SCHEDULE: '0 0 0 1 1 *',
    WEBSITE_AUTH_ENABLED: 'True',
    WEBSITE_AUTH_AAD_ALLOWED_TENANTS: SIGN_IN_TENANT,
    ...stack.settings,
    ...moreSettings,
  };
  const host = await startHostProcess(
    {
      appDir: builtApp,
      port: stack.ports.web,
      settings,
      stateDir: folder,
      people: demoPeople,
      background: false,
      outsideListeners,
    },
    join(folder, 'log', 'host.log'),
  );
  running.defer(() => host.stop());

  const browser = new Browser(host.url);
  await browser.signIn(demoPeople[0]?.id ?? '');
  const account = await browser.connect(OWNER, stack.identityProvider.clientId);
  const rows = (table: string, partitionKey: string): Promise<StoredRow[]> =>
    storedRows(stack.storage.connectionString, table, partitionKey);
  return {
    stack,
    folder,
    settings,
    host,
    accessToken: await browser.accessToken(OWNER, stack.identityProvider),
    rows,
    async addMailbox(address, imap = stack.mail.imap) {
      await browser.addMailbox(account, address, imap);
      const saved = (await rows('Mailboxes', 'mailbox')).find(
        ({ json }) => (JSON.parse(String(json)) as { address: string }).address === address,
      );
      if (saved === undefined) throw new Error(`The mailbox ${address} was not saved.`);
      return saved.RowKey;
    },
  };
}
