/** The position in a folder of Microsoft Graph, and the refs of its messages. */
import { describe, expect, test } from 'vitest';
import { type DeltaLinks, GraphPosition, positionFrom } from '../../shared/mailboxes/graph-position.ts';
import { graphRef, idOf, isGraphRef, secondsOf } from '../../shared/mailboxes/graph-ref.ts';
import type { MessageRef } from '../../shared/mailboxes/message-ref.ts';
import { messageRef, sortedRefs } from '../../shared/mailboxes/message-ref.ts';

const NOON = Date.parse('2026-11-28T12:00:00Z') / 1000;
const saved: DeltaLinks = { link: '/v1.0/me/delta?old' };
const reached: DeltaLinks = { link: '/v1.0/me/delta?new' };
/** A message received this many seconds after noon. */
const at = (seconds: number): MessageRef =>
  graphRef(`AAkAL${seconds}=`, new Date((NOON + seconds) * 1000).toISOString());
const [first, second, third, older] = [at(-30), at(-20), at(-10), at(-3600)] as const;
const listed = new GraphPosition({ saved, reached, found: new Set([first, second, third]), takenAt: NOON });
const none = { known: [], isComplete: false };

describe('a position', () => {
  test('covers what was there before, and nothing that was found or arrives later', () => {
    expect([older, first, third, at(1)].map((ref) => listed.covers(ref))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect([older, first, third, at(1)].map((ref) => listed.isLater(ref))).toEqual([false, true, true, true]);
  });

  test('stays at its link until everything found is processed', () => {
    const two = listed.advance({ ...none, read: [first, second] });
    expect([first, second, third].map((ref) => two.covers(ref))).toEqual([true, true, false]);
    expect(two.toData()).toEqual(saved);
    expect(two.advance({ ...none, read: [third] }).toData()).toEqual(reached);
    expect(listed.advance({ ...none, read: [], isComplete: true }).toData()).toEqual(reached);
  });

  test('goes back to its link for a found message, and remembers any other', () => {
    const done = listed.advance({ ...none, read: [], isComplete: true });
    expect(done.uncover([second]).toData()).toEqual(saved);
    const back = done.uncover([older]);
    expect(back.covers(older)).toBe(false);
    expect(back.toData()).toEqual({ ...reached, again: [older] });
    expect(back.advance({ ...none, read: [older] }).toData()).toEqual(reached);
    expect(positionFrom(back.toData())).toEqual({ ...reached, again: [older] });
  });

  test('remembers a time instead of more messages than fit into a row', () => {
    const many = Array.from({ length: 500 }, (_, index) => at(-7200 + index));
    expect(
      listed
        .advance({ ...none, read: [], isComplete: true })
        .uncover(many)
        .toData(),
    ).toEqual({
      ...reached,
      from: NOON - 7200,
    });
  });

  test('fits into a column of a table, with the longest links and refs', () => {
    const link = `/v1.0/${'l'.repeat(7_990)}`;
    const long = (index: number): MessageRef =>
      graphRef(`${'A'.repeat(170)}${index}`, '2026-11-28T10:00:00Z');
    const position = new GraphPosition({
      saved: { link, next: link },
      reached: { link, next: link },
      found: new Set(),
      takenAt: NOON,
    }).uncover(Array.from({ length: 60 }, (_, index) => long(index)));
    const data = position.toData();
    expect(positionFrom(data)).toBeDefined();
    expect(JSON.stringify(data).length).toBeLessThan(32 * 1024);
  });

  test('starts over when a link does not fit', () => {
    const data = new GraphPosition({
      saved,
      reached: { link: `/v1.0/${'l'.repeat(20_000)}` },
      found: new Set(),
      takenAt: NOON,
    }).toData();
    expect([data, positionFrom(data)]).toEqual([null, undefined]);
  });

  test('does not repeat the tracking of the whole folder when it stays at its link', () => {
    const links = { saved: { link: '/v1.0/a', next: '/v1.0/1' }, found: new Set([first]), takenAt: NOON };
    const going = new GraphPosition({ ...links, reached: { link: '/v1.0/b', next: '/v1.0/2' } });
    expect(going.toData()).toEqual({ link: '/v1.0/a', next: '/v1.0/2' });
    const over = new GraphPosition({ ...links, reached: { link: '/v1.0/3' } });
    expect(over.toData()).toEqual({ link: '/v1.0/a', next: '/v1.0/3' });
  });

  test.each([
    ['a link to another host', { link: 'https://evil.example/v1.0/me' }],
    ['a link relative to another host', { link: '//evil.example/v1.0/me' }],
    ['a position in an IMAP folder', { uid: 7 }],
    ['nothing', null],
  ])('is not read from %s', (_what, data) => {
    expect(positionFrom(data)).toBeUndefined();
  });
});

describe('a ref', () => {
  const id = 'AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0AWFQo_x7rMkyKWmx3cC6oSgAAAA0hJAAA=';

  test('holds the ID and the time of receipt, and sorts by it', () => {
    const ref = graphRef(id, '2026-11-28T12:00:00.000Z');
    expect([idOf(ref), secondsOf(ref), isGraphRef(ref)]).toEqual([id, NOON, true]);
    expect(sortedRefs([third, first, second])).toEqual([first, second, third]);
  });

  test.each([
    ['of characters that a row key refuses', 'AAk/Lg+A?#='],
    ['longer than a ref', 'A'.repeat(400)],
  ])('holds a hash instead of an ID %s', (_what, odd) => {
    const ref = graphRef(odd, '2026-11-28T12:00:00Z');
    expect([idOf(ref), secondsOf(ref)]).toEqual([undefined, NOON]);
    expect(graphRef(`${odd}A`, '2026-11-28T12:00:00Z')).not.toBe(ref);
  });

  test('of another protocol is recognized', () => {
    expect(isGraphRef(messageRef('0000000007'))).toBe(false);
    expect(() => idOf(messageRef('0000000007'))).toThrow(TypeError);
  });
});
