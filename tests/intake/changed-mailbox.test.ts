import { expect, test } from 'vitest';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { verifyMailbox } from '../../shared/mailboxes/verify-mailbox.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { IntakeWorld } from '../harness/memory/intake-world.ts';
import { MemoryFolder, openMemoryInbox } from '../harness/memory/memory-inbox.ts';
import { violationsAtTheEnd } from '../harness/memory/promises.ts';
import { earlier, workload } from '../harness/memory/tiny-mails.ts';

// Exchange reports the same UIDVALIDITY for most of its folders, Gmail 1 for INBOX, and UIDs begin at 1 everywhere.

/** A person edits the mailbox, and another folder is opened whose numbers are those of the first. */
async function edit(world: IntakeWorld, change: Partial<Mailbox>, save: 'opened' | 'anyway'): Promise<void> {
  const before = world.folder;
  world.mailbox = { ...world.mailbox, ...change };
  world.folder = new MemoryFolder(before.uidValidity);
  if (save === 'anyway') return;
  await verifyMailbox(
    {
      accessTokens: { get: async () => ({ kind: 'token', token: new Secret('token') }) },
      openInbox: () => openMemoryInbox(world.folder, openSeam),
      mailboxes: createMailboxStore(world.tables),
      seam: openSeam,
    },
    world.mailbox,
  );
}

const changes: [string, Partial<Mailbox>][] = [
  ['folder', { folder: 'Orders' }],
  ['server', { host: 'mail.contoso.example' }],
  ['port', { port: 1993 }],
  ['address', { address: 'sales@contoso.example' }],
];

test.each(
  changes.flatMap(([what, change]) =>
    (['opened', 'anyway'] as const).map((save) => [what, save, change] as const),
  ),
)('after a change to another %s (and saving %s), its email becomes tickets', async (_what, save, change) => {
  const world = new IntakeWorld();
  world.deliver([earlier, ...workload.slice(0, 3)]);
  await world.runUntilQuiet();
  await edit(world, change, save);
  world.deliver(workload.slice(3));
  await world.runUntilQuiet();
  world.look('at the end');
  expect([...world.violations, ...violationsAtTheEnd(world, {})]).toEqual([]);
  expect(world.folder.mails.every(({ settled }) => settled)).toBe(true);
});

test('an email left on the server in one folder does not hide the email with the same UID in the next', async () => {
  const world = new IntakeWorld();
  world.deliver([earlier]);
  await world.runUntilQuiet();
  const mailboxes = createMailboxStore(world.tables);
  const cursor = (await mailboxes.fetchState()).cursors.get(world.mailbox.id);
  if (cursor === undefined) throw new Error('no cursor');
  await mailboxes.saveCursor(world.mailbox.id, {
    ...cursor,
    left: [1, 2, 3].map((uid) => ({ ref: uidRef(uid), fingerprint: '' })),
  });
  await edit(world, { folder: 'Orders' }, 'anyway');
  world.deliver(workload);
  await world.runUntilQuiet();
  expect(violationsAtTheEnd(world, {})).toEqual([]);
});

test('an unchanged folder continues where it was', async () => {
  const world = new IntakeWorld();
  world.deliver([earlier]);
  await world.runUntilQuiet();
  world.mailbox = {
    ...world.mailbox,
    address: 'Support@Contoso.example',
    folder: 'inbox',
    intervalMinutes: 5,
  };
  world.deliver(workload);
  // A colleague was quicker: only a valid cursor finds these.
  for (const mail of world.folder.mails) mail.seen = true;
  await world.runUntilQuiet();
  expect(violationsAtTheEnd(world, {})).toEqual([]);
});

test('a cursor of an earlier version, which does not name its folder, stays valid and then names it', async () => {
  const world = new IntakeWorld();
  world.deliver([earlier]);
  await world.runUntilQuiet();
  const mailboxes = createMailboxStore(world.tables);
  const cursorNow = async () => (await mailboxes.fetchState()).cursors.get(world.mailbox.id);
  const cursor = await cursorNow();
  if (cursor === undefined) throw new Error('no cursor');
  await mailboxes.saveCursor(world.mailbox.id, { ...cursor, folderKey: undefined });
  await world.run();
  expect(await cursorNow()).toEqual(cursor);
});
