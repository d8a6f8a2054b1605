import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { AccessToken } from '../../shared/accounts/access-token.ts';
import { pushFindings } from '../../shared/alerts/push-findings.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { createMailboxStore, type MailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { hashOf } from '../../shared/push/client-state.ts';
import { type MaintainDeps, maintainPush } from '../../shared/push/maintain-push.ts';
import { maintainPushes } from '../../shared/push/maintain-pushes.ts';
import { createPushStore, type PushStore } from '../../shared/push/push-records.ts';
import type { Push } from '../../shared/push/subscription.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { sampleAccount } from '../harness/memory/sample-account.ts';
import { MemoryGraph, outage, refusal } from './memory-graph.ts';
import { at, MAILBOX_ID, MINUTE, START, sampleMailbox } from './sample-push.ts';

const HOUR = 60 * MINUTE;
const URL_OF_EVENTS = 'https://desk.example/graph/notifications';
let now: number;
let tables: MemoryTables;
let mailboxes: MailboxStore;
let push: PushStore;
let graph: MemoryGraph;
let account = sampleAccount();
let token: AccessToken;
let hosts: string[];
let queues: MemoryQueues;
let deps: MaintainDeps & { mailboxes: MailboxStore };

beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  now = START;
  tables = new MemoryTables(openSeam);
  mailboxes = createMailboxStore(tables);
  push = createPushStore(tables);
  graph = new MemoryGraph();
  account = sampleAccount({ scopes: ['Mail.ReadBasic'] });
  token = { kind: 'token', token: new Secret('t'), expiresAt: at(HOUR), user: account.user };
  hosts = [];
  queues = new MemoryQueues(openSeam);
  deps = {
    push,
    mailboxes,
    accounts: { get: async () => ({ account, etag: '' }) },
    accessTokens: {
      get: async (_account, { host }) => {
        hosts.push(host);
        return token;
      },
    },
    queues,
    seam: { ...openSeam, now: () => now },
    notificationUrl: URL_OF_EVENTS,
    graphOf: async () => ({ origin: 'https://graph.microsoft.com', host: 'graph.microsoft.com' }),
    subscriptions: () => graph,
  };
  await mailboxes.save(sampleMailbox());
});

const present = async (): Promise<Push | undefined> => push.find(MAILBOX_ID);
const announced = async (): Promise<string | undefined> =>
  (await mailboxes.fetchState()).announced?.get(MAILBOX_ID);
/** Runs of the monitor, each minute, as often as `minutes` says. */
async function monitor(minutes = 1): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    await maintainPushes(deps);
    now += MINUTE;
  }
}
const change = (settings: Partial<Mailbox>): Promise<void> => mailboxes.save(sampleMailbox(settings));
/** The mail server has received an email, and it was imported. */
const mailAt = (ms: number): Promise<void> =>
  mailboxes.saveCursor(MAILBOX_ID, {
    validity: '1',
    position: null,
    left: [],
    waiting: [],
    lastMailAt: new Date(ms).toISOString(),
  });
const eventAt = (ms: number): Promise<void> => {
  const iso = new Date(ms).toISOString();
  return push.saveWake({ mailboxId: MAILBOX_ID, eventAt: iso, fetchAt: iso });
};
const findings = async () =>
  pushFindings({ mailboxes: await mailboxes.list(), pushes: await push.all() }).map(({ code }) => code);

test('a mailbox is subscribed with its account’s token for Graph, and is then looked at rarely', async () => {
  await monitor();
  const [made] = graph.existing.values();
  expect(made).toMatchObject({
    resource: "me/mailFolders('inbox')/messages",
    notificationUrl: URL_OF_EVENTS,
  });
  expect(hosts).toEqual(['graph.microsoft.com']);
  const row = await present();
  expect(row).toMatchObject({
    state: 'living',
    since: at(0),
    clientStates: [hashOf(made?.clientState.expose() ?? '')],
  });
  expect(await announced()).toBe(made?.expiresAt);
  await monitor(60);
  expect(graph.requests).toEqual(['create']);
});

test('it is looked at once when it is subscribed: Graph does not announce what arrived before', async () => {
  await monitor();
  expect(queues.sent).toMatchObject([
    { name: 'fetch-shard', value: { mailboxIds: [MAILBOX_ID], task: { kind: 'new-mail' } } },
  ]);
  now = Date.parse((await present())?.nextAt ?? '');
  await monitor();
  expect(graph.requests.at(-1)).toBe('renew graph-1');
  expect(queues.sent, 'a renewed subscription has no gap').toHaveLength(1);
});

test('it is renewed at two thirds of its life, again and again', async () => {
  await monitor();
  for (let renewals = 1; renewals <= 3; renewals += 1) {
    const first = Date.parse((await announced()) ?? '');
    now = Date.parse((await present())?.nextAt ?? '') - 1;
    await monitor();
    expect(graph.requests.filter((one) => one.startsWith('renew'))).toHaveLength(renewals - 1);
    await monitor();
    expect(graph.requests.filter((one) => one === 'renew graph-1')).toHaveLength(renewals);
    expect(Date.parse((await announced()) ?? '')).toBeGreaterThan(first);
  }
  expect(await findings()).toEqual([]);
});

test('the first event may come before the response of Graph, and the last of the old subscription after it', async () => {
  await monitor();
  const before = (await present())?.clientStates ?? [];
  let during: readonly string[] = [];
  graph.onCreate = async () => {
    during = (await present())?.clientStates ?? [];
  };
  await maintainPush(deps, MAILBOX_ID, sampleMailbox(), 'subscriptionRemoved');
  const after = (await present())?.clientStates ?? [];
  expect([before.length, after.length]).toEqual([1, 1]);
  expect(after).not.toEqual(before);
  expect(during).toEqual([...after, ...before]);
});

describe('while Graph fails', () => {
  test('a renewal puts push in doubt at once, is retried with growing pauses, and tells a person after a while', async () => {
    await monitor();
    now = Date.parse((await present())?.nextAt ?? '');
    graph.failing = outage();
    await monitor();
    expect((await present())?.state).toBe('in-doubt');
    expect(await announced()).toBeUndefined();
    expect(await findings()).toEqual([]);
    await monitor(20);
    const requests = graph.requests.length;
    expect(requests).toBeLessThan(8);
    await monitor(70);
    expect(await findings()).toEqual(['push-unconfirmed']);
    graph.failing = undefined;
    await monitor(31);
    expect((await present())?.state).toBe('living');
    expect(await announced()).toBeDefined();
    expect(await findings()).toEqual([]);
  });

  test('its Retry-After is obeyed', async () => {
    graph.failing = outage(10 * MINUTE);
    await monitor(10);
    expect(graph.requests).toHaveLength(1);
    await monitor(2);
    expect(graph.requests).toHaveLength(2);
  });

  test('a refusal is explained at once, asked again twice an hour, and resolved by itself', async () => {
    graph.failing = refusal;
    await monitor();
    expect(await present()).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('Access is denied'),
    });
    expect(await findings()).toEqual(['push-refused']);
    await monitor(59);
    expect(graph.requests).toHaveLength(2);
    graph.failing = undefined;
    await monitor(2);
    expect(await findings()).toEqual([]);
    expect((await present())?.state).toBe('living');
  });

  test('an account without a token is no refusal of Graph', async () => {
    token = { kind: 'action-required', code: 'AADSTS700082', message: 'Sign in again.' };
    await monitor(3);
    expect(graph.requests).toEqual([]);
    expect(await present()).toMatchObject({ state: 'in-doubt', code: 'push-unconfirmed' });
  });

  test('one mailbox does not delay another', async () => {
    const other = sampleMailbox({ id: 'n'.repeat(26), accountId: 'b'.repeat(26) });
    await mailboxes.save(other);
    vi.spyOn(console, 'error').mockImplementation(() => {});
    deps.accounts = {
      get: async ({ accountId }) => {
        if (accountId === account.accountId) throw new TypeError('a bug');
        return { account, etag: '' };
      },
    };
    await monitor();
    expect((await push.find(other.id))?.state).toBe('living');
  });
});

describe('the subscription ends', () => {
  beforeEach(() => monitor());

  test('when the mailbox is paused, and starts again when it is resumed', async () => {
    await change({ enabled: false });
    await monitor();
    expect(graph.existing.size).toBe(0);
    expect(await present()).toMatchObject({ state: 'off', reason: 'The mailbox is paused.' });
    expect(await announced()).toBeUndefined();
    await change({ enabled: true });
    await monitor();
    expect((await present())?.state).toBe('living');
    expect(await announced()).toBeDefined();
  });

  test('when the mailbox is deleted, with every row', async () => {
    await eventAt(now);
    await mailboxes.remove(MAILBOX_ID);
    await monitor();
    expect(graph.existing.size).toBe(0);
    expect([await push.all(), (await push.wakes()).size, await announced()]).toEqual([[], 0, undefined]);
  });

  test('when its account is another one, and a new one replaces it', async () => {
    await change({ accountId: 'b'.repeat(26) });
    await monitor();
    expect([...graph.existing.keys()]).toEqual(['graph-2']);
    expect(graph.requests).toEqual(['create', 'create', 'remove graph-1']);
  });

  test('at Graph, which tells it: a new one is made', async () => {
    graph.existing.clear();
    await maintainPush(deps, MAILBOX_ID, sampleMailbox(), 'subscriptionRemoved');
    expect([...graph.existing.keys()]).toEqual(['graph-2']);
    expect((await present())?.state).toBe('living');
  });

  test('at Graph, which does not tell it: the renewal finds out', async () => {
    graph.existing.clear();
    now = Date.parse((await present())?.nextAt ?? '');
    await monitor();
    expect(await announced()).toBeUndefined();
    await monitor();
    expect([...graph.existing.keys()]).toEqual(['graph-2']);
    expect(await announced()).toBeDefined();
  });

  test('because the app was off for weeks: a new one is made', async () => {
    now += 20 * 24 * HOUR;
    await monitor();
    expect((await present())?.subscription?.subscriptionId).toBe('graph-2');
    expect(Date.parse((await announced()) ?? '')).toBeGreaterThan(now);
  });
});

test('a demand for reauthorization renews at once', async () => {
  await monitor();
  await maintainPush(deps, MAILBOX_ID, sampleMailbox(), 'reauthorizationRequired');
  expect(graph.requests).toEqual(['create', 'renew graph-1']);
});

test('a shared mailbox is not subscribed in vain', async () => {
  await change({ address: 'shared@contoso.example' });
  await monitor(5);
  expect(graph.requests).toEqual([]);
  expect(await present()).toMatchObject({ state: 'off', reason: expect.stringContaining('app-only') });
  expect(await findings()).toEqual([]);
});

test('an app without the permission is asked about once an hour, and no fault', async () => {
  account = sampleAccount({ kind: 'app', scopes: ['IMAP.AccessAsApp'] });
  graph.failing = refusal;
  await monitor(59);
  expect(graph.requests).toEqual(['create']);
  expect(await present()).toMatchObject({
    state: 'off',
    reason: expect.stringContaining('application permission'),
  });
  expect(await findings()).toEqual([]);
  graph.failing = undefined;
  await monitor(2);
  expect((await present())?.state).toBe('living');
});

test('push that died silently is noticed, replaced, told, and trusted again with the next event', async () => {
  await monitor(10);
  await mailAt(now);
  await monitor(5);
  expect(await announced()).toBeDefined();
  await monitor();
  expect(await announced()).toBeUndefined();
  expect(await findings()).toEqual(['push-silent']);
  expect([...graph.existing.keys()]).toEqual(['graph-2']);
  // Without an event, neither time nor another email makes it trusted, and it is not replaced again.
  await mailAt(now);
  await monitor(120);
  expect(await announced()).toBeUndefined();
  expect(graph.requests).toEqual(['create', 'create', 'remove graph-1']);
  await eventAt(now);
  await monitor();
  expect(await announced()).toBeDefined();
  expect(await findings()).toEqual([]);
});

test('an event that is late or doubled puts nothing in doubt', async () => {
  await monitor(10);
  await mailAt(now);
  await monitor(4);
  await eventAt(now);
  await monitor(30);
  expect((await present())?.state).toBe('living');
  expect(graph.requests).toEqual(['create']);
});

test('two monitors at once make one subscription', async () => {
  await Promise.all([maintainPushes(deps), maintainPushes(deps)]);
  await monitor(3);
  expect(graph.existing.size).toBe(1);
  expect((await present())?.state).toBe('living');
});

test('a row that can not be read is set up again', async () => {
  await monitor();
  await tables
    .open('MailboxState')
    .commit('subscription', [
      { kind: 'put', row: { partitionKey: 'subscription', rowKey: MAILBOX_ID, v: 9 } },
    ]);
  await monitor(3);
  expect((await present())?.state).toBe('living');
});
