/** Automatic email over its limits: everything is filed, the excess is folded, and an alert is opened. */
import { beforeEach, expect, test, vi } from 'vitest';
import { createActivityStore } from '../../shared/activity/activity-store.ts';
import { loopFindings } from '../../shared/alerts/health-findings.ts';
import { ticketIdOf } from '../../shared/intake/content-key.ts';
import { fetchShard, type ShardDeps } from '../../shared/intake/fetch-shard.ts';
import { loopLimits } from '../../shared/intake/fold-loops.ts';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import type { Seam, SeamPoint } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import type { Row } from '../../shared/platform/tables.ts';
import { mailboxOf, parserHere } from '../harness/memory/intake-world.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryFolder, openMemoryInbox } from '../harness/memory/memory-inbox.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-11-24T10:00:00.000Z');

beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

class Postroom {
  readonly points: SeamPoint[] = [];
  readonly folder = new MemoryFolder();
  now = START;
  readonly seam: Seam = {
    now: () => this.now,
    call: (point, effect) => {
      this.points.push(point);
      return effect();
    },
  };
  readonly tables = new MemoryTables(this.seam);
  readonly mailboxes = createMailboxStore(this.tables);
  readonly deps: ShardDeps = {
    seam: this.seam,
    tables: this.tables,
    blobs: new MemoryBlobs(this.seam),
    ledger: createLedgerStore(this.tables),
    quarantine: createQuarantineStore({ tables: this.tables }),
    parser: parserHere,
    ticketIdOf,
    accessTokens: { get: async () => ({ kind: 'token', token: new Secret('t') }) },
    openInbox: () => openMemoryInbox(this.folder, this.seam),
    saveCursor: this.mailboxes.saveCursor,
    mailboxes: this.mailboxes,
    activity: createActivityStore(this.tables),
  };
  #delivered = 0;

  deliver(headers: readonly string[], at = this.now): void {
    this.#delivered += 1;
    const id = `Message-ID: <${this.#delivered}@elsewhere.example>`;
    this.folder.deliver(
      Buffer.from([...headers, id, 'Subject: Out of office', '', `Away ${this.#delivered}`, ''].join('\r\n')),
      new Date(at).toISOString(),
    );
  }

  async fetch(): Promise<void> {
    this.now += 61_000;
    // By default automatic replies are folded from the first one on.
    const classes = { 'auto-reply': 'ticket', 'out-of-office': 'ticket' } as const;
    await this.mailboxes.save({ ...mailboxOf({ kind: 'mark-seen' }), classes });
    const result = await fetchShard(this.deps, { shard: 0, mailboxIds: ['support'] });
    expect(result.get('support')).toMatchObject({ kind: 'fetched', quarantined: 0, skipped: 0, more: false });
  }

  messages(): Row[] {
    return this.tables.dump('Tickets').filter(({ rowKey }) => rowKey.startsWith('m|'));
  }

  /** Calls to storage since the last time, without those that a run makes once. */
  calls(): number {
    return this.points.splice(0).filter((point) => /^(?:table|blob)\./.test(point)).length;
  }
}

const kim = ['From: kim@customer.example', 'To: support@contoso.example'];
const robot = ['From: kim@customer.example', 'To: support@contoso.example', 'Auto-Submitted: auto-replied'];
const answer = 'In-Reply-To: <1@elsewhere.example>';

test('5,000 replies of a loop are all filed once, folded beyond the limit, and none costs more than the first', async () => {
  const postroom = new Postroom();
  postroom.deliver(kim);
  await postroom.fetch();
  const costs: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    for (let index = 0; index < 500; index += 1) postroom.deliver([...robot, answer], START);
    postroom.calls();
    await postroom.fetch();
    costs.push(postroom.calls());
  }
  const messages = postroom.messages();
  expect(messages).toHaveLength(5001);
  expect(new Set(messages.map((row) => row['key'])).size).toBe(5001);
  expect(new Set(messages.map((row) => row.partitionKey)).size).toBe(1);
  expect(postroom.folder.mails.every(({ seen }) => seen)).toBe(true);
  const unfolded = messages.filter((row) => row['folded'] === undefined);
  expect(unfolded).toHaveLength(1 + loopLimits.conversation);
  expect(
    Math.max(...costs.slice(1)) - (costs[1] ?? 0),
    'storage calls a round do not grow',
  ).toBeLessThanOrEqual(20);

  const { loops } = await postroom.mailboxes.fetchState();
  expect(loops).toMatchObject([{ mailboxId: 'support', sender: 'kim@customer.example', count: 5000 }]);
  const facts = { mailboxes: await postroom.mailboxes.list(), state: await postroom.mailboxes.fetchState() };
  expect(loopFindings(facts, postroom.now)).toMatchObject([
    {
      kind: 'mail-loop',
      severity: 'warning',
      headline:
        'Possible mail loop with kim@customer.example: 5000 automatic messages to support@contoso.example within an hour.',
      fix: { href: `/tickets/${messages[0]?.partitionKey}` },
    },
  ]);
  expect(loopFindings(facts, postroom.now + 2 * HOUR), 'an hour later it is over').toEqual([]);
});

test('ordinary email costs no additional request, and is never folded', async () => {
  const [plain, automatic] = [new Postroom(), new Postroom()];
  for (const [postroom, headers] of [
    [plain, kim],
    [automatic, robot],
  ] as const) {
    for (let index = 0; index < 50; index += 1) postroom.deliver(headers);
    await postroom.fetch();
  }
  expect(plain.tables.dump('Ledger').some(({ rowKey }) => rowKey.startsWith('auto|'))).toBe(false);
  expect(automatic.calls() - plain.calls(), 'a sender that is counted: a read and a write a batch').toBe(2);
  for (let index = 0; index < 150; index += 1) plain.deliver([...kim, answer]);
  await plain.fetch();
  expect(plain.messages().filter((row) => row['folded'] !== undefined)).toEqual([]);
});

test('a run that is repeated folds the same email', async () => {
  const postroom = new Postroom();
  for (let index = 0; index < loopLimits.sender + 5; index += 1) postroom.deliver(robot);
  const seam = { fails: true };
  const { quarantine } = postroom.deps;
  const broken = postroom.tables.behind({
    ...postroom.seam,
    call: (point, effect) =>
      seam.fails && point === 'table.TicketIndex.commit' ? Promise.reject(new Error('died')) : effect(),
  });
  await postroom.mailboxes.save(mailboxOf({ kind: 'mark-seen' }));
  await fetchShard({ ...postroom.deps, tables: broken, quarantine }, { shard: 0, mailboxIds: ['support'] });
  const decisions = (): unknown[] =>
    postroom.tables
      .dump('Ledger')
      .filter(({ rowKey }) => rowKey.startsWith('mail|'))
      .map((row) => row['decision'])
      .filter((decision) => decision !== undefined);
  const before = decisions();
  expect(before.length).toBeGreaterThan(0);
  postroom.now += HOUR;
  await postroom.fetch();
  expect(decisions()).toEqual(expect.arrayContaining(before));
  expect(postroom.messages()).toHaveLength(loopLimits.sender + 5);
  expect(postroom.messages().filter((row) => row['folded'] !== undefined)).toHaveLength(5);
});
