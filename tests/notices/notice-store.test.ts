import { beforeEach, describe, expect, test, vi } from 'vitest';
import { keyOf, type Notice, noticeId } from '../../shared/notices/notice.ts';
import { createNoticeStore, type NoticeStore } from '../../shared/notices/notice-store.ts';
import { type Delivery, type Outgoing, tellingOf } from '../../shared/notices/telling.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { START, iso, silent } from '../harness/memory/sample-conditions.ts';
import type { Row } from '../../shared/platform/tables.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';

const noticeAt = (ms: number): Notice => {
  const condition = silent();
  const key = keyOf(condition);
  return {
    id: noticeId(iso(ms), key),
    key,
    held: { watch: condition },
    openedAt: iso(ms),
    toldAt: iso(ms),
    told: 1,
    toldAs: 'mailbox-silent|error|',
  };
};
const openedTelling = (notice: Notice): Outgoing[] => [
  { telling: tellingOf(notice, 'opened'), channel: 'webhook', attempts: 0, dueAt: notice.toldAt },
];
const onlyOpen = async (store: NoticeStore): Promise<Notice> => {
  const { open } = await store.current();
  const [one] = open;
  if (one === undefined || open.length > 1) throw new Error(`${open.length} are open`);
  return one;
};

describe('of two runs that decide at the same moment', () => {
  test('one opens a fault, and nothing of the other is written', async () => {
    const store = createNoticeStore(new MemoryTables(openSeam));
    const [first, second] = [noticeAt(START), noticeAt(START + 1)];
    expect(await store.apply({ kind: 'open', notice: first }, openedTelling(first))).toBe(true);
    expect(await store.apply({ kind: 'open', notice: second }, openedTelling(second))).toBe(false);
    const { open, waiting } = await store.current();
    expect(open.map(({ id }) => id)).toEqual([first.id]);
    expect(waiting.map(({ outgoing }) => outgoing.telling.id)).toEqual([`${first.id}-1`]);
  });

  test('one closes an occurrence, and the other does not close the next one of the same fault', async () => {
    const store = createNoticeStore(new MemoryTables(openSeam));
    await store.apply({ kind: 'open', notice: noticeAt(START) }, []);
    const over = { ...(await onlyOpen(store)), closedAt: iso(START + 60_000) };
    expect(await store.apply({ kind: 'close', notice: over }, [])).toBe(true);
    const again = noticeAt(START + 120_000);
    await store.apply({ kind: 'open', notice: again }, []);
    expect(await store.apply({ kind: 'close', notice: over }, [])).toBe(false);
    expect((await onlyOpen(store)).id).toBe(again.id);
    expect((await store.past({ limit: 5 })).notices).toHaveLength(1);
  });

  test('one takes a telling for a try, and the other gets nothing', async () => {
    const store = createNoticeStore(new MemoryTables(openSeam));
    const notice = noticeAt(START);
    await store.apply({ kind: 'open', notice }, openedTelling(notice));
    const [waiting] = (await store.current()).waiting;
    if (waiting === undefined) throw new Error('nothing waits');
    expect(await store.claim(waiting, iso(START + 60_000))).toMatchObject({ outgoing: { attempts: 1 } });
    expect(await store.claim(waiting, iso(START + 90_000))).toBeUndefined();
  });
});

describe('a notice', () => {
  let tables: MemoryTables;
  let store: NoticeStore;
  beforeEach(() => {
    tables = new MemoryTables(openSeam);
    store = createNoticeStore(tables);
  });
  const waitingOnly = async () => {
    const { waiting } = await store.current();
    const [one] = waiting;
    if (one === undefined || waiting.length > 1) throw new Error(`${waiting.length} wait`);
    return one;
  };
  const keys = (): string[] => tables.dump('Notices').map(({ rowKey }) => rowKey);

  test('that is open is read as it was written, with what is to be told of it', async () => {
    const notice = noticeAt(START);
    await store.apply({ kind: 'open', notice }, openedTelling(notice));
    const { open, waiting } = await store.current();
    expect(open).toEqual([{ ...notice, etag: expect.any(String) }]);
    expect(waiting.map(({ outgoing }) => outgoing)).toEqual(openedTelling(notice));
  });

  test('that is kept holds what changed, once', async () => {
    await store.apply({ kind: 'open', notice: noticeAt(START) }, []);
    const changed = { ...(await onlyOpen(store)), told: 2 };
    expect(await store.apply({ kind: 'keep', notice: changed, tell: undefined }, [])).toBe(true);
    expect((await onlyOpen(store)).told).toBe(2);
    expect(await store.apply({ kind: 'keep', notice: { ...changed, told: 3 }, tell: undefined }, [])).toBe(
      false,
    );
    expect((await onlyOpen(store)).told).toBe(2);
  });

  test('that is over is among those of the past, newest first, and no longer open', async () => {
    for (const at of [START, START + 60_000]) {
      await store.apply({ kind: 'open', notice: noticeAt(at) }, []);
      await store.apply(
        { kind: 'close', notice: { ...(await onlyOpen(store)), closedAt: iso(at + 1000) } },
        [],
      );
    }
    expect((await store.current()).open).toEqual([]);
    expect(await store.past({ limit: 5 })).toEqual({
      notices: [START + 60_000, START].map((at) => ({
        ...noticeAt(at),
        closedAt: iso(at + 1000),
        etag: expect.any(String),
      })),
      next: undefined,
    });
  });

  test('of the past stands on the page after the one that is full', async () => {
    for (const at of [START, START + 60_000, START + 120_000]) {
      await store.apply({ kind: 'open', notice: noticeAt(at) }, []);
      await store.apply(
        { kind: 'close', notice: { ...(await onlyOpen(store)), closedAt: iso(at + 1000) } },
        [],
      );
    }
    const first = await store.past({ limit: 2 });
    const second = await store.past({ limit: 2, after: first.next });
    expect([first, second].map(({ notices }) => notices.map(({ openedAt }) => openedAt))).toEqual([
      [iso(START + 120_000), iso(START + 60_000)],
      [iso(START)],
    ]);
    expect(second.next).toBeUndefined();
    expect((await store.past({ limit: 3 })).next).toBeUndefined();
  });

  test('of the past does not stand among what was sent', async () => {
    const notice = noticeAt(START);
    const delivery = deliveryAt(START);
    await store.apply({ kind: 'open', notice }, [], [{ tellingId: `${notice.id}-1`, delivery }]);
    expect((await store.past({ limit: 5 })).notices).toEqual([]);
    expect(await store.deliveries(notice.id)).toEqual([delivery]);
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
    const notice = noticeAt(START);
    const [late, early] = [deliveryAt(START + 5), deliveryAt(START + 1, { channel: 'email' })];
    const other = noticeAt(START - 60_000);
    await store.apply(
      { kind: 'open', notice },
      [],
      [
        { tellingId: `${notice.id}-1`, delivery: late },
        { tellingId: `${notice.id}-2`, delivery: early },
        { tellingId: `${other.id}-1`, delivery: deliveryAt(START) },
      ],
    );
    expect(await store.deliveries(notice.id)).toEqual([early, late]);
  });

  test('that is told of leaves the list of what is to be told, and its delivery stays', async () => {
    const notice = noticeAt(START);
    await store.apply({ kind: 'open', notice }, openedTelling(notice));
    await store.settle(await waitingOnly(), deliveryAt(START + 5));
    expect((await store.current()).waiting).toEqual([]);
    expect(await store.deliveries(notice.id)).toEqual([deliveryAt(START + 5)]);
  });

  test('for which there is no channel leaves that list without a delivery', async () => {
    const notice = noticeAt(START);
    await store.apply({ kind: 'open', notice }, openedTelling(notice));
    await store.drop(await waitingOnly());
    expect((await store.current()).waiting).toEqual([]);
    expect(await store.deliveries(notice.id)).toEqual([]);
  });

  test('that is claimed waits in the row of its next try, with one more try', async () => {
    const notice = noticeAt(START);
    await store.apply({ kind: 'open', notice }, openedTelling(notice));
    const dueAt = iso(START + 60_000);
    const claimed = await store.claim(await waitingOnly(), dueAt);
    expect(await waitingOnly()).toEqual(claimed);
    expect(claimed?.outgoing).toMatchObject({ attempts: 1, dueAt });
    expect(keys()).toContain(claimed?.rowKey);
    await store.settle(await waitingOnly(), deliveryAt(START));
    expect(keys().filter((key) => key.startsWith('outgoing|'))).toEqual([]);
  });

  describe('whose row cannot be read', () => {
    beforeEach(() => {
      vi.spyOn(console, 'warn').mockImplementation(() => {});
    });
    const put = (rowKey: string, json: unknown): Promise<unknown> => {
      const row = { partitionKey: 'notice', rowKey, ...(json !== undefined && { json }) } as Row;
      return tables.open('Notices').commit('notice', [{ kind: 'put', row }]);
    };
    const whole = { ...noticeAt(START) };

    test.each([
      ['nothing', undefined],
      ['a number', 7],
      ['no JSON', 'damaged'],
      ['null', 'null'],
      ['a text', '"x"'],
      ['no id', JSON.stringify({ ...whole, id: undefined })],
      ['a key that is none', JSON.stringify({ ...whole, key: 7 })],
      ['no opening', JSON.stringify({ ...whole, openedAt: undefined })],
      ['no telling', JSON.stringify({ ...whole, toldAt: undefined })],
      ['no condition', JSON.stringify({ ...whole, held: {} })],
      ['null for its conditions', JSON.stringify({ ...whole, held: null })],
      ['a text for its conditions', JSON.stringify({ ...whole, held: 'x' })],
    ])('because it holds %s is left out and named', async (_what, json) => {
      await put('open|x', json);
      await put('past|x', json);
      expect((await store.current()).open).toEqual([]);
      expect((await store.past({ limit: 5 })).notices).toEqual([]);
      expect(unreadableRows(tables).map(({ rowKey }) => rowKey)).toEqual(['open|x', 'past|x']);
    });

    test.each([
      ['no telling', { dueAt: iso(START) }],
      ['a telling without a condition', { telling: {}, dueAt: iso(START) }],
      ['no time', { ...openedTelling(whole)[0], dueAt: undefined }],
    ])('among what is to be told, because it holds %s, is left out and named', async (_what, content) => {
      await put('outgoing|x', JSON.stringify(content));
      expect((await store.current()).waiting).toEqual([]);
      expect(unreadableRows(tables)).toEqual([
        { table: 'Notices', partitionKey: 'notice', rowKey: 'outgoing|x' },
      ]);
    });

    test('is opened anew in its place, and the others as ever', async () => {
      const notice = noticeAt(START);
      await store.apply({ kind: 'open', notice }, []);
      const [rowKey = ''] = keys();
      await put(rowKey, 'damaged');
      expect(await store.apply({ kind: 'open', notice }, [])).toBe(false);
      await store.current();
      const again = { ...notice, told: 2 };
      expect(await store.apply({ kind: 'open', notice: again }, [])).toBe(true);
      expect((await onlyOpen(store)).told).toBe(2);
      expect(await store.apply({ kind: 'open', notice }, [])).toBe(false);
    });

    test('is not opened in its place once somebody has mended it', async () => {
      const notice = noticeAt(START);
      await store.apply({ kind: 'open', notice }, []);
      const [rowKey = ''] = keys();
      await put(rowKey, 'damaged');
      await store.current();
      await put(rowKey, JSON.stringify({ ...notice, told: 5 }));
      expect(await store.apply({ kind: 'open', notice }, [])).toBe(false);
      expect((await onlyOpen(store)).told).toBe(5);
    });
  });
});
