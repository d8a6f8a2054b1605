/** Rows that do not contain what Postroom wrote: each affects only itself, and is reported with its table and keys. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createWeb } from '../../functions/web.ts';
import { createConnectionTestStore } from '../../shared/connection-test/connection-test-store.ts';
import { createHeartbeatStore } from '../../shared/heartbeats/heartbeat-store.ts';
import { queueDueMailboxes } from '../../shared/intake/queue-due-mailboxes.ts';
import { mailboxKind } from '../../shared/mailboxes/mailbox-records.ts';
import { invertedTime } from '../../shared/platform/inverted-time.ts';
import type { Row, TableName } from '../../shared/platform/tables.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';
import { createProviderStore } from '../../shared/providers/provider-store.ts';
import { createRotationStore } from '../../shared/secrets/rotation-store.ts';
import {
  ago,
  origin,
  principalHeader,
  type SamplePostroom,
  samplePostroom,
  sampleProvider,
} from '../harness/pages/sample-postroom.ts';
import { ACCOUNT, PROVIDER, WatchedPostroom } from './monitored-postroom.ts';

let postroom: WatchedPostroom;
beforeEach(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  postroom = new WatchedPostroom();
  await postroom.account();
  await postroom.mailbox('support');
  await postroom.mailbox('sales');
  await postroom.minutes(20);
});

const put = (table: TableName, row: Row): Promise<unknown> =>
  postroom.tables.open(table).commit(row.partitionKey, [{ kind: 'put', row }]);

describe('a mailbox row that contains', () => {
  test.each([
    ['nothing', {}],
    ['invalid JSON', { ...settings(), afterFetch: '{"kind":' }],
    ['another version', { ...settings(), v: 2 }],
    ['too little', { v: 1, address: 'x@contoso.example' }],
    ['an address that is a number', { ...settings(), address: 7 }],
    ['no interval', { ...settings(), intervalMinutes: undefined }],
    ['null to do after a fetch', { ...settings(), afterFetch: 'null' }],
  ])('%s stops no other mailbox and no alert, and is an alert with table and key', async (_what, columns) => {
    await put('Mailboxes', { ...columns, partitionKey: 'mailbox', rowKey: 'broken' });
    const queued = await queueDueMailboxes(postroom, postroom.now);
    expect(queued).toBe(2);
    postroom.works.delete('support');
    await postroom.minutes(20);
    expect(postroom.heard()).toEqual(['opened row-unreadable', 'opened mailbox-silent']);
    expect((await postroom.open()).find(({ kind }) => kind === 'row-unreadable')).toMatchObject({
      subject: { kind: 'table', id: 'Mailboxes' },
      severity: 'error',
      headline: '1 row of the table Mailboxes cannot be read: mailbox / broken.',
    });
    await postroom.tables.open('Mailboxes').commit('mailbox', [{ kind: 'remove', rowKey: 'broken' }]);
    postroom.works.add('support');
    await postroom.minutes(2);
    expect(await postroom.open()).toEqual([]);
  });
});

function settings(): Row {
  return mailboxKind.toRow({
    id: 'broken',
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
  });
}

describe('the state of mailboxes', () => {
  test.each([
    ['support|cursor', { waiting: '?' }],
    ['support|health', { nextTryAt: 'soon', since: 'x', failures: 'many' }],
    ['shard|00000', { successes: '{' }],
    ['shard|00000', { successes: '[1, 2]' }],
    ['shard|00000', { successes: '[]', hours: '7' }],
    ['shard|00000', {}],
  ])('%s as %j stops no fetch and no alert', async (rowKey, columns) => {
    await put('MailboxState', { partitionKey: 'state', rowKey, ...columns });
    expect(await queueDueMailboxes(postroom, postroom.now)).toBe(2);
    postroom.works.delete('sales');
    await postroom.minutes(20);
    expect(postroom.heard()).toContain('opened mailbox-silent');
  });

  test('that cannot be read is an alert until it is written again', async () => {
    await put('MailboxState', { partitionKey: 'state', rowKey: 'support|cursor', waiting: '?' });
    await postroom.minutes(2);
    expect((await postroom.open())[0]?.headline).toBe(
      '1 row of the table MailboxState cannot be read: state / support|cursor.',
    );
    const cursor = { validity: '1', position: { uid: 7 }, left: [], waiting: [], lastMailAt: undefined };
    await postroom.mailboxes.saveCursor('support', cursor);
    await postroom.minutes(2);
    expect(await postroom.open()).toEqual([]);
  });
});

describe('a damaged row of a list', () => {
  const AT = '2026-11-24T10:00:00.000Z';
  const [one, two] = ['a'.repeat(26), 'b'.repeat(26)] as const;
  const lists: [string, TableName, string, string, () => Promise<void>, () => Promise<string[]>][] = [
    [
      'a provider',
      'Providers',
      'provider',
      one,
      async () => {
        for (const id of [one, two])
          await createProviderStore(postroom.tables).save({ ...sampleProvider, id });
      },
      async () => (await createProviderStore(postroom.tables).list()).map(({ id }) => id),
    ],
    [
      'a rotation',
      'Providers',
      'rotation',
      one,
      async () => {
        const rotation = { enabled: true, changedAt: AT, changedBy: 'ada', leftover: false };
        for (const providerId of [one, two])
          await createRotationStore(postroom.tables).save({
            ...rotation,
            providerId,
            rotatedAt: undefined,
            problem: undefined,
          });
      },
      async () => (await createRotationStore(postroom.tables).list()).map(({ providerId }) => providerId),
    ],
    [
      'an account',
      'Accounts',
      PROVIDER,
      ACCOUNT,
      async () => {
        for (const account of await postroom.accounts.listOf(PROVIDER))
          await postroom.accounts.save({ ...account, accountId: two });
      },
      async () => (await postroom.accounts.listOf(PROVIDER)).map(({ accountId }) => accountId),
    ],
    [
      'a deleted mailbox',
      'Mailboxes',
      'removed',
      'sales',
      async () => {
        for (const id of ['sales', 'support']) await postroom.mailboxes.remove(id);
      },
      async () => (await postroom.mailboxes.removed()).map(({ id }) => id),
    ],
    [
      'a connection test',
      'ConnectionTests',
      'support',
      'imap',
      async () => {
        const test = { server: 'localhost:993', startedAt: AT, steps: [], transcript: [] };
        await createConnectionTestStore(postroom.tables).save('support', [
          { ...test, protocol: 'imap' },
          { ...test, protocol: 'smtp' },
        ]);
      },
      async () =>
        (await createConnectionTestStore(postroom.tables).of('support')).map(({ protocol }) => protocol),
    ],
    [
      'a connection test that waits',
      'ConnectionTests',
      'waiting',
      'sales',
      async () => {
        const step = { name: 'arrival', state: 'waiting', ms: 0, found: '' } as const;
        for (const id of ['sales', 'support'])
          await createConnectionTestStore(postroom.tables).save(id, [
            { protocol: 'smtp', server: '', startedAt: AT, steps: [step], transcript: [] },
          ]);
      },
      async () =>
        (await createConnectionTestStore(postroom.tables).waiting()).map(({ mailboxId }) => mailboxId),
    ],
    [
      'a heartbeat',
      'Alerts',
      'heartbeat',
      'fetchMail',
      async () => undefined,
      async () => [...(await createHeartbeatStore(postroom.tables).all()).keys()],
    ],
  ];

  test.each(lists)('is left out and reported: %s', async (_what, table, partitionKey, rowKey, fill, list) => {
    await fill();
    const before = await list();
    expect(before).toContain(rowKey);
    await put(table, { partitionKey, rowKey, v: 1, spoiled: 'by hand' });
    // A waiting test consists of its keys: only its version can be damaged.
    if (partitionKey === 'waiting') await put(table, { partitionKey, rowKey, v: 0 });
    expect(await list()).toEqual(before.filter((key) => key !== rowKey));
    expect(unreadableRows(postroom.tables, table)).toContainEqual({ table, partitionKey, rowKey });
  });
});

describe('a damaged row of a connection test', () => {
  test('stops no fetch: its email becomes a ticket like any other', async () => {
    const tests = createConnectionTestStore(postroom.tables);
    await tests.expectMark('postroom-0011223344556677', postroom.now);
    await put('ConnectionTests', { partitionKey: 'mark', rowKey: 'postroom-0011223344556677', v: 1 });
    expect(await tests.takeMark('postroom-0011223344556677')).toBe(false);
    expect(await tests.isTaken('postroom-0011223344556677')).toBe(false);
    expect(unreadableRows(postroom.tables, 'ConnectionTests')).toHaveLength(1);
  });
});

describe('alerts', () => {
  test('are sent although some of their rows cannot be read', async () => {
    await put('Alerts', { partitionKey: 'alert', rowKey: `open|${'0'.repeat(32)}`, json: '{}' });
    await put('Alerts', { partitionKey: 'alert', rowKey: 'outgoing|x', json: 'null' });
    await put('Alerts', { partitionKey: 'alert', rowKey: 'past|1', json: '[' });
    postroom.works.delete('support');
    await postroom.minutes(20);
    expect(postroom.heard()).toContain('opened mailbox-silent');
    const found = (await postroom.open()).find(({ kind }) => kind === 'row-unreadable');
    expect(found?.headline).toContain('2 rows of the table Alerts cannot be read: alert / open|000');
    expect((await postroom.alerts.past({ limit: 10 })).alerts).toEqual([]);
  });

  test('with a damaged row of their own are opened again in its place', async () => {
    postroom.works.delete('support');
    await postroom.minutes(16);
    const [row] = postroom.tables.dump('Alerts').filter(({ rowKey }) => rowKey.startsWith('open|'));
    if (row === undefined) throw new Error('nothing is open');
    await put('Alerts', { partitionKey: 'alert', rowKey: row.rowKey, json: 'damaged' });
    await postroom.minutes(3);
    expect((await postroom.open()).map(({ kind }) => kind)).toEqual(['mailbox-silent']);
  });

  test('of timers continue if a heartbeat cannot be read', async () => {
    await put('Alerts', { partitionKey: 'heartbeat', rowKey: 'fetchMail', at: 'x', since: 7 });
    await postroom.minutes(5);
    expect(postroom.heard()).toEqual([]);
    postroom.timers.delete('fetchMail');
    await postroom.minutes(15);
    expect(postroom.heard()).toEqual(['opened timer-late']);
  });
});

describe('pages', () => {
  let pages: SamplePostroom;
  let ask: (path: string) => Promise<Response>;
  beforeEach(async () => {
    pages = samplePostroom();
    const web = createWeb(() => pages.services);
    ask = async (path) => {
      const headers = { ...principalHeader('admin'), 'sec-fetch-site': 'same-origin' };
      return web.request(origin + path, { headers });
    };
    await pages.mailbox();
    await pages.providers.save(sampleProvider);
  });
  const broken = async (table: TableName, partitionKey: string, rowKey = 'broken'): Promise<void> => {
    const row = { partitionKey, rowKey };
    await pages.services.tables.open(table).commit(partitionKey, [{ kind: 'put', row }]);
  };
  const isSaid = async (path: string, place: string, other: string): Promise<void> => {
    const answer = await ask(path);
    const html = (await answer.text()).replaceAll('<wbr/>', '');
    expect(answer.status).toBe(200);
    expect(html).toContain('1 entry in this list could not be read');
    expect(html).toContain(`<code>${place}</code>`);
    expect(html).toContain(other);
  };

  test.each([
    ['/mailboxes', 'Mailboxes', 'mailbox', 'support@contoso.example'],
    ['/providers', 'Providers', 'provider', sampleProvider.name],
    ['/accounts', 'Accounts', sampleProvider.id, 'Accounts'],
    ['/tickets', 'TicketIndex', 'open', 'A broken keyboard'],
  ] as const)(
    '%s shows the others and says that one could not be read',
    async (path, table, partition, other) => {
      await pages.file({ subject: 'A broken keyboard' });
      expect(await (await ask(path)).text()).not.toContain('could not be read');
      await broken(table, partition);
      await isSaid(path, `${partition} / broken`, other);
    },
  );

  test('/activity, /alerts, /audit and /quarantine do, too', async () => {
    const key = `${invertedTime(ago(1))}|broken`;
    await broken('Activity', 'send', key);
    await isSaid('/activity?kind=send', `send / ${key}`, 'Recent activity');
    await broken('Alerts', 'alert', 'open|broken');
    await isSaid('/alerts', 'alert / open|broken', 'Alerts');
    const principal = { id: 'ada', name: 'Ada' };
    const subject = { kind: 'provider', id: 'p', name: 'Contoso' } as const;
    await pages.services.audit.record({
      at: Date.parse('2026-11-24'),
      principal,
      action: 'created',
      subject,
    });
    await broken('Audit', '2026-11');
    await isSaid('/audit', '2026-11 / broken', 'Contoso');
    const [mailbox] = await pages.services.mailboxes.list();
    if (mailbox === undefined) throw new Error('no mailbox');
    await broken('Quarantine', mailbox.id);
    await isSaid('/unimported', `${mailbox.id} / broken`, 'Quarantine');
  });

  test('the home page says it, too', async () => {
    await broken('Mailboxes', 'mailbox');
    const html = await (await ask('/')).text();
    expect(html).toContain('1 row of the table Mailboxes cannot be read: mailbox / broken');
  });
});
