import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ImapMisbehaviour } from '../emulators/mail/misbehaving-imap.ts';
import type { Chance } from './chance.ts';
import type { Misbehaviour } from './options.ts';
import type { Box, ChaosWorld } from './world.ts';

/** One temporary fault of a mail server, at random messages. Not for `restore`. */
export function imapMisbehaviour(kind: Exclude<Misbehaviour, 'restore'>, chance: Chance): ImapMisbehaviour {
  const times = Math.ceil(chance.between(0, 3));
  if (kind === 'refuse') return { kind, command: 'UID STORE', times };
  const rest = Math.floor(chance.between(0, 5));
  const uids = (uid: number): boolean => uid % 5 === rest;
  if (kind === 'short') return { kind, bytes: 1_000, uids, times: 1 };
  if (kind === 'small-pieces') return { kind, bytes: 20_000, uids, times };
  return { kind, uids, times };
}

/** The folder of a mailbox in the mail server's own state. */
function folderOf({ folder, stack }: ChaosWorld, { address }: Box): string {
  const parts = stack.mail.kind === 'debian' ? ['mail-debian', 'mail'] : ['mail-npm', 'mailboxes'];
  return join(folder, ...parts, address);
}

/** Copies the current state of a mailbox. Only while the mail server is down; `cp` keeps owners and times. */
export async function backUp(world: ChaosWorld, box: Box): Promise<void> {
  await rm(backupOf(world, box), { recursive: true, force: true });
  await promisify(execFile)('cp', ['-a', folderOf(world, box), backupOf(world, box)]);
}

/**
 * Restores the copy, so that later UIDs are assigned again under the same UIDVALIDITY. Only while the mail
 * server is down.
 */
export async function restore(world: ChaosWorld, box: Box): Promise<void> {
  // A server process that is exiting may write once more.
  await rm(folderOf(world, box), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  await promisify(execFile)('cp', ['-a', backupOf(world, box), folderOf(world, box)]);
}

const backupOf = ({ folder }: ChaosWorld, { address }: Box): string => join(folder, `backup-${address}`);
