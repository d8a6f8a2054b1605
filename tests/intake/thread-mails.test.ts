/** Emails of tests/mail, imported by the whole intake: the ticket of each of them. */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { IntakeWorld, mailboxOf } from '../harness/memory/intake-world.ts';
import { ownMail } from '../harness/memory/mail-files.ts';
import { violationsAtTheEnd } from '../harness/memory/promises.ts';

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

/** The ticket number of each email, in their order; each is fetched alone, or all together. */
async function ticketsOf(
  names: readonly string[],
  { together, colleaguesJoin }: { together: boolean; colleaguesJoin?: boolean },
): Promise<number[]> {
  const world = new IntakeWorld();
  world.mailbox = { ...mailboxOf({ kind: 'mark-seen' }), colleaguesJoin };
  const mails = names.map((name) => ({ name, raw: ownMail(name), disposition: 'ticket' as const }));
  for (const batch of together ? [mails] : mails.map((mail) => [mail])) {
    world.deliver(batch);
    await world.run();
  }
  await world.runUntilQuiet();
  expect([...world.violations, ...violationsAtTheEnd(world, {})]).toEqual([]);
  const rows = world.tables.dump('Tickets');
  const numbers = new Map(
    rows.filter(({ rowKey }) => rowKey === 'head').map((row) => [row.partitionKey, Number(row['number'])]),
  );
  const keys = new Map([...world.names].map(([key, name]) => [name, key]));
  return names.map((name) => {
    const message = rows.find((row) => row.rowKey.startsWith('m|') && row['key'] === keys.get(name));
    return numbers.get(message?.partitionKey ?? '') ?? 0;
  });
}

describe.each([true, false])('in one batch: %s', (together) => {
  test('two replies to a missing message are one ticket', async () => {
    expect(await ticketsOf(['sibling-kim.eml', 'sibling-kim-again.eml'], { together })).toEqual([1, 1]);
  });

  test('a colleague who was not a recipient joins if the mailbox allows it', async () => {
    const names = ['sibling-kim.eml', 'sibling-kim-again.eml', 'reply-of-colleague.eml'];
    expect(await ticketsOf(names, { together })).toEqual([1, 1, 2]);
    expect(await ticketsOf(names, { together, colleaguesJoin: true })).toEqual([1, 1, 1]);
  });
});

test('a tag in the subject leads its participant to the ticket, and no stranger', async () => {
  const names = ['sibling-kim.eml', 'reply-by-subject-tag.eml', 'subject-tag-of-stranger.eml'];
  expect(await ticketsOf(names, { together: false })).toEqual([1, 1, 2]);
});
