import { describe, expect, test } from 'vitest';
import { goOnFrom, ImapPosition, uidOf, uidRef, uidsAmong } from '../../shared/mailboxes/imap-position.ts';
import type { PositionData, ReadingProgress } from '../../shared/mailboxes/inbox.ts';
import { messageRef, sortedRefs } from '../../shared/mailboxes/message-ref.ts';

const start = { uid: 10 };
const told = (uid: number) => ({
  ref: uidRef(uid),
  size: 1,
  receivedAt: '2026-11-24T10:00:00.000Z',
  messageId: `<${uid}>`,
});
const advanced = (
  progress: Partial<ReadingProgress>,
  saved: { uid: number; last?: Last } = start,
): ImapPosition =>
  new ImapPosition(saved, 21).advance({ read: [], known: [], isComplete: false, ...progress });
type Last = { uid: number; fingerprint: string };

describe('a message ref', () => {
  test('sorts as UIDs do, and is read back', () => {
    const uids = [1, 2, 10, 9_999, 10_000, 4_294_967_295];
    expect(sortedRefs(uids.toReversed().map(uidRef)).map(uidOf)).toEqual(uids);
  });

  test.each(['', 'a|b', 'a:b', 'a,b', 'a/b', 'a b', 'ü', 'x'.repeat(201)])('is not %j', (text) => {
    expect(() => messageRef(text)).toThrow(TypeError);
  });

  test('of another protocol is not a UID', () => {
    expect(() => uidOf(messageRef('12'))).toThrow(TypeError);
    expect(uidsAmong([uidRef(3), messageRef('four'), messageRef('00000000005')])).toEqual([3]);
  });
});

describe('a position', () => {
  test('is the highest that was read, and never decreases', () => {
    expect(advanced({ read: [12, 15, 11].map(uidRef) }).toData()).toEqual({ uid: 15 });
    expect(advanced({ read: [uidRef(4)] }).toData()).toEqual({ uid: 10 });
  });

  test('is before the next message once all are read', () => {
    expect(advanced({ isComplete: true }).uid).toBe(20);
    expect(advanced({ isComplete: true, known: [told(25)] }).uid, 'arrived after the folder was opened').toBe(
      25,
    );
    expect(advanced({ isComplete: true }, { uid: 30 }).uid).toBe(30);
    expect(advanced({ known: [told(25)] }).uid).toBe(10);
  });

  test('covers what is not above it, and moves back before a message to uncover', () => {
    const position = advanced({ read: [uidRef(15)] });
    expect([14, 15, 16].map((uid) => position.covers(uidRef(uid)))).toEqual([true, true, false]);
    expect(position.uncover([uidRef(14), uidRef(12)]).uid).toBe(11);
    expect(position.uncover([uidRef(99)]).uid).toBe(15);
  });

  test('stores the highest message that the server reported, until it reports a higher one or another in its place', () => {
    const position = advanced({ known: [told(7), told(9), told(8)] });
    const last = position.witness;
    expect(last).toEqual({ ref: uidRef(9), fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) });
    const then = (...all: ReturnType<typeof told>[]) =>
      position.advance({ read: [], known: all, isComplete: false }).witness;
    expect(then()).toEqual(last);
    expect(then(told(8))).toEqual(last);
    expect(then(told(12))?.ref).toBe(uidRef(12));
    expect(then({ ...told(9), size: 2 })).toMatchObject({
      ref: uidRef(9),
      fingerprint: expect.not.stringMatching(last?.fingerprint ?? ''),
    });
  });

  test('is read back as it was written', () => {
    const data = advanced({ read: [uidRef(15)], known: [told(9)] }).toData();
    const { position, isKnown } = goOnFrom(data, { uidNext: 21, isVoid: false });
    expect(isKnown).toBe(true);
    expect(position.toData()).toEqual(data);
  });
});

describe('reading continues', () => {
  test('at the end of the folder if nothing was read', () => {
    const { position, ...found } = goOnFrom(undefined, { uidNext: 21, isVoid: false });
    expect([position.toData(), found]).toEqual([{ uid: 20 }, { isKnown: false, isSetBack: false }]);
  });

  test('where it stopped, unless the folder ends before it or a message proved it invalid', () => {
    const last = { uid: 19, fingerprint: 'f' };
    const from = (uidNext: number, isVoid = false) => goOnFrom({ uid: 20, last }, { uidNext, isVoid });
    expect(from(21)).toMatchObject({ isKnown: true, isSetBack: false, position: { uid: 20 } });
    expect(from(20)).toMatchObject({ isKnown: false, isSetBack: true, position: { uid: 19 } });
    expect(from(20).position.witness).toBeUndefined();
    expect(from(40, true)).toMatchObject({ isKnown: false, isSetBack: true, position: { uid: 39 } });
  });

  test.each<[string, PositionData]>([
    ['no object', 'ten'],
    ['nothing', null],
    ['no UID', {}],
    ['a UID that is a word', { uid: 'ten' }],
    ['a UID with a fraction', { uid: 1.5 }],
    ['a UID below zero', { uid: -5 }],
    ['a UID beyond 32 bits', { uid: 4_294_967_296 }],
    ['a text as its last message', { uid: 5, last: 'four' }],
    ['no UID of its last message', { uid: 5, last: { fingerprint: 'f' } }],
  ])('as after a restored backup if the position is %s', (_what, saved) => {
    expect(goOnFrom(saved, { uidNext: 21, isVoid: false })).toMatchObject({
      isKnown: false,
      isSetBack: true,
      position: { uid: 20 },
    });
  });
});
