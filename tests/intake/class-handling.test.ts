/** From the server to the ticket: the effect of mailbox settings and sender rules on email. */
import { describe, expect, it } from 'vitest';
import { fetchShard } from '../../shared/intake/fetch-shard.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import type { ClassSettings } from '../../shared/message-class/message-class.ts';
import type { SenderRule } from '../../shared/senders/sender-rule.ts';
import type { Conversation } from '../../shared/tickets/ticket.ts';
import { IntakeWorld } from '../harness/memory/intake-world.ts';

const SUPPORT = 'support@contoso.example';
const KIM = 'kim@customer.example';

class Office {
  readonly rules: SenderRule[] = [];
  readonly world = new IntakeWorld({
    design: (deps, shard) => fetchShard({ ...deps, senderRules: async () => this.rules }, shard),
  });

  constructor(classes?: ClassSettings) {
    this.world.mailbox = { ...this.world.mailbox, classes };
  }

  rule(sender: string, kind: SenderRule['kind']): void {
    this.rules.push({ sender, kind, addedAt: '2026-11-28T10:00:00.000Z', addedBy: 'Alex Admin' });
  }

  async receive(headers: readonly string[], body = 'Hello'): Promise<void> {
    const lines = [`To: ${SUPPORT}`, ...headers, '', body, ''];
    this.world.now += 1000;
    this.world.folder.deliver(Buffer.from(lines.join('\r\n')), new Date(this.world.now).toISOString());
    const { error } = await this.world.run();
    expect(error).toBeUndefined();
  }

  async ticket(number: number): Promise<Conversation> {
    const id = await this.world.tickets.byNumber(number);
    const found = id === undefined ? undefined : await this.world.tickets.read(id);
    if (found === undefined) throw new Error(`no ticket #${number}`);
    return found;
  }

  async skipped(): Promise<string[]> {
    const { entries } = await createQuarantineStore(this.world).page(this.world.mailbox.id, { limit: 50 });
    return entries.map(({ kind, from, subject, reason }) => `${kind}: ${from} “${subject}”, ${reason}`);
  }

  async numbers(status: 'open' | 'closed'): Promise<number[]> {
    return (await this.world.tickets.page(status, { limit: 50 })).tickets.map(({ number }) => number);
  }
}

const order = [`From: Kim <${KIM}>`, 'Subject: My order', 'Message-ID: <order@customer.example>'];
const away = [
  `From: Kim <${KIM}>`,
  'Subject: Automatic reply: My order',
  'Auto-Submitted: auto-generated',
  'X-Auto-Response-Suppress: All',
  'In-Reply-To: <order@customer.example>',
];
const bounceOf = (recipient: string, id = '<order@customer.example>'): [string[], string] => [
  [
    'From: Mail Delivery System <MAILER-DAEMON@mx.customer.example>',
    'Subject: Undelivered Mail Returned to Sender',
    'Return-Path: <>',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
  ],
  [
    '--b',
    'Content-Type: text/plain',
    '',
    'I am sorry.',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.customer.example',
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    'Action: failed',
    'Status: 5.1.1',
    '--b',
    'Content-Type: message/rfc822',
    '',
    `Message-ID: ${id}`,
    'Subject: Re: My order',
    '',
    'It is on its way.',
    '--b--',
  ].join('\r\n'),
];

describe('an absence note', () => {
  it('joins its ticket collapsed, and neither reopens it nor moves it up', async () => {
    const office = new Office();
    await office.receive(order);
    await office.receive(['From: Lee <lee@other.example>', 'Subject: Another one']);
    const { ticket: before } = await office.ticket(1);
    await office.world.tickets.setStatus(before.id, 'closed');
    await office.receive(away);
    const { ticket, messages } = await office.ticket(1);
    expect(messages.map(({ messageClass, folded }) => [messageClass, folded])).toEqual([
      [undefined, undefined],
      ['out-of-office', 'Out of office.'],
    ]);
    expect(ticket).toMatchObject({
      status: 'closed',
      lastAt: before.lastAt,
      preview: before.preview,
      messageCount: 2,
    });
    expect(await office.numbers('open')).toEqual([2]);
    expect(await office.numbers('closed')).toEqual([1]);
  });

  it('without a ticket opens one, which shows its class', async () => {
    const office = new Office();
    await office.receive(away.slice(0, -1));
    const { ticket, messages } = await office.ticket(1);
    expect(ticket).toMatchObject({ status: 'open', messageClass: 'out-of-office' });
    expect(messages[0]).toMatchObject({ messageClass: 'out-of-office' });
    expect(messages[0]?.folded).toBeUndefined();
  });

  it('is skipped if the mailbox is set so, with the reason among the unimported email', async () => {
    const office = new Office({ 'out-of-office': 'skip' });
    await office.receive(order);
    await office.receive(away);
    expect((await office.ticket(1)).messages).toHaveLength(1);
    expect(await office.skipped()).toEqual([
      `skipped: ${KIM} “Automatic reply: My order”, skipped by the settings of the mailbox: Out of office`,
    ]);
  });

  it('is an ordinary message if the mailbox is set so', async () => {
    const office = new Office({ 'out-of-office': 'ticket' });
    await office.receive(order);
    await office.receive(away);
    const { ticket, messages } = await office.ticket(1);
    expect(messages[1]?.folded).toBeUndefined();
    expect(ticket.lastAt).toBe(messages[1]?.at);
  });
});

describe('a bounce', () => {
  it('joins the ticket of the message that it returns, if its recipient took part', async () => {
    const office = new Office();
    await office.receive(order);
    await office.receive(...bounceOf(KIM));
    const { ticket, messages } = await office.ticket(1);
    expect(messages.map(({ messageClass }) => messageClass)).toEqual([undefined, 'bounce']);
    expect(ticket.participants).toEqual([KIM, SUPPORT]);
    // Sending one does not make a participant.
    await office.receive([
      'From: MAILER-DAEMON@mx.customer.example',
      'Subject: Buy this',
      'In-Reply-To: <order@customer.example>',
    ]);
    expect((await office.ticket(1)).messages).toHaveLength(2);
  });

  it('for someone who took no part, or for an unknown message, opens a ticket', async () => {
    const office = new Office();
    await office.receive(order);
    await office.receive(...bounceOf('eve@elsewhere.example'));
    await office.receive(...bounceOf(KIM, '<unknown@contoso.example>'));
    expect(await office.numbers('open')).toEqual([3, 2, 1]);
    expect((await office.ticket(2)).ticket).toMatchObject({ messageClass: 'bounce', follows: { number: 1 } });
    expect((await office.ticket(3)).ticket.follows).toBeUndefined();
  });
});

describe('a rule for a sender', () => {
  it('skips email of a blocked sender, even in a ticket that the sender took part in', async () => {
    const office = new Office();
    await office.receive(order);
    office.rule('customer.example', 'blocked');
    await office.receive([`From: ${KIM}`, 'Subject: Re: My order', 'In-Reply-To: <order@customer.example>']);
    expect((await office.ticket(1)).messages).toHaveLength(1);
    expect(await office.skipped()).toEqual([
      `skipped: ${KIM} “Re: My order”, blocked sender: customer.example`,
    ]);
  });

  it('imports email of an always-allowed sender whatever its class', async () => {
    const office = new Office({ 'out-of-office': 'skip' });
    office.rule(KIM, 'allowed');
    await office.receive(order);
    await office.receive(away);
    const { ticket, messages } = await office.ticket(1);
    expect(messages.map(({ folded }) => folded)).toEqual([undefined, undefined]);
    expect(ticket.messageCount).toBe(2);
  });
});

describe('email sent by Postroom', () => {
  it('does not return as a ticket', async () => {
    const office = new Office();
    await office.receive([
      `From: Postroom <${SUPPORT}>`,
      'Subject: [Postroom] A mailbox is silent',
      'Auto-Submitted: auto-generated',
      'X-Postroom: alert',
    ]);
    expect(await office.numbers('open')).toEqual([]);
    expect(await office.skipped()).toEqual([
      `skipped: ${SUPPORT} “[Postroom] A mailbox is silent”, skipped by the settings of the mailbox: Sent by Postroom`,
    ]);
  });
});

describe('a stored decision', () => {
  it('is kept, whatever the settings are when a crashed run is repeated', async () => {
    const begun = async (faultAt: (call: number) => 'crashAfter' | undefined): Promise<[Office, number]> => {
      const office = new Office();
      office.world.now += 1000;
      const raw = Buffer.from([`To: ${SUPPORT}`, ...order, '', 'Hello', ''].join('\r\n'));
      office.world.folder.deliver(raw, new Date(office.world.now).toISOString());
      const { seam } = await office.world.run({ faultAt });
      return [office, seam.calls.length];
    };
    const dispositions = new Set<string>();
    const [, calls] = await begun(() => undefined);
    for (let at = 1; at <= calls; at += 1) {
      const [office] = await begun((call) => (call === at ? 'crashAfter' : undefined));
      office.rule('customer.example', 'blocked');
      for (let run = 0; run < 2; run += 1) expect((await office.world.run()).error).toBeUndefined();
      const [tickets, skipped] = [await office.numbers('open'), await office.skipped()];
      expect([at, tickets.length + skipped.length]).toEqual([at, 1]);
      if (tickets.length === 1) expect((await office.ticket(tickets[0] ?? 0)).messages[0]?.notes).toEqual([]);
      dispositions.add(tickets.length === 1 ? 'ticket' : 'skipped');
    }
    expect(dispositions.size).toBe(2);
  });
});
