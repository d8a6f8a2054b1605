/** Rows that do not hold what Postroom wrote: each stops nothing but itself, and is told of with its table and its keys. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createWeb } from '../../functions/web.ts';
import { queueDueMailboxes } from '../../shared/intake/queue-due-mailboxes.ts';
import type { Row, TableName } from '../../shared/platform/tables.ts';
import {
  origin,
  principalHeader,
  type SampleDesk,
  sampleDesk,
  sampleProvider,
} from '../harness/pages/sample-desk.ts';
import { WatchedDesk } from './watched-desk.ts';

let desk: WatchedDesk;
beforeEach(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  desk = new WatchedDesk();
  await desk.account();
  await desk.mailbox('support');
  await desk.mailbox('sales');
  await desk.minutes(20);
});

const put = (table: TableName, row: Row): Promise<unknown> =>
  desk.tables.open(table).commit(row.partitionKey, [{ kind: 'put', row }]);
const mailboxRow = (json: unknown): Row => ({
  partitionKey: 'mailbox',
  rowKey: 'broken',
  ...(json !== undefined && { json: typeof json === 'string' ? json : JSON.stringify(json) }),
});

describe('a mailbox row that holds', () => {
  test.each([
    ['nothing', undefined],
    ['no JSON', '{"address":'],
    ['null', null],
    ['a list', []],
    ['too little', { address: 'x@contoso.example' }],
    ['an address that is a number', { ...settings(), address: 7 }],
    ['no interval', { ...settings(), intervalMinutes: undefined }],
    ['nothing to do after a fetch', { ...settings(), afterFetch: null }],
  ])('%s stops no other mailbox and no alert, and is an alert with table and key', async (_what, json) => {
    await put('Mailboxes', mailboxRow(json));
    const queued = await queueDueMailboxes(desk, desk.now);
    expect(queued).toBe(2);
    desk.works.delete('support');
    await desk.minutes(20);
    expect(desk.heard()).toEqual(['opened row-unreadable', 'opened mailbox-silent']);
    expect((await desk.open()).find(({ kind }) => kind === 'row-unreadable')).toMatchObject({
      subject: { kind: 'table', id: 'Mailboxes' },
      severity: 'error',
      headline: 'A row of the table Mailboxes cannot be read: mailbox / broken.',
    });
    await desk.tables.open('Mailboxes').commit('mailbox', [{ kind: 'remove', rowKey: 'broken' }]);
    desk.works.add('support');
    await desk.minutes(2);
    expect(await desk.open()).toEqual([]);
  });
});

function settings(): Record<string, unknown> {
  return {
    address: 'broken@contoso.example',
    protocol: 'imap',
    host: 'localhost',
    port: 993,
    folder: 'INBOX',
    providerId: 'p',
    accountId: 'a',
    enabled: true,
    intervalMinutes: 1,
    afterFetch: { kind: 'mark-seen' },
    createdAt: '2026-11-01T00:00:00.000Z',
  };
}

describe('the state of mailboxes', () => {
  test.each([
    ['support|cursor', { uid: 'x' }],
    ['support|health', { nextTryAt: 'soon', since: 'x', failures: 'many' }],
    ['shard|00000', { successes: '{' }],
    ['shard|00000', { successes: '[1, 2]' }],
    ['shard|00000', { successes: '[]', hours: '7' }],
    ['shard|00000', {}],
  ])('%s as %j stops no fetch and no alert', async (rowKey, columns) => {
    await put('MailboxState', { partitionKey: 'state', rowKey, ...columns });
    expect(await queueDueMailboxes(desk, desk.now)).toBe(2);
    desk.works.delete('sales');
    await desk.minutes(20);
    expect(desk.heard()).toContain('opened mailbox-silent');
  });

  test('that cannot be read is an alert until it is written anew', async () => {
    await put('MailboxState', { partitionKey: 'state', rowKey: 'support|cursor', uid: 'x' });
    await desk.minutes(2);
    expect((await desk.open())[0]?.headline).toBe(
      'A row of the table MailboxState cannot be read: state / support|cursor.',
    );
    const cursor = { uidValidity: '1', uid: 7, left: [], waiting: [], lastMailAt: undefined };
    await desk.mailboxes.saveCursor('support', cursor);
    await desk.minutes(2);
    expect(await desk.open()).toEqual([]);
  });
});

describe('alerts', () => {
  test('are told although rows among them cannot be read', async () => {
    await put('Notices', { partitionKey: 'notice', rowKey: `open|${'0'.repeat(32)}`, json: '{}' });
    await put('Notices', { partitionKey: 'notice', rowKey: 'outgoing|x', json: 'null' });
    await put('Notices', { partitionKey: 'notice', rowKey: 'past|1', json: '[' });
    desk.works.delete('support');
    await desk.minutes(20);
    expect(desk.heard()).toContain('opened mailbox-silent');
    const found = (await desk.open()).find(({ kind }) => kind === 'row-unreadable');
    expect(found?.headline).toContain('2 rows of the table Notices cannot be read: notice / open|000');
    expect((await desk.notices.past({ limit: 10 })).notices).toEqual([]);
  });

  test('whose own row is damaged are opened anew in its place', async () => {
    desk.works.delete('support');
    await desk.minutes(16);
    const [row] = desk.tables.dump('Notices').filter(({ rowKey }) => rowKey.startsWith('open|'));
    if (row === undefined) throw new Error('nothing is open');
    await put('Notices', { partitionKey: 'notice', rowKey: row.rowKey, json: 'damaged' });
    await desk.minutes(3);
    expect((await desk.open()).map(({ kind }) => kind)).toEqual(['mailbox-silent']);
  });

  test('of timers go on where a heartbeat cannot be read', async () => {
    await put('Notices', { partitionKey: 'heartbeat', rowKey: 'fetchMail', at: 'x', since: 7 });
    await desk.minutes(5);
    expect(desk.heard()).toEqual([]);
    desk.timers.delete('fetchMail');
    await desk.minutes(15);
    expect(desk.heard()).toEqual(['opened timer-late']);
  });
});

describe('pages', () => {
  let pages: SampleDesk;
  let ask: (path: string) => Promise<Response>;
  beforeEach(async () => {
    pages = sampleDesk();
    const web = createWeb(() => pages.services);
    ask = async (path) => {
      const headers = { ...principalHeader('admin'), 'sec-fetch-site': 'same-origin' };
      return web.request(origin + path, { headers });
    };
    await pages.mailbox();
    await pages.providers.save(sampleProvider);
  });
  const broken = async (table: TableName, partitionKey: string): Promise<void> => {
    const row = { partitionKey, rowKey: 'broken' };
    await pages.services.tables.open(table).commit(partitionKey, [{ kind: 'put', row }]);
  };

  test.each([
    ['/mailboxes', 'Mailboxes', 'mailbox', 'support@contoso.example'],
    ['/providers', 'Providers', 'provider', sampleProvider.name],
    ['/accounts', 'Accounts', sampleProvider.id, 'Who signs in'],
  ] as const)(
    '%s shows the others and says that one could not be read',
    async (path, table, partition, other) => {
      expect(await (await ask(path)).text()).not.toContain('could not be read');
      await broken(table, partition);
      const answer = await ask(path);
      const html = (await answer.text()).replaceAll('<wbr/>', '');
      expect(answer.status).toBe(200);
      expect(html).toContain('1 entry of this list could not be read');
      expect(html).toContain(`<code>${partition} / broken</code>`);
      expect(html).toContain(other);
    },
  );

  test('the home page says it, too', async () => {
    await broken('Mailboxes', 'mailbox');
    const html = await (await ask('/')).text();
    expect(html).toContain('A row of the table Mailboxes cannot be read: mailbox / broken');
  });
});
