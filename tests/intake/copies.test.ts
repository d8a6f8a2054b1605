import { beforeAll, expect, test, vi } from 'vitest';
import { drawTurns, faultKinds, only } from '../harness/memory/faulty-seam.ts';
import { IntakeWorld, type RunOptions } from '../harness/memory/intake-world.ts';
import { violationsAtTheEnd } from '../harness/memory/promises.ts';
import { seeded } from '../harness/memory/seeded.ts';
import { keyOf, type TinyMail, tinyMail } from '../harness/memory/tiny-mails.ts';

/** Chosen at random; more of them in a long run: `POSTROOM_RACES=5000`. */
const schedules = Math.ceil(Number(process.env['POSTROOM_RACES'] ?? 100) / 4);

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const copyOf = (mail: TinyMail): TinyMail => ({ ...mail, disposition: 'copy' });
const many = (count: number): TinyMail[] =>
  Array.from({ length: count }, (_, index) => tinyMail(`mail ${index}`));

/** The first upload of a run, which is of its first batch, waits until another batch has claimed its emails. */
function laterBatchFirst(): (call: number, point: string) => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let uploads = 0;
  return async (_call, point) => {
    if (point === 'blob.putOnce') uploads += 1;
    if (point === 'blob.putOnce' && uploads === 1) await promise;
    if (point === 'table.Ledger.commit') setTimeout(resolve, 5);
  };
}

test.each([
  ['plain', tinyMail('twice')],
  ['with an attachment', tinyMail('twice', { attachment: true })],
])('an email (%s) that is in two batches is one message, whichever batch is quicker', async (_what, mail) => {
  const world = new IntakeWorld();
  world.deliver([...many(49), mail, ...many(60).slice(49), copyOf(mail)]);
  const { result } = await world.run({ turn: laterBatchFirst() });
  expect(result).toMatchObject({ kind: 'fetched' });
  await world.runUntilQuiet();
  expect([...world.violations, ...violationsAtTheEnd(world, {})]).toEqual([]);
});

/** Sixty emails, some of them in both batches, with either batch as the quicker one. */
function manyWithCopies(random: () => number): TinyMail[] {
  const mails = many(60).map((mail, index) =>
    index % 7 === 3 ? tinyMail(mail.name, { attachment: true }) : mail,
  );
  const copies = Array.from({ length: 6 }, () => mails[Math.floor(random() * mails.length)]);
  for (const mail of copies) {
    if (mail === undefined) continue;
    const later = 1 + mails.indexOf(mail);
    mails.splice(later + Math.floor(random() * (mails.length - later + 1)), 0, copyOf(mail));
  }
  return mails;
}

test(
  'copies in several batches keep their number despite faults and concurrent processes',
  async () => {
    const found: string[] = [];
    for (let seed = 1; seed <= schedules; seed += 1) {
      const random = seeded(seed);
      const world = new IntakeWorld();
      world.deliver(manyWithCopies(random));
      const faulty = (): RunOptions => {
        const [call, kind] = [1 + Math.floor(random() * 300), Math.floor(random() * faultKinds.length)];
        return { faultAt: only({ call, kind: faultKinds[kind] ?? 'crashBefore' }) };
      };
      await world.run(faulty());
      await world.run(faulty());
      const turn = drawTurns(random);
      await Promise.all([1, 2].map(() => world.run({ ...faulty(), turn, ignoreLease: true })));
      await world.runUntilQuiet();
      for (const violation of [...world.violations, ...violationsAtTheEnd(world, { quarantine: true })])
        found.push(`seed ${seed}: ${violation}`);
    }
    expect(found).toEqual([]);
  },
  schedules * 20_000,
);

test.each([
  ['before it was filed', 'table.Tickets.commit', 0],
  ['after it was filed and before that was noted', 'table.TicketIndex.commit', 1],
] as const)('a copy replaces an email that was deleted %s', async (_when, died, filed) => {
  const world = new IntakeWorld();
  const mail = tinyMail('twice', { attachment: true });
  world.deliver([mail, copyOf(mail)]);
  await world.run({ faultAt: (_call, point) => (point === died ? 'crashBefore' : undefined) });
  const messages = (): unknown[] =>
    world.tables
      .dump('Tickets')
      .filter(({ rowKey }) => rowKey.startsWith('m|'))
      .map((row) => row['key']);
  expect(messages()).toHaveLength(filed);
  world.folder.mails.shift();
  await world.runUntilQuiet();
  expect(messages()).toEqual([keyOf(mail.raw)]);
  expect(world.folder.mails.map(({ seen }) => seen)).toEqual([true]);
});
