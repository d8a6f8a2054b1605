/** Emails that hang a parser delay neither the others of their mailbox nor another mailbox. */
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { createParserPool, type ParserPool, type ParserPoolOptions } from '../../shared/mime/parser-pool.ts';
import { bestOfThree } from '../harness/measure-time.ts';
import { IntakeWorld, parserHere } from '../harness/memory/intake-world.ts';
import { ownMail } from '../harness/memory/mail-files.ts';
import { violationsAtTheEnd } from '../harness/memory/promises.ts';
import { type TinyMail, tinyMail } from '../harness/memory/tiny-mails.ts';

const pools: ParserPool[] = [];
function open(options: ParserPoolOptions = {}): ParserPool {
  const pool = createParserPool({ workers: 2, ...options });
  pools.push(pool);
  return pool;
}

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

const many = (count: number, make: (index: number) => TinyMail): TinyMail[] =>
  Array.from({ length: count }, (_, index) => make(index));
const plain = (count: number, name = 'plain'): TinyMail[] =>
  many(count, (index) => tinyMail(`${name} ${index}`));
const hanging = (file: string) => (index: number) => ({
  name: `hanging ${index}`,
  raw: Buffer.from(ownMail(file).toString('latin1').replace('Subject: ', `Subject: ${index} `), 'latin1'),
  disposition: 'ticket' as const,
});
/** One of each in turn. */
const mixed = (one: readonly TinyMail[], other: readonly TinyMail[]): TinyMail[] =>
  one.flatMap((each, index) => [each, ...(other[index] === undefined ? [] : [other[index]])]);
const subjectsOf = (world: IntakeWorld): string[] =>
  world.tables
    .dump('Tickets')
    .filter(({ rowKey }) => rowKey.startsWith('m|'))
    .map((row) => String(row['subject']));

test.each([
  ['of a known shape', 'hang-mailparser.eml'],
  ['of a shape that is not known', 'hang-mailparser-quoted.eml'],
])(
  '40 hanging emails (%s) and 40 plain ones in one mailbox, 10 plain ones in another: all are tickets within 20 s',
  async (_what, file) => {
    let worlds: IntakeWorld[] = [];
    const ms = await bestOfThree(20_000, async () => {
      const pool = open();
      const [one, other] = [new IntakeWorld(), new IntakeWorld()];
      worlds = [one, other];
      other.mailbox = { ...other.mailbox, id: 'other' };
      one.deliver(mixed(many(40, hanging(file)), plain(40)));
      other.deliver(plain(10));
      const order: IntakeWorld[] = [];
      await Promise.all(
        worlds.map(async (world) => {
          await world.run({ parser: () => pool });
          order.push(world);
        }),
      );
      expect(order[0]).toBe(other);
      expect(worlds.map((world) => subjectsOf(world).length)).toEqual([80, 10]);
    });
    expect(ms).toBeLessThan(20_000);
    for (const world of worlds) {
      await world.runUntilQuiet();
      expect([...world.violations, ...violationsAtTheEnd(world, {})]).toEqual([]);
    }
  },
);

/** Both libraries are slow with these, as with no known email. */
const busy = many(8, (index) => tinyMail(`busy ${index}`));
const parserOfBusy = (asked: string[]): ParserPool => ({
  ...parserHere,
  async parse(raw, nonce, turn) {
    const [name] = /busy \d/.exec(Buffer.from(raw).toString()) ?? [];
    if (name === undefined || turn === undefined) return parserHere.parse(raw, nonce);
    asked.push(`${name}, ${turn.patienceMs ?? 'to the end'}`);
    if (turn.patienceMs !== undefined) return { kind: 'slow' };
    return { kind: 'unreadable', reason: 'The email cannot be read: it takes longer than 3 s.' };
  },
});

test('emails that keep a parser busy are left for later runs, a few each, and end in quarantine, while the others are tickets', async () => {
  const one = new IntakeWorld();
  const asked: string[] = [];
  const parser = () => parserOfBusy(asked);
  one.deliver(mixed(busy, plain(8)));
  await one.run({ parser });
  expect(subjectsOf(one).filter((subject) => subject.startsWith('plain'))).toHaveLength(8);
  expect(one.tables.dump('Quarantine')).toEqual([]);
  expect(asked).toHaveLength(8);
  const quarantined: number[] = [];
  for (let run = 0; run < 4; run += 1) {
    await one.run({ parser });
    quarantined.push(one.tables.dump('Quarantine').length);
  }
  expect(quarantined).toEqual([3, 6, 8, 8]);
  expect(subjectsOf(one)).toHaveLength(8);
  expect(asked.filter((each) => each.endsWith('to the end'))).toEqual(
    busy.map(({ name }) => `${name}, to the end`),
  );
  for (const row of one.tables.dump('Quarantine')) expect(row['reason']).toContain('it takes longer than');
  expect(one.folder.mails.every(({ settled }) => settled)).toBe(true);
  expect([...one.violations]).toEqual([]);
});

test('new emails that take long get less time once a fetch has met three of them', async () => {
  const one = new IntakeWorld();
  const asked: string[] = [];
  one.deliver([...busy.slice(0, 4), ...plain(46), ...busy.slice(4)]);
  await one.run({ parser: () => parserOfBusy(asked) });
  expect(subjectsOf(one)).toHaveLength(46);
  expect(asked.slice(0, 3).every((each) => each.endsWith('Infinity'))).toBe(true);
  expect(asked).toHaveLength(8);
  expect(asked.slice(4).every((each) => each.endsWith('500'))).toBe(true);
});
