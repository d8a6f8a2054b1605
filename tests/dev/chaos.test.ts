/** What `npm run chaos` compares, and the faults it causes; the run itself is part of .ci/run. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { auditCopies, type JudgedMessage, judge } from '../../dev/chaos/audit-messages.ts';
import { auditRows } from '../../dev/chaos/audit-rows.ts';
import { chanceOf } from '../../dev/chaos/chance.ts';
import { planDeliveries } from '../../dev/chaos/deliveries.ts';
import { backUp, imapMisbehaviour, restore } from '../../dev/chaos/misbehave.ts';
import { misbehaviours, readOptions } from '../../dev/chaos/options.ts';
import { ownKeysOf } from '../../dev/chaos/own-key.ts';
import { type Found, isOfLostMessage, placesOf, type StoredRow } from '../../dev/chaos/records.ts';
import { faultyStorage } from '../../dev/chaos/storage-faults.ts';
import { calmWeather } from '../../dev/chaos/weather.ts';
import type { ChaosWorld } from '../../dev/chaos/world.ts';

const letter = (subject: string, body: string, end = '\r\n'): Buffer =>
  Buffer.from([`Subject: ${subject}`, 'From: pat@customer.example', '', body, ''].join(end));
const row = (partitionKey: string, rowKey: string, columns: Record<string, unknown> = {}): StoredRow => ({
  ...columns,
  partitionKey,
  rowKey,
});
const message = (rawBlob: string, key = 'k'): Found => ({
  kind: 'message',
  key,
  row: row('ticket', 'm|1', { rawBlob, key }),
});
const skipped = (reason: string): Found => ({ kind: 'skipped', key: 'k', row: row('box', 'q', { reason }) });
const kinds = (flags: readonly { kind: string }[]): string[] => flags.map(({ kind }) => kind);

describe('a message on the server', () => {
  const raw = letter('A', 'a');
  const blobs = new Map([
    ['same', raw],
    ['other', letter('B', 'b')],
  ]);
  const at = { address: 'box@contoso.example', place: 'box/1/1', seen: true, raw, reused: false };
  const flagsOf = async (found: Found[], more: Partial<typeof at> = {}): Promise<string[]> =>
    kinds((await judge({ ...at, ...more }, found, async (name) => blobs.get(name))).flags);

  test('that is stored once, byte for byte, and read is correct', async () => {
    expect(await flagsOf([message('same')])).toEqual([]);
  });

  test('that is recorded nowhere is lost', async () => {
    expect(await flagsOf([])).toEqual(['LOST']);
  });

  test('that is recorded twice is duplicated', async () => {
    expect(await flagsOf([message('same'), skipped('copy of #1')])).toEqual(['DOUBLED']);
  });

  test('that is stored and unread, stored with other bytes, or without any is flagged', async () => {
    expect(await flagsOf([message('same')], { seen: false })).toEqual(['stored and still unread']);
    expect(await flagsOf([message('other')])).toEqual(['raw blob differs from the message']);
    expect(await flagsOf([message('gone')])).toEqual(['raw blob missing']);
  });

  test('that is a copy may have a different route than its twin, and is no copy of another message', async () => {
    const twin = Buffer.concat([Buffer.from('Received: by relay\r\n'), raw]);
    const flagsOfCopy = async (stored: Buffer): Promise<string[]> => {
      const copy = { ...skipped('copy of #1'), row: row('box', 'q', { reason: 'copy of #1', rawBlob: 'b' }) };
      return kinds((await judge(at, [copy], async () => stored)).flags);
    };
    expect(await flagsOfCopy(twin)).toEqual([]);
    expect(await flagsOfCopy(letter('A', 'b'))).toEqual(['raw blob differs from the message']);
  });

  test('that the server cut off twice is stored incomplete, and its ticket says so', async () => {
    const notes = JSON.stringify(['The mail server announced 9 bytes but returned 5 bytes each time.']);
    const cut = raw.subarray(0, 20);
    const flagsOfCut = async (stored: Buffer, columns: Record<string, unknown>): Promise<string[]> => {
      const found = { ...message('cut'), row: row('ticket', 'm|1', { rawBlob: 'cut', ...columns }) };
      return kinds((await judge(at, [found], async () => stored)).flags);
    };
    expect(await flagsOfCut(cut, { notes })).toEqual([]);
    expect(await flagsOfCut(cut, {})).toEqual(['raw blob differs from the message']);
    expect(await flagsOfCut(letter('B', 'b').subarray(0, 20), { notes })).toEqual([
      'raw blob differs from the message',
    ]);
  });

  test('under a reused UID is not confused with the earlier message', async () => {
    expect(await flagsOf([message('other')], { reused: true })).toEqual(['LOST']);
    expect(await flagsOf([message('other'), message('same')], { reused: true })).toEqual([]);
  });
});

describe('copies', () => {
  const judged = (raw: Buffer, ...found: Found[]): JudgedMessage => ({
    address: 'box@contoso.example',
    place: 'p',
    seen: true,
    raw,
    keys: ownKeysOf(raw),
    found,
  });

  test('are flagged if one content is filed twice, or if they have no twin', () => {
    const twice = [judged(letter('A', 'a'), message('1')), judged(letter('A', 'a'), message('2'))];
    expect(kinds(auditCopies(twice))).toEqual(['same content filed more than once']);
    const alone = [judged(letter('A', 'a'), skipped('copy of #1'))];
    expect(kinds(auditCopies(alone))).toEqual(['skipped as a copy without a twin']);
  });

  test('are correct if one content is filed once and skipped once', () => {
    const pair = [judged(letter('A', 'a'), message('1')), judged(letter('A', 'a'), skipped('copy of #1'))];
    expect(auditCopies(pair)).toEqual([]);
  });

  test('have a header, even if their lines end with CR only', () => {
    expect(ownKeysOf(letter('A', 'a', '\r')).loose).not.toBe(ownKeysOf(letter('B', 'a', '\r')).loose);
    const moved = Buffer.from('X-Trace: 1\rSubject: A\rFrom: pat@customer.example\r\ra\r');
    expect(ownKeysOf(moved).loose).toBe(ownKeysOf(letter('A', 'a', '\r')).loose);
  });

  test('without a header are distinguished by their text', () => {
    expect(ownKeysOf(Buffer.from('one')).strict).not.toBe(ownKeysOf(Buffer.from('two')).strict);
  });
});

describe('rows', () => {
  const head = { number: 1, messageCount: 1, status: 'open' };
  const healthy = {
    tickets: [row('t', 'head', head), row('t', 'm|1|k', { key: 'k' }), row('t', 'a|1|k|0')],
    index: [row('open', '1|t', { ...head, id: 't' })],
    numbers: [row('n', '0000000001', { ticketId: 't' }), row('counter', 'counter', { last: 1 })],
    messageIds: [row('box', 'hash|t', { ticketId: 't' })],
    ledger: [row('box', 'mail|k', { state: 'done' })],
    accounts: [row('p', 'a', { state: 'ok' })],
  };

  test('that agree are not flagged', () => {
    expect(auditRows(healthy)).toEqual([]);
  });

  test.each([
    ['row of a ticket without a head', { tickets: [...healthy.tickets, row('x', 'event|1')] }],
    ['attachment without its message', { tickets: [...healthy.tickets, row('t', 'a|2|k|0')] }],
    ['head counts wrong', { tickets: [...healthy.tickets, row('t', 'm|2|l', { key: 'l' })] }],
    ['number row wrong', { numbers: [] }],
    ['number row wrong', { numbers: [row('n', '0000000001', { ticketId: 'x' })] }],
    ['ticket not listed once', { index: [] }],
    ['list differs from head', { index: [row('open', '1|t', { ...head, id: 't', status: 'closed' })] }],
    ['listed ticket does not exist', { index: [...healthy.index, row('open', '2|x', { id: 'x' })] }],
    ['message id leads to no ticket', { messageIds: [row('box', 'hash|x', { ticketId: 'x' })] }],
    ['ledger not done', { ledger: [row('box', 'mail|k', { state: 'decided' })] }],
    ['account does not work', { accounts: [row('p', 'a', { json: '{"state":"action-required"}' })] }],
  ])('%s is flagged', (kind, change) => {
    expect(kinds(auditRows({ ...healthy, ...change }))).toEqual([kind]);
  });

  test('a reserved and unused number is a gap, and is not flagged', () => {
    const gaps = [row('n', '0000000002', { ticketId: 't' }), row('n', '0000000003', { ticketId: 'gone' })];
    expect(auditRows({ ...healthy, numbers: [...healthy.numbers, ...gaps] })).toEqual([]);
  });

  test('a number used by two tickets is flagged', () => {
    const tickets = [...healthy.tickets, row('u', 'head', head), row('u', 'm|1|k', { key: 'k' })];
    expect(kinds(auditRows({ ...healthy, tickets }))).toContain('ticket number given twice');
  });

  test('are found by their place, even with more text behind the UID', () => {
    const tickets = [
      row('t', 'm|1|k', { key: 'k', rawBlob: 'raw/box/0123456789abcdef-12-7.eml' }),
      row('t', 'm|2|l', { key: 'l', rawBlob: 'raw/box/0123456789abcdef-12-7-fedcba9876543210.eml' }),
    ];
    const kept = [row('box', '1|k|at-0123456789abcdef-0000000012-0000000007', { kind: 'skipped' })];
    const places = placesOf(tickets, kept);
    expect([...places.keys()]).toEqual(['box/12/7']);
    expect(places.get('box/12/7')?.map(({ kind }) => kind)).toEqual(['message', 'message', 'skipped']);
  });
});

describe('a message in progress when its server was restored from a backup without it', () => {
  const begun = (uid: string, state = 'received') =>
    row('box', 'mail|k', { state, place: `at|0123456789abcdef|0000000012|${uid}|fedcba9876543210` });

  test('is excused, but not one from before the backup', () => {
    const restoredFrom = new Map([['box', 7]]);
    expect(isOfLostMessage(begun('0000000008'), restoredFrom)).toBe(true);
    expect(isOfLostMessage(begun('0000000007'), restoredFrom)).toBe(false);
    expect(isOfLostMessage(begun('0000000008', 'done'), restoredFrom)).toBe(false);
    expect(isOfLostMessage(begun('0000000008'), new Map())).toBe(false);
  });
});

describe('the options', () => {
  test('default to ten kills and eighty messages a minute', () => {
    expect(readOptions(['--minutes', '2'])).toMatchObject({
      minutes: 2,
      kills: 20,
      messages: 160,
      misbehave: [],
    });
    expect(readOptions(['--kills', '3', '--messages', '9'])).toMatchObject({ kills: 3, messages: 9 });
  });

  test('that are invalid are rejected with a message', () => {
    expect(() => readOptions(['--minutes', 'two'])).toThrow(
      '--minutes takes a number of 0 or more, not "two".',
    );
    expect(() => readOptions(['--misbehave', 'smile'])).toThrow(
      '--misbehave takes "all" or some of: restore,',
    );
    expect(readOptions(['--misbehave', 'all']).misbehave).toEqual(misbehaviours);
    expect(readOptions(['--misbehave', 'short,restore']).misbehave).toEqual(['short', 'restore']);
  });
});

describe('randomness', () => {
  test('is the same for the same seed, with copies and replies among the deliveries', () => {
    const files = [
      { name: 'a', raw: letter('A', 'a') },
      { name: 'b', raw: letter('B', 'b') },
    ];
    const plan = (seed: number): string[] =>
      planDeliveries(files, ['one', 'two'], 200, chanceOf(seed)).map(
        ({ address, raw }) => `${address} ${Buffer.from(raw).toString('latin1')}`,
      );
    expect(plan(1)).toEqual(plan(1));
    expect(plan(1)).not.toEqual(plan(2));
    expect(plan(1)).toHaveLength(200);
    expect(plan(1).some((text) => text.includes('In-Reply-To: <question-'))).toBe(true);
  });
});

describe('faults', () => {
  test('of the connection are all known to the misbehaving server', () => {
    for (const kind of misbehaviours)
      if (kind !== 'restore') expect(imapMisbehaviour(kind, chanceOf(1)).kind).toBe(kind);
  });

  test('of storage break a request off, or fail its response after the write', async () => {
    const arrived: string[] = [];
    const storage = createServer((request, response) => {
      arrived.push(`${request.method}`);
      response.end('done');
    });
    await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve));
    const { port } = storage.address() as AddressInfo;
    const weather = calmWeather();
    await using way = await faultyStorage(
      `TableEndpoint=http://127.0.0.1:${port}/dev;`,
      weather,
      chanceOf(7),
    );
    const url = /TableEndpoint=([^;]+)/.exec(way.connectionString)?.[1] ?? '';
    const ask = (): Promise<string> =>
      fetch(`${url}/Ledger`, { method: 'PUT', body: 'x' }).then(
        async (answer) => `${answer.status} ${await answer.text()}`,
        () => 'broken',
      );
    expect(await ask()).toBe('200 done');
    expect(way.last().name).toBe('PUT Ledger');
    weather.storageDown = true;
    expect(await ask()).toBe('broken');
    expect(arrived).toEqual(['PUT']);
    Object.assign(weather, { storageDown: false, lateWrites: 1 });
    expect(await ask()).toBe('broken');
    expect(arrived).toEqual(['PUT']);
    await expect.poll(() => arrived).toEqual(['PUT', 'PUT']);
    expect(weather.counts).toEqual({ 'storage: down': 1, 'storage: late': 1 });
    storage.close();
  });

  test('that restore a backup restore the mailbox of that time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postroom-chaos-'));
    const box = { address: 'box@contoso.example', id: 'box' };
    const mailbox = join(folder, 'mail-npm', 'mailboxes', box.address);
    await mkdir(mailbox, { recursive: true });
    await writeFile(join(mailbox, 'journal'), 'then');
    const world = { folder, stack: { mail: { kind: 'npm' } } } as ChaosWorld;
    await backUp(world, box);
    await writeFile(join(mailbox, 'journal'), 'now');
    await restore(world, box);
    expect(await readFile(join(mailbox, 'journal'), 'utf8')).toBe('then');
    await rm(folder, { recursive: true, force: true });
  });
});
