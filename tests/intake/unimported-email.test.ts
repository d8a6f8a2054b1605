import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { IntakeDeps } from '../../shared/intake/batch.ts';
import { ticketIdOf } from '../../shared/intake/content-key.ts';
import { createLedgerStore } from '../../shared/intake/ledger-store.ts';
import type { QuarantineEntry } from '../../shared/intake/quarantine-records.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import { openTicketAnyway, retryUnimported } from '../../shared/intake/unimported-email.ts';
import type { ParserPool } from '../../shared/mime/parser-pool.ts';
import { FaultySeam, faultKinds, only } from '../harness/memory/faulty-seam.ts';
import { IntakeWorld, parserHere } from '../harness/memory/intake-world.ts';

const letter = (id: string, subject: string, more = ''): Uint8Array =>
  Buffer.from(
    `From: Kim Berg <kim@customer.example>\r\nTo: support@contoso.example\r\nSubject: ${subject}\r\nMessage-ID: <${id}@customer.example>\r\n${more}\r\nHello\r\n`,
  );

/** Reads no body: only a header is read, as in an email that hangs the parser. */
const failing: ParserPool = {
  parse: (raw, nonce) =>
    Buffer.from(raw).includes('Hello')
      ? Promise.resolve({ kind: 'unreadable', reason: 'it takes longer than 3 s' })
      : parserHere.parse(raw, nonce),
  async close() {},
};

let world: IntakeWorld;
let deps: IntakeDeps;
const entries = async (): Promise<QuarantineEntry[]> =>
  (await deps.quarantine.page('support', { limit: 20 })).entries;
const theEntry = async (): Promise<QuarantineEntry> => {
  const [entry] = await entries();
  if (entry === undefined) throw new Error('nothing is unimported');
  return entry;
};

const depsOf = ({ tables, blobs }: IntakeWorld): IntakeDeps => ({
  tables,
  blobs,
  ledger: createLedgerStore(tables),
  quarantine: createQuarantineStore({ tables }),
  parser: parserHere,
  ticketIdOf,
});
beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  world = new IntakeWorld();
  deps = depsOf(world);
});

const deliver = async (raw: Uint8Array, parser: ParserPool = failing): Promise<void> => {
  world.folder.deliver(raw, `2026-11-24T09:0${world.folder.mails.length}:00.000Z`);
  const { error } = await world.run({ parser: () => parser });
  expect(error).toBeUndefined();
};

describe('an email that could not be imported', () => {
  test('waits for a person with its header, and with the time of the message', async () => {
    await deliver(letter('a', 'A printer on fire'));
    expect(await theEntry()).toMatchObject({
      kind: 'quarantined',
      reason: 'it takes longer than 3 s',
      from: 'kim@customer.example',
      subject: 'A printer on fire',
      messageId: '<a@customer.example>',
      at: '2026-11-24T09:00:00.000Z',
    });
    expect(await deps.quarantine.open(10)).toEqual([
      { key: (await theEntry()).key, mailboxId: 'support', at: '2026-11-24T09:00:00.000Z' },
    ]);
  });

  test('is imported normally after a retry: here as a reply in its ticket', async () => {
    await deliver(letter('a', 'A printer on fire'), parserHere);
    await deliver(letter('b', 'Re: A printer on fire', 'In-Reply-To: <a@customer.example>\r\n'));
    const outcome = await retryUnimported(deps, world.mailbox, await theEntry());
    if (outcome.kind !== 'in-ticket') throw new Error(outcome.kind);
    const conversation = await world.tickets.read(outcome.ticket.id);
    expect(conversation?.messages.map(({ subject }) => subject)).toEqual([
      'A printer on fire',
      'Re: A printer on fire',
    ]);
    // A second click, or an interrupted run, finds it done.
    expect(await retryUnimported(deps, world.mailbox, await theEntry())).toEqual(outcome);
    expect((await world.tickets.read(outcome.ticket.id))?.messages).toHaveLength(2);
  });

  test('that is still unreadable has a new reason, and waits', async () => {
    await deliver(letter('a', 'A printer on fire'));
    const again: ParserPool = {
      ...failing,
      parse: (raw, nonce) =>
        Buffer.from(raw).includes('Hello')
          ? Promise.resolve({ kind: 'unreadable', reason: 'it needs too much memory' })
          : parserHere.parse(raw, nonce),
    };
    expect(await retryUnimported({ ...deps, parser: again }, world.mailbox, await theEntry())).toEqual({
      kind: 'not-imported',
      reason: 'it needs too much memory',
    });
    expect(await entries()).toHaveLength(1);
    expect((await theEntry()).reason).toBe('it needs too much memory');
    expect(await deps.quarantine.open(10)).toHaveLength(1);
  });

  test('whose retry crashed halfway is finished by the next one', async () => {
    await deliver(letter('a', 'A printer on fire'));
    const broken = { ...deps, blobs: { ...deps.blobs, read: () => Promise.reject(new Error('gone')) } };
    await expect(retryUnimported(broken as IntakeDeps, world.mailbox, await theEntry())).rejects.toThrow(
      'gone',
    );
    expect(await retryUnimported(deps, world.mailbox, await theEntry())).toMatchObject({ kind: 'in-ticket' });
  });

  test('becomes a ticket anyway: from its sender, with its original attached', async () => {
    const raw = letter('a', 'A printer on fire');
    await deliver(raw);
    const outcome = await openTicketAnyway({ ...deps, parser: failing }, await theEntry(), world.mailbox);
    if (outcome.kind !== 'in-ticket') throw new Error(outcome.kind);
    const conversation = await world.tickets.read(outcome.ticket.id);
    expect(conversation?.ticket).toMatchObject({
      number: outcome.ticket.number,
      subject: 'A printer on fire',
      requester: { name: 'Kim Berg', address: 'kim@customer.example' },
      openedAt: '2026-11-24T09:00:00.000Z',
    });
    const [message] = conversation?.messages ?? [];
    expect(message?.notes).toEqual([
      'This email could not be imported: it takes longer than 3 s. Its original is attached.',
    ]);
    const [file] = message?.attachments ?? [];
    expect(file).toMatchObject({ filename: 'message.eml', contentType: 'message/rfc822' });
    expect(Buffer.from((await world.blobs.read(file?.blob ?? '')) ?? [])).toEqual(raw);
    expect(await openTicketAnyway(deps, await theEntry(), undefined)).toEqual(outcome);
    // A reply finds the ticket.
    await deliver(letter('b', 'Re: it', 'In-Reply-To: <a@customer.example>\r\n'), parserHere);
    expect((await world.tickets.read(outcome.ticket.id))?.messages).toHaveLength(2);
  });

  test('that is completely unreadable can still become a ticket', async () => {
    await deliver(letter('a', 'A printer on fire'), {
      parse: () => Promise.resolve({ kind: 'unreadable', reason: 'it needs too much memory' }),
      async close() {},
    });
    const nothing: ParserPool = {
      parse: () => Promise.resolve({ kind: 'unreadable', reason: 'no' }),
      async close() {},
    };
    const outcome = await openTicketAnyway({ ...deps, parser: nothing }, await theEntry(), undefined);
    if (outcome.kind !== 'in-ticket') throw new Error(outcome.kind);
    expect(await world.tickets.read(outcome.ticket.id)).toMatchObject({
      ticket: { subject: '', requester: { name: undefined, address: undefined } },
    });
  });

  test('that only the mail server has is fetched again, or becomes a ticket without an original', async () => {
    await deps.quarantine.put('support', [
      {
        kind: 'quarantined',
        reason: 'the mail server cannot hand it out',
        at: '2026-11-24T09:00:00.000Z',
        from: undefined,
        subject: undefined,
        messageId: '<x@y.example>',
        size: 12,
        rawBlob: undefined,
        contentKey: 'c'.repeat(64),
        place: 'at|0123456789abcdef|0000000001|0000000007|fedcba9876543210',
      },
    ]);
    expect(await retryUnimported(deps, world.mailbox, await theEntry())).toEqual({ kind: 'on-server' });
    const outcome = await openTicketAnyway(deps, await theEntry(), world.mailbox);
    if (outcome.kind !== 'in-ticket') throw new Error(outcome.kind);
    const [message] = (await world.tickets.read(outcome.ticket.id))?.messages ?? [];
    expect(message).toMatchObject({ rawBlob: '', attachments: [], messageId: '<x@y.example>' });
    expect(message?.notes[0]).toContain('Its original is on the mail server.');
  });
});

describe.each([
  ['tried again', (on: IntakeDeps, entry: QuarantineEntry) => retryUnimported(on, world.mailbox, entry)],
  [
    'made a ticket of',
    (on: IntakeDeps, entry: QuarantineEntry) => openTicketAnyway(on, entry, world.mailbox),
  ],
])('an email that is %s', (_what, act) => {
  test('is one message of one ticket, whichever call fails or crashes the process', async () => {
    for (const kind of faultKinds)
      for (let call = 1, struck = true; struck; call += 1) {
        world = new IntakeWorld();
        deps = depsOf(world);
        await deliver(letter('a', 'A printer on fire'));
        const seam = new FaultySeam({ now: () => world.now, faultAt: only({ call, kind }) });
        const tables = world.tables.behind(seam);
        const faulty: IntakeDeps = {
          ...deps,
          tables,
          blobs: world.blobs.behind(seam),
          ledger: createLedgerStore(tables),
          quarantine: createQuarantineStore({ tables }),
        };
        const entry = await theEntry();
        await act(faulty, entry).catch(() => undefined);
        struck = seam.calls.length >= call;
        const outcome = await act(deps, entry);
        // Another fetch meanwhile changes nothing either.
        await world.run();
        const rows = world.tables.dump('Tickets');
        expect(outcome.kind, `${kind} at call ${call}`).toBe('in-ticket');
        expect(rows.filter(({ rowKey }) => rowKey === 'head')).toHaveLength(1);
        expect(rows.filter(({ rowKey }) => rowKey.startsWith('m|'))).toHaveLength(1);
        expect(world.tables.dump('TicketIndex')).toHaveLength(1);
        const [ledger] = world.tables.dump('Ledger').filter(({ rowKey }) => rowKey.startsWith('mail|'));
        expect(ledger?.['state']).toBe('done');
      }
  });

  test('is one message of one ticket if two people click at the same time', async () => {
    await deliver(letter('a', 'A printer on fire'));
    const entry = await theEntry();
    const outcomes = await Promise.allSettled([act(deps, entry), act(deps, entry), act(deps, entry)]);
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
    const rows = world.tables.dump('Tickets');
    expect(rows.filter(({ rowKey }) => rowKey === 'head')).toHaveLength(1);
    expect(rows.filter(({ rowKey }) => rowKey.startsWith('m|'))).toHaveLength(1);
  });
});

test('a skipped copy leads to the ticket that contains the email', async () => {
  await deliver(letter('a', 'Newsletter'), parserHere);
  await deliver(letter('a', 'Newsletter'), parserHere);
  expect((await theEntry()).kind).toBe('skipped');
  expect(await openTicketAnyway(deps, await theEntry(), world.mailbox)).toMatchObject({
    kind: 'in-ticket',
    ticket: { number: 1 },
  });
  expect(world.tables.dump('Tickets').filter(({ rowKey }) => rowKey === 'head')).toHaveLength(1);
});
