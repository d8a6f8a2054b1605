import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type Decision, placeOf, type RefScope } from '../../shared/intake/ledger.ts';
import { createLedgerStore, type LedgerStore } from '../../shared/intake/ledger-store.ts';
import type { Found } from '../../shared/intake/plan-claim.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import type { MessageMeta } from '../../shared/mailboxes/message-ref.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import type { Row } from '../../shared/platform/tables.ts';
import { unreadableRows } from '../../shared/platform/unreadable-rows.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const BOX = 'box';
const under = (validity: string, folderKey = 'f'): RefScope => ({ folderKey, validity });
const facts = (uid: number): MessageMeta => ({
  ref: uidRef(uid),
  size: 100,
  receivedAt: '2026-11-24T10:00:00.000Z',
  messageId: '',
});
const found = (uid: number, key = `key${uid}`, uidValidity = '1'): Found => ({
  ref: uidRef(uid),
  place: placeOf(under(uidValidity), facts(uid)),
  key,
  rawBlob: `raw/${BOX}/${uidValidity}-${uid}.eml`,
  receivedAt: '2026-11-24T10:00:00.000Z',
  size: 100,
});
const opening = (ticketId: string): Decision => ({
  disposition: 'ticket',
  ticketId,
  number: 1,
  opens: true,
  follows: undefined,
  reason: undefined,
});

describe('the ledger', () => {
  let ledger: LedgerStore;
  let tables: MemoryTables;
  /** Calls to storage, in their order. */
  let points: string[];
  beforeEach(() => {
    points = [];
    tables = new MemoryTables({
      ...openSeam,
      call: (point, effect) => {
        points.push(point.replace('table.Ledger.', ''));
        return effect();
      },
    });
    ledger = createLedgerStore(tables);
  });
  const claim = (
    mails: Found[],
    alone = false,
    present: readonly Found[] = [],
  ): ReturnType<LedgerStore['claim']> =>
    ledger.claim(BOX, mails, { alone, present: new Set(present.map(({ place }) => place)) });
  const stateOf = async (key: string): Promise<string> => {
    const mail = (await ledger.emails(BOX, [key])).get(key);
    return mail === undefined ? 'unknown' : `${mail.state}, ${mail.attempts}`;
  };
  const settled = async (...mails: Found[]): Promise<void> => {
    const { mine } = await claim(mails);
    await ledger.complete(
      BOX,
      await ledger.decide(
        BOX,
        mine.map((mail) => ({ mail, decision: opening('t') })),
      ),
    );
  };

  test('assigns new email to the run that claims it, at its first attempt', async () => {
    const { mine, copies, completed: before, suspects } = await claim([found(1), found(2)]);
    expect(mine.map(({ key, attempts }) => [key, attempts])).toEqual([
      ['key1', 1],
      ['key2', 1],
    ]);
    expect([copies, before, suspects]).toEqual([[], [], []]);
    expect([...(await ledger.lookUp(BOX, under('1'), [1, 2, 3].map(facts))).keys()]).toEqual(
      [1, 2].map(uidRef),
    );
  });

  test('returns nothing for a place under another UIDVALIDITY', async () => {
    await claim([found(1)]);
    expect((await ledger.lookUp(BOX, under('2'), [1].map(facts))).size).toBe(0);
    expect((await ledger.lookUp(BOX, under('1', 'another folder'), [1].map(facts))).size).toBe(0);
  });

  test('treats copies in one batch as one email', async () => {
    const { mine, copies } = await claim([found(1, 'same'), found(2), found(3, 'same')]);
    expect(mine.map(({ key }) => key)).toEqual(['same', 'key2']);
    expect(copies).toEqual([{ place: placeOf(under('1'), facts(3)), key: 'same', copy: true }]);
  });

  test('treats an email that is done at another place as a copy', async () => {
    await settled(found(1, 'same'));
    const { mine, copies } = await claim([found(2), found(7, 'same')]);
    expect(mine.map(({ key }) => key)).toEqual(['key2']);
    expect(copies.map(({ place }) => place)).toEqual([placeOf(under('1'), facts(7))]);
  });

  test('reports an email that is done at its own place', async () => {
    await settled(found(1));
    expect(await claim([found(1), found(2)])).toMatchObject({
      completed: [placeOf(under('1'), facts(1))],
      mine: [{ key: 'key2' }],
    });
  });

  test('reports that a skipped email must not be deleted', async () => {
    const { mine } = await claim([found(1)]);
    const skip = {
      ...opening('t'),
      disposition: 'skip',
      ticketId: undefined,
      number: undefined,
      opens: false,
    } as const;
    const mails = mine.map((mail) => ({ mail, decision: skip }));
    await ledger.complete(BOX, await ledger.decide(BOX, mails));
    await settled(found(2));
    const place = placeOf(under('1'), facts(1));
    expect(await claim([found(1), found(2)])).toMatchObject({
      completed: [place, expect.anything()],
      spared: [place],
    });
  });

  test('assigns begun email at another place only if the first place is gone', async () => {
    await claim([found(1, 'same')]);
    const here = await claim([found(7, 'same')], true, [found(1)]);
    expect(here.mine).toEqual([]);
    expect(here.copies.map(({ place }) => place)).toEqual([placeOf(under('1'), facts(7))]);
    const gone = await claim([found(7, 'same')], true, [found(7)]);
    expect(gone.mine).toMatchObject([{ key: 'same', attempts: 2, place: placeOf(under('1'), facts(1)) }]);
  });

  test('marks email that was begun and never done as suspect, and assigns it alone, with more attempts', async () => {
    await claim([found(1), found(2)]);
    const together = await claim([found(1), found(2), found(3)]);
    expect(together.suspects.map(({ ref }) => ref)).toEqual([1, 2].map(uidRef));
    expect(together.mine.map(({ key }) => key)).toEqual(['key3']);
    const alone = await claim([found(1)], true);
    expect(alone.mine.map(({ attempts }) => attempts)).toEqual([2]);
    expect(await stateOf('key1')).toBe('received, 2');
    expect(await stateOf('key2')).toBe('received, 1');
  });

  test('keeps the first decision, and returns it to a run that decides differently', async () => {
    const { mine } = await claim([found(1), found(2)]);
    const [first, second] = mine;
    if (first === undefined || second === undefined) throw new Error('nothing was claimed');
    await ledger.decide(BOX, [{ mail: first, decision: opening('by the first') }]);
    const late = await ledger.decide(BOX, [
      { mail: first, decision: opening('by the second') },
      { mail: second, decision: opening('by the second') },
    ]);
    expect(late.find(({ key }) => key === 'key1')?.decision?.ticketId).toBe('by the first');
    const open = late.filter(({ state }) => state === 'received');
    await ledger.decide(
      BOX,
      open.map((mail) => ({ mail, decision: opening('by the second') })),
    );
    const stored = await ledger.emails(BOX, ['key1', 'key2']);
    expect([...stored].map(([key, { decision }]) => [key, decision?.ticketId])).toEqual([
      ['key1', 'by the first'],
      ['key2', 'by the second'],
    ]);
  });

  test('closes an email permanently: a late decision or release changes nothing', async () => {
    const { mine } = await claim([found(1)]);
    const decided = await ledger.decide(
      BOX,
      mine.map((mail) => ({ mail, decision: opening('t') })),
    );
    await ledger.complete(BOX, decided);
    await ledger.complete(BOX, mine);
    await ledger.release(BOX, mine);
    await ledger.decide(
      BOX,
      mine.map((mail) => ({ mail, decision: opening('other') })),
    );
    expect(await stateOf('key1')).toBe('done, 1');
    expect((await ledger.emails(BOX, ['key1'])).get('key1')?.decision?.ticketId).toBe('t');
  });

  test('reverts an attempt once, and not that of another process', async () => {
    const { mine } = await claim([found(1)]);
    await ledger.release(BOX, mine);
    await ledger.release(BOX, mine);
    expect(await stateOf('key1')).toBe('received, 0');
    await claim([found(1)], true);
    await claim([found(1)], true);
    await ledger.release(BOX, mine);
    expect(await stateOf('key1')).toBe('received, 2');
  });

  test('separates mailboxes', async () => {
    await claim([found(1)]);
    expect((await ledger.emails('other', ['key1'])).size).toBe(0);
    expect((await ledger.lookUp('other', under('1'), [1].map(facts))).size).toBe(0);
  });

  test('finds the requested places among more than a page has', async () => {
    for (let start = 1; start <= 1200; start += 40)
      await claim(Array.from({ length: 40 }, (_, index) => found(start + index)));
    points.length = 0;
    const some = [1, 2, 3, 4, 5, 6, 7, 8];
    const places = await ledger.lookUp(BOX, under('1'), [...some, 1100, 1200, 1201].map(facts));
    expect([...places.keys()]).toEqual([...some, 1100, 1200].map(uidRef));
    expect(points, 'a request a page').toEqual(['list', 'list']);
    await ledger.lookUp(BOX, under('1'), [2, 1].map(facts));
    expect(points.slice(2), 'and none for what lies beyond').toEqual(['list']);
    expect(await ledger.lookUp(BOX, under('1'), [])).toEqual(new Map());
    expect(points).toHaveLength(3);
  });

  test('finds places that are scattered among many by a request each, not by listing all', async () => {
    for (let start = 1; start <= 5000; start += 50)
      await claim(Array.from({ length: 50 }, (_, index) => found(start + index)));
    points.length = 0;
    const wanted = [1500, 2500, 3500, 4500, 6000];
    const places = await ledger.lookUp(BOX, under('1'), [10, ...wanted].map(facts));
    expect(new Set(places.keys())).toEqual(new Set([10, 1500, 2500, 3500, 4500].map(uidRef)));
    expect(points).toEqual(['list', 'get', 'get', 'get', 'get', 'get']);
  });

  test('begins new email in one request, and begun email in two reads and a write', async () => {
    await claim([found(1), found(2)]);
    expect(points).toEqual(['commit']);
    await claim([found(1)], true);
    expect(points.slice(1)).toEqual(['get', 'get', 'commit']);
  });

  test('returns for each place its email, and whether it is a copy', async () => {
    await settled(found(1, 'settled'));
    await claim([found(2, 'begun')]);
    await claim([found(3, 'same'), found(4, 'same'), found(5, 'settled')]);
    const again = { ...found(1, 'settled'), place: placeOf(under('1'), { ...facts(1), size: 101 }) };
    expect((await claim([again])).completed).toEqual([again.place]);
    await claim([found(6, 'begun')], true);
    const told = [{ ...facts(1), size: 101 }, ...[2, 3, 4, 5, 6].map(facts)];
    const places = [...(await ledger.lookUp(BOX, under('1'), told)).values()];
    expect(places.map(({ key, copy }) => [key, copy])).toEqual([
      ['settled', false],
      ['begun', false],
      ['same', false],
      ['same', true],
      ['settled', true],
      ['begun', false],
    ]);
  });

  test('returns the stored state: claims and decisions can be used directly', async () => {
    const stored = async (): Promise<unknown[]> => [...(await ledger.emails(BOX, ['key1', 'key2'])).values()];
    const { mine } = await claim([found(1), found(2)]);
    expect(mine).toEqual(await stored());
    const [first, second] = mine;
    if (first === undefined || second === undefined) throw new Error('nothing was claimed');
    const [decided] = await ledger.decide(BOX, [{ mail: first, decision: opening('t') }]);
    expect(decided).toEqual((await stored())[0]);
    if (decided === undefined) throw new Error('nothing was decided');
    const now = await ledger.decide(BOX, [
      { mail: decided, decision: opening('another') },
      { mail: second, decision: opening('t') },
    ]);
    expect(now).toEqual(await stored());
    expect(now.map(({ decision }) => decision?.ticketId)).toEqual(['t', 't']);
  });

  test('decides, overrides and closes although another run raised the attempts meanwhile', async () => {
    const { mine } = await claim([found(1)]);
    await claim([found(1)], true);
    const decisions = mine.map((mail) => ({ mail, decision: opening('t') }));
    const [decided] = await ledger.decide(BOX, decisions);
    if (decided === undefined) throw new Error('nothing was decided');
    expect(decided).toMatchObject({ state: 'decided', attempts: 2 });
    await claim([found(1)], true);
    await ledger.forceQuarantine(BOX, decided, opening('another'));
    expect((await ledger.emails(BOX, ['key1'])).get('key1')?.decision).toEqual(opening('another'));
    await ledger.complete(BOX, [decided]);
    expect(await stateOf('key1')).toBe('done, 3');
  });

  test('overrides a decision and nothing else', async () => {
    const { mine } = await claim([found(1)]);
    const [mail] = mine;
    if (mail === undefined) throw new Error('nothing was claimed');
    await ledger.forceQuarantine(BOX, mail, opening('t'));
    expect(await stateOf('key1')).toBe('received, 1');
    await settled(found(2));
    const done = (await ledger.emails(BOX, ['key2'])).get('key2');
    if (done === undefined) throw new Error('nothing was settled');
    await ledger.forceQuarantine(BOX, done, opening('another'));
    expect((await ledger.emails(BOX, ['key2'])).get('key2')).toEqual(done);
  });

  test('writes nothing for email that is done', async () => {
    await settled(found(1));
    const done = [...(await ledger.emails(BOX, ['key1'])).values()];
    const before = tables.changes;
    await ledger.complete(BOX, done);
    expect(tables.changes).toBe(before);
  });

  test('reverts no attempt of an email that is not in the ledger', async () => {
    const { mine } = await claim([found(1)]);
    await ledger.release(
      BOX,
      mine.map((mail) => ({ ...mail, key: 'unknown' })),
    );
    expect(await stateOf('key1')).toBe('received, 1');
  });

  describe('with an unreadable row', () => {
    beforeEach(() => {
      vi.spyOn(console, 'warn').mockImplementation(() => {});
    });
    const spoil = async (rowKey: string, change: Partial<Row>): Promise<void> => {
      const row = await tables.open('Ledger').get(BOX, rowKey);
      if (row === undefined) throw new Error(`no row ${rowKey}`);
      await tables.open('Ledger').commit(BOX, [{ kind: 'put', row: { ...row, ...change } }]);
    };
    const reported = (): string[] => unreadableRows(tables, 'Ledger').map(({ rowKey }) => rowKey);

    test('returns the other places, and identifies the email at that place by its own row', async () => {
      await settled(found(1), found(2));
      await spoil(found(1).place, { key: 7 });
      expect([...(await ledger.lookUp(BOX, under('1'), [1, 2].map(facts))).keys()]).toEqual([uidRef(2)]);
      expect(reported()).toEqual([found(1).place]);
      const again = await claim([found(1)]);
      expect([again.mine, again.completed]).toEqual([[], [found(1).place]]);
    });

    test('is reported until its own place is read again and complete, whatever else is read meanwhile', async () => {
      await settled(found(1), found(2));
      await spoil(found(1).place, { key: 7 });
      await ledger.lookUp(BOX, under('1'), [facts(1)]);
      await ledger.lookUp(BOX, under('1'), [facts(2)]);
      expect(reported()).toEqual([found(1).place]);
      await spoil(found(1).place, { key: 'key1' });
      await ledger.lookUp(BOX, under('1'), [facts(1)]);
      expect(reported()).toEqual([]);
    });

    test('begins the email again in that row, and reports it until then', async () => {
      await settled(found(1), found(2));
      await spoil('mail|key1', { state: 'pondered' });
      expect([...(await ledger.emails(BOX, ['key1', 'key2'])).keys()]).toEqual(['key2']);
      expect(reported()).toEqual(['mail|key1']);
      const { mine, completed: done } = await claim([found(1), found(2)]);
      expect(mine.map(({ key, attempts }) => [key, attempts])).toEqual([['key1', 1]]);
      expect(done).toEqual([found(2).place]);
      const decided = await ledger.decide(
        BOX,
        mine.map((mail) => ({ mail, decision: opening('t') })),
      );
      await ledger.complete(BOX, decided);
      expect(await stateOf('key1')).toBe('done, 1');
      expect(reported()).toEqual([]);
    });
  });

  test('gives up after twenty tries if others are always faster', async () => {
    const { mine } = await claim([found(1)]);
    let commits = 0;
    const crowded = createLedgerStore({
      open: (name) => ({
        ...tables.open(name),
        commit: async () => {
          commits += 1;
          if (commits > 100) throw new Error('tried for ever');
          return { ok: false, index: 0, refusal: 'changed' };
        },
      }),
    });
    const busy = {
      code: 'ledger-busy',
      message: expect.stringContaining('box was changed by other runs 20 times'),
    };
    await expect(crowded.claim(BOX, [found(2)], { alone: false, present: new Set() })).rejects.toMatchObject(
      busy,
    );
    expect(commits).toBe(20);
    await expect(crowded.complete(BOX, mine)).rejects.toMatchObject(busy);
    expect(commits).toBe(40);
  });
});

test('places sort like numbers', () => {
  const sorted = [
    placeOf(under('1'), facts(2)),
    placeOf(under('1'), facts(10)),
    placeOf(under('2'), facts(1)),
    placeOf(under('10'), facts(1)),
  ];
  expect(sorted.toSorted()).toEqual(sorted);
});
