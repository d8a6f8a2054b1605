/** Acknowledgements, and what comes back, through the real intake and the real outbox. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { fetchShard } from '../../shared/intake/fetch-shard.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { Person } from '../../shared/tickets/ticket.ts';
import { createTicketStore } from '../../shared/tickets/ticket-store.ts';
import { acknowledgement, answeringDeps } from '../harness/memory/answering.ts';
import type { Design } from '../harness/memory/intake-world.ts';
import { corpusFiles, corpusMail, ownMail } from '../harness/memory/mail-files.ts';
import { letter, MemoryInstallation, rawOf } from '../harness/memory/memory-installation.ts';

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const SUPPORT = 'support@contoso.example';
const HOUR = 3_600_000;
const installation = (answers = { acknowledgement }, address = SUPPORT): MemoryInstallation =>
  new MemoryInstallation(address, answers);

describe('promise 7: mail never loops', () => {
  it('1,000 emails of an autoresponder without marks get at most 5 acknowledgements in a day', async () => {
    const postroom = installation();
    for (let round = 0; round < 50; round += 1) {
      const answers = Array.from({ length: 20 }, (_, index) =>
        letter({ 'Message-ID': `<${round}.${index}@customer.example>`, Subject: `Thanks ${round}.${index}` }),
      );
      await postroom.receive(...answers);
      await postroom.send();
      postroom.world.now += 0.4 * HOUR;
    }
    expect(postroom.messages()).toHaveLength(1000);
    expect(postroom.sent.length).toBeGreaterThan(0);
    expect(postroom.sent.length).toBeLessThanOrEqual(5);
    const [loop] = postroom.world.tables
      .dump('Mailboxes')
      .concat(postroom.world.tables.dump('MailboxState'))
      .filter((row) => row['stopsAcknowledgements'] === true);
    expect(loop).toMatchObject({ sender: 'kim@customer.example' });
  });

  it.each([
    ['all headers arrive', () => false],
    ['X- headers are dropped, as Graph does', (name: string) => name.startsWith('X-')],
    ['no mark arrives and no thread', (name: string) => /^(?:X-|Auto-|In-Reply-To|References)/.test(name)],
  ])('two installations that write to each other stop: %s', async (_, drops) => {
    const one = installation();
    const other = installation({ acknowledgement }, 'help@fabrikam.example');
    await one.receive(letter({ From: 'help@fabrikam.example', 'Message-ID': '<first@fabrikam.example>' }));
    let waiting = await one.send();
    let total = 0;
    for (let round = 0; round < 200 && waiting.length > 0; round += 1) {
      total += waiting.length;
      const [to, back] = round % 2 === 0 ? [other, one] : [one, other];
      to.world.now = Math.max(to.world.now, back.world.now) + 60_000;
      await to.receive(...waiting.map((mail) => rawOf(mail, drops)));
      waiting = await to.send();
    }
    expect(waiting).toEqual([]);
    expect(total).toBeLessThanOrEqual(3);
    expect(total).toBeGreaterThan(0);
  });

  const automatic = [
    ...[
      'bounce-exchange-online.eml',
      'bounce-exim.eml',
      'bounce-gmail.eml',
      'bounce-postfix-delayed.eml',
    ].map(ownMail),
    letter({ 'Auto-Submitted': 'auto-replied', 'Message-ID': '<a@customer.example>' }),
    letter({ Precedence: 'bulk', 'Message-ID': '<b@customer.example>' }),
    letter({ 'List-Id': '<news.customer.example>', 'Message-ID': '<c@customer.example>' }),
    letter({ 'Return-Path': '<>', 'Message-ID': '<d@customer.example>' }),
    letter({ From: 'no-reply@customer.example', 'Message-ID': '<e@customer.example>' }),
    letter({ From: 'support@contoso.example', 'Message-ID': '<f@contoso.example>' }),
  ];

  it('bounces, automatic replies, lists and our own addresses get none, and their tickets say why', async () => {
    const postroom = installation();
    await postroom.receive(...automatic);
    expect(await postroom.send()).toEqual([]);
    const stored = postroom.messages();
    expect(stored.length).toBeGreaterThan(5);
    expect(stored.filter(({ silence }) => silence === undefined).map(({ subject }) => subject)).toEqual([]);
  });

  it('a sample of the public sets of bounces gets none', async () => {
    const bounces = corpusFiles().filter((path) =>
      /^(?:sisimai-bounces|flufl-bounce)\/.*(?:\.eml|\.txt|-\d+)/.test(path),
    );
    const step = Math.max(1, Math.floor(bounces.length / 40));
    const sample = bounces.filter((_, index) => index % step === 0);
    expect(sample.length).toBeGreaterThan(0);
    const postroom = installation();
    await postroom.receive(...sample.map(corpusMail));
    // A person forwarded this one.
    const subjects = (await postroom.send()).map(({ subject }) => subject);
    expect(subjects.filter((subject) => !subject.includes('Fwd: Returned mail'))).toEqual([]);
  });

  it('a design that acknowledges automatic email is caught', async () => {
    const postroom = new MemoryInstallation(SUPPORT, { acknowledgement });
    const mutant: Design = (deps, shard, { seam }) => {
      const { acknowledgements, ...rest } = answeringDeps(deps, seam, postroom.vault);
      return fetchShard(
        {
          ...deps,
          ...rest,
          acknowledgements: acknowledgements && {
            prepare: (mailbox, opened) =>
              acknowledgements.prepare(
                mailbox,
                opened.map((each) => ({
                  ...each,
                  message: { ...each.message, messageClass: 'person' },
                  mail: { ...each.mail, automatic: { returnPathEmpty: false, isReport: false } as never },
                })),
              ),
          },
        },
        shard,
      );
    };
    const wrong = new MemoryInstallation(SUPPORT, { acknowledgement }, mutant);
    await wrong.receive(...automatic);
    expect((await wrong.send()).length).toBeGreaterThan(0);
  });
});

describe('agents', () => {
  it('get one email a minute at most, then a digest, from the mailbox of the ticket', async () => {
    const postroom = new MemoryInstallation(SUPPORT, {
      alertOnTicket: ['sam@agents.example'],
      alertOnReply: ['lee@agents.example'],
    });
    const mail = async (): Promise<string[]> => {
      await postroom.tellAgents();
      return (await postroom.send()).map(
        ({ from, to, subject }) => `${from.address} > ${to.join()}: ${subject}`,
      );
    };
    await postroom.receive(letter({ 'Message-ID': '<a@customer.example>' }));
    expect(await mail()).toEqual([`${SUPPORT} > sam@agents.example: New ticket #1: Lamp`]);
    expect(postroom.sent[0]?.text).toContain(
      `https://desk.example/tickets/${postroom.rows('head')[0]?.partitionKey}`,
    );
    expect(postroom.sent[0]?.headers).toMatchObject({ 'Auto-Submitted': 'auto-generated' });
    const { now } = postroom.world;
    await postroom.receive(
      letter({ 'Message-ID': '<b@customer.example>', Subject: 'Table' }),
      letter({ 'Message-ID': '<c@customer.example>', Subject: 'Chair' }),
      letter({
        'Message-ID': '<d@customer.example>',
        Subject: 'Re: Lamp',
        'In-Reply-To': '<a@customer.example>',
      }),
    );
    postroom.world.now = now + 30_000;
    expect(await mail()).toEqual([`${SUPPORT} > lee@agents.example: Reply to ticket #1: Lamp`]);
    postroom.world.now = now + 61_000;
    expect(await mail()).toEqual([`${SUPPORT} > sam@agents.example: 2 new messages in Postroom`]);
    postroom.world.now = now + 600_000;
    expect(await mail()).toEqual([]);
  });
});

it('an email to an agent about one message has its text, to the last line', async () => {
  const postroom = new MemoryInstallation(SUPPORT, { alertOnTicket: ['sam@agents.example'] });
  const lines = Array.from({ length: 40 }, (_, index) => `Line ${index + 1} says something of the lamp.`);
  await postroom.receive(letter({ 'Message-ID': '<a@customer.example>' }, lines.join('\r\n')));
  await postroom.tellAgents();
  const [mail] = await postroom.send();
  expect(mail?.text).toContain(lines.join('\n'));
});

describe('a customer’s reply', () => {
  const lists = { alertOnTicket: ['sam@agents.example'], alertOnReply: ['lee@agents.example'] };
  /** Opens a ticket, assigns it, and returns who is mailed about a reply to it. */
  async function alerted(assignee: Person | undefined, answers?: Mailbox['answers']): Promise<string[]> {
    const postroom = new MemoryInstallation(SUPPORT, answers);
    await postroom.receive(letter({ 'Message-ID': '<a@customer.example>' }));
    await postroom.tellAgents();
    await postroom.send();
    const store = createTicketStore(postroom.world);
    await store.assign(postroom.rows('head')[0]?.partitionKey ?? '', { from: '', to: assignee });
    postroom.world.now += HOUR;
    const reply = { 'Message-ID': '<b@customer.example>', 'In-Reply-To': '<a@customer.example>' };
    await postroom.receive(letter({ ...reply, Subject: 'Re: Lamp' }));
    await postroom.tellAgents();
    return (await postroom.send()).map(({ to, subject }) => `${to.join()}: ${subject}`);
  }
  const alex = { name: 'Alex', address: 'Alex@contoso.example' };

  it('alerts the assignee of its ticket, and not the agents of the mailbox', async () => {
    expect(await alerted(alex, lists)).toEqual(['alex@contoso.example: Reply to ticket #1: Lamp']);
    expect(await alerted(undefined, lists)).toEqual(['lee@agents.example: Reply to ticket #1: Lamp']);
  });

  it('alerts the assignee also where the mailbox alerts nobody', async () => {
    expect(await alerted(alex)).toEqual(['alex@contoso.example: Reply to ticket #1: Lamp']);
    expect(await alerted(undefined)).toEqual([]);
  });

  it.each<Person>([
    { name: 'Alex', address: undefined },
    { name: 'Alex', address: 'no address' },
    { name: undefined, address: SUPPORT },
  ])('alerts the agents of the mailbox if the assignee cannot be alerted: %j', async (assignee) => {
    expect(await alerted(assignee, lists)).toEqual(['lee@agents.example: Reply to ticket #1: Lamp']);
  });
});

describe('email from before the mailbox was set up', () => {
  it('is neither acknowledged nor news to agents', async () => {
    const postroom = new MemoryInstallation(SUPPORT, {
      acknowledgement,
      alertOnTicket: ['sam@agents.example'],
    });
    postroom.world.mailbox.createdAt = new Date(postroom.world.now + HOUR / 2).toISOString();
    await postroom.receive(letter({ 'Message-ID': '<old@customer.example>' }));
    await postroom.tellAgents();
    expect(await postroom.send()).toEqual([]);
    expect(postroom.messages()[0]?.silence).toMatch(/for the first time/);
    postroom.world.now += HOUR;
    await postroom.receive(letter({ 'Message-ID': '<new@customer.example>' }));
    await postroom.tellAgents();
    expect(await postroom.send()).toHaveLength(2);
  });
});
