import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { adminAt, type Demo, openDemo } from '../demo.ts';
import { keepCertificates } from '../emulators/certificates.ts';
import type { MailServerKind } from '../emulators/mail/mail-world.ts';
import { type MisbehavingImap, startMisbehavingImap } from '../emulators/mail/misbehaving-imap.ts';
import type { HostProcess } from '../host/host-process.ts';
import type { Visitor } from '../visitor.ts';
import type { Chance } from './chance.ts';
import { faultyImap } from './imap-faults.ts';
import { openRecords, type Records } from './records.ts';
import { type FaultyStorage, faultyStorage } from './storage-faults.ts';
import type { Weather } from './weather.ts';

export interface Box {
  address: string;
  /** The mailbox's ID in Postroom. */
  id: string;
}

export interface ChaosWorld extends Demo {
  boxes: readonly Box[];
  /** One per host, so that the request during which a host was killed is known. */
  storages: readonly [FaultyStorage, FaultyStorage];
  /** In front of the mail server, behind the proxy with the connection faults. */
  misbehaving: MisbehavingImap;
  records: Records;
  /** A host without background work, for a person at the pages. */
  openPages(): Promise<{ host: HostProcess; visitor: Visitor }>;
}

export interface WorldOptions {
  folder: string;
  boxes: number;
  mailServer: MailServerKind | 'auto';
  weather: Weather;
  chance: Chance;
  running: AsyncDisposableStack;
  progress(text: string): void;
}

/** Longer than the longest suspension, shorter than a run: tokens have to be refreshed during it. */
const ACCESS_TOKEN_SECONDS = 240;

/**
 * A demo with storage on disk, mail server, vault and identity provider; mailboxes with one account each,
 * created on the pages.
 */
export async function openChaosWorld(options: WorldOptions): Promise<ChaosWorld> {
  const { folder, weather, chance, running, progress } = options;
  await mkdir(folder, { recursive: true });
  // Dovecot runs as a separate user, who needs access.
  await chmod(folder, 0o755);
  const addresses = Array.from({ length: options.boxes }, (_, index) => `box${index + 1}@contoso.example`);
  progress('Starting the demo …');
  const demo = await openDemo({
    folder,
    app: 'own',
    stack: {
      mail: options.mailServer,
      users: addresses.map((upn, index) => ({ upn, name: `Box ${index + 1}` })),
      accessTokenSeconds: ACCESS_TOKEN_SECONDS,
    },
    running,
  });
  const { stack } = demo;
  const tls = await keepCertificates(join(folder, 'certificates'));
  const misbehaving = await startMisbehavingImap({ target: stack.mail.imap, tls });
  running.defer(() => misbehaving.stop());
  const imap = await faultyImap({ target: misbehaving, tls, weather, chance });
  running.defer(() => imap.stop());
  const storages = [
    await faultyStorage(stack.storage.connectionString, weather, chance),
    await faultyStorage(stack.storage.connectionString, weather, chance),
  ] as const;
  for (const storage of storages) running.use(storage);
  const records = openRecords(stack.storage.connectionString);

  const openPages = async (): Promise<{ host: HostProcess; visitor: Visitor }> => {
    const host = await demo.startHost({ port: stack.ports.web });
    const visitor = await adminAt(host);
    return { host, visitor };
  };

  progress(`Connecting ${addresses.length} mailboxes …`);
  const boxes: Box[] = [];
  const { host, visitor } = await openPages();
  try {
    for (const [index, address] of addresses.entries()) {
      const provider = {
        preset: 'demo',
        name: `Demo ${index + 1}`,
        clientId: stack.identityProvider.clientId,
      };
      const account = await visitor.connectAt(provider, address);
      boxes.push({ address, id: await visitor.addMailbox(account, address, imap) });
    }
  } finally {
    await host.stop();
  }
  return { ...demo, boxes, storages, misbehaving, records, openPages };
}
