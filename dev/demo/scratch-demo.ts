import { type StoredRow, storedRows } from '../bench/storage-rows.ts';
import { adminAt, type Demo, type DemoHostOptions, openDemo } from '../demo.ts';
import type { HostProcess } from '../host/host-process.ts';
import { SIGN_IN_TENANT } from '../host/sign-in.ts';
import type { Stack } from '../stack.ts';

/** The owner of all scratch mailboxes. */
const OWNER = 'scratch@contoso.example';

export interface ScratchDemo extends Demo {
  settings: Readonly<Record<string, string>>;
  /** The app, at the origin of its redirect URI. */
  host: HostProcess;
  /** Adds one of the mailboxes on the pages and returns its ID. */
  addMailbox(
    address: string,
    imap?: { host: string; port: number },
    smtp?: { host: string; port: number },
  ): Promise<string>;
  /** An access token of the owner, who may open every scratch mailbox; not obtained through Postroom. */
  accessToken(): Promise<string>;
  rows(table: string, partitionKey: string): Promise<StoredRow[]>;
}

export interface ScratchOptions {
  mailboxes: readonly string[];
  /** App settings in addition to those of the demo. */
  settings?: (stack: Stack) => Promise<Readonly<Record<string, string>>>;
  host?: Pick<DemoHostOptions, 'background' | 'outsideListeners' | 'logDebug'>;
  /** See DemoOptions. */
  running: AsyncDisposableStack;
  progress(text: string): void;
}

/**
 * A demo that leaves nothing behind: state in a temporary folder, free ports, storage in memory, provider
 * and account created on Postroom's own pages. No function of its app starts automatically unless `host`
 * and `settings` say so.
 */
export async function openScratchDemo(options: ScratchOptions): Promise<ScratchDemo> {
  const { mailboxes, running, progress } = options;
  progress('Starting a scratch demo …');
  const demo = await openDemo({
    stack: {
      inMemory: true,
      users: [{ upn: OWNER, name: 'Scratch Desk', sharedMailboxes: [...mailboxes] }],
      // A run may outlast an access token of the demo.
      accessTokenSeconds: 3600,
    },
    running,
    progress,
  });
  const { stack } = demo;
  const host = {
    ...options.host,
    port: stack.ports.web,
    settings: {
      WEBSITE_AUTH_ENABLED: 'True',
      WEBSITE_AUTH_AAD_ALLOWED_TENANTS: SIGN_IN_TENANT,
      ...(await options.settings?.(stack)),
    },
  };
  const process = await demo.startHost(host);
  const visitor = await adminAt(process);
  const account = await visitor.connect(OWNER);
  return {
    ...demo,
    settings: demo.hostOptions(host).settings,
    host: process,
    accessToken: () => visitor.accessToken(OWNER, stack.identityProvider),
    rows: (table, partitionKey) => storedRows(stack.storage.connectionString, table, partitionKey),
    addMailbox: (address, imap = stack.mail.imap, smtp) => visitor.addMailbox(account, address, imap, smtp),
  };
}
