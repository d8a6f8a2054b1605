import { describe, expect, test } from 'vitest';
import type { MessageRef } from '../../shared/mailboxes/message-ref.ts';
import {
  goOnFrom,
  numberedRefs,
  Pop3Position,
  sharesUidls,
  uidlRef,
} from '../../shared/mailboxes/pop3-position.ts';

const drop = (count: number, from = 0): MessageRef[] =>
  Array.from({ length: count }, (_, index) => uidlRef(`uidl ${from + index}`));
const nothingRead = new Pop3Position([], new Set());
/** The saved position after all of these were read. */
const savedAfter = (refs: readonly MessageRef[]) =>
  nothingRead.advance({ read: refs, known: [], isComplete: false }).toData();
/** The messages that are listed again or for the first time. */
function listed(saved: ReturnType<typeof savedAfter>, refs: readonly MessageRef[]): MessageRef[] {
  const { position, isKnown } = goOnFrom(saved, refs, { isVoid: false });
  expect(isKnown).toBe(true);
  return refs.filter((ref) => !position.covers(ref));
}

describe('a position in a maildrop', () => {
  test.each([0, 1, 3, 40, 2_000, 20_000])('of %i messages covers them, and no later one', (count) => {
    const read = drop(count);
    const fresh = drop(3, count);
    expect(listed(savedAfter(read), read)).toEqual([]);
    expect(listed(savedAfter(read), [...read, ...fresh])).toEqual(fresh);
    expect(listed(savedAfter(read), [...fresh, ...read]), 'newest first').toEqual(fresh);
  });

  test('of 20,000 messages fits into a column of a row', () => {
    expect(JSON.stringify(savedAfter(drop(20_000))).length).toBeLessThan(9_000);
    expect(JSON.stringify(savedAfter(drop(200_000))).length).toBeLessThan(9_000);
  });

  test('lists few messages again after others were deleted, and never misses a new one', () => {
    const read = drop(20_000);
    const fresh = drop(5, 20_000);
    const left = read.filter((_, index) => index % 1_000 !== 0);
    const again = listed(savedAfter(read), [...left, ...fresh]);
    expect(fresh.every((ref) => again.includes(ref))).toBe(true);
    expect(again.length).toBeLessThan(20 * 60);
    const few = drop(100);
    expect(listed(savedAfter(few), few.slice(1)).length).toBeLessThan(5);
  });

  test('does not depend on the order in which the server lists its messages', () => {
    const read = drop(500);
    expect(listed(savedAfter(read), read.toReversed())).toEqual([]);
  });

  test('does not count a message as later if a deleted one makes that unsure', () => {
    const read = drop(2_000);
    const left = read.slice(1);
    const { position } = goOnFrom(savedAfter(read), left, { isVoid: false });
    const unsure = left.filter((ref) => !position.covers(ref));
    expect(unsure.every((ref) => !position.isLater(ref))).toBe(true);
    const [fresh = uidlRef('')] = drop(1, 2_000);
    expect(goOnFrom(savedAfter(read), [...read, fresh], { isVoid: false }).position.isLater(fresh)).toBe(
      true,
    );
  });

  test('advances by what was read, and at the end of a listing over all of it', () => {
    const refs = drop(4);
    const [first = uidlRef(''), second = uidlRef('')] = refs;
    const start = new Pop3Position(refs, new Set());
    const some = start.advance({ read: [first], known: [], isComplete: false });
    expect(refs.map((ref) => some.covers(ref))).toEqual([true, false, false, false]);
    const whole = some.advance({ read: [], known: [], isComplete: true });
    expect(refs.map((ref) => whole.covers(ref))).toEqual([true, true, true, true]);
    expect(whole.uncover([second]).covers(second)).toBe(false);
    const deleting = some.advance({ read: refs, known: [], isComplete: true, deleted: [second] });
    expect(deleting.covers(second), 'it is listed again if it is still there').toBe(false);
  });

  test.each([[undefined], [{ uid: 7 }], [{ bits: 3, groups: 'AAAA' }], ['text'], [{ bits: 99, groups: '' }]])(
    'is not continued from %j',
    (saved) => {
      const refs = drop(2);
      const { position, isKnown, isSetBack } = goOnFrom(saved, refs, { isVoid: false });
      expect([isKnown, isSetBack]).toEqual([false, saved !== undefined]);
      expect(refs.every((ref) => position.covers(ref))).toBe(true);
    },
  );
});

describe('the ref of a message', () => {
  test('is a hash of its UIDL, valid in a row key whatever the UIDL contains', () => {
    expect(uidlRef('a/b\\c#d?|')).toMatch(/^[0-9a-f]{32}$/);
    expect(uidlRef('a')).not.toBe(uidlRef('A'));
  });

  test('is different for each of several messages with the same UIDL', () => {
    const mails = ['x', 'y', 'x', 'x'].map((uidl, index) => ({ number: index + 1, uidl }));
    expect(sharesUidls(mails)).toBe(true);
    expect(sharesUidls(mails.slice(0, 2))).toBe(false);
    const refs = numberedRefs(mails, new Map([1, 2, 3, 4].map((number) => [number, number * 10])));
    expect(new Set(refs.map(({ ref }) => ref)).size).toBe(4);
    expect(refs.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    const read = savedAfter(refs.map(({ ref }) => ref));
    // One of them is deleted and another one arrives.
    const later = numberedRefs(
      mails,
      new Map([1, 2, 3, 4].map((number) => [number, number === 4 ? 99 : number * 10])),
    );
    expect(
      listed(
        read,
        later.map(({ ref }) => ref),
      ),
    ).toContain(later[3]?.ref);
  });
});
