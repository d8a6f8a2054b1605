import { beforeEach, describe, expect, test, vi } from 'vitest';
import { keyOf, type Alert, alertId } from '../../shared/alerts/alert.ts';
import { createAlertStore, type AlertStore } from '../../shared/alerts/alert-store.ts';
import { type Delivery, type Outgoing, notificationOf } from '../../shared/alerts/notification.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { START, iso, silent } from '../harness/memory/sample-findings.ts';
import type { Row } from '../../shared/platform/tables.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';

const alertAt = (ms: number): Alert => {
  const finding = silent();
  const key = keyOf(finding);
  return {
    id: alertId(iso(ms), key),
    key,
    held: { watch: finding },
    openedAt: iso(ms),
    notifiedAt: iso(ms),
    told: 1,
    notifiedAs: 'mailbox-silent|error|',
  };
};
const openedNotification = (alert: Alert): Outgoing[] => [
  { notification: notificationOf(alert, 'opened'), channel: 'webhook', attempts: 0, dueAt: alert.notifiedAt },
];
const onlyOpen = async (store: AlertStore): Promise<Alert> => {
  const { open } = await store.current();
  const [one] = open;
  if (one === undefined || open.length > 1) throw new Error(`${open.length} are open`);
  return one;
};

describe('of two runs that decide at the same moment', () => {
  test('one opens a fault, and nothing of the other is written', async () => {
    const store = createAlertStore(new MemoryTables(openSeam));
    const [first, second] = [alertAt(START), alertAt(START + 1)];
    expect(await store.apply({ kind: 'open', alert: first }, openedNotification(first))).toBe(true);
    expect(await store.apply({ kind: 'open', alert: second }, openedNotification(second))).toBe(false);
    const { open, waiting } = await store.current();
    expect(open.map(({ id }) => id)).toEqual([first.id]);
    expect(waiting.map(({ outgoing }) => outgoing.notification.id)).toEqual([`${first.id}-1`]);
  });

  test('one closes an occurrence, and the other does not close the next one of the same fault', async () => {
    const store = createAlertStore(new MemoryTables(openSeam));
    await store.apply({ kind: 'open', alert: alertAt(START) }, []);
    const over = { ...(await onlyOpen(store)), closedAt: iso(START + 60_000) };
    expect(await store.apply({ kind: 'close', alert: over }, [])).toBe(true);
    const again = alertAt(START + 120_000);
    await store.apply({ kind: 'open', alert: again }, []);
    expect(await store.apply({ kind: 'close', alert: over }, [])).toBe(false);
    expect((await onlyOpen(store)).id).toBe(again.id);
    expect((await store.past({ limit: 5 })).alerts).toHaveLength(1);
  });

  test('one takes a notification for a try, and the other gets nothing', async () => {
    const store = createAlertStore(new MemoryTables(openSeam));
    const alert = alertAt(START);
    await store.apply({ kind: 'open', alert }, openedNotification(alert));
    const [waiting] = (await store.current()).waiting;
    if (waiting === undefined) throw new Error('nothing waits');
    expect(await store.claim(waiting, iso(START + 60_000))).toMatchObject({ outgoing: { attempts: 1 } });
    expect(await store.claim(waiting, iso(START + 90_000))).toBeUndefined();
  });
});

describe('an alert', () => {
  let tables: MemoryTables;
  let store: AlertStore;
  beforeEach(() => {
    tables = new MemoryTables(openSeam);
    store = createAlertStore(tables);
  });
  const waitingOnly = async () => {
    const { waiting } = await store.current();
    const [one] = waiting;
    if (one === undefined || waiting.length > 1) throw new Error(`${waiting.length} wait`);
    return one;
  };
  const keys = (): string[] => tables.dump('Alerts').map(({ rowKey }) => rowKey);

  test('that is open is read as it was written, with what is to be told of it', async () => {
    const alert = alertAt(START);
    await store.apply({ kind: 'open', alert }, openedNotification(alert));
    const { open, waiting } = await store.current();
    expect(open).toEqual([{ ...alert, etag: expect.any(String) }]);
    expect(waiting.map(({ outgoing }) => outgoing)).toEqual(openedNotification(alert));
  });

  test('that is kept holds what changed, once', async () => {
    await store.apply({ kind: 'open', alert: alertAt(START) }, []);
    const changed = { ...(await onlyOpen(store)), told: 2 };
    expect(await store.apply({ kind: 'keep', alert: changed, tell: undefined }, [])).toBe(true);
    expect((await onlyOpen(store)).told).toBe(2);
    expect(await store.apply({ kind: 'keep', alert: { ...changed, told: 3 }, tell: undefined }, [])).toBe(
      false,
    );
    expect((await onlyOpen(store)).told).toBe(2);
  });

  test('that is over is among those of the past, newest first, and no longer open', async () => {
    for (const at of [START, START + 60_000]) {
      await store.apply({ kind: 'open', alert: alertAt(at) }, []);
      await store.apply(
        { kind: 'close', alert: { ...(await onlyOpen(store)), closedAt: iso(at + 1000) } },
        [],
      );
    }
    expect((await store.current()).open).toEqual([]);
    expect(await store.past({ limit: 5 })).toEqual({
      alerts: [START + 60_000, START].map((at) => ({
        ...alertAt(at),
        closedAt: iso(at + 1000),
        etag: expect.any(String),
      })),
      next: undefined,
    });
  });

  test('of the past stands on the page after the one that is full', async () => {
    for (const at of [START, START + 60_000, START + 120_000]) {
      await store.apply({ kind: 'open', alert: alertAt(at) }, []);
      await store.apply(
        { kind: 'close', alert: { ...(await onlyOpen(store)), closedAt: iso(at + 1000) } },
        [],
      );
    }
    const first = await store.past({ limit: 2 });
    const second = await store.past({ limit: 2, after: first.next });
    expect([first, second].map(({ alerts }) => alerts.map(({ openedAt }) => openedAt))).toEqual([
      [iso(START + 120_000), iso(START + 60_000)],
      [iso(START)],
    ]);
    expect(second.next).toBeUndefined();
    expect((await store.past({ limit: 3 })).next).toBeUndefined();
  });

  test('of the past does not stand among what was sent', async () => {
    const alert = alertAt(START);
    const delivery = deliveryAt(START);
    await store.apply({ kind: 'open', alert }, [], [{ notificationId: `${alert.id}-1`, delivery }]);
    expect((await store.past({ limit: 5 })).alerts).toEqual([]);
    expect(await store.deliveries(alert.id)).toEqual([delivery]);
  });

  const deliveryAt = (ms: number, change: Partial<Delivery> = {}): Delivery => ({
    channel: 'webhook',
    what: 'opened',
    at: iso(ms),
    result: 'delivered',
    attempts: 1,
    ...change,
  });

  test('knows its own deliveries, in the order of their times', async () => {
    const alert = alertAt(START);
    const [late, early] = [deliveryAt(START + 5), deliveryAt(START + 1, { channel: 'email' })];
    const other = alertAt(START - 60_000);
    await store.apply(
      { kind: 'open', alert },
      [],
      [
        { notificationId: `${alert.id}-1`, delivery: late },
        { notificationId: `${alert.id}-2`, delivery: early },
        { notificationId: `${other.id}-1`, delivery: deliveryAt(START) },
      ],
    );
    expect(await store.deliveries(alert.id)).toEqual([early, late]);
  });

  test('that is told of leaves the list of what is to be told, and its delivery stays', async () => {
    const alert = alertAt(START);
    await store.apply({ kind: 'open', alert }, openedNotification(alert));
    await store.recordDelivery(await waitingOnly(), deliveryAt(START + 5));
    expect((await store.current()).waiting).toEqual([]);
    expect(await store.deliveries(alert.id)).toEqual([deliveryAt(START + 5)]);
  });

  test('for which there is no channel leaves that list without a delivery', async () => {
    const alert = alertAt(START);
    await store.apply({ kind: 'open', alert }, openedNotification(alert));
    await store.drop(await waitingOnly());
    expect((await store.current()).waiting).toEqual([]);
    expect(await store.deliveries(alert.id)).toEqual([]);
  });

  test('that is claimed waits in the row of its next try, with one more try', async () => {
    const alert = alertAt(START);
    await store.apply({ kind: 'open', alert }, openedNotification(alert));
    const dueAt = iso(START + 60_000);
    const claimed = await store.claim(await waitingOnly(), dueAt);
    expect(await waitingOnly()).toEqual(claimed);
    expect(claimed?.outgoing).toMatchObject({ attempts: 1, dueAt });
    expect(keys()).toContain(claimed?.rowKey);
    await store.recordDelivery(await waitingOnly(), deliveryAt(START));
    expect(keys().filter((key) => key.startsWith('outgoing|'))).toEqual([]);
  });

  describe('whose row cannot be read', () => {
    beforeEach(() => {
      vi.spyOn(console, 'warn').mockImplementation(() => {});
    });
    const put = (rowKey: string, json: unknown): Promise<unknown> => {
      const row = { partitionKey: 'alert', rowKey, ...(json !== undefined && { json }) } as Row;
      return tables.open('Alerts').commit('alert', [{ kind: 'put', row }]);
    };
    const whole = { ...alertAt(START) };

    test.each([
      ['nothing', undefined],
      ['a number', 7],
      ['no JSON', 'damaged'],
      ['null', 'null'],
      ['a text', '"x"'],
      ['no id', JSON.stringify({ ...whole, id: undefined })],
      ['a key that is none', JSON.stringify({ ...whole, key: 7 })],
      ['no opening', JSON.stringify({ ...whole, openedAt: undefined })],
      ['no notification', JSON.stringify({ ...whole, notifiedAt: undefined })],
      ['no finding', JSON.stringify({ ...whole, held: {} })],
      ['null for its findings', JSON.stringify({ ...whole, held: null })],
      ['a text for its findings', JSON.stringify({ ...whole, held: 'x' })],
    ])('because it holds %s is left out and named', async (_what, json) => {
      await put('open|x', json);
      await put('past|x', json);
      expect((await store.current()).open).toEqual([]);
      expect((await store.past({ limit: 5 })).alerts).toEqual([]);
      expect(unreadableRows(tables).map(({ rowKey }) => rowKey)).toEqual(['open|x', 'past|x']);
    });

    test.each([
      ['no notification', { dueAt: iso(START) }],
      ['a notification without a finding', { notification: {}, dueAt: iso(START) }],
      ['no time', { ...openedNotification(whole)[0], dueAt: undefined }],
    ])('among what is to be told, because it holds %s, is left out and named', async (_what, content) => {
      await put('outgoing|x', JSON.stringify(content));
      expect((await store.current()).waiting).toEqual([]);
      expect(unreadableRows(tables)).toEqual([
        { table: 'Alerts', partitionKey: 'alert', rowKey: 'outgoing|x' },
      ]);
    });

    test('is opened anew in its place, and the others as ever', async () => {
      const alert = alertAt(START);
      await store.apply({ kind: 'open', alert }, []);
      const [rowKey = ''] = keys();
      await put(rowKey, 'damaged');
      expect(await store.apply({ kind: 'open', alert }, [])).toBe(false);
      await store.current();
      const again = { ...alert, told: 2 };
      expect(await store.apply({ kind: 'open', alert: again }, [])).toBe(true);
      expect((await onlyOpen(store)).told).toBe(2);
      expect(await store.apply({ kind: 'open', alert }, [])).toBe(false);
    });

    test('is not opened in its place once somebody has mended it', async () => {
      const alert = alertAt(START);
      await store.apply({ kind: 'open', alert }, []);
      const [rowKey = ''] = keys();
      await put(rowKey, 'damaged');
      await store.current();
      await put(rowKey, JSON.stringify({ ...alert, told: 5 }));
      expect(await store.apply({ kind: 'open', alert }, [])).toBe(false);
      expect((await onlyOpen(store)).told).toBe(5);
    });
  });
});
