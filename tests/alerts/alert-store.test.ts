import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type Alert, alertId, keyOf } from '../../shared/alerts/alert.ts';
import { openAlertKind, outgoingKind, pastAlertKind, sentKind } from '../../shared/alerts/alert-records.ts';
import { type AlertStore, createAlertStore } from '../../shared/alerts/alert-store.ts';
import { type Delivery, notificationOf, type Outgoing } from '../../shared/alerts/notification.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import type { Row } from '../../shared/platform/tables.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { iso, START, secret, silent } from '../harness/memory/sample-findings.ts';

const alertAt = (ms: number): Alert => {
  const finding = silent();
  const key = keyOf(finding);
  return {
    id: alertId(iso(ms), key),
    key,
    findings: { watch: finding },
    openedAt: iso(ms),
    notifiedAt: iso(ms),
    notificationCount: 1,
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

describe('of two concurrent runs', () => {
  test('one opens a finding, and the other writes nothing', async () => {
    const store = createAlertStore(new MemoryTables(openSeam));
    const [first, second] = [alertAt(START), alertAt(START + 1)];
    expect(await store.apply({ kind: 'open', alert: first }, openedNotification(first))).toBe(true);
    expect(await store.apply({ kind: 'open', alert: second }, openedNotification(second))).toBe(false);
    const { open, waiting } = await store.current();
    expect(open.map(({ id }) => id)).toEqual([first.id]);
    expect(waiting.map(({ outgoing }) => outgoing.notification.id)).toEqual([`${first.id}-1`]);
  });

  test('one closes an occurrence, and the other does not close the next one of the same finding', async () => {
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

  test('one claims a notification, and the other gets nothing', async () => {
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

  test('that is open is read as it was written, with its pending notifications', async () => {
    const alert = alertAt(START);
    await store.apply({ kind: 'open', alert }, openedNotification(alert));
    const { open, waiting } = await store.current();
    expect(open).toEqual([{ ...alert, etag: expect.any(String) }]);
    expect(waiting.map(({ outgoing }) => outgoing)).toEqual(openedNotification(alert));
  });

  test('that continues stores each change once', async () => {
    await store.apply({ kind: 'open', alert: alertAt(START) }, []);
    const changed = { ...(await onlyOpen(store)), notificationCount: 2 };
    expect(await store.apply({ kind: 'keep', alert: changed, tell: undefined }, [])).toBe(true);
    expect((await onlyOpen(store)).notificationCount).toBe(2);
    expect(
      await store.apply({ kind: 'keep', alert: { ...changed, notificationCount: 3 }, tell: undefined }, []),
    ).toBe(false);
    expect((await onlyOpen(store)).notificationCount).toBe(2);
  });

  test('that is closed is listed as past, newest first, and no longer as open', async () => {
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
      })),
      next: undefined,
    });
  });

  test('of the past is on the next page if the first one is full', async () => {
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

  test('of the past is not among the deliveries', async () => {
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

  test('lists its own deliveries in order of time', async () => {
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

  test('leaves the list of pending notifications once it is sent, and its delivery stays', async () => {
    const alert = alertAt(START);
    await store.apply({ kind: 'open', alert }, openedNotification(alert));
    await store.recordDelivery(await waitingOnly(), deliveryAt(START + 5));
    expect((await store.current()).waiting).toEqual([]);
    expect(await store.deliveries(alert.id)).toEqual([deliveryAt(START + 5)]);
  });

  test('without a channel leaves that list without a delivery', async () => {
    const alert = alertAt(START);
    await store.apply({ kind: 'open', alert }, openedNotification(alert));
    await store.drop(await waitingOnly());
    expect((await store.current()).waiting).toEqual([]);
    expect(await store.deliveries(alert.id)).toEqual([]);
  });

  test('that is claimed moves to the row of its next attempt, with one more attempt', async () => {
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

  describe('an unreadable row', () => {
    beforeEach(() => {
      vi.spyOn(console, 'warn').mockImplementation(() => {});
    });
    const put = (row: Row): Promise<unknown> => tables.open('Alerts').commit('alert', [{ kind: 'put', row }]);
    const whole = alertAt(START);
    const emptied = (row: Row): Row => ({ partitionKey: row.partitionKey, rowKey: row.rowKey });

    test.each<[string, Partial<Row>]>([
      ['another version', { v: 2 }],
      ['no JSON', { findings: 'damaged' }],
      ['a number for its findings', { findings: 7 }],
      ['null for its findings', { findings: 'null' }],
      ['a text for its findings', { findings: '"x"' }],
      ['no finding', { findings: '{}' }],
      ['a finding of another kind', { findings: JSON.stringify({ watch: { ...silent(), kind: 'x' } }) }],
      ['a finding of no source', { findings: JSON.stringify({ x: silent() }) }],
      ['no id', { id: undefined }],
      ['a key that is none', { key: 7 }],
      ['no opening', { openedAt: undefined }],
      ['no notification', { notifiedAt: undefined }],
      ['no count', { notificationCount: undefined }],
    ])('that contains %s is left out and named', async (_what, change) => {
      await put({ ...openAlertKind.toRow(whole), ...change, rowKey: 'open|x' });
      await put({ ...pastAlertKind.toRow(whole), ...change, rowKey: 'past|x' });
      expect((await store.current()).open).toEqual([]);
      expect((await store.past({ limit: 5 })).alerts).toEqual([]);
      expect(unreadableRows(tables).map(({ rowKey }) => rowKey)).toEqual(['open|x', 'past|x']);
    });

    test('that is empty is left out and named, and the others are listed', async () => {
      const [over, spoiled] = [START - 120_000, START - 60_000].map((ms) => alertAt(ms));
      if (over === undefined || spoiled === undefined) throw new Error('no alerts');
      await store.apply({ kind: 'open', alert: whole }, []);
      await put(pastAlertKind.toRow({ ...over, closedAt: iso(START) }));
      const row = emptied(pastAlertKind.toRow(spoiled));
      await put(row);
      expect((await store.current()).open.map(({ id }) => id)).toEqual([whole.id]);
      expect((await store.past({ limit: 5 })).alerts.map(({ id }) => id)).toEqual([over.id]);
      expect(unreadableRows(tables)).toEqual([{ table: 'Alerts', ...row }]);
    });

    test.each<[string, Partial<Row>]>([
      ['no notification', { notification: undefined }],
      ['a notification without a finding', { notification: '{}' }],
      ['no time', { dueAt: undefined }],
      ['another channel', { channel: 'pigeon' }],
    ])('of a pending notification, which contains %s, is left out and named', async (_what, change) => {
      for (const one of openedNotification(whole))
        await put({ ...outgoingKind.toRow(one), ...change, rowKey: 'outgoing|x' });
      expect((await store.current()).waiting).toEqual([]);
      expect(unreadableRows(tables)).toEqual([
        { table: 'Alerts', partitionKey: 'alert', rowKey: 'outgoing|x' },
      ]);
    });

    test('of a delivery is left out and named', async () => {
      const [first, second] = [deliveryAt(START), deliveryAt(START + 1, { channel: 'email' })];
      await store.apply(
        { kind: 'open', alert: whole },
        [],
        [first, second].map((delivery) => ({ notificationId: `${whole.id}-1`, delivery })),
      );
      const row = sentKind.toRow({ notificationId: `${whole.id}-1`, ...first });
      await put({ ...row, result: 'lost' });
      expect(await store.deliveries(whole.id)).toEqual([second]);
      expect(unreadableRows(tables).map(({ rowKey }) => rowKey)).toEqual([row.rowKey]);
    });

    test('is replaced by a newly opened alert, and the others are unchanged', async () => {
      const alert = alertAt(START);
      await store.apply({ kind: 'open', alert }, []);
      const row = openAlertKind.toRow(alert);
      await put({ ...row, findings: 'damaged' });
      expect(await store.apply({ kind: 'open', alert }, [])).toBe(false);
      await store.current();
      const again = { ...alert, notificationCount: 2 };
      expect(await store.apply({ kind: 'open', alert: again }, [])).toBe(true);
      expect((await onlyOpen(store)).notificationCount).toBe(2);
      expect(await store.apply({ kind: 'open', alert }, [])).toBe(false);
    });

    test('is not replaced once it has been repaired meanwhile', async () => {
      const alert = alertAt(START);
      await store.apply({ kind: 'open', alert }, []);
      const row = openAlertKind.toRow(alert);
      await put({ ...row, findings: 'damaged' });
      await store.current();
      await put({ ...row, notificationCount: 5 });
      expect(await store.apply({ kind: 'open', alert }, [])).toBe(false);
      expect((await onlyOpen(store)).notificationCount).toBe(5);
    });
  });

  test('every field of a finding is stored, including the optional ones', async () => {
    const finding = silent('support', { stage: '7 days', size: 3, code: codeFrom('x') });
    const alert: Alert = { ...alertAt(START), findings: { watch: finding, review: secret('7 days') } };
    await store.apply({ kind: 'open', alert }, openedNotification(alert));
    const { open, waiting } = await store.current();
    expect(open[0]?.findings).toEqual(alert.findings);
    expect(waiting[0]?.outgoing).toEqual(openedNotification(alert)[0]);
  });
});

test('recording no delivery writes the alert and no other row', async () => {
  const tables = new MemoryTables(openSeam);
  await createAlertStore(tables).apply({ kind: 'open', alert: alertAt(START) }, []);
  expect(tables.dump('Alerts')).toHaveLength(1);
});

test('the row of a delivery names its notification', () => {
  const delivery: Delivery = {
    channel: 'webhook',
    what: 'opened',
    at: iso(START),
    result: 'delivered',
    attempts: 1,
  };
  const record = { notificationId: 'a-1', ...delivery };
  expect(sentKind.fromRow(sentKind.toRow(record))).toEqual(record);
});

test('an alert whose row has no source with a finding is invalid', () => {
  const row = openAlertKind.toRow(alertAt(START));
  expect(() => openAlertKind.fromRow({ ...row, findings: '{}' })).toThrow();
  expect(openAlertKind.fromRow(row)).toMatchObject({ id: alertAt(START).id });
});
