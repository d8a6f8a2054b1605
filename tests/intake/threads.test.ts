/** Which ticket an email of a conversation joins, whatever else comes in the same batch. */
import { expect, test } from 'vitest';
import { seeded } from '../harness/memory/seeded.ts';
import { type ThreadMail, ThreadWorld } from './thread-world.ts';

const SUPPORT = 'support@contoso.example';

/**
 * Emails of several conversations, one after the other as they come in: some answer messages that never came, some name a
 * few of their thread only, some come from people who were not asked, some reuse a Message-ID, some are forged.
 */
function conversations(seed: number, count: number): ThreadMail[] {
  const random = seeded(seed);
  const one = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  const threads = Array.from({ length: 8 }, (_, thread) => ({
    people: [1, 2, 3, 4].map((person) => `p${person}@company${thread}.example`),
    /** Message-IDs of the thread with their own references, also of messages that never came. */
    ids: [] as { id: string; references: readonly string[] }[],
  }));
  return Array.from({ length: count }, (_, index): ThreadMail => {
    const thread = one(threads) ?? threads[0];
    if (thread === undefined) throw new Error('there are threads');
    const parent = random() < 0.15 ? undefined : one(thread.ids.slice(-6));
    const key = `mail${index}`;
    const all = parent === undefined ? [] : [...parent.references, parent.id];
    const references =
      random() < 0.3 ? all.slice(-1) : random() < 0.3 ? [...all.slice(0, 1), ...all.slice(-2)] : all;
    const reused = random() < 0.05 ? one(thread.ids)?.id : undefined;
    const id = reused ?? `${key}@mail.example`;
    thread.ids.push({ id, references });
    // Somebody answers from elsewhere, and only the answers to that answer come here.
    if (random() < 0.2)
      thread.ids.push({ id: `unseen${index}@mail.example`, references: [...references, id] });
    return {
      key,
      id,
      from: one(thread.people) ?? SUPPORT,
      to: [SUPPORT, ...(random() < 0.3 ? [one(thread.people) ?? SUPPORT] : [])],
      references: [...new Set(references)],
      isForged: random() < 0.05,
    };
  });
}

async function taken(mails: readonly ThreadMail[], batchSize: number): Promise<unknown> {
  const world = new ThreadWorld();
  await world.take(mails, batchSize);
  return { threads: world.threads(), follows: world.follows() };
}

test.each([1, 2, 3])(
  'where a batch begins and ends shows in no ticket: 300 emails, one by one, 7 and 50 at a time (seed %i)',
  async (seed) => {
    const mails = conversations(seed, 300);
    const alone = await taken(mails, 1);
    expect(await taken(mails, 7)).toEqual(alone);
    expect(await taken(mails, 50)).toEqual(alone);
  },
);
