import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { ParserPool } from '../../shared/mime/parser-pool.ts';
import type { FaultySeam } from '../harness/memory/faulty-seam.ts';
import { type IntakeWorld, parserHere } from '../harness/memory/intake-world.ts';
import { violationsAtTheEnd } from '../harness/memory/promises.ts';
import { keyOf } from '../harness/memory/tiny-mails.ts';
import { worldWithMail } from './fault-schedules.ts';

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const BAD = 'html';
const isBad = (raw: Uint8Array): boolean => Buffer.from(raw).includes('Subject: Colours');

/** Subjects of quarantined or skipped email, with the reason. */
const entries = (world: IntakeWorld): [string, string][] =>
  world.tables
    .dump('Quarantine')
    .map((row): [string, string] => [
      world.names.get(row.rowKey.split('|')[1] ?? '') ?? '?',
      String(row['reason']),
    ]);
const recorded = (world: IntakeWorld): Set<string | undefined> =>
  new Set([
    ...world.tables
      .dump('Tickets')
      .filter((row) => row.rowKey.startsWith('m|'))
      .map((row) => world.names.get(String(row['key']))),
    ...entries(world).map(([name]) => name),
  ]);
const others = (world: IntakeWorld): string[] => [...world.names.values()].filter((name) => name !== BAD);

describe('a bad email', () => {
  test('that is unreadable goes to quarantine in the run that imports all the others', async () => {
    const world = await worldWithMail();
    const parser: ParserPool = {
      ...parserHere,
      parse: async (raw, nonce) =>
        isBad(raw) ? { kind: 'unreadable', reason: 'it is too odd' } : parserHere.parse(raw, nonce),
    };
    const { result } = await world.run({ parser: () => parser });
    expect(result).toMatchObject({ kind: 'fetched', quarantined: 1, skipped: 2 });
    expect(recorded(world)).toEqual(new Set([BAD, ...others(world)]));
    expect(entries(world)).toContainEqual([BAD, 'it is too odd']);
    expect(violationsAtTheEnd(world, { quarantine: true })).toEqual([]);
  });

  test('that crashes every process ends in quarantine alone, and all the others in their tickets', async () => {
    const world = await worldWithMail();
    const deadly = (seam: FaultySeam): ParserPool => ({
      ...parserHere,
      parse: async (raw, nonce) => (isBad(raw) ? seam.die() : parserHere.parse(raw, nonce)),
    });
    let deaths = 0;
    for (let run = 0; run < 8; run += 1) if ((await world.run({ parser: deadly })).seam.dead) deaths += 1;
    expect(deaths).toBe(3);
    expect(entries(world)).toContainEqual([BAD, 'the app stopped 3 times while it processed this email']);
    expect(entries(world).filter(([, reason]) => reason.startsWith('the app'))).toHaveLength(1);
    expect([...world.violations, ...violationsAtTheEnd(world, { quarantine: true })]).toEqual([]);
    expect(recorded(world)).toEqual(new Set([BAD, ...others(world)]));
  });

  test('that crashes every process after it was decided ends in quarantine, too', async () => {
    const world = await worldWithMail();
    await world.run({
      faultAt: (_call, point) => (point === 'table.Tickets.commit' ? 'crashBefore' : undefined),
    });
    const deadly = (seam: FaultySeam): ParserPool => ({
      ...parserHere,
      parse: async (raw, nonce) => (isBad(raw) ? seam.die() : parserHere.parse(raw, nonce)),
    });
    let deaths = 0;
    for (let run = 0; run < 8; run += 1) if ((await world.run({ parser: deadly })).seam.dead) deaths += 1;
    expect(deaths).toBe(3);
    expect(entries(world)).toContainEqual([BAD, 'the app stopped 4 times while it processed this email']);
    expect([...world.violations, ...violationsAtTheEnd(world, { quarantine: true })]).toEqual([]);
    expect(recorded(world)).toEqual(new Set([BAD, ...others(world)]));
  });

  test('that crashes every process after it reached its ticket stays there', async () => {
    const world = await worldWithMail();
    await world.run({
      faultAt: (_call, point) => (point === 'table.TicketIndex.commit' ? 'crashBefore' : undefined),
    });
    const deadly = (seam: FaultySeam): ParserPool => ({
      ...parserHere,
      parse: async (raw, nonce) => (isBad(raw) ? seam.die() : parserHere.parse(raw, nonce)),
    });
    for (let run = 0; run < 8; run += 1) await world.run({ parser: deadly });
    expect([...world.violations, ...violationsAtTheEnd(world, {})]).toEqual([]);
    expect(recorded(world)).toEqual(new Set([BAD, ...others(world)]));
  });

  test('that cannot be stored is left alone, unread, then goes to quarantine', async () => {
    const world = await worldWithMail();
    const parser: ParserPool = {
      ...parserHere,
      async parse(raw, nonce) {
        const outcome = await parserHere.parse(raw, nonce);
        // More characters than a column of a row stores.
        if (outcome.kind === 'mail' && isBad(raw)) outcome.mail.date = 'x'.repeat(33_000);
        return outcome;
      },
    };
    await world.run({ parser: () => parser });
    const [waiting] = world.folder.mails.filter(({ raw }) => isBad(raw));
    expect(recorded(world)).toEqual(new Set(others(world)));
    expect(waiting?.seen).toBe(false);
    for (let run = 0; run < 7; run += 1) await world.run({ parser: () => parser });
    expect(entries(world)).toContainEqual([BAD, expect.stringContaining('could not be stored')]);
    expect([...world.violations, ...violationsAtTheEnd(world, { quarantine: true })]).toEqual([]);
  });
});

describe('an outage', () => {
  test.each([
    'table.Numbers.commit',
    'table.Tickets.commit',
    'table.TicketIndex.commit',
    'blob.putOnce',
    'imap.store',
  ])('of many runs at %s quarantines nothing and loses nothing', async (broken) => {
    const world = await worldWithMail();
    for (let run = 0; run < 10; run += 1) {
      const { seam } = await world.run({
        faultAt: (_call, point) => (point === broken ? 'failBefore' : undefined),
      });
      expect(seam.calls).toContain(broken);
    }
    expect(world.folder.mails.filter(({ settled }) => settled)).toHaveLength(1);
    await world.runUntilQuiet();
    expect([...world.violations, ...violationsAtTheEnd(world, {})]).toEqual([]);
  });
});

describe('a colleague', () => {
  test('who reads the email while a process crashes on it hides nothing from the next run', async () => {
    const world = await worldWithMail();
    await world.run({ faultAt: (_call, point) => (point === 'blob.putOnce' ? 'crashBefore' : undefined) });
    for (const mail of world.folder.mails) mail.seen = true;
    await world.runUntilQuiet();
    for (const mail of world.folder.mails) mail.settled = true;
    expect(violationsAtTheEnd(world, {})).toEqual([]);
    expect(recorded(world)).toEqual(
      new Set(
        world.mails
          .filter(({ disposition }) => disposition !== 'copy')
          .map(({ raw }) => world.names.get(keyOf(raw))),
      ),
    );
  });
});
