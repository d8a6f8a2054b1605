import { beforeEach, describe, expect, test } from 'vitest';
import { ticketIdOf } from '../../shared/intake/content-key.ts';
import { fetchShard } from '../../shared/intake/fetch-shard.ts';
import { type EmailSearch, findEmail, MAX_FOUND, readQuery } from '../../shared/intake/find-email.ts';
import { findOnServer } from '../../shared/intake/find-on-server.ts';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import { InboxError } from '../../shared/mailboxes/inbox.ts';
import type { ParserPool } from '../../shared/mime/parser-pool.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { IntakeWorld, parserHere } from '../harness/memory/intake-world.ts';
import { MemoryFolder, openMemoryInbox } from '../harness/memory/memory-inbox.ts';

describe('a query', () => {
  test.each([
    ['<a@b.example>', { words: '', messageId: '<a@b.example>' }],
    ['Message-ID: <a@b.example>', { words: '', messageId: '<a@b.example>' }],
    ['Ada@Fabrikam.example', { words: 'ada@fabrikam.example', messageId: '<Ada@Fabrikam.example>' }],
    ['  Printer\n on  fire ', { words: 'printer on fire', messageId: undefined }],
    ['AW: Re[2]: Printer', { words: 'printer', messageId: undefined }],
    ['Re:', { words: 're:', messageId: undefined }],
    ['Ada Byron <ada@fabrikam.example>', { words: 'ada@fabrikam.example', messageId: undefined }],
  ])('%j is read', (typed, query) => {
    expect(readQuery(typed)).toEqual(query);
  });

  test('that is empty is none, and any length is accepted', () => {
    expect(readQuery(' \n')).toBeUndefined();
    expect(readQuery('x'.repeat(10_000))?.words).toHaveLength(500);
  });
});

const letter = (
  id: string,
  { from = 'Kim Berg <kim@customer.example>', subject = 'A printer on fire', more = '', body = 'Hello' } = {},
): Uint8Array =>
  Buffer.from(
    `From: ${from}\r\nTo: support@contoso.example\r\nSubject: ${subject}\r\nMessage-ID: <${id}@customer.example>\r\n${more}\r\n${body}\r\n`,
  );
const reply = 'In-Reply-To: <a@customer.example>\r\n';
const failing: ParserPool = {
  parse: (raw, nonce) =>
    Buffer.from(raw).includes('Kaboom')
      ? Promise.resolve({ kind: 'unreadable', reason: 'it needs too much memory' })
      : parserHere.parse(raw, nonce),
  async close() {},
};

let world: IntakeWorld;
const deps = () => ({
  tables: world.tables,
  ledger: createLedgerStore(world.tables),
  quarantine: createQuarantineStore(world),
  ticketIdOf,
});
const find = (typed: string, mailboxId = 'support'): Promise<EmailSearch> =>
  findEmail(deps(), [{ id: mailboxId }], readQuery(typed) ?? { words: '', messageId: undefined });
const summaries = async (typed: string, mailboxId?: string): Promise<string[]> =>
  (await find(typed, mailboxId)).found.map(({ trace }) => trace.summary);

describe('an email', () => {
  beforeEach(async () => {
    world = new IntakeWorld();
    const mails = [
      letter('a'),
      letter('b', { subject: 'Re: A printer on fire', more: reply }),
      letter('a'),
      letter('c', { from: 'bad@customer.example', subject: 'Bomb', body: 'Kaboom' }),
      Buffer.from('not an email at all'),
    ];
    for (const [index, raw] of mails.entries()) world.folder.deliver(raw, `2026-11-24T09:0${index}:00.000Z`);
    expect((await world.run({ parser: () => failing })).error).toBeUndefined();
  });

  test('that opened a ticket is found by its sender, subject and Message-ID', async () => {
    for (const typed of ['<a@customer.example>', 'a@customer.example'])
      expect(await summaries(typed)).toContain('Opened ticket #1.');
    expect(await summaries('KIM@customer')).toEqual(
      expect.arrayContaining(['Opened ticket #1.', 'Added to ticket #1 as a reply.']),
    );
    expect(await summaries('printer on')).toContain('Opened ticket #1.');
    const [email] = (await find('<b@customer.example>')).found;
    expect(email).toMatchObject({
      from: 'kim@customer.example',
      subject: 'Re: A printer on fire',
      receivedAt: '2026-11-24T09:01:00.000Z',
    });
    expect(email?.trace).toMatchObject({ summary: 'Added to ticket #1 as a reply.', ticket: { number: 1 } });
  });

  test('that is a copy is found beside its original', async () => {
    expect((await summaries('<a@customer.example>')).sort()).toEqual([
      'Opened ticket #1.',
      'Skipped: it is a copy of an email in ticket #1.',
    ]);
  });

  test('that is a copy has the texts of its original', async () => {
    const { found } = await find('<a@customer.example>');
    expect(found.map(({ subject, from }) => [subject, from])).toEqual([
      ['A printer on fire', 'kim@customer.example'],
      ['A printer on fire', 'kim@customer.example'],
    ]);
  });

  test('that could not be read is found by its header, with the reason', async () => {
    for (const typed of ['bad@customer.example', 'bomb', '<c@customer.example>']) {
      const { found } = await find(typed);
      expect(
        found.map(({ trace, isUnimported }) => [trace.summary, isUnimported]),
        typed,
      ).toEqual([['Not imported: it needs too much memory.', true]]);
    }
  });

  test('that was skipped on purpose is found by its sender, subject and Message-ID, with the reason', async () => {
    world = new IntakeWorld({
      design: (shardDeps, shard) => fetchShard({ ...shardDeps, isOwnTest: async () => true }, shard),
    });
    world.folder.deliver(letter('own', { subject: 'Sending test' }), '2026-11-24T09:00:00.000Z');
    await world.run();
    for (const typed of ['sending test', 'kim@customer', '<own@customer.example>'])
      expect(await summaries(typed), typed).toEqual([
        'Skipped: the test email that “Test connection” sent to this mailbox.',
      ]);
  });

  test('has the time of each step, by the storage and the mail server', async () => {
    const [email] = (await find('<b@customer.example>')).found;
    const times = email?.trace.steps.map(({ at }) => at);
    expect(times?.[0]).toBe('2026-11-24T09:01:00.000Z');
    for (const at of times?.slice(1) ?? []) expect(at).toMatch(/^20\d\d-/);
  });

  test('of another mailbox is not found', async () => {
    expect(await summaries('<a@customer.example>', 'sales')).toEqual([]);
    expect(await summaries('printer', 'sales')).toEqual([]);
  });

  test('in a closed ticket is found, too', async () => {
    const { tickets } = await world.tickets.page('open', { limit: 5 });
    for (const { id } of tickets) await world.tickets.setStatus(id, 'closed');
    expect(await summaries('printer')).toContain('Opened ticket #1.');
  });

  test('is one of the newest, and it is reported that there are more', async () => {
    for (let number = 0; number < 30; number += 1)
      world.folder.deliver(
        letter(`n${number}`, { subject: `Order ${number}` }),
        `2026-11-24T10:${10 + number}:00.000Z`,
      );
    await world.run();
    const { found, more } = await find('order');
    expect(found).toHaveLength(MAX_FOUND);
    expect(more).toBe(true);
    expect(found[0]?.subject).toBe('Order 29');
  });
});

describe('the mail server', () => {
  const junk = new MemoryFolder();
  const serverDeps = (failure?: InboxError) => ({
    ...deps(),
    accessTokens: { get: async () => ({ kind: 'token' as const, token: new Secret('t') }) },
    openInbox: async ({ folder }: { folder: string }) => {
      if (failure !== undefined) throw failure;
      return openMemoryInbox(folder === 'INBOX' ? world.folder : junk, openSeam);
    },
  });

  test('is searched for what is in the folder, with its trace, and what is in Junk', async () => {
    world = new IntakeWorld();
    world.folder.deliver(letter('a'), '2026-11-24T09:00:00.000Z');
    await world.run();
    world.folder.deliver(letter('new'), '2026-11-24T10:00:00.000Z');
    junk.deliver(letter('junk'), '2026-11-24T11:00:00.000Z');
    const answer = await findOnServer(serverDeps(), world.mailbox, { words: 'kim@', messageId: undefined });
    expect(answer).toMatchObject({
      kind: 'asked',
      folders: [
        {
          folder: 'INBOX',
          isJunk: false,
          count: 2,
          messages: [
            { messageId: '<new@customer.example>', trace: undefined },
            { messageId: '<a@customer.example>', trace: { summary: 'Opened ticket #1.' } },
          ],
        },
        {
          folder: 'Junk Email',
          isJunk: true,
          count: 1,
          messages: [{ messageId: '<junk@customer.example>' }],
        },
      ],
    });
    expect(
      world.folder.mails.map(({ seen }) => seen),
      'nothing is marked',
    ).toEqual([true, false]);
  });

  test('that cannot be reached is reported as such', async () => {
    world = new IntakeWorld();
    const away = new InboxError('unavailable', 'The mail server said: away');
    expect(await findOnServer(serverDeps(away), world.mailbox, { words: 'x', messageId: undefined })).toEqual(
      {
        kind: 'failed',
        message: expect.stringContaining('does not answer as it should'),
      },
    );
  });
});
