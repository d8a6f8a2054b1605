import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { PostroomError } from '../../shared/platform/errors.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { claimedMailbox, hashOf, isKnown, newClientState } from '../../shared/push/client-state.ts';
import { createPushStore, type PushStore } from '../../shared/push/push-records.ts';
import { createEventReceiver, type EventReceiver } from '../../shared/push/receive-events.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MAILBOX_ID, samplePush, sampleSubscription } from './sample-push.ts';

let tables: MemoryTables;
let store: PushStore;
let queues: MemoryQueues;
let receiver: EventReceiver;
const ours = newClientState(MAILBOX_ID).expose();

beforeEach(async () => {
  tables = new MemoryTables(openSeam);
  store = createPushStore(tables);
  queues = new MemoryQueues(openSeam);
  receiver = createEventReceiver({ push: store, queues, seam: openSeam });
  await store.save(samplePush({ clientStates: [hashOf(ours)] }));
});
afterEach(() => vi.restoreAllMocks());

/** An event as in Microsoft's documentation, with what it says about the email. */
const event = (change: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: 'lsgTZMr9KwAAA',
  subscriptionId: sampleSubscription().subscriptionId,
  subscriptionExpirationDateTime: '2026-12-04T10:00:00+00:00',
  clientState: ours,
  changeType: 'created',
  resource: 'users/1/messages/AAMkADMxZmEzMDM1',
  tenantId: '84bd8158-6d4d-4958-8b9f-9d6445542f95',
  resourceData: { '@odata.type': '#Microsoft.Graph.Message', id: 'AAMkADMxZmEzMDM1' },
  ...change,
});
const lifecycle = (lifecycleEvent: string, change: Record<string, unknown> = {}) =>
  event({ lifecycleEvent, changeType: undefined, resourceData: undefined, ...change });
const send = (...value: unknown[]) => receiver.receive(JSON.stringify({ value }));
const tasks = (): unknown[] => queues.sent.map(({ value }) => (value as { task: unknown }).task);

describe('the clientState', () => {
  test('is a secret that fits into Graph’s 128 characters, of which only a hash is stored', async () => {
    expect(ours.length).toBeLessThanOrEqual(128);
    expect(claimedMailbox(ours)).toBe(MAILBOX_ID);
    expect(newClientState(MAILBOX_ID).expose()).not.toBe(ours);
    expect(String(newClientState(MAILBOX_ID))).toBe('[secret]');
    const rows = JSON.stringify(await tables.open('MailboxState').list('subscription'));
    expect(rows).toContain(hashOf(ours));
    expect(rows).not.toContain(ours.slice(27));
  });

  test('is known by its hash alone; nothing is known without one', () => {
    expect(isKnown(ours, [hashOf('other'), hashOf(ours)])).toBe(true);
    expect(isKnown(ours, [hashOf(`${ours} `), 'short', ''])).toBe(false);
    expect(isKnown(ours, [])).toBe(false);
  });
});

describe('an event', () => {
  test('queues a fetch of its mailbox and of no other, and nothing of what it says', async () => {
    expect(await send(event())).toEqual({ accepted: 1, refused: 0 });
    expect(queues.sent).toEqual([
      {
        name: 'fetch-shard',
        value: { shard: 0, mailboxIds: [MAILBOX_ID], task: { kind: 'new-mail' } },
      },
    ]);
  });

  test('that is doubled, in one request or in many, adds one fetch at most', async () => {
    expect(await send(event(), event(), event())).toEqual({ accepted: 3, refused: 0 });
    await Promise.all(Array.from({ length: 500 }, () => send(event(), event())));
    expect(queues.sent.length).toBeLessThanOrEqual(3);
  });

  test('during the replacement of a subscription counts with the old value and with the new one', async () => {
    const next = newClientState(MAILBOX_ID).expose();
    await store.save(samplePush({ clientStates: [hashOf(next), hashOf(ours)] }));
    expect(await send(event(), event({ clientState: next }))).toEqual({ accepted: 2, refused: 0 });
  });

  const forged: [string, unknown][] = [
    ['another value', event({ clientState: newClientState(MAILBOX_ID).expose() })],
    ['the value of another mailbox', event({ clientState: ours.replace(MAILBOX_ID, 'n'.repeat(26)) })],
    ['the stored hash', event({ clientState: hashOf(ours) })],
    ['a mailbox ID alone', event({ clientState: MAILBOX_ID })],
    ['no value', event({ clientState: undefined })],
    ['null', event({ clientState: null })],
    ['a number', event({ clientState: 1 })],
    ['an object', event({ clientState: { toString: ours } })],
    ['an endless value', event({ clientState: ours + 'a'.repeat(40_000) })],
    ['a row key of another table', event({ clientState: `../state|push.${'a'.repeat(43)}` })],
    ['no subscription', event({ subscriptionId: undefined })],
    ['nothing', null],
    ['a text', 'event'],
    ['a list', [[event()]]],
  ];
  test.each(forged)('with %s queues nothing and is counted', async (_name, one) => {
    expect(await send(one)).toEqual({ accepted: 0, refused: 1 });
    expect(queues.sent).toEqual([]);
  });

  test('that is forged does not stop one of ours in the same request', async () => {
    expect(await send(...forged.map(([, one]) => one), event())).toEqual({
      accepted: 1,
      refused: forged.length,
    });
    expect(queues.sent).toHaveLength(1);
  });

  test.each(['', '{', 'null', '[]', '{}', '{"value":1}', '{"value":{}}', '{"value":[]}', '\u0000'])(
    'is not in the body %j, which is counted once',
    async (body) => {
      expect(await receiver.receive(body)).toEqual({ accepted: 0, refused: 1 });
    },
  );

  test('of thousands of mailboxes that do not exist costs a hundred reads', async () => {
    const reads: string[] = [];
    const counting = {
      ...store,
      get: (id: string) => {
        reads.push(id);
        return store.get(id);
      },
    };
    const guarded = createEventReceiver({ push: counting, queues, seam: openSeam });
    const letters = 'abcdefghijklmnopqrstuvwxyz234567';
    const value = Array.from({ length: 900 }, (_, index) =>
      event({
        clientState: `${letters[index % 32]}${letters[Math.floor(index / 32)]}${'c'.repeat(24)}.${'a'.repeat(43)}`,
      }),
    );
    expect(await guarded.receive(JSON.stringify({ value }))).toEqual({ accepted: 0, refused: 900 });
    expect(reads).toHaveLength(100);
  });

  test('for a row that can not be read is refused, and disturbs no other', async () => {
    await tables
      .open('MailboxState')
      .commit('subscription', [
        { kind: 'put', row: { partitionKey: 'subscription', rowKey: MAILBOX_ID, v: 9 } },
      ]);
    expect(await send(event())).toEqual({ accepted: 0, refused: 1 });
  });

  test('is not taken while storage is unavailable, so that Graph sends it again', async () => {
    const away = { ...store, get: () => Promise.reject(new PostroomError('table-storage', 'away')) };
    const guarded = createEventReceiver({ push: away, queues, seam: openSeam });
    await expect(guarded.receive(JSON.stringify({ value: [event()] }))).rejects.toMatchObject({
      code: 'table-storage',
    });
  });

  test('is never logged', async () => {
    const lines: string[] = [];
    for (const method of ['log', 'info', 'warn', 'error'] as const)
      vi.spyOn(console, method).mockImplementation((...args: unknown[]) => void lines.push(args.join(' ')));
    await send(event(), ...forged.map(([, one]) => one), lifecycle('reauthorizationRequired'));
    expect(lines).toEqual([]);
  });
});

describe('a lifecycle event', () => {
  test.each(['reauthorizationRequired', 'subscriptionRemoved'])(
    '%s queues work on the subscription',
    async (name) => {
      expect(await send(lifecycle(name))).toEqual({ accepted: 1, refused: 0 });
      expect(tasks()).toEqual([{ kind: 'keep-push', event: name }]);
    },
  );

  test.each(['missed', 'somethingNew'])('%s queues a fetch', async (name) => {
    await send(lifecycle(name));
    expect(tasks()).toEqual([{ kind: 'new-mail' }]);
  });

  test('about a subscription that was replaced since changes nothing', async () => {
    await send(lifecycle('subscriptionRemoved', { subscriptionId: 'graph-0' }));
    expect(tasks()).toEqual([]);
  });

  test('that is forged changes nothing', async () => {
    const value = newClientState(MAILBOX_ID).expose();
    expect(await send(lifecycle('subscriptionRemoved', { clientState: value }))).toEqual({
      accepted: 0,
      refused: 1,
    });
    expect(tasks()).toEqual([]);
  });
});
