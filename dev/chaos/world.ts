import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Browser } from '../visitor.ts';
import { buildApp } from '../build.ts';
import { type HostProcess, startHostProcess } from '../host/host-process.ts';
import { demoPeople } from '../host/options.ts';
import { keepCertificates } from '../emulators/certificates.ts';
import type { MailServerKind } from '../emulators/mail/mail-world.ts';
import { type MisbehavingImap, startMisbehavingImap } from '../emulators/mail/misbehaving-imap.ts';
import { type Stack, startStack } from '../stack.ts';
import type { Chance } from './chance.ts';
import { faultyImap } from './imap-faults.ts';
import { type Records, openRecords } from './records.ts';
import { type FaultyStorage, faultyStorage } from './storage-faults.ts';
import type { Weather } from './weather.ts';

export interface Box {
  address: string;
  /** The mailbox's id in Postroom. */
  id: string;
}

export interface ChaosWorld {
  folder: string;
  stack: Stack;
  /** The built app, in a folder of its own: others may build theirs meanwhile. */
  appDir: string;
  boxes: readonly Box[];
  /** One for each of the two hosts, so that it is known at which request a host was killed. */
  storages: readonly [FaultyStorage, FaultyStorage];
  /** Stands before the mail server, behind the proxy with the faults of the wire. */
  misbehaving: MisbehavingImap;
  records: Records;
  /** A host that runs nothing by itself, for a person at the pages. */
  openPages(): Promise<{ host: HostProcess; browser: Browser }>;
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

/** Longer than the longest pause of a stopped process, shorter than a run: tokens have to be renewed under way. */
const ACCESS_TOKEN_SECONDS = 240;
/** No timer fires. */
const NEVER = '0 0 3 1 1 *';

/** Storage on disk, the mail server, vault and identity provider; mailboxes with an account each, set up on the pages. */
export async function openChaosWorld(options: WorldOptions): Promise<ChaosWorld> {
  const { folder, weather, chance, running, progress } = options;
  await mkdir(folder, { recursive: true });
  // Dovecot runs as a user of its own, who must be able to enter.
  await chmod(folder, 0o755);
  const addresses = Array.from({ length: options.boxes }, (_, index) => `box${index + 1}@contoso.example`);
  progress('Building …');
  const { outDir: appDir } = await buildApp({ outDir: join(folder, 'app') });
  progress('Starting a world …');
  const stack = await startStack({
    stateDir: join(folder, 'world'),
    mail: options.mailServer,
    users: addresses.map((upn, index) => ({ upn, name: `Box ${index + 1}` })),
    accessTokenSeconds: ACCESS_TOKEN_SECONDS,
  });
  running.defer(() => stack.stop());
  const tls = await keepCertificates(join(folder, 'world', 'certificates'));
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

  const openPages = async (): Promise<{ host: HostProcess; browser: Browser }> => {
    const host = await startHostProcess(
      {
        appDir,
        port: stack.ports.web,
        settings: { ...stack.settings, FETCH_SCHEDULE: NEVER },
        stateDir: join(folder, 'host'),
        people: demoPeople,
        background: false,
      },
      join(folder, 'host.log'),
    );
    const browser = new Browser(host.url);
    await browser.signIn(demoPeople[0]?.id ?? '');
    return { host, browser };
  };

  progress(`Connecting ${addresses.length} mailboxes …`);
  const { host, browser } = await openPages();
  try {
    for (const [index, address] of addresses.entries()) {
      const provider = {
        preset: 'practice',
        name: `Practice ${index + 1}`,
        clientId: stack.identityProvider.clientId,
      };
      await browser.addMailbox(await browser.connectAt(provider, address), address, imap);
    }
  } finally {
    await host.stop();
  }
  const ids = await records.mailboxIds();
  const boxes = addresses.map((address) => ({ address, id: ids.get(address) ?? '' }));
  return { folder, stack, appDir, boxes, storages, misbehaving, records, openPages };
}
