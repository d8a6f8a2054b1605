import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { User } from '../emulators/entra/directory.ts';
import type { EmulatedMailbox } from '../emulators/mail/mail-world.ts';
import { readJson, writeAtomically } from '../emulators/process/state-file.ts';
import { choosePorts, type Ports } from './ports.ts';

export const DEMO_DOMAIN = 'contoso.example';

/** The catch-all mailbox for addresses outside of the demo organization. It has no user. */
export const CATCH_ALL = 'everybody@outside.example';

/** A member of the demo organization. */
export interface DemoUser extends User {
  /** Default true. False: can sign in and open shared mailboxes, but has no mailbox. */
  hasMailbox?: boolean;
  /** Default true. False: no app may open this mailbox. */
  openToApps?: boolean;
}

/** The default members. Alex and Sam are also the people on the local host's sign-in page. */
export const DEMO_USERS: readonly DemoUser[] = [
  {
    upn: 'alex@contoso.example',
    name: 'Alex Admin',
    oid: '5b1f0a52-3c44-4c09-9d3e-6f1a2b7c8d01',
    hasMailbox: false,
  },
  {
    upn: 'sam@contoso.example',
    name: 'Sam Support',
    oid: '5b1f0a52-3c44-4c09-9d3e-6f1a2b7c8d02',
    hasMailbox: false,
    sharedMailboxes: ['info@contoso.example'],
  },
  { upn: 'support@contoso.example', name: 'Support Desk', sharedMailboxes: ['info@contoso.example'] },
  { upn: 'sales@contoso.example', name: 'Sales Desk', openToApps: false },
];

/** What a demo stores about itself between starts. The emulators' state is in their own folders. */
export interface WorldFacts {
  ports: Ports;
  tenantId: string;
  clientId: string;
  clientSecret: string;
}

/**
 * Reads or creates the facts of the demo in a folder. Fails with a readable message when one of its ports
 * is taken.
 */
export async function openWorld(stateDir: string, wished: Partial<Ports>): Promise<WorldFacts> {
  const portsFile = join(stateDir, 'ports.json');
  const idsFile = join(stateDir, 'ids.json');
  const ports = await choosePorts(wished, readJson<Partial<Ports>>(portsFile) ?? {}, portsFile);
  writeAtomically(portsFile, JSON.stringify(ports, undefined, 2));
  const kept = readJson<Omit<WorldFacts, 'ports'>>(idsFile);
  if (kept !== undefined) return { ...kept, ports };
  const ids = {
    tenantId: randomUUID(),
    clientId: randomUUID(),
    clientSecret: `demo~${randomBytes(24).toString('base64url')}`,
  };
  writeAtomically(idsFile, JSON.stringify(ids, undefined, 2));
  return { ...ids, ports };
}

/** One mailbox per user, and the shared mailboxes with everyone who may open them. */
export function mailboxesOf(users: readonly DemoUser[]): EmulatedMailbox[] {
  const shared = new Map<string, string[]>();
  for (const user of users)
    for (const address of user.sharedMailboxes ?? [])
      shared.set(address, [...(shared.get(address) ?? []), user.upn]);
  const own = users.filter(({ hasMailbox, upn }) => hasMailbox !== false && !shared.has(upn));
  return [
    ...own.map(({ upn, openToApps }) => ({
      address: upn,
      ...(openToApps !== undefined && { openToApps }),
    })),
    ...[...shared].map(([address, delegates]) => ({ address, delegates })),
  ];
}
