/** The decisions for the emails of a batch, based on the contents of storage. */
import { beforeEach, describe, expect, test } from 'vitest';
import { answersOf } from '../../shared/intake/answers-of.ts';
import type { Work } from '../../shared/intake/batch.ts';
import { ticketIdOf } from '../../shared/intake/content-key.ts';
import { decideBatch } from '../../shared/intake/decide-batch.ts';
import { loopLimits } from '../../shared/intake/fold-loops.ts';
import { type Decision, type LedgerMail, placeOf } from '../../shared/intake/ledger.ts';
import { createLedgerStore, type LedgerStore } from '../../shared/intake/ledger-store.ts';
import { readLoopCounts } from '../../shared/intake/loop-counts.ts';
import type { ReadOutcome } from '../../shared/intake/read-message.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import type { ParsedMessage } from '../../shared/mime/parsed-message.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { appendMessages } from '../../shared/tickets/append-messages.ts';
import type { NewMessage } from '../../shared/tickets/message-records.ts';
import { subjectTag } from '../../shared/tickets/subject-tag.ts';
import { writeIndexes } from '../../shared/tickets/ticket-indexes.ts';
import { reserveNumbers } from '../../shared/tickets/ticket-numbers.ts';
import { createTicketStore } from '../../shared/tickets/ticket-store.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const BOX = 'box';

const address = (of: string) => ({ name: undefined, address: of });
const KIM = 'kim@customer.example';
const SUPPORT = 'support@contoso.example';

/** An email that was read: from Kim, to the mailbox, unless specified. */
function read(key: string, mail: Partial<ParsedMessage> = {}, isForged?: boolean): ReadOutcome {
  const parsed: ParsedMessage = {
    from: address(KIM),
    fromSource: 'from',
    fromName: undefined,
    replyTo: [],
    to: [address(SUPPORT)],
    cc: [],
    subject: 'Lamp',
    messageId: `<${key}@customer.example>`,
    inReplyTo: [],
    references: [],
    date: undefined,
    text: 'Hello',
    html: undefined,
    attachments: [],
    automatic: { returnPathEmpty: false, isReport: false },
    authentication: [],
    notes: [],
    ...mail,
  };
  return { kind: 'message', mail: parsed, message: messageOf(key, parsed, isForged) };
}

const messageOf = (key: string, mail: ParsedMessage, isForged?: boolean): NewMessage => ({
  key,
  at: told.receivedAt,
  sentAt: undefined,
  from: mail.from ?? { name: undefined, address: undefined },
  to: mail.to,
  cc: mail.cc,
  subject: mail.subject,
  messageId: mail.messageId,
  answers: answersOf(mail),
  notes: [],
  rawBlob: '',
  attachments: [],
  text: { kind: 'inline', text: mail.text },
  html: undefined,
  preview: '',
  manifestBlob: undefined,
  authentication:
    isForged === undefined
      ? undefined
      : { spf: undefined, dkim: undefined, dmarc: undefined, fails: isForged },
});

const nothing = {
  ticketId: undefined,
  number: undefined,
  opens: false,
  follows: undefined,
  reason: undefined,
};
const told = { receivedAt: '2026-11-24T10:00:00.000Z', size: 100, messageId: '' };

const workOf = (mail: LedgerMail, uid: number): Work => ({
  mail,
  stored: { ...mail, ref: uidRef(uid), raw: undefined, oversized: false, notes: [] },
});

let tables: MemoryTables;
let ledger: LedgerStore;
let points: string[];
beforeEach(() => {
  points = [];
  tables = new MemoryTables({
    ...openSeam,
    call: (point, effect) => {
      points.push(point);
      return effect();
    },
  });
  ledger = createLedgerStore(tables);
});

let lastUid = 0;
/** Claims these emails, as a batch does before it decides. */
async function claimed(keys: readonly string[]): Promise<Work[]> {
  const found = keys.map((key) => {
    lastUid += 1;
    const place = placeOf({ folderKey: 'f', validity: '1' }, { ...told, ref: uidRef(lastUid) });
    return { ref: uidRef(lastUid), place, key, rawBlob: `raw/${key}`, ...told };
  });
  const { mine } = await ledger.claim(BOX, found, { alone: false, present: new Set() });
  return mine.map(workOf);
}

interface Wish {
  isOwnTest?: (messageId: string) => Promise<boolean>;
}

/** Claims and decides; returns the decisions in the order of the emails. */
async function decided(
  outcomes: Readonly<Record<string, ReadOutcome>>,
  { isOwnTest }: Wish = {},
): Promise<(Decision | undefined)[]> {
  const work = await claimed(Object.keys(outcomes));
  const mails = await decideBatch(
    { tables, ledger, ticketIdOf, isOwnTest },
    { id: BOX, address: 'box@contoso.example' },
    work,
    Object.values(outcomes),
  );
  const stored = await ledger.emails(BOX, Object.keys(outcomes));
  expect(mails).toEqual(mails.map(({ key }) => stored.get(key)));
  return Object.keys(outcomes).map((key) => stored.get(key)?.decision);
}

/** A ticket of Kim's in storage with emails of these keys. */
async function ticketWith(
  ticketId: string,
  number: number,
  keys: readonly string[],
  wish: Partial<ParsedMessage> = {},
): Promise<void> {
  const messages = keys.flatMap((key) => {
    const outcome = read(key, wish);
    return outcome.kind === 'message' ? [outcome.message] : [];
  });
  const filing = { ticketId, number, mailboxId: BOX, follows: undefined, opens: true, messages };
  await writeIndexes(tables, BOX, [await appendMessages(tables, filing)]);
}
const id = (key: string): string => `<${key}@customer.example>`;
const opens = (key: string, number: number, follows?: Decision['follows']): Decision => ({
  disposition: 'ticket',
  ticketId: ticketIdOf(BOX, key),
  number,
  opens: true,
  follows,
  reason: undefined,
});
const joins = (ticketId: string, number: number): Decision => ({
  disposition: 'ticket',
  ticketId,
  number,
  opens: false,
  follows: undefined,
  reason: undefined,
});

describe('new email', () => {
  test('opens tickets with consecutive numbers, which are reserved for them; replies in the batch join', async () => {
    expect(
      await decided({
        first: read('first'),
        reply: read('reply', { from: address('KIM@customer.example'), inReplyTo: [id('first')] }),
        second: read('second'),
        odd: { kind: 'quarantine', reason: 'too odd', from: undefined, subject: undefined },
        none: { kind: 'skip', reason: 'not an email' },
      }),
    ).toEqual([
      opens('first', 1),
      joins(ticketIdOf(BOX, 'first'), 1),
      opens('second', 2),
      { ...nothing, disposition: 'quarantine', reason: 'too odd' },
      { ...nothing, disposition: 'skip', reason: 'not an email' },
    ]);
    const reserved = tables.dump('Numbers').filter(({ rowKey }) => rowKey !== 'last');
    expect(reserved.map((row) => row['ticketId'])).toEqual([
      ticketIdOf(BOX, 'first'),
      ticketIdOf(BOX, 'second'),
    ]);
    expect(await decided({ third: read('third') })).toEqual([opens('third', 3)]);
  });

  test('that opens no ticket uses no number', async () => {
    await ticketWith('t', 7, ['parent']);
    points.length = 0;
    await decided({
      reply: read('reply', { inReplyTo: [id('parent')] }),
      none: { kind: 'skip', reason: 'not an email' },
    });
    expect(points.filter((point) => point.startsWith('table.Numbers'))).toEqual([]);
  });

  test('that could not be read yet stays undecided, and so does nothing else', async () => {
    const work = await claimed(['read', 'open']);
    const mails = await decideBatch(
      { tables, ledger, ticketIdOf },
      { id: BOX, address: 'box@contoso.example' },
      work,
      [read('read')],
    );
    expect(mails.map(({ key, state }) => [key, state])).toEqual([['read', 'decided']]);
    expect((await ledger.emails(BOX, ['open'])).get('open')?.state).toBe('received');
  });

  test('is skipped if the app sent it to itself as a test', async () => {
    const asked: string[] = [];
    const isOwnTest = async (messageId: string): Promise<boolean> => {
      asked.push(messageId);
      return messageId === id('own');
    };
    const [own, other, nameless] = await decided(
      { own: read('own'), other: read('other'), nameless: read('nameless', { messageId: undefined }) },
      { isOwnTest },
    );
    expect(own).toEqual({
      ...nothing,
      disposition: 'skip',
      reason: 'the test email that “Test connection” sent to this mailbox',
    });
    expect([other?.disposition, nameless?.disposition]).toEqual(['ticket', 'ticket']);
    expect(asked).toEqual([id('own'), id('other')]);
  });
});

describe('a reply', () => {
  test('joins the open ticket that contains the message it replies to', async () => {
    await ticketWith('t', 7, ['parent']);
    expect(await decided({ reply: read('reply', { inReplyTo: [id('parent')] }) })).toEqual([joins('t', 7)]);
    expect(await decided({ later: read('later', { references: [id('parent')] }) })).toEqual([joins('t', 7)]);
  });

  test.each([
    ['from a stranger', { from: address('stranger@elsewhere.example') }, false],
    ['without a sender', { from: undefined }, false],
    ['whose sender the mail server refutes', {}, true],
  ])('%s opens a ticket that names the old one', async (_what, mail, isForged) => {
    await ticketWith('t', 7, ['parent']);
    const reply = read('reply', { inReplyTo: [id('parent')], ...mail }, isForged);
    expect(await decided({ reply })).toEqual([opens('reply', 1, { id: 't', number: 7 })]);
  });

  test('to a closed ticket opens one that names it', async () => {
    await ticketWith('t', 7, ['parent']);
    await createTicketStore({ tables, blobs: new MemoryBlobs(openSeam) }).setStatus('t', 'closed');
    const reply = read('reply', { inReplyTo: [id('parent')] });
    expect(await decided({ reply })).toEqual([opens('reply', 1, { id: 't', number: 7 })]);
  });

  test('is matched by In-Reply-To, then by its thread from the newest to the oldest', async () => {
    await ticketWith('near', 7, ['near']);
    await ticketWith('newer', 8, ['newer']);
    await ticketWith('older', 9, ['older']);
    const references = [id('older'), id('newer')];
    expect(await decided({ a: read('a', { inReplyTo: [id('near')], references }) })).toEqual([
      joins('near', 7),
    ]);
    expect(await decided({ b: read('b', { inReplyTo: [id('unknown')], references }) })).toEqual([
      joins('newer', 8),
    ]);
    points.length = 0;
    await decided({ c: read('c', { inReplyTo: [id('near')], references }) });
    expect(
      points.filter((point) => point === 'table.MessageIds.list'),
      'and asks no further',
    ).toHaveLength(1);
  });

  test('is looked up by at most six of its thread: of a longer one by the newest five and the root', async () => {
    const chain = (length: number): string[] => Array.from({ length }, (_, index) => id(`chain${index}`));
    await ticketWith('root', 7, ['chain0']);
    await ticketWith('second', 8, ['chain1']);
    expect(await decided({ a: read('a', { references: chain(6) }) })).toEqual([joins('second', 8)]);
    const own = [...chain(6), id('own')];
    expect(await decided({ own: read('own', { references: own }) }), 'its own is none of them').toEqual([
      joins('second', 8),
    ]);
    points.length = 0;
    expect(await decided({ b: read('b', { references: chain(7) }) })).toEqual([joins('root', 7)]);
    expect(points.filter((point) => point === 'table.MessageIds.list')).toHaveLength(6);
  });

  test('tries the next of its thread if the ticket of the nearest is closed or not open to its sender', async () => {
    await ticketWith('root', 7, ['root']);
    await ticketWith('others', 8, ['others'], { from: address('lee@elsewhere.example') });
    await ticketWith('closed', 9, ['closed']);
    await createTicketStore({ tables, blobs: new MemoryBlobs(openSeam) }).setStatus('closed', 'closed');
    const references = [id('root'), id('others'), id('closed')];
    expect(await decided({ reply: read('reply', { references }) })).toEqual([joins('root', 7)]);
  });

  test('joins another reply to the same missing message, even if that one is in storage', async () => {
    await ticketWith('t', 7, ['sibling'], { inReplyTo: [id('never came')] });
    expect(await decided({ reply: read('reply', { inReplyTo: [id('never came')] }) })).toEqual([
      joins('t', 7),
    ]);
  });

  test('that repeats a Message-ID looks it up once, and never its own', async () => {
    await ticketWith('t', 7, ['again']);
    points.length = 0;
    const twice = read('twice', { inReplyTo: [id('x')], references: [id('x'), id('x')] });
    expect(await decided({ twice })).toEqual([opens('twice', 1)]);
    expect(points.filter((point) => point === 'table.MessageIds.list')).toHaveLength(1);
    expect(await decided({ again: read('again', { references: [id('again')] }) })).toEqual([
      opens('again', 2),
    ]);
  });

  test('to an email of its own batch also reads storage, which may have a ticket with the same Message-ID', async () => {
    await ticketWith('t', 7, ['first']);
    points.length = 0;
    const again = read('again', { messageId: id('first') });
    const replies = Object.fromEntries(
      ['one', 'two'].map((key) => [key, read(key, { inReplyTo: [id('first')] })]),
    );
    expect(await decided({ again, ...replies })).toEqual([opens('again', 1), joins('t', 7), joins('t', 7)]);
    expect(
      points.filter((point) => point === 'table.MessageIds.list'),
      'once in a batch',
    ).toHaveLength(1);
    expect(points.filter((point) => point === 'table.Tickets.get')).toHaveLength(1);
  });

  test('to a Message-ID of many tickets reads twenty of them', async () => {
    for (let number = 1; number <= 22; number += 1) await ticketWith(`t${number}`, number, ['parent']);
    points.length = 0;
    await decided({ reply: read('reply', { inReplyTo: [id('parent')] }) });
    expect(points.filter((point) => point === 'table.Tickets.get')).toHaveLength(20);
  });

  test('to a removed ticket tries the next message of its thread', async () => {
    await ticketWith('t', 7, ['parent']);
    await ticketWith('gone', 8, ['gone']);
    for (const { rowKey } of tables.dump('Tickets').filter(({ partitionKey }) => partitionKey === 'gone'))
      await tables.open('Tickets').commit('gone', [{ kind: 'remove', rowKey }]);
    const reply = read('reply', { inReplyTo: [id('gone')], references: [id('parent')] });
    expect(await decided({ reply })).toEqual([joins('t', 7)]);
  });
});

describe('a tag in the subject', () => {
  const tagged = (number: number): Partial<ParsedMessage> => ({ subject: `Re: ${subjectTag(number)} Lamp` });

  test('leads a participant to the ticket, which is read once', async () => {
    await ticketWith('t', await reserveNumbers(tables, ['t']), ['parent']);
    points.length = 0;
    const eve = { ...tagged(1), from: address('eve@elsewhere.example') };
    expect(
      await decided({ a: read('a', tagged(1)), b: read('b', tagged(1)), eve: read('eve', eve) }),
    ).toEqual([joins('t', 1), joins('t', 1), opens('eve', 2)]);
    expect(points.filter((point) => point === 'table.MessageIds.list')).toEqual([]);
    expect(points.filter((point) => point === 'table.Numbers.get').length).toBeLessThanOrEqual(2);
  });

  test('of a ticket of another mailbox, of an unused number and of an unknown one leads to none', async () => {
    const filing = { number: await reserveNumbers(tables, ['other']), mailboxId: 'other box', opens: true };
    const outcome = read('parent');
    const messages = outcome.kind === 'message' ? [outcome.message] : [];
    await appendMessages(tables, { ...filing, ticketId: 'other', follows: undefined, messages });
    await reserveNumbers(tables, ['t']);
    await ticketWith('t', await reserveNumbers(tables, ['t']), ['used']);
    const numbers = [1, 2, 99];
    const mails = Object.fromEntries(
      numbers.map((number) => [`to${number}`, read(`to${number}`, tagged(number))]),
    );
    expect(await decided(mails)).toEqual([opens('to1', 4), opens('to2', 5), opens('to99', 6)]);
  });
});

describe('automatic email', () => {
  const robot = (key: string, mail: Partial<ParsedMessage> = {}): ReadOutcome =>
    read(key, {
      from: address('Robot@elsewhere.example'),
      automatic: { autoSubmitted: 'auto-replied', returnPathEmpty: false, isReport: false },
      ...mail,
    });
  const many = (count: number, outcome: (key: string) => ReadOutcome): Record<string, ReadOutcome> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, outcome(`key${index}`)]));
  const counts = async (): Promise<unknown> =>
    tables
      .dump('Ledger')
      .filter(({ rowKey }) => rowKey.startsWith('auto|'))
      .map((row) => row['count']);

  test('over the limit of its sender is folded, and counted once it is decided', async () => {
    expect(new Set((await decided(many(40, robot))).map((each) => each?.folded))).toEqual(
      new Set([undefined]),
    );
    const more = Object.fromEntries(
      Array.from({ length: 22 }, (_, index) => [`more${index}`, robot(`more${index}`)]),
    );
    const folded = (await decided(more)).map((each) => each?.folded !== undefined);
    expect(folded.lastIndexOf(false)).toBe(loopLimits.sender - 40 - 1);
    expect(folded.filter(Boolean)).toHaveLength(2);
    const mail = { key: '', receivedAt: '', sender: 'robot@elsewhere.example', decision: opens('key0', 1) };
    expect([...(await readLoopCounts(tables, BOX, [mail])).values()]).toEqual([
      { hour: '2026-11-24T10', count: 62 },
    ]);
  });

  test('is counted in the conversation that it joins', async () => {
    await ticketWith('t', 7, ['parent'], { from: address('robot@elsewhere.example') });
    await decided({ reply: robot('reply', { inReplyTo: [id('parent')] }) });
    expect(await counts()).toEqual([1, 1]);
  });

  test('without a sender is counted, too', async () => {
    await decided({ reply: robot('reply', { from: undefined }) });
    expect(await counts()).toEqual([1]);
  });

  test('that becomes no message is not counted, nor is email of people', async () => {
    await decided(
      { own: robot('own'), person: read('person'), odd: { kind: 'skip', reason: 'not an email' } },
      { isOwnTest: async (messageId) => messageId === id('own') },
    );
    expect(await counts()).toEqual([]);
  });
});

describe('a batch that another run partly decides', () => {
  test('respects those decisions: a reply follows its parent', async () => {
    const work = await claimed(['parent', 'reply']);
    const deps = { tables, ledger, ticketIdOf };
    const parent = read('parent');
    const automatic = { autoSubmitted: 'auto-replied', returnPathEmpty: false, isReport: false };
    const reply = read('reply', { inReplyTo: [id('parent')], automatic });

    // The other run decides only the parent; numbers were assigned meanwhile.
    const [first] = await decideBatch(deps, { id: BOX, address: 'box@contoso.example' }, work.slice(0, 1), [
      parent,
    ]);
    const late = await decideBatch(deps, { id: BOX, address: 'box@contoso.example' }, work, [parent, reply]);

    expect(late.map(({ state }) => state)).toEqual(['decided', 'decided']);
    expect(late[0]?.decision).toEqual(first?.decision);
    expect(late[1]?.decision).toEqual(joins(ticketIdOf(BOX, 'parent'), first?.decision?.number ?? 0));
    const counts = tables.dump('Ledger').filter(({ rowKey }) => rowKey.startsWith('auto|'));
    expect(
      counts.map((row) => row['count']),
      'the reply is counted once',
    ).toEqual([1, 1]);
  });

  test('keeps the decisions of an earlier run unchanged', async () => {
    const work = await claimed(['parent', 'odd', 'reply', 'other']);
    const deps = { tables, ledger, ticketIdOf };
    const odd: ReadOutcome = { kind: 'quarantine', reason: 'too odd', from: undefined, subject: undefined };
    const outcomes = [read('parent'), odd, read('reply', { inReplyTo: [id('parent')] }), read('other')];
    const before = await decideBatch(
      deps,
      { id: BOX, address: 'box@contoso.example' },
      work.slice(0, 2),
      outcomes.slice(0, 2),
    );
    const again = [...before.map((mail) => workOf(mail, 1)), ...work.slice(2)];
    const now = await decideBatch(deps, { id: BOX, address: 'box@contoso.example' }, again, outcomes);
    expect(now.slice(0, 2)).toEqual(before);
    expect(now[2]?.decision).toEqual(joins(ticketIdOf(BOX, 'parent'), 1));
    expect(now[3]?.decision).toEqual(opens('other', 2));
    const { changes } = tables;
    expect(
      await decideBatch(
        deps,
        { id: BOX, address: 'box@contoso.example' },
        now.map((mail) => workOf(mail, 1)),
        outcomes,
      ),
    ).toEqual(now);
    expect(tables.changes, 'where all is decided, nothing is written').toBe(changes);
  });

  test('ignores a decided email that was not read again', async () => {
    const work = await claimed(['reply', 'parent']);
    const deps = { tables, ledger, ticketIdOf };
    const [parent] = await decideBatch(deps, { id: BOX, address: 'box@contoso.example' }, work.slice(1), [
      read('parent'),
    ]);
    if (parent === undefined) throw new Error('nothing was decided');
    const again = [...work.slice(0, 1), workOf(parent, 1)];
    const now = await decideBatch(deps, { id: BOX, address: 'box@contoso.example' }, again, [
      read('reply', { inReplyTo: [id('parent')] }),
    ]);
    expect(now.map(({ decision }) => decision)).toEqual([opens('reply', 2), parent.decision]);
  });
});
