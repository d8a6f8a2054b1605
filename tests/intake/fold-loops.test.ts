/** Which email is automatic, and which of it is over the limits. */
import { describe, expect, test } from 'vitest';
import {
  type AutomaticMail,
  countedAs,
  foldLoops,
  isAutomatic,
  loopLimits,
} from '../../shared/intake/fold-loops.ts';
import type { AutomaticMarks } from '../../shared/mime/parsed-message.ts';

describe('email of a machine', () => {
  const marks = (wish: Partial<AutomaticMarks>): AutomaticMarks => ({
    returnPathEmpty: false,
    isReport: false,
    ...wish,
  });
  test.each<[string, Partial<AutomaticMarks>]>([
    ['Auto-Submitted: auto-replied', { autoSubmitted: 'auto-replied' }],
    ['Auto-Submitted: auto-generated', { autoSubmitted: 'auto-generated' }],
    ['Precedence: bulk', { precedence: 'bulk' }],
    ['Precedence: junk', { precedence: 'junk' }],
    ['Precedence: auto_reply', { precedence: 'auto_reply' }],
    ['an empty return path', { returnPathEmpty: true }],
    ['a delivery report', { isReport: true }],
    ['an older responder', { suppress: 'x-autoreply: yes' }],
  ])('is %s', (_what, wish) => {
    expect(isAutomatic(marks(wish))).toBe(true);
  });

  test.each<[string, Partial<AutomaticMarks>]>([
    ['plain email', {}],
    ['Auto-Submitted: no', { autoSubmitted: 'no' }],
    ['a mailing list', { precedence: 'list', listId: 'a.list' }],
    ['mail that wants no automatic answer', { suppress: 'All' }],
  ])('is not %s', (_what, wish) => {
    expect(isAutomatic(marks(wish))).toBe(false);
  });
});

describe('automatic email is folded', () => {
  const one = (index: number, wish: Partial<AutomaticMail> & { joins?: string } = {}): AutomaticMail => ({
    key: `key ${index}`,
    sender: 'robot@elsewhere.example',
    receivedAt: '2026-11-24T10:00:00.000Z',
    decision: {
      disposition: 'ticket',
      ticketId: wish.joins ?? `ticket ${index}`,
      number: 1,
      opens: wish.joins === undefined,
      follows: undefined,
      reason: undefined,
    },
    ...wish,
  });
  const many = (count: number, wish: Parameters<typeof one>[1] = {}): AutomaticMail[] =>
    Array.from({ length: count }, (_, index) => one(index, wish));
  const foldedOf = (mails: readonly AutomaticMail[]): string[] => [
    ...foldLoops(mails, new Map()).folded.keys(),
  ];

  test('from the first one over the limit of its sender', () => {
    expect(foldedOf(many(loopLimits.sender))).toEqual([]);
    expect(foldedOf(many(loopLimits.sender + 2))).toEqual([
      `key ${loopLimits.sender}`,
      `key ${loopLimits.sender + 1}`,
    ]);
  });

  test('from the first one over the limit of its conversation, whoever sends it', () => {
    const mails = Array.from({ length: loopLimits.conversation + 1 }, (_, index) =>
      one(index, { sender: `robot-${index}@elsewhere.example`, joins: 'the ticket' }),
    );
    expect(foldedOf(mails.slice(0, -1))).toEqual([]);
    expect(foldedOf(mails)).toEqual([`key ${loopLimits.conversation}`]);
  });

  test('by the hour, continuing from earlier counts', () => {
    const { counts } = foldLoops(many(loopLimits.sender), new Map());
    expect([...foldLoops([one(999)], counts).folded.values()]).toEqual([
      `Automatic message: more than ${loopLimits.sender} arrived from this sender within an hour.`,
    ]);
    const later = one(999, { receivedAt: '2026-11-24T11:00:00.000Z' });
    expect(foldLoops([later], counts).folded.size).toBe(0);
  });

  test('once, for the first limit that it exceeds', () => {
    const before = new Map([
      ['sender|robot@elsewhere.example', { hour: '2026-11-24T10', count: loopLimits.sender }],
      ['conversation|the ticket', { hour: '2026-11-24T10', count: loopLimits.conversation }],
      ['conversation|another', { hour: '2026-11-24T10', count: 1 }],
    ]);
    const { folded, counts } = foldLoops([one(1, { joins: 'the ticket' })], before);
    expect([...folded]).toEqual([
      ['key 1', `Automatic message: more than ${loopLimits.sender} arrived from this sender within an hour.`],
    ]);
    expect([...counts]).toEqual([
      ['sender|robot@elsewhere.example', { hour: '2026-11-24T10', count: loopLimits.sender + 1 }],
      ['conversation|the ticket', { hour: '2026-11-24T10', count: loopLimits.conversation + 1 }],
      ['conversation|another', { hour: '2026-11-24T10', count: 1 }],
    ]);
    expect(before.get('conversation|the ticket')?.count, 'what was known is left alone').toBe(
      loopLimits.conversation,
    );
  });

  test('with the conversation as its reason if that is over the limit', () => {
    const before = new Map([
      ['conversation|the ticket', { hour: '2026-11-24T10', count: loopLimits.conversation }],
    ]);
    expect([...foldLoops([one(1, { joins: 'the ticket' })], before).folded.values()]).toEqual([
      `Automatic message: more than ${loopLimits.conversation} arrived in this conversation within an hour.`,
    ]);
  });

  test('under its sender, and under the conversation that it joined and did not open', () => {
    expect(countedAs(one(1))).toEqual(['sender|robot@elsewhere.example']);
    expect(countedAs(one(1, { joins: 't' }))).toEqual(['sender|robot@elsewhere.example', 'conversation|t']);
    expect(countedAs(one(1, { sender: undefined }))).toEqual(['sender|']);
    const { decision } = one(1, { joins: 't' });
    expect(countedAs({ sender: 'a', decision: { ...decision, ticketId: undefined } })).toEqual(['sender|a']);
  });
});
