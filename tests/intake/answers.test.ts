/** Acknowledgements, and what comes back, through the real intake and the real outbox. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { fetchShard } from '../../shared/intake/fetch-shard.ts';
import { messageKind } from '../../shared/tickets/message-records.ts';
import { acknowledgement, answeringDeps } from '../harness/memory/answering.ts';
import { Desk, letter, rawOf } from '../harness/memory/desk.ts';
import type { Design } from '../harness/memory/intake-world.ts';
import { corpusFiles, corpusMail, ownMail } from '../harness/memory/mail-files.ts';

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const SUPPORT = 'support@contoso.example';
const HOUR = 3_600_000;
const desk = (answers = { acknowledgement }, address = SUPPORT): Desk => new Desk(address, answers);
const messages = (of: Desk) => of.rows('m|').map((row) => messageKind.fromRow(row));
const tickets = (of: Desk) => of.rows('head').map(({ number, status }) => ({ number, status }));

describe('promise 7: mail never loops', () => {
  it('1,000 emails of an autoresponder without marks get at most 5 acknowledgements in a day', async () => {
    const postroom = desk();
    for (let round = 0; round < 50; round += 1) {
      const answers = Array.from({ length: 20 }, (_, index) =>
        letter({ 'Message-ID': `<${round}.${index}@customer.example>`, Subject: `Thanks ${round}.${index}` }),
      );
      await postroom.receive(...answers);
      await postroom.send();
      postroom.world.now += 0.4 * HOUR;
    }
    expect(messages(postroom)).toHaveLength(1000);
    expect(postroom.sent.length).toBeGreaterThan(0);
    expect(postroom.sent.length).toBeLessThanOrEqual(5);
    const [loop] = postroom.world.tables
      .dump('Mailboxes')
      .concat(postroom.world.tables.dump('MailboxState'))
      .filter((row) => row['stopsAcknowledgements'] === true);
    expect(loop).toMatchObject({ sender: 'kim@customer.example' });
  }, 120_000);

  it.each([
    ['all headers arrive', () => false],
    ['X- headers are dropped, as Graph does', (name: string) => name.startsWith('X-')],
    ['no mark arrives and no thread', (name: string) => /^(?:X-|Auto-|In-Reply-To|References)/.test(name)],
  ])('two installations that write to each other stop: %s', async (_, drops) => {
    const one = desk();
    const other = desk({ acknowledgement }, 'help@fabrikam.example');
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
    const postroom = desk();
    await postroom.receive(...automatic);
    expect(await postroom.send()).toEqual([]);
    const stored = messages(postroom);
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
    const postroom = desk();
    await postroom.receive(...sample.map(corpusMail));
    // A person forwarded this one.
    const subjects = (await postroom.send()).map(({ subject }) => subject);
    expect(subjects.filter((subject) => !subject.includes('Fwd: Returned mail'))).toEqual([]);
  }, 60_000);

  it('a design that acknowledges automatic email is caught', async () => {
    const postroom = new Desk(SUPPORT, { acknowledgement });
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
    const wrong = new Desk(SUPPORT, { acknowledgement }, mutant);
    await wrong.receive(...automatic);
    expect((await wrong.send()).length).toBeGreaterThan(0);
  });
});

describe('agents', () => {
  it('get one email a minute at most, then a digest, from the mailbox of the ticket', async () => {
    const postroom = new Desk(SUPPORT, {
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

describe('email from before the mailbox was set up', () => {
  it('is neither acknowledged nor news to agents', async () => {
    const postroom = new Desk(SUPPORT, { acknowledgement, alertOnTicket: ['sam@agents.example'] });
    postroom.world.mailbox.createdAt = new Date(postroom.world.now + HOUR / 2).toISOString();
    await postroom.receive(letter({ 'Message-ID': '<old@customer.example>' }));
    await postroom.tellAgents();
    expect(await postroom.send()).toEqual([]);
    expect(messages(postroom)[0]?.silence).toMatch(/for the first time/);
    postroom.world.now += HOUR;
    await postroom.receive(letter({ 'Message-ID': '<new@customer.example>' }));
    await postroom.tellAgents();
    expect(await postroom.send()).toHaveLength(2);
  });
});

describe('an answer to an email of ours', () => {
  const acknowledged = async (): Promise<{ postroom: Desk; id: string }> => {
    const postroom = desk();
    await postroom.receive(letter({ 'Message-ID': '<lamp@customer.example>' }));
    const [sent] = await postroom.send();
    return { postroom, id: sent?.messageId ?? '' };
  };
  const stranger = (id: string): Buffer =>
    letter({
      From: 'lee@elsewhere.example',
      Subject: 'Re: that',
      'In-Reply-To': id,
      'Message-ID': '<x@elsewhere.example>',
    });

  it('joins its ticket, also from an address that nobody knew', async () => {
    const { postroom, id } = await acknowledged();
    await postroom.receive(stranger(id));
    expect(tickets(postroom)).toEqual([{ number: 1, status: 'open' }]);
    expect(messages(postroom)).toHaveLength(2);
  });

  it('opens a ticket if the Message-ID is forged', async () => {
    const { postroom, id } = await acknowledged();
    const forged = id.replace(/[0-9a-f]{4}@/, (end) => (end === '0000@' ? '1111@' : '0000@'));
    await postroom.receive(stranger(forged));
    expect(tickets(postroom)).toHaveLength(2);
  });

  it('joins by the number in the reply address, but only if its sender took part', async () => {
    const postroom = new Desk(SUPPORT, { acknowledgement, plusAddress: true });
    await postroom.receive(letter({ 'Message-ID': '<lamp@customer.example>' }));
    const replyTo = (await postroom.send())[0]?.headers?.['Reply-To'];
    expect(replyTo).toBe('support+1@contoso.example');
    const answer = (From: string): Buffer =>
      letter({ From, To: replyTo ?? '', Subject: 'More', 'Message-ID': `<more.${From}>` });
    await postroom.receive(answer('kim@customer.example'));
    expect(tickets(postroom)).toHaveLength(1);
    await postroom.receive(answer('lee@elsewhere.example'));
    expect(tickets(postroom)).toHaveLength(2);
  });

  it('in another mailbox opens a ticket there', async () => {
    const { postroom, id } = await acknowledged();
    postroom.world.mailbox = { ...postroom.world.mailbox, id: 'sales', address: 'sales@contoso.example' };
    await postroom.receive(stranger(id));
    expect(tickets(postroom)).toHaveLength(2);
  });

  it('that our mailbox gets back itself is recognized, and opens no ticket', async () => {
    const { postroom } = await acknowledged();
    const [sent] = postroom.sent;
    if (sent === undefined) throw new Error('nothing was sent');
    await postroom.receive(rawOf(sent, (name) => name.startsWith('X-')));
    expect(tickets(postroom)).toHaveLength(1);
    expect(messages(postroom)).toHaveLength(1);
  });

  it('from an absent person shows in the timeline and reopens nothing', async () => {
    const { postroom, id } = await acknowledged();
    const [ticket] = postroom.rows('head');
    await postroom.world.tickets.setStatus(ticket?.partitionKey ?? '', 'closed');
    await postroom.receive(
      letter({
        Subject: 'Automatic reply: We have received your message',
        'Auto-Submitted': 'auto-replied',
        'X-Auto-Response-Suppress': 'All',
        'In-Reply-To': id,
        'Message-ID': '<away@customer.example>',
      }),
    );
    expect(tickets(postroom)).toEqual([{ number: 1, status: 'closed' }]);
    expect(messages(postroom).map(({ messageClass }) => messageClass)).toContain('out-of-office');
  });
});

describe('a bounce of an email of ours', () => {
  const report = (id: string, action: 'failed' | 'delayed', status: string): Buffer =>
    Buffer.from(
      [
        'From: Mail Delivery System <mailer-daemon@mx.elsewhere.example>',
        `To: ${SUPPORT}`,
        'Subject: Undelivered Mail Returned to Sender',
        `Message-ID: <bounce-${action}@mx.elsewhere.example>`,
        'Auto-Submitted: auto-replied',
        'Return-Path: <>',
        'MIME-Version: 1.0',
        'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
        '',
        '--b',
        'Content-Type: text/plain',
        '',
        'I could not deliver your message.',
        '--b',
        'Content-Type: message/delivery-status',
        '',
        'Reporting-MTA: dns; mx.elsewhere.example',
        '',
        'Final-Recipient: rfc822; kim@customer.example',
        `Action: ${action}`,
        `Status: ${status}`,
        'Diagnostic-Code: smtp; 550 5.1.1 no such user',
        '',
        '--b',
        'Content-Type: text/rfc822-headers',
        '',
        `Message-ID: ${id}`,
        'Subject: Re: Lamp',
        '',
        '--b--',
        '',
      ].join('\r\n'),
    );

  const closedTicket = async (emailId: string): Promise<{ postroom: Desk; id: string }> => {
    const postroom = desk();
    await postroom.receive(letter({ 'Message-ID': '<lamp@customer.example>' }));
    const ticketId = postroom.rows('head')[0]?.partitionKey ?? '';
    await postroom.world.tickets.setStatus(ticketId, 'closed');
    return { postroom, id: await postroom.messageIds.make({ ticketId, id: emailId }, 'contoso.example') };
  };

  it('is tied to it, explained, and reopens its closed ticket instead of opening another', async () => {
    const { postroom, id } = await closedTicket('reply1');
    await postroom.receive(report(id, 'failed', '5.1.1'));
    expect(tickets(postroom)).toEqual([{ number: 1, status: 'open' }]);
    const bounce = messages(postroom).find(({ messageClass }) => messageClass === 'bounce');
    expect(bounce?.bounce).toEqual({
      emailId: 'reply1',
      bounces: [
        expect.objectContaining({
          messageId: id,
          recipient: 'kim@customer.example',
          status: '5.1.1',
          kind: 'permanent',
          reason: 'no-mailbox',
        }),
      ],
    });
  });

  it('is collapsed and reopens nothing if it needs no person', async () => {
    for (const [emailId, action, status] of [
      ['reply1', 'delayed', '4.4.1'],
      ['ack', 'failed', '5.1.1'],
    ] as const) {
      const { postroom, id } = await closedTicket(emailId);
      await postroom.receive(report(id, action, status));
      expect(tickets(postroom), action).toEqual([{ number: 1, status: 'closed' }]);
      expect(messages(postroom).find(({ bounce }) => bounce !== undefined)?.folded).toMatch(
        /acknowledgement|keeps/,
      );
    }
  });

  it('with a forged Message-ID is tied to nothing', async () => {
    const { postroom, id } = await closedTicket('reply1');
    await postroom.receive(report(id.replace('.reply1.', '.reply2.'), 'failed', '5.1.1'));
    const bounce = messages(postroom).find(({ messageClass }) => messageClass === 'bounce');
    expect(bounce?.bounce?.emailId).toBeUndefined();
  });
});
