import { beforeAll, describe, expect, test, vi } from 'vitest';
import { findOnServer } from '../../shared/intake/find-on-server.ts';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import { reconcileFolder } from '../../shared/intake/reconcile-folder.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { IntakeWorld, type WorldOptions } from '../harness/memory/intake-world.ts';
import { openMemoryMaildrop } from '../harness/memory/memory-maildrop.ts';
import type { TinyMail } from '../harness/memory/tiny-mails.ts';

beforeAll(() => {
  for (const level of ['log', 'warn'] as const) vi.spyOn(console, level).mockImplementation(() => {});
});

const DAY_MS = 86_400_000;

/** An email that the server received `days` before the start of the world. */
function written(number: number, days = 0): TinyMail {
  const at = new Date(Date.parse('2026-11-24T09:00:00.000Z') - days * DAY_MS).toUTCString();
  const raw = `Received: from a by mx; ${at}\r\nFrom: kim@customer.example\r\nSubject: Question ${number}\r\nMessage-ID: <q${number}@customer.example>\r\n\r\nHello ${number}\r\n`;
  return { name: `email ${number}`, raw: Buffer.from(raw), disposition: 'ticket' };
}
const several = (count: number, from = 0, days = 0): TinyMail[] =>
  Array.from({ length: count }, (_, index) => written(from + index, days));

const overPop3 = (options: Omit<WorldOptions, 'protocol'> = {}): IntakeWorld =>
  new IntakeWorld({ afterFetch: { kind: 'leave' }, ...options, protocol: 'pop3' });
const ticketsOf = (world: IntakeWorld): number =>
  world.tables.dump('Tickets').filter(({ rowKey }) => rowKey === 'head').length;
/** What `find` and `reconcile` need of the app. */
const appOf = (world: IntakeWorld) => ({
  seam: { ...openSeam, now: () => world.now },
  tables: world.tables,
  ledger: createLedgerStore(world.tables),
  mailboxes: createMailboxStore(world.tables),
  accessTokens: { get: async () => ({ kind: 'token' as const, token: new Secret('t') }) },
  openInbox: () => openMemoryMaildrop(world.folder, openSeam),
});

describe('a mailbox over POP3', () => {
  test('imports what is on the server once, and keeps it there', async () => {
    const world = overPop3();
    world.deliver(several(5));
    await world.runUntilQuiet();
    expect(ticketsOf(world)).toBe(5);
    world.deliver(several(2, 5));
    await world.runUntilQuiet();
    expect(ticketsOf(world)).toBe(7);
    expect(world.folder.mails).toHaveLength(7);
  });

  test('is looked at without a storage write, a read per message, or a command per message', async () => {
    const world = overPop3();
    world.deliver(several(300));
    await world.runUntilQuiet();
    const { seam, result } = await world.run();
    expect(result).toEqual({ kind: 'nothing-new' });
    expect(seam.calls.filter((point) => point.startsWith('pop3.'))).toEqual([
      'pop3.connect',
      'pop3.sign-in',
      'pop3.uidl',
      'pop3.quit',
    ]);
    const touched = seam.calls.filter((point) =>
      /^(?:table\.(?:Ledger|Tickets|Quarantine)|blob)\./.test(point),
    );
    expect(touched).toEqual([]);
    expect(seam.calls.filter((point) => point === 'table.MailboxState.commit').length).toBeLessThanOrEqual(1);
  });

  test('reads one header for one new message among many that stay', async () => {
    const world = overPop3();
    world.deliver(several(300));
    await world.runUntilQuiet();
    world.deliver(several(1, 300));
    const { seam } = await world.run();
    const count = (wanted: string): number => seam.calls.filter((point) => point === wanted).length;
    expect([count('pop3.top'), count('pop3.retrieve'), count('table.Ledger.list')]).toEqual([1, 1, 1]);
    expect(ticketsOf(world)).toBe(301);
  });

  test('makes no duplicates when the server gives all messages other UIDLs', async () => {
    const world = overPop3();
    world.deliver(several(6));
    await world.runUntilQuiet();
    world.folder.renumber();
    world.deliver(several(1, 6));
    await world.runUntilQuiet();
    expect(ticketsOf(world)).toBe(7);
  });

  test('makes no duplicates when Postroom forgets what was read', async () => {
    const world = overPop3();
    world.deliver(several(6));
    await world.runUntilQuiet();
    await world.forgetRead();
    await world.runUntilQuiet();
    expect(ticketsOf(world)).toBe(6);
    expect(world.tables.dump('Quarantine')).toEqual([]);
  });

  test('deletes at once what is in a ticket, and nothing else', async () => {
    const world = overPop3({ afterFetch: { kind: 'delete' } });
    world.deliver([...several(3), { name: 'none', raw: Buffer.from('\r\n'), disposition: 'not an email' }]);
    await world.runUntilQuiet();
    expect(world.folder.removed).toHaveLength(3);
    expect(world.folder.mails).toHaveLength(1);
  });

  test('deletes again what the server did not delete at QUIT', async () => {
    const world = overPop3({ afterFetch: { kind: 'delete' } });
    world.deliver(several(3));
    await world.run({ faultAt: (_call, point) => (point === 'pop3.quit' ? 'failBefore' : undefined) });
    expect(ticketsOf(world)).toBe(3);
    expect(world.folder.mails).toHaveLength(3);
    await world.runUntilQuiet();
    expect(world.folder.mails).toEqual([]);
    expect(ticketsOf(world)).toBe(3);
  });

  test('deletes after some days what was received before, by the time of the server', async () => {
    const world = overPop3({ afterFetch: { kind: 'delete-later', days: 10 } });
    world.deliver([...several(3, 0, 30), ...several(2, 3)]);
    await world.runUntilQuiet();
    expect(world.folder.removed).toHaveLength(3);
    expect(world.folder.mails).toHaveLength(2);
    world.now += 21 * DAY_MS;
    await world.runUntilQuiet();
    expect(world.folder.mails).toEqual([]);
    expect(ticketsOf(world)).toBe(5);
  });

  test('imports from a chosen day on, by the time at which the server received the email', async () => {
    const world = overPop3();
    world.mailbox = { ...world.mailbox, fetchSince: '2026-11-20' };
    world.deliver([...several(3, 0, 30), ...several(2, 3)]);
    await world.runUntilQuiet();
    expect(ticketsOf(world)).toBe(2);
    world.deliver(several(1, 5));
    await world.runUntilQuiet();
    expect(ticketsOf(world)).toBe(3);
  });

  test('answers where an email is, from the headers on the server', async () => {
    const world = overPop3();
    world.deliver(several(3));
    await world.runUntilQuiet();
    world.deliver(several(1, 3));
    const asked = (words: string) =>
      findOnServer(appOf(world), world.mailbox, { words, messageId: undefined });
    const known = await asked('question 2');
    expect(known).toMatchObject({ kind: 'asked', folders: [{ count: 1, isJunk: false }] });
    expect(known.kind === 'asked' && known.folders[0]?.messages[0]?.trace).toBeDefined();
    const fresh = await asked('question 3');
    expect(fresh.kind === 'asked' && fresh.folders[0]?.messages).toMatchObject([
      { messageId: '<q3@customer.example>', trace: undefined },
    ]);
  });

  test('is compared with the ledger message by message', async () => {
    const world = overPop3();
    world.deliver(several(4));
    await world.runUntilQuiet();
    world.deliver(several(1, 4));
    const found = await reconcileFolder(appOf(world), world.mailbox);
    expect(found?.count).toEqual({ inLedger: 4, waiting: 1, older: 0, missing: 0 });
  });
});
