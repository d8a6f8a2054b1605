/** Which ticket an email of a conversation joins, whatever else is in the same batch. */
import { describe, expect, test } from 'vitest';
import type { ThreadRules } from '../../shared/intake/decide-messages.ts';
import { seeded } from '../harness/memory/seeded.ts';
import { type ThreadMail, ThreadWorld } from './thread-world.ts';

const SUPPORT = 'support@contoso.example';

/**
 * Emails of several conversations in order of arrival: some reply to missing messages, some name only a few of their
 * thread, some are from people who were not recipients, some reuse a Message-ID, some are forged.
 */
function conversations(seed: number, count: number): ThreadMail[] {
  const random = seeded(seed);
  const one = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  const threads = Array.from({ length: 8 }, (_, thread) => ({
    people: [1, 2, 3, 4].map((person) => `p${person}@company${thread}.example`),
    /** Message-IDs of the thread with their own references, including missing messages. */
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
    // Someone replies from elsewhere, and only the replies to that arrive here.
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

/** The same, with absence notes, and bounces that return a message of a participant, or of no one. */
function withMachines(mails: readonly ThreadMail[], seed: number): ThreadMail[] {
  const random = seeded(seed);
  return mails.map((mail, index): ThreadMail => {
    const before = mails[index - 1 - Math.floor(random() * 5)];
    const chance = random();
    if (chance < 0.15) return { ...mail, isAbsence: true };
    if (chance > 0.3 || before === undefined) return mail;
    const recipient = random() < 0.7 ? before.from : 'nobody@elsewhere.example';
    const { key, isForged = false } = mail;
    const id = before.id ?? before.key;
    return { key, isForged, from: 'mailer-daemon@mx.example', bounceOf: { recipient, id } };
  });
}

async function taken(
  mails: readonly ThreadMail[],
  batchSize: number,
  rules: ThreadRules = {},
): Promise<unknown> {
  const world = new ThreadWorld(rules);
  await world.take(mails, batchSize);
  return { threads: world.threads(), follows: world.follows() };
}

test.each([1, 2, 3])(
  'the boundaries of batches affect no ticket: 300 emails, one by one, 7 and 50 at a time (seed %i)',
  async (seed) => {
    const mails = conversations(seed, 300);
    const alone = await taken(mails, 1);
    expect(await taken(mails, 7)).toEqual(alone);
    expect(await taken(mails, 50)).toEqual(alone);
    const rules = { colleaguesJoin: true };
    const together = await taken(mails, 1, rules);
    expect(together).not.toEqual(alone);
    expect(await taken(mails, 50, rules)).toEqual(together);
  },
);

test.each([1, 2, 3])(
  'nor with automatic replies and bounces, also once tickets are closed (seed %i)',
  async (seed) => {
    const mails = withMachines(conversations(seed, 300), seed);
    const outcome = async (batchSize: number): Promise<unknown> => {
      const world = new ThreadWorld();
      await world.take(mails.slice(0, 150), batchSize);
      for (const number of Object.keys(world.threads()).map(Number))
        if (number % 2 === 0)
          await world.tickets.setStatus((await world.tickets.byNumber(number)) ?? '', 'closed');
      await world.take(mails.slice(150), batchSize);
      return { threads: world.threads(), follows: world.follows(), statuses: world.statuses() };
    };
    const alone = await outcome(1);
    expect(await outcome(7)).toEqual(alone);
    expect(await outcome(50)).toEqual(alone);
  },
);

describe('a bounce', () => {
  const KIM = 'kim@customer.example';
  const DAEMON = 'mailer-daemon@mx.example';
  const first: ThreadMail = { key: 'first', from: KIM };
  const bounce: ThreadMail = {
    key: 'bounce',
    from: DAEMON,
    bounceOf: { recipient: KIM, id: 'first' },
  };
  const late: ThreadMail = { key: 'late', from: DAEMON, references: ['bounce'] };

  test.each([1, 3])(
    'joins the ticket of the recipient it reports on, which its sender does not (batches of %i)',
    async (size) => {
      const world = new ThreadWorld();
      await world.take([first, bounce, late], size);
      expect(world.threads()).toEqual({ 1: ['first', 'bounce'], 2: ['late'] });
      expect(world.follows()).toEqual({ 2: 1 });
    },
  );

  test.each([1, 3])('that opens a ticket adds no participant (batches of %i)', async (size) => {
    const world = new ThreadWorld();
    await world.take([{ ...bounce, bounceOf: { recipient: KIM, id: 'unknown' } }, late], size);
    expect(world.threads()).toEqual({ 1: ['bounce'], 2: ['late'] });
  });
});

/** Three people of one company, who write only to the mailbox, and each time reply to one of the last few messages. */
function companyThread(domain: string): ThreadMail[] {
  const random = seeded(40);
  const mails: ThreadMail[] = [];
  for (let index = 0; index < 40; index += 1) {
    const parent = mails[Math.max(0, index - 1 - Math.floor(random() * 3))];
    const person = index === 0 ? 0 : Math.floor(random() * 3);
    const references = parent === undefined ? [] : [...(parent.references ?? []), parent.key];
    mails.push({ key: `mail${index}`, from: `person${person}@${domain}`, references });
  }
  return mails;
}

describe('forty messages of three people of one company', () => {
  const numbers = async (domain: string, rules: ThreadRules, batchSize: number): Promise<string[]> => {
    const world = new ThreadWorld(rules);
    await world.take(companyThread(domain), batchSize);
    return Object.keys(world.threads());
  };

  test.each([1, 7, 50])('are one ticket if colleagues join (batches of %i)', async (batchSize) => {
    expect(await numbers('sales.contoso.co.uk', { colleaguesJoin: true }, batchSize)).toEqual(['1']);
  });

  test.each([1, 7, 50])('are a ticket for each person if they do not (batches of %i)', async (batchSize) => {
    expect(await numbers('sales.contoso.co.uk', {}, batchSize)).toEqual(['1', '2', '3']);
    expect(await numbers('gmail.com', { colleaguesJoin: true }, batchSize)).toEqual(['1', '2', '3']);
  });
});

describe('a colleague of the requester', () => {
  const first: ThreadMail = { key: 'first', from: 'kim@contoso.example' };
  const reply = (wish: Partial<ThreadMail> = {}): ThreadMail => ({
    key: 'reply',
    from: 'lee@contoso.example',
    references: ['first'],
    ...wish,
  });
  const taken = async (mails: readonly ThreadMail[], closes = false): Promise<ThreadWorld> => {
    const world = new ThreadWorld({ colleaguesJoin: true });
    await world.take(mails.slice(0, 1));
    const id = await world.tickets.byNumber(1);
    if (closes && id !== undefined) await world.tickets.setStatus(id, 'closed');
    await world.take(mails.slice(1));
    return world;
  };

  test('joins the ticket, also from another host of the domain, and is then a participant', async () => {
    const world = await taken([first, reply({ from: 'lee@mail.sales.CONTOSO.example' })]);
    expect(world.threads()).toEqual({ 1: ['first', 'reply'] });
  });

  test.each([
    ['whom the mail server refutes', reply({ isForged: true }), false],
    ['whose email is no reply', reply({ references: [] }), false],
    ['who was only a recipient', reply({ from: 'max@elsewhere.example' }), false],
    ['whose ticket is closed', reply(), true],
  ])('%s opens a ticket', async (_who, mail, closes) => {
    const to = ['support@fabrikam.example', 'ann@elsewhere.example'];
    const world = await taken([{ ...first, to }, mail], closes);
    expect(world.threads()).toEqual({ 1: ['first'], 2: ['reply'] });
  });
});

describe('a ticket that follows another one', () => {
  test('is linked from there, and links back', async () => {
    const world = new ThreadWorld();
    const strangers = ['one', 'two'].map((key) => ({
      key,
      from: `${key}@elsewhere.example`,
      references: ['first'],
    }));
    await world.take([{ key: 'first', from: 'kim@contoso.example' }, ...strangers]);
    expect(world.follows()).toEqual({ 2: 1, 3: 1 });
    const { followers, more } = await world.tickets.followers((await world.tickets.byNumber(1)) ?? '');
    expect([followers.map(({ number }) => number), more]).toEqual([[2, 3], false]);
    expect(followers.map(({ followerId }) => followerId)).toEqual([
      await world.tickets.byNumber(2),
      await world.tickets.byNumber(3),
    ]);
  });
});
