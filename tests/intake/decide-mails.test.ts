import { describe, expect, test } from 'vitest';
import { type Candidate, decideMails, type KnownThread } from '../../shared/intake/decide-mails.ts';

type Mail = Extract<Candidate, { kind: 'mail' }>;
const mail = (key: string, wish: Partial<Mail> = {}): Mail => ({
  kind: 'mail',
  key,
  ownTicketId: `ticket of ${key}`,
  messageId: `<${key}>`,
  answers: [],
  sender: 'kim@customer.example',
  people: ['kim@customer.example', 'support@contoso.example'],
  threads: [],
  ...wish,
});
const thread = (wish: Partial<KnownThread> = {}): KnownThread => ({
  ticketId: 'known',
  number: 7,
  open: true,
  participants: ['kim@customer.example'],
  ...wish,
});
const decided = (...mails: Candidate[]): string[] =>
  [...decideMails(mails, 10)].map(([key, { fate, ticketId, number, opens, follows, reason }]) =>
    fate === 'ticket'
      ? `${key}: ${opens ? 'opens' : 'joins'} ${ticketId} #${number}${follows ? ` after #${follows.number}` : ''}`
      : `${key}: ${fate}, ${reason}`,
  );

describe('a mail', () => {
  test('that answers nothing opens a ticket of its own, numbered in the order of the batch', () => {
    expect(decided(mail('a'), mail('b'))).toEqual(['a: opens ticket of a #10', 'b: opens ticket of b #11']);
  });

  test('that was settled before it could be decided takes no number', () => {
    expect(
      decided(
        { kind: 'settled', key: 'a', fate: 'skip', reason: 'not a mail' },
        { kind: 'settled', key: 'b', fate: 'quarantine', reason: 'too odd' },
        mail('c'),
      ),
    ).toEqual(['a: skip, not a mail', 'b: quarantine, too odd', 'c: opens ticket of c #10']);
  });
});

describe('a reply', () => {
  test('joins an open ticket in which its sender took part', () => {
    expect(decided(mail('a', { answers: ['<x>'], threads: [thread()] }))).toEqual(['a: joins known #7']);
  });

  test('joins whatever the case of its sender’s address', () => {
    expect(decided(mail('a', { sender: 'KIM@Customer.example', threads: [thread()] }))).toEqual([
      'a: joins known #7',
    ]);
  });

  test('to a closed ticket opens one that names the old one', () => {
    expect(decided(mail('a', { threads: [thread({ open: false })] }))).toEqual([
      'a: opens ticket of a #10 after #7',
    ]);
  });

  test('of a stranger who knows a Message-ID opens one that names the other', () => {
    const stranger = mail('a', { sender: 'eve@elsewhere.example', threads: [thread()] });
    expect(decided(stranger)).toEqual(['a: opens ticket of a #10 after #7']);
  });

  test('whose sender the receiving server refutes joins nothing, also not in the same batch', () => {
    expect(decided(mail('a', { isForged: true, threads: [thread()] }))).toEqual([
      'a: opens ticket of a #10 after #7',
    ]);
    expect(decided(mail('a'), mail('b', { isForged: true, answers: ['<a>'] }))).toEqual([
      'a: opens ticket of a #10',
      'b: opens ticket of b #11 after #10',
    ]);
  });

  test('without a sender joins nothing', () => {
    expect(decided(mail('a', { sender: undefined, threads: [thread()] }))).toEqual([
      'a: opens ticket of a #10 after #7',
    ]);
  });

  test('joins the open one of several tickets', () => {
    const threads = [thread({ open: false }), thread({ ticketId: 'open one', number: 8 })];
    expect(decided(mail('a', { threads }))).toEqual(['a: joins open one #8']);
  });

  test('joins the ticket that a mail of the same batch opens, also over several steps', () => {
    const batch = [
      mail('a'),
      mail('b', { answers: ['<a>'] }),
      mail('c', { answers: ['<b>', '<a>'] }),
      mail('d'),
    ];
    expect(decided(...batch)).toEqual([
      'a: opens ticket of a #10',
      'b: joins ticket of a #10',
      'c: joins ticket of a #10',
      'd: opens ticket of d #11',
    ]);
  });

  test('of somebody who was written to in the batch joins; of a stranger it does not', () => {
    const toLee = ['kim@customer.example', 'lee@customer.example'];
    const batch = (sender: string): Candidate[] => [
      mail('a', { people: toLee }),
      mail('b', { answers: ['<a>'], sender, people: [sender] }),
    ];
    expect(decided(...batch('lee@customer.example'))[1]).toBe('b: joins ticket of a #10');
    expect(decided(...batch('eve@elsewhere.example'))[1]).toBe('b: opens ticket of b #11 after #10');
  });

  test('that stands before what it answers opens a ticket of its own', () => {
    expect(decided(mail('b', { answers: ['<a>'] }), mail('a'))).toEqual([
      'b: opens ticket of b #10',
      'a: opens ticket of a #11',
    ]);
  });
});

test('a Message-ID that is used again in the batch steals no thread', () => {
  const batch = [
    mail('a', { messageId: '<same>' }),
    mail('b', { messageId: '<same>', sender: 'eve@elsewhere.example', people: ['eve@elsewhere.example'] }),
    mail('c', { answers: ['<same>'] }),
  ];
  expect(decided(...batch)[2]).toBe('c: joins ticket of a #10');
});
