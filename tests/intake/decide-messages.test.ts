import { describe, expect, test } from 'vitest';
import { type Candidate, decideMessages } from '../../shared/intake/decide-messages.ts';
import type { KnownThread, KnownThreads } from '../../shared/intake/threads.ts';

type Mail = Extract<Candidate, { kind: 'mail' }> & {
  /** Tickets in storage that contain the first message that it replies to. */
  threads: readonly KnownThread[];
};
const mail = (key: string, wish: Partial<Mail> = {}): Mail => ({
  kind: 'mail',
  key,
  ownTicketId: `ticket of ${key}`,
  messageId: `<${key}>`,
  answers: wish.threads === undefined ? [] : ['<parent>'],
  tags: [],
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
const knownOf = (mails: readonly (Candidate | Mail)[]): KnownThreads => {
  const stored = mails.flatMap((each) => ('threads' in each ? [each] : []));
  return {
    byMessageId: new Map(
      stored.map(({ answers, threads }) => [
        answers[0] ?? '',
        threads.map(({ ticketId }) => ({ ticketId, holds: true })),
      ]),
    ),
    byNumber: new Map(),
    threads: new Map(stored.flatMap(({ threads }) => threads.map((each) => [each.ticketId, each]))),
  };
};
const inWords = (decisions: ReturnType<typeof decideMessages>): string[] =>
  [...decisions].map(([key, { disposition, ticketId, number, opens, follows, reason }]) =>
    disposition === 'ticket'
      ? `${key}: ${opens ? 'opens' : 'joins'} ${ticketId} #${number}${follows ? ` after #${follows.number}` : ''}`
      : `${key}: ${disposition}, ${reason}`,
  );
const decided = (...mails: (Candidate | Mail)[]): string[] =>
  inWords(decideMessages(mails, knownOf(mails), 10));

describe('an email', () => {
  test('that is no reply opens its own ticket, numbered in the order of the batch', () => {
    expect(decided(mail('a'), mail('b'))).toEqual(['a: opens ticket of a #10', 'b: opens ticket of b #11']);
  });

  test('that was done before it could be decided uses no number', () => {
    expect(
      decided(
        { kind: 'no-ticket', key: 'a', disposition: 'skip', reason: 'not an email' },
        { kind: 'no-ticket', key: 'b', disposition: 'quarantine', reason: 'too odd' },
        mail('c'),
      ),
    ).toEqual(['a: skip, not an email', 'b: quarantine, too odd', 'c: opens ticket of c #10']);
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

  test('whose sender the receiving server refutes joins nothing, not even in the same batch', () => {
    expect(decided(mail('a', { isForged: true, threads: [thread()] }))).toEqual([
      'a: opens ticket of a #10 after #7',
    ]);
    expect(decided(mail('a'), mail('b', { isForged: true, answers: ['<a>'] }))).toEqual([
      'a: opens ticket of a #10',
      'b: opens ticket of b #11 after #10',
    ]);
  });

  test('that is folded joins a closed ticket, and is marked as folded', () => {
    const closed = thread({ open: false });
    const answer = mail('a', { quiet: true, answers: ['<x>'], threads: [closed] });
    const decisions = decideMessages([answer], knownOf([answer]), 10);
    expect(decisions.get('a')).toMatchObject({ ticketId: 'known', opens: false, quiet: true });
    expect(decided(mail('a', { quiet: true }))).toEqual(['a: opens ticket of a #10']);
    expect(decideMessages([mail('a', { quiet: true })], knownOf([]), 10).get('a')?.quiet).toBeUndefined();
  });

  test('that is a bounce joins on behalf of the recipient it reports on, and adds no participant', () => {
    const daemon = 'mailer-daemon@mx.example';
    const bounce = mail('a', {
      sender: daemon,
      people: [daemon, 'support@contoso.example'],
      reportsOn: ['kim@customer.example'],
      answers: ['<x>'],
      threads: [thread()],
    });
    expect(decided(bounce)).toEqual(['a: joins known #7']);
    expect(decided({ ...bounce, isForged: true })).toEqual(['a: opens ticket of a #10 after #7']);
    expect(decided({ ...bounce, reportsOn: ['lee@other.example'] })).toEqual([
      'a: opens ticket of a #10 after #7',
    ]);
    expect(decided(bounce, mail('b', { sender: daemon, answers: ['<a>'], people: [daemon] }))).toEqual([
      'a: joins known #7',
      'b: opens ticket of b #10 after #7',
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

  test('joins the ticket that an email of the same batch opens, also over several steps', () => {
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

  test('of a recipient of the batch’s email joins; of a stranger it does not', () => {
    const toLee = ['kim@customer.example', 'lee@customer.example'];
    const batch = (sender: string): Candidate[] => [
      mail('a', { people: toLee }),
      mail('b', { answers: ['<a>'], sender, people: [sender] }),
    ];
    expect(decided(...batch('lee@customer.example'))[1]).toBe('b: joins ticket of a #10');
    expect(decided(...batch('eve@elsewhere.example'))[1]).toBe('b: opens ticket of b #11 after #10');
  });

  test('that precedes the message it replies to opens its own ticket', () => {
    expect(decided(mail('b', { answers: ['<a>'] }), mail('a'))).toEqual([
      'b: opens ticket of b #10',
      'a: opens ticket of a #11',
    ]);
  });
});

test('with a reused Message-ID in the batch takes over no thread', () => {
  const batch = [
    mail('a', { messageId: '<same>' }),
    mail('b', { messageId: '<same>', sender: 'eve@elsewhere.example', people: ['eve@elsewhere.example'] }),
    mail('c', { answers: ['<same>'] }),
  ];
  expect(decided(...batch)[2]).toBe('c: joins ticket of a #10');
});

describe('an email that is already decided', () => {
  const earlier = (wish: Partial<Extract<Candidate, { kind: 'decided' }>> = {}): Candidate => ({
    kind: 'decided',
    key: 'a',
    decision: {
      disposition: 'ticket',
      ticketId: 'earlier',
      number: 3,
      opens: true,
      follows: undefined,
      reason: undefined,
    },
    messageId: '<a>',
    answers: [],
    tags: [],
    sender: 'kim@customer.example',
    people: ['kim@customer.example'],
    ...wish,
  });

  test('is not decided again, uses no number, and is joined by its reply', () => {
    expect(decided(earlier(), mail('b', { answers: ['<a>'] }), mail('c'))).toEqual([
      'b: joins earlier #3',
      'c: opens ticket of c #10',
    ]);
  });

  test('is not joined by a stranger', () => {
    const stranger = mail('b', { answers: ['<a>'], sender: 'eve@elsewhere.example' });
    expect(decided(earlier(), stranger)).toEqual(['b: opens ticket of b #10 after #3']);
  });

  test('is joined by nothing if it went to no ticket', () => {
    const decision = { disposition: 'skip', opens: false, follows: undefined, reason: 'a copy' } as const;
    for (const known of [
      { ticketId: undefined, number: undefined },
      { ticketId: 'earlier', number: undefined },
      { ticketId: undefined, number: 3 },
    ])
      expect(
        decided(earlier({ decision: { ...decision, ...known } }), mail('b', { answers: ['<a>'] })),
      ).toEqual(['b: opens ticket of b #10']);
  });
});

test('may be answered in the same batch by anyone whom a reply adds', () => {
  const batch = [
    mail('a'),
    mail('b', { answers: ['<a>'], people: ['kim@customer.example', 'lee@customer.example'] }),
    mail('c', { answers: ['<b>'], sender: 'lee@customer.example', people: ['lee@customer.example'] }),
    mail('d', { answers: ['<b>'], sender: 'kim@customer.example' }),
  ];
  expect(decided(...batch).slice(2)).toEqual(['c: joins ticket of a #10', 'd: joins ticket of a #10']);
  // Participants of the ticket stay participants.
  const later = [
    mail('a', { people: ['kim@customer.example', 'max@customer.example'] }),
    mail('b', { answers: ['<a>'], people: ['kim@customer.example'] }),
    mail('c', { answers: ['<b>'], sender: 'max@customer.example' }),
  ];
  expect(decided(...later)[2]).toBe('c: joins ticket of a #10');
});

describe('the boundary of a batch', () => {
  test('has no effect: anyone who joined a ticket meanwhile may answer any of its messages', () => {
    const LEE = 'lee@customer.example';
    const batch = [
      mail('a'),
      mail('b', { answers: ['<a>'], people: ['kim@customer.example', LEE] }),
      mail('c', { answers: ['<a>'], sender: LEE, people: [LEE] }),
    ];
    expect(decided(...batch)[2]).toBe('c: joins ticket of a #10');
  });

  test('has no effect: a ticket in storage stays the first one of a reused Message-ID', () => {
    const threads = [thread()];
    const batch = [
      mail('again', { messageId: '<parent>' }),
      mail('reply', { answers: ['<parent>'], threads }),
    ];
    expect(decided(...batch)).toEqual(['again: opens ticket of again #10', 'reply: joins known #7']);
  });
});

describe('replies to one missing message', () => {
  const sibling = (key: string, wish: Partial<Mail> = {}): Mail =>
    mail(key, { answers: ['<never came>'], ...wish });

  test('join each other', () => {
    expect(decided(sibling('a'), sibling('b'))).toEqual([
      'a: opens ticket of a #10',
      'b: joins ticket of a #10',
    ]);
  });

  test('of strangers make two tickets, of which the second names the first', () => {
    const stranger = { sender: 'eve@elsewhere.example', people: ['eve@elsewhere.example'] };
    expect(decided(sibling('a'), sibling('b', stranger))).toEqual([
      'a: opens ticket of a #10',
      'b: opens ticket of b #11 after #10',
    ]);
  });

  test('lead to no ticket through the replies of a refuted sender', () => {
    expect(decided(sibling('a', { isForged: true }), sibling('b'))).toEqual([
      'a: opens ticket of a #10',
      'b: opens ticket of b #11',
    ]);
  });

  test('rank after every ticket that contains a message of the thread', () => {
    const threads = [thread()];
    const later = mail('b', { answers: ['<parent>', '<never came>'], threads });
    expect(decided(sibling('a'), later)[1]).toBe('b: joins known #7');
  });

  test('find the ticket that follows a closed one', () => {
    const threads = [thread({ open: false })];
    expect(decided(mail('a', { threads }), mail('b', { threads }))).toEqual([
      'a: opens ticket of a #10 after #7',
      'b: joins ticket of a #10',
    ]);
  });
});

test('try the next message of the thread if the ticket of the nearest is not open to the sender', () => {
  const near = thread({ ticketId: 'near', number: 8, participants: ['lee@customer.example'] });
  const known: KnownThreads = {
    byMessageId: new Map([
      ['<near>', [{ ticketId: 'near', holds: true }]],
      ['<gone>', [{ ticketId: 'gone', holds: true }]],
      ['<root>', [{ ticketId: 'known', holds: true }]],
    ]),
    byNumber: new Map(),
    threads: new Map([
      ['near', near],
      ['known', thread()],
    ]),
  };
  const answers = ['<near>', '<gone>', '<root>'];
  const decideOne = (wish: Partial<Mail>): string[] =>
    inWords(decideMessages([mail('a', { answers, ...wish })], known, 10));
  expect(decideOne({})).toEqual(['a: joins known #7']);
  expect(decideOne({ sender: 'eve@elsewhere.example' })).toEqual(['a: opens ticket of a #10 after #8']);
});

describe('a tag in the subject', () => {
  const known = (wish: Partial<KnownThread> = {}): KnownThreads => ({
    byMessageId: new Map(),
    byNumber: new Map([[7, 'known']]),
    threads: new Map([['known', thread({ requester: 'kim@customer.example', ...wish })]]),
  });
  const tagged = (wish: Partial<Mail> = {}, ticket: Partial<KnownThread> = {}): string[] =>
    inWords(
      decideMessages([mail('a', { tags: [6, 7], ...wish })], known(ticket), 10, { colleaguesJoin: true }),
    );

  test('leads a participant to the ticket', () => {
    expect(tagged()).toEqual(['a: joins known #7']);
  });

  test.each([
    ['a stranger', { sender: 'eve@elsewhere.example' }],
    ['a refuted sender', { isForged: true }],
    ['nobody', { sender: undefined }],
    ['a colleague', { sender: 'lee@customer.example' }],
  ])('leads %s nowhere, and links nothing', (_who, wish) => {
    expect(tagged(wish)).toEqual(['a: opens ticket of a #10']);
  });

  test('of a closed ticket links it for a participant', () => {
    expect(tagged({}, { open: false })).toEqual(['a: opens ticket of a #10 after #7']);
  });

  test('ranks after the message that the email replies to', () => {
    const both: KnownThreads = {
      byMessageId: new Map([['<x>', [{ ticketId: 'answered', holds: true }]]]),
      byNumber: new Map([[7, 'known']]),
      threads: new Map([
        ['known', thread()],
        ['answered', thread({ ticketId: 'answered', number: 5 })],
      ]),
    };
    const reply = mail('a', { answers: ['<x>'], tags: [7] });
    expect(inWords(decideMessages([reply], both, 10))).toEqual(['a: joins answered #5']);
  });
});
