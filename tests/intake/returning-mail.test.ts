/** Answers to emails of ours, bounces of them, and emails of ours that come back, through the real intake. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { acknowledgement } from '../harness/memory/answering.ts';
import { letter, MemoryInstallation, rawOf } from '../harness/memory/memory-installation.ts';

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const SUPPORT = 'support@contoso.example';
const installation = (): MemoryInstallation => new MemoryInstallation(SUPPORT, { acknowledgement });

describe('an answer to an email of ours', () => {
  const acknowledged = async (): Promise<{ postroom: MemoryInstallation; id: string }> => {
    const postroom = installation();
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
    expect(postroom.tickets()).toEqual([{ number: 1, status: 'open' }]);
    expect(postroom.messages()).toHaveLength(2);
  });

  it('opens a ticket if the Message-ID is forged', async () => {
    const { postroom, id } = await acknowledged();
    const forged = id.replace(/[0-9a-f]{4}@/, (end) => (end === '0000@' ? '1111@' : '0000@'));
    await postroom.receive(stranger(forged));
    expect(postroom.tickets()).toHaveLength(2);
  });

  it('joins by the number in the reply address, but only if its sender took part', async () => {
    const postroom = new MemoryInstallation(SUPPORT, { acknowledgement, plusAddress: true });
    await postroom.receive(letter({ 'Message-ID': '<lamp@customer.example>' }));
    const replyTo = (await postroom.send())[0]?.headers?.['Reply-To'];
    expect(replyTo).toBe('support+1@contoso.example');
    const answer = (From: string): Buffer =>
      letter({ From, To: replyTo ?? '', Subject: 'More', 'Message-ID': `<more.${From}>` });
    await postroom.receive(answer('kim@customer.example'));
    expect(postroom.tickets()).toHaveLength(1);
    await postroom.receive(answer('lee@elsewhere.example'));
    expect(postroom.tickets()).toHaveLength(2);
  });

  it('in another mailbox opens a ticket there', async () => {
    const { postroom, id } = await acknowledged();
    postroom.world.mailbox = { ...postroom.world.mailbox, id: 'sales', address: 'sales@contoso.example' };
    await postroom.receive(stranger(id));
    expect(postroom.tickets()).toHaveLength(2);
  });

  it('that our mailbox gets back itself is recognized, and opens no ticket', async () => {
    const { postroom } = await acknowledged();
    const [sent] = postroom.sent;
    if (sent === undefined) throw new Error('nothing was sent');
    await postroom.receive(rawOf(sent, (name) => name.startsWith('X-')));
    expect(postroom.tickets()).toHaveLength(1);
    expect(postroom.messages()).toHaveLength(1);
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
    expect(postroom.tickets()).toEqual([{ number: 1, status: 'closed' }]);
    expect(postroom.messages().map(({ messageClass }) => messageClass)).toContain('out-of-office');
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

  const closedTicket = async (emailId: string): Promise<{ postroom: MemoryInstallation; id: string }> => {
    const postroom = installation();
    await postroom.receive(letter({ 'Message-ID': '<lamp@customer.example>' }));
    const ticketId = postroom.rows('head')[0]?.partitionKey ?? '';
    await postroom.world.tickets.setStatus(ticketId, 'closed');
    return { postroom, id: await postroom.messageIds.make({ ticketId, id: emailId }, 'contoso.example') };
  };

  it('is tied to it, explained, and reopens its closed ticket instead of opening another', async () => {
    const { postroom, id } = await closedTicket('reply1');
    await postroom.receive(report(id, 'failed', '5.1.1'));
    expect(postroom.tickets()).toEqual([{ number: 1, status: 'open' }]);
    const bounce = postroom.messages().find(({ messageClass }) => messageClass === 'bounce');
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
      expect(postroom.tickets(), action).toEqual([{ number: 1, status: 'closed' }]);
      expect(postroom.messages().find(({ bounce }) => bounce !== undefined)?.folded).toMatch(
        /acknowledgement|keeps/,
      );
    }
  });

  it('is tied to it by any Message-ID that it names', async () => {
    const { postroom, id } = await closedTicket('reply1');
    const raw = report('<rewritten@relay.example>', 'failed', '5.1.1').toString();
    await postroom.receive(
      Buffer.from(raw.replace('Return-Path: <>', `Return-Path: <>\r\nReferences: ${id}`)),
    );
    const bounce = postroom.messages().find(({ messageClass }) => messageClass === 'bounce');
    expect(bounce?.bounce).toMatchObject({ emailId: 'reply1', bounces: [{ messageId: id }] });
  });

  it('with a forged Message-ID is tied to nothing', async () => {
    const { postroom, id } = await closedTicket('reply1');
    await postroom.receive(report(id.replace('.reply1.', '.reply2.'), 'failed', '5.1.1'));
    const bounce = postroom.messages().find(({ messageClass }) => messageClass === 'bounce');
    expect(bounce?.bounce?.emailId).toBeUndefined();
  });
});
