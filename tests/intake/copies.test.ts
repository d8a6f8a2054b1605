import { beforeAll, expect, test, vi } from 'vitest';
import { keyOf, type TinyMail, tinyMail } from '../harness/tiny-mails.ts';
import { IntakeWorld } from '../harness/intake-world.ts';
import { violationsAtTheEnd } from '../harness/promises.ts';

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const copyOf = (mail: TinyMail): TinyMail => ({ ...mail, fate: 'copy' });
const many = (count: number): TinyMail[] =>
  Array.from({ length: count }, (_, index) => tinyMail(`mail ${index}`));

/** The first upload of a run, which is of its first batch, waits until another batch has claimed its mails. */
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
])(
  'a mail (%s) that stands in two batches is one message, whichever batch is quicker',
  async (_what, mail) => {
    const world = new IntakeWorld();
    world.deliver([...many(49), mail, ...many(60).slice(49), copyOf(mail)]);
    const { result } = await world.run({ turn: laterBatchFirst() });
    expect(result).toMatchObject({ kind: 'fetched' });
    await world.runUntilQuiet();
    expect([...world.violations, ...violationsAtTheEnd(world, {})]).toEqual([]);
  },
);

test('a copy takes the place of a mail that somebody deleted before it was stored', async () => {
  const world = new IntakeWorld();
  const mail = tinyMail('twice');
  world.deliver([mail, copyOf(mail)]);
  await world.run({
    faultAt: (_call, point) => (point === 'table.Tickets.commit' ? 'crashBefore' : undefined),
  });
  expect(world.tables.dump('Tickets')).toEqual([]);
  world.folder.mails.shift();
  await world.runUntilQuiet();
  const messages = world.tables.dump('Tickets').filter(({ rowKey }) => rowKey.startsWith('m|'));
  expect(messages.map((row) => row['key'])).toEqual([keyOf(mail.raw)]);
  expect(world.folder.mails.map(({ seen }) => seen)).toEqual([true]);
});
