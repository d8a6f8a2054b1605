/** A mailbox that was read over one protocol is read over Microsoft Graph from now on. */
import { expect, test } from 'vitest';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { verifyMailbox } from '../../shared/mailboxes/verify-mailbox.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { IntakeWorld } from '../harness/memory/intake-world.ts';
import { openMemoryGraph } from '../harness/memory/memory-graph.ts';
import { earlier, workload } from '../harness/memory/tiny-mails.ts';

const ways: [Mailbox['protocol'], Mailbox['afterFetch']][] = [
  ['imap', { kind: 'mark-seen' }],
  ['imap', { kind: 'leave' }],
  ['pop3', { kind: 'leave' }],
];

async function messagesIn(world: IntakeWorld): Promise<number> {
  const { tickets } = await world.tickets.page('open', { limit: 100 });
  const read = await Promise.all(tickets.map(({ id }) => world.tickets.read(id)));
  return read.reduce((sum, ticket) => sum + (ticket?.messages.length ?? 0), 0);
}

async function switchToGraph(world: IntakeWorld, change: Partial<Mailbox>): Promise<void> {
  world.mailbox = { ...world.mailbox, protocol: 'graph', host: 'graph.microsoft.com', port: 443, ...change };
  await verifyMailbox(
    {
      accessTokens: { get: async () => ({ kind: 'token', token: new Secret('token') }) },
      openInbox: () => openMemoryGraph(world.folder, openSeam),
      mailboxes: createMailboxStore(world.tables),
      seam: openSeam,
    },
    world.mailbox,
  );
}

test.each(ways)(
  'from %s (%j) to Graph: nothing is imported twice, and what comes later is',
  async (protocol, afterFetch) => {
    const world = new IntakeWorld({ protocol, afterFetch });
    world.deliver([earlier, ...workload.slice(0, 4)]);
    await world.runUntilQuiet();
    const before = await messagesIn(world);
    expect(before).toBeGreaterThan(0);

    // The strictest case: the server shows everything as unread again.
    for (const mail of world.folder.mails) mail.seen = false;
    await switchToGraph(world, {});
    await world.runUntilQuiet();
    expect(await messagesIn(world)).toBe(before);

    world.deliver(workload.slice(4));
    await world.runUntilQuiet();
    expect(await messagesIn(world)).toBe(
      world.mails.filter(({ disposition }) => disposition === 'ticket').length,
    );
  },
);

test('email that somebody read while IMAP was closed is imported, from the day of the last fetch on', async () => {
  const world = new IntakeWorld();
  world.deliver([earlier]);
  await world.runUntilQuiet();
  world.deliver(workload.slice(0, 1));
  for (const mail of world.folder.mails) mail.seen = true;
  await switchToGraph(world, { fetchSince: new Date(world.now).toISOString().slice(0, 10) });
  await world.runUntilQuiet();
  expect(await messagesIn(world)).toBe(2);
});
