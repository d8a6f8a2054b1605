import { beforeAll, describe, expect, test, vi } from 'vitest';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import { reconcileFolder } from '../../shared/intake/reconcile-folder.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { IntakeWorld, type WorldOptions } from '../harness/memory/intake-world.ts';
import { openMemoryGraph } from '../harness/memory/memory-graph.ts';
import type { TinyMail } from '../harness/memory/tiny-mails.ts';

beforeAll(() => {
  for (const level of ['log', 'warn'] as const) vi.spyOn(console, level).mockImplementation(() => {});
});

const written = (number: number): TinyMail => ({
  name: `email ${number}`,
  raw: Buffer.from(
    `From: kim@customer.example\r\nSubject: Question ${number}\r\nMessage-ID: <q${number}@customer.example>\r\n\r\nHello ${number}\r\n`,
  ),
  disposition: 'ticket',
});
const several = (count: number, from = 0): TinyMail[] =>
  Array.from({ length: count }, (_, index) => written(from + index));

const overGraph = (options: Omit<WorldOptions, 'protocol'> = {}): IntakeWorld =>
  new IntakeWorld({ ...options, protocol: 'graph' });
const ticketsOf = (world: IntakeWorld): number =>
  world.tables.dump('Tickets').filter(({ rowKey }) => rowKey === 'head').length;
const cursorOf = async (world: IntakeWorld) =>
  (await createMailboxStore(world.tables).fetchState()).cursors.get(world.mailbox.id);

describe('a mailbox over Microsoft Graph', () => {
  test('is looked at with three requests and no storage write of its own', async () => {
    const world = overGraph();
    world.deliver(several(12));
    await world.runUntilQuiet();
    expect(ticketsOf(world)).toBe(12);
    const { seam, result } = await world.run();
    expect(result).toEqual({ kind: 'nothing-new' });
    expect(seam.calls.filter((point) => point.startsWith('graph.'))).toEqual([
      'graph.folders',
      'graph.delta',
      'graph.search',
    ]);
    const touched = seam.calls.filter((point) =>
      /^(?:table\.(?:Ledger|Tickets|Quarantine)|blob)\./.test(point),
    );
    expect(touched).toEqual([]);
  });

  test('imports what a person has read before, also if nothing is ever marked', async () => {
    const world = overGraph({ afterFetch: { kind: 'leave' } });
    world.deliver(several(2));
    await world.runUntilQuiet();
    world.deliver(several(2, 2));
    for (const mail of world.folder.mails) mail.seen = true;
    await world.runUntilQuiet();
    expect(ticketsOf(world)).toBe(4);
    expect(world.folder.mails).toHaveLength(4);
  });

  test('tracks a large folder step by step, and saves how far it came although nothing is new', async () => {
    const world = overGraph();
    // 21 pages, of which one listing reads four.
    for (const mail of several(80)) {
      world.deliver([mail]);
      Object.assign(world.folder.mails.at(-1) ?? {}, { seen: true });
    }
    const positions = new Set<string>();
    for (let run = 0; run < 8; run += 1) {
      world.deliver(run === 0 ? [written(80)] : []);
      await world.run();
      positions.add(JSON.stringify((await cursorOf(world))?.position));
    }
    expect(positions.size, 'a step a run, until the end').toBe(6);
    expect([...positions].at(-1)).not.toContain('"next"');
    world.deliver(several(1, 81));
    await world.runUntilQuiet();
    expect(ticketsOf(world)).toBe(2);
  });

  test('stores an email that is smaller than its estimated size without a doubt about its end', async () => {
    const world = overGraph();
    world.deliver([written(1)]);
    await world.runUntilQuiet();
    const stored = JSON.stringify(world.tables.dump('Tickets'));
    expect(stored).toContain('Question 1');
    expect(stored).not.toContain('may be missing');
  });

  test('starts over after an expired delta link without a loss or a double', async () => {
    const world = overGraph({ afterFetch: { kind: 'leave' } });
    world.deliver(several(3));
    await world.runUntilQuiet();
    const cursor = await cursorOf(world);
    if (cursor === undefined) throw new Error('There is no cursor');
    const expired = encodeURIComponent(JSON.stringify({ validity: 'gone', uid: 0, from: '' }));
    const position = { link: `/v1.0/changes?${expired}` };
    await createMailboxStore(world.tables).saveCursor(world.mailbox.id, { ...cursor, position });
    world.deliver(several(2, 3));
    for (const mail of world.folder.mails) mail.seen = true;
    await world.runUntilQuiet();
    expect(ticketsOf(world)).toBe(5);
  });

  test('agrees with the ledger in the daily comparison', async () => {
    const world = overGraph();
    world.deliver(several(5));
    await world.runUntilQuiet();
    const app = {
      seam: { ...openSeam, now: () => world.now },
      tables: world.tables,
      ledger: createLedgerStore(world.tables),
      mailboxes: createMailboxStore(world.tables),
      accessTokens: { get: async () => ({ kind: 'token' as const, token: new Secret('t') }) },
      openInbox: () => openMemoryGraph(world.folder, openSeam),
    };
    expect(await reconcileFolder(app, world.mailbox)).toMatchObject({
      count: { inLedger: 5, waiting: 0, older: 0, missing: 0 },
    });
  });
});
