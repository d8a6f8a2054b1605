import { describe, expect, test } from 'vitest';
import { keyOf, type Notice, noticeId } from '../../shared/notices/notice.ts';
import { createNoticeStore, type NoticeStore } from '../../shared/notices/notice-store.ts';
import { type Outgoing, tellingOf } from '../../shared/notices/telling.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { iso, START, silent } from '../harness/memory/sample-conditions.ts';

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
