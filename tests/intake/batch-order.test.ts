import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { fetchShard } from '../../shared/intake/fetch-shard.ts';
import { rawBlobOf } from '../../shared/intake/ledger.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import type { MessageRef } from '../../shared/mailboxes/message-ref.ts';
import type { ParserPool } from '../../shared/mime/parser-pool.ts';
import type { FaultySeam } from '../harness/memory/faulty-seam.ts';
import { type Design, IntakeWorld, parserHere } from '../harness/memory/intake-world.ts';
import { type TinyMail, tinyMail } from '../harness/memory/tiny-mails.ts';

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const many = (count: number, from = 0): TinyMail[] =>
  Array.from({ length: count }, (_, index) => tinyMail(`mail ${from + index}`));

const written = (name: string, fields: readonly string[] = []): TinyMail => ({
  name,
  disposition: 'ticket',
  raw: Buffer.from(
    [
      'From: Kim <kim@customer.example>',
      'To: support@contoso.example',
      `Subject: ${name}`,
      `Message-ID: <${name.replaceAll(' ', '-')}@customer.example>`,
      ...fields,
      '',
      name,
      '',
    ].join('\r\n'),
  ),
});
const replyTo = (name: string, answered: string): TinyMail =>
  written(name, [`In-Reply-To: <${answered.replaceAll(' ', '-')}@customer.example>`]);

/** Numbers of the tickets that contain these emails. */
function ticketsOf(world: IntakeWorld, ...names: string[]): unknown[] {
  const rows = world.tables.dump('Tickets');
  return names.map(
    (name) => rows.find((row) => row.rowKey.startsWith('m|') && row['subject'] === name)?.partitionKey,
  );
}

/** Emails of the ledger that are not done. */
const unsettled = (world: IntakeWorld): [string | undefined, unknown][] =>
  world.tables
    .dump('Ledger')
    .filter((row) => row.rowKey.startsWith('mail|') && row['state'] !== 'done')
    .map((row) => [world.names.get(row.rowKey.slice('mail|'.length)), row['attempts']]);

/** The first call at this point waits a while; whatever should wait for it would otherwise finish long before. */
function slowFirst(point: string): (call: number, at: string) => Promise<void> {
  let seen = 0;
  return async (_call, at) => {
    if (at !== point) return;
    seen += 1;
    if (seen === 1) await pause(300);
  };
}

const deadlyFor =
  (name: string) =>
  (seam: FaultySeam): ParserPool => ({
    ...parserHere,
    parse: async (raw, nonce) =>
      Buffer.from(raw).includes(`Subject: ${name}\r\n`) ? seam.die() : parserHere.parse(raw, nonce),
  });

/** Too long for its ticket's row. */
const unstorable = (name: string) => (): ParserPool => ({
  ...parserHere,
  async parse(raw, nonce) {
    const outcome = await parserHere.parse(raw, nonce);
    if (outcome.kind === 'mail' && Buffer.from(raw).includes(`Subject: ${name}\r\n`))
      outcome.mail.date = 'x'.repeat(33_000);
    return outcome;
  },
});

describe('a batch that is read while the previous one is filed', () => {
  test('decides only after that one: a reply joins the ticket that its parent opens there', async () => {
    const world = new IntakeWorld();
    world.deliver([written('parent'), ...many(49), replyTo('Re: parent', 'parent')]);
    const { result } = await world.run({ turn: slowFirst('table.Numbers.commit') });
    expect(result).toMatchObject({ opened: 50, replies: 1 });
  });

  test('skips a copy in the same run, once the original is done', async () => {
    const world = new IntakeWorld();
    const mail = tinyMail('twice');
    world.deliver([mail, ...many(49), { ...mail, disposition: 'copy' }]);
    const slow = slowFirst('table.Tickets.commit');
    const { promise: firstClaimed, resolve } = Promise.withResolvers<void>();
    let downloads = 0;
    const turn = async (call: number, point: string): Promise<void> => {
      if (point === 'table.Ledger.commit') resolve();
      if (point === 'imap.sources') downloads += 1;
      if (point === 'imap.sources' && downloads > 1) await firstClaimed;
      await slow(call, point);
    };
    const { result } = await world.run({ turn });
    expect(result).toMatchObject({ opened: 50, skipped: 1 });
    expect(world.folder.mails.every(({ seen }) => seen)).toBe(true);
  });

  test('does not begin with an email that may crash the process until that one is done', async () => {
    const world = new IntakeWorld();
    world.deliver([...many(50), tinyMail('deadly')]);
    const parser = deadlyFor('deadly');
    for (let run = 0; run < 2; run += 1)
      expect((await world.run({ parser, turn: slowFirst('table.Tickets.commit') })).seam.dead).toBe(true);
    expect(unsettled(world)).toEqual([['deadly', 2]]);
  });

  test('is not filed once that one has failed and the fetch is over', async () => {
    const world = new IntakeWorld();
    world.deliver(many(100));
    let uploads = 0;
    const { seam, result } = await world.run({
      faultAt: (_call, point) => (point === 'table.Tickets.commit' ? 'failBefore' : undefined),
      turn: async (_call, point) => {
        if (point === 'blob.putOnce') uploads += 1;
        if (point === 'blob.putOnce' && uploads > 50) await pause(100);
      },
    });
    expect(result).toMatchObject({ kind: 'failed', failure: { code: 'table-storage' } });
    const calls = seam.calls.length;
    await pause(400);
    expect(seam.calls.slice(calls)).toEqual([]);
  });
});

describe('an email that was begun before', () => {
  test('is processed in order, so that a later reply joins its ticket', async () => {
    const world = new IntakeWorld();
    world.deliver([written('parent')]);
    await world.run({
      faultAt: (_call, point) => (point === 'table.Numbers.commit' ? 'crashBefore' : undefined),
    });
    world.deliver([replyTo('Re: parent', 'parent')]);
    expect((await world.run()).result).toMatchObject({ opened: 1, replies: 1 });
  });

  test('and its copy: the copy waits until the original is done', async () => {
    const world = new IntakeWorld();
    const mail = tinyMail('twice');
    world.deliver([mail, { ...mail, disposition: 'copy' }]);
    await world.run({ parser: unstorable('twice') });
    expect(world.folder.mails.map(({ seen }) => seen)).toEqual([false, false]);
    expect(world.tables.dump('Quarantine')).toEqual([]);
    await world.runUntilQuiet();
    expect(world.folder.mails.map(({ seen }) => seen)).toEqual([true, true]);
  });
});

describe('a server', () => {
  /** Responds in any order, as RFC 3501 allows. */
  const backwards: Design = (deps, shard) =>
    fetchShard(
      {
        ...deps,
        openInbox: async (...asked) => {
          const inbox = await deps.openInbox(...asked);
          return {
            ...inbox,
            async fetchRaw(refs, each) {
              const came: [MessageRef, Uint8Array][] = [];
              await inbox.fetchRaw(refs, (ref, raw) => came.push([ref, raw]));
              for (const [ref, raw] of came.toReversed()) each(ref, raw);
            },
          };
        },
      },
      shard,
    );

  test('that responds in reverse order does not change decisions, which follow the order of arrival', async () => {
    const world = new IntakeWorld({ design: backwards });
    world.deliver([written('parent'), replyTo('Re: parent', 'parent'), replyTo('Re: again', 'parent')]);
    expect((await world.run()).result).toMatchObject({ opened: 1, replies: 2 });
  });
});

describe('a long chain of References', () => {
  const named = (...names: string[]): string =>
    `References: ${names.map((name) => `<${name}@customer.example>`).join(' ')}`;
  const between = Array.from({ length: 12 }, (_, index) => `never-here-${index}`);

  test('leads to its root if no later message ever reached this mailbox', async () => {
    const world = new IntakeWorld();
    world.deliver([written('root')]);
    await world.run();
    world.deliver([written('late answer', [named('root', ...between)])]);
    await world.run();
    const [root, answer] = ticketsOf(world, 'root', 'late answer');
    expect(answer).toBe(root);
  });

  test('leads to the message nearest to its end', async () => {
    const world = new IntakeWorld();
    world.deliver([written('far'), written('near')]);
    await world.run();
    world.deliver([written('answer', [named('far', 'near')])]);
    await world.run();
    const [near, answer] = ticketsOf(world, 'near', 'answer');
    expect(answer).toBe(near);
  });
});

describe('the position in a folder', () => {
  test('allows a retry of email that could not be stored, even if a colleague has read it meanwhile', async () => {
    const world = new IntakeWorld();
    world.deliver([tinyMail('odd'), tinyMail('plain')]);
    await world.run({ parser: unstorable('odd') });
    for (const mail of world.folder.mails) mail.seen = true;
    await world.run();
    expect(ticketsOf(world, 'odd').every((id) => id !== undefined)).toBe(true);
  });

  test('excludes email that was read before the first fetch, also from the next one', async () => {
    const world = new IntakeWorld();
    world.deliver([tinyMail('unread'), tinyMail('read 1'), tinyMail('read 2')]);
    for (const mail of world.folder.mails.slice(1)) mail.seen = true;
    await world.run();
    await world.run();
    expect(ticketsOf(world, 'unread', 'read 1', 'read 2').map((id) => id !== undefined)).toEqual([
      true,
      false,
      false,
    ]);
  });
});

test('is after all email of a folder that was completely read before the first fetch', async () => {
  const world = new IntakeWorld();
  world.deliver([tinyMail('read 1'), tinyMail('read 2')]);
  for (const mail of world.folder.mails) mail.seen = true;
  for (let run = 0; run < 2; run += 1) expect((await world.run()).result).toEqual({ kind: 'nothing-new' });
});

test('the raw email of another mailbox, folder, validity, UID or message is a different blob', () => {
  const meta = { ref: uidRef(3), size: 10, receivedAt: '2026-11-24T10:00:00.000Z', messageId: '<a@b>' };
  const scope = { folderKey: 'f', validity: '1' };
  const names = [
    rawBlobOf('support', scope, meta),
    rawBlobOf('sales', scope, meta),
    rawBlobOf('support', { ...scope, folderKey: 'g' }, meta),
    rawBlobOf('support', { ...scope, validity: '2' }, meta),
    rawBlobOf('support', scope, { ...meta, ref: uidRef(4) }),
    rawBlobOf('support', scope, { ...meta, size: 11 }),
    rawBlobOf('support', scope, { ...meta, receivedAt: '2026-11-24T10:00:01.000Z' }),
    rawBlobOf('support', scope, { ...meta, messageId: '<c@d>' }),
  ];
  expect(new Set(names).size).toBe(names.length);
});
