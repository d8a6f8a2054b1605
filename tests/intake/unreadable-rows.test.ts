/** Rows of the intake that were damaged by hand: a fetch continues, loses nothing and files nothing twice. */
import { beforeAll, expect, test, vi } from 'vitest';
import type { Row, TableName } from '../../shared/platform/tables.ts';
import { IntakeWorld } from '../harness/memory/intake-world.ts';
import { violationsAtTheEnd } from '../harness/memory/promises.ts';
import { type TinyMail, tinyMail } from '../harness/memory/tiny-mails.ts';

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

/** Three emails that were fetched, and are on the server as if they never were. */
async function fetchedWorld(): Promise<IntakeWorld> {
  const world = new IntakeWorld();
  world.deliver(['one', 'two', 'three'].map((name) => tinyMail(name)));
  await world.runUntilQuiet();
  return world;
}

async function spoil(
  { tables }: IntakeWorld,
  name: TableName,
  which: (row: Row) => boolean,
  change: Partial<Row>,
): Promise<void> {
  const row = tables.dump(name).find(which);
  if (row === undefined) throw new Error(`no such row in ${name}`);
  await tables.open(name).commit(row.partitionKey, [{ kind: 'put', row: { ...row, ...change } }]);
}

test.each<[string, string, Partial<Row>]>([
  ['where an email was', 'at|', { key: 7 }],
  ['what became of an email', 'mail|', { state: 'pondered' }],
  ['what was decided for an email', 'mail|', { decision: '{' }],
])('a row that says %s does not stop a fetch that finds its email again', async (_what, prefix, change) => {
  const world = await fetchedWorld();
  await spoil(world, 'Ledger', ({ rowKey }) => rowKey.startsWith(prefix), change);
  // The emails have new places, unread: all are found again, with new email.
  world.folder.renumber();
  for (const mail of world.folder.mails) Object.assign(mail, { seen: false, settled: false });
  world.deliver([tinyMail('four')]);
  await world.runUntilQuiet();
  expect(world.folder.mails.every(({ seen }) => seen)).toBe(true);
  expect([...world.violations, ...violationsAtTheEnd(world, { moreCopies: true })]).toEqual([]);
});

test('a reply to a ticket that cannot be read opens another one, and the rest of the batch is filed', async () => {
  const mail = (name: string, fields: readonly string[] = []): TinyMail => ({
    name,
    disposition: 'ticket',
    raw: Buffer.from(
      [
        'From: kim@customer.example',
        `Subject: ${name}`,
        `Message-ID: <${name}@c>`,
        ...fields,
        '',
        name,
        '',
      ].join('\r\n'),
    ),
  });
  const world = new IntakeWorld();
  world.deliver([mail('parent')]);
  await world.runUntilQuiet();
  await spoil(world, 'Tickets', ({ rowKey }) => rowKey === 'head', { participants: '{' });
  world.deliver([mail('reply', ['In-Reply-To: <parent@c>']), mail('other')]);
  const { result } = await world.run();
  expect(result).toMatchObject({ opened: 2, replies: 0 });
  expect(world.folder.mails.every(({ seen }) => seen)).toBe(true);
});
