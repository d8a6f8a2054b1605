import { describe, expect, it, test } from 'vitest';
import { isEnvelopeAddress } from '../../shared/outbox/outgoing-mail.ts';
import { fillCannedReply, parseCannedReply } from '../../shared/replies/canned-reply.ts';
import { changesSince, seenToken, type TicketState } from '../../shared/replies/changes-since.ts';
import { composeReply } from '../../shared/replies/compose-reply.ts';
import { quoteMessage } from '../../shared/replies/quote-message.ts';
import {
  checkAttachment,
  MAX_ATTACHMENT_BYTES,
  MAX_ATTACHMENTS,
} from '../../shared/replies/reply-attachments.ts';
import { draftLimits, draftProblem } from '../../shared/replies/reply-draft.ts';
import { parseRecipients, prefillRecipients } from '../../shared/replies/reply-recipients.ts';
import { replySubject } from '../../shared/replies/reply-subject.ts';
import { renderMarkdown } from '../../shared/templates/render-markdown.ts';
import { replyReferences } from '../../shared/tickets/reply-references.ts';
import type { Person } from '../../shared/tickets/ticket.ts';

const person = (address: string | undefined, name?: string): Person => ({ name, address });
const own = new Set(['support@contoso.example', 'sales@contoso.example']);
const kim = person('Kim@customer.example');
const support = person('support@contoso.example');

describe('the recipients of a reply', () => {
  const message = (change: Partial<Parameters<typeof prefillRecipients>[0][number]> = {}) => ({
    from: kim,
    to: [support],
    cc: [],
    ...change,
  });
  const of = (...messages: ReturnType<typeof message>[]) => prefillRecipients(messages, kim, own);

  it('are the writer of the newest message, and its other people in Cc, without our mailboxes', () => {
    const lee = person('lee@customer.example');
    expect(
      of(
        message({
          to: [support, lee],
          cc: [person('Sales@contoso.example'), person('boss@customer.example')],
        }),
      ),
    ).toEqual({ to: ['Kim@customer.example'], cc: ['lee@customer.example', 'boss@customer.example'] });
  });

  it('honour Reply-To, with all its addresses', () => {
    const replyTo = [person('desk@customer.example'), person('team@customer.example')];
    expect(of(message({ replyTo, cc: [person('Team@customer.example')] }))).toEqual({
      to: ['desk@customer.example', 'team@customer.example'],
      cc: [],
    });
  });

  it('pass over automatic and collapsed messages', () => {
    const robot = person('robot@customer.example');
    expect(
      of(
        message({ from: robot, messageClass: 'out-of-office' }),
        message({ from: robot, folded: 'Loop.' }),
        message(),
      ).to,
    ).toEqual(['Kim@customer.example']);
    expect(of(message({ from: robot, messageClass: 'notification' })).to).toEqual(['robot@customer.example']);
  });

  it('of our own message are its recipients', () => {
    expect(of(message({ from: support, to: [kim], cc: [person('lee@customer.example')] }))).toEqual({
      to: ['Kim@customer.example'],
      cc: ['lee@customer.example'],
    });
  });

  it('are the requester where the message names nobody else', () => {
    expect(of(message({ from: person(undefined) })).to).toEqual(['Kim@customer.example']);
    expect(prefillRecipients([], kim, own)).toEqual({ to: ['Kim@customer.example'], cc: [] });
    expect(of(message({ replyTo: [person('support+1@contoso.example')] })).to).toEqual([
      'Kim@customer.example',
    ]);
  });

  test.each<[string, readonly string[]]>([
    [
      'a@x.example, b@x.example; c@x.example\nd@x.example',
      ['a@x.example', 'b@x.example', 'c@x.example', 'd@x.example'],
    ],
    ['"Smith, Kim" <kim@x.example>, Lee <lee@x.example>', ['kim@x.example', 'lee@x.example']],
    ['A@x.example, a@x.example', ['A@x.example']],
    [' , ;', []],
  ])('typed as %j are read', (typed, addresses) => {
    expect(parseRecipients(typed, isEnvelopeAddress)).toEqual({ kind: 'valid', addresses });
  });

  test.each(['kim', 'a@x.example b@x.example', 'a@b\r\nBcc: v@x.example', '<a@x.example', 'a@x.example>'])(
    'typed as %j are refused',
    (typed) => {
      expect(parseRecipients(typed, isEnvelopeAddress).kind).toBe('invalid');
    },
  );
});

describe('the subject of a reply', () => {
  test.each([
    ['Lamp', false, 'Re: Lamp'],
    ['Re: Lamp', false, 'Re: Lamp'],
    ['AW: Lamp', false, 'AW: Lamp'],
    ['Re[2]: Lamp', false, 'Re[2]: Lamp'],
    ['Refund: Lamp', false, 'Re: Refund: Lamp'],
    ['Lamp', true, 'Re: Lamp [#12]'],
    ['Re: Lamp [#12]', true, 'Re: Lamp [#12]'],
    ['Re: Lamp [#123]', true, 'Re: Lamp [#123] [#12]'],
    ['a\r\nBcc: v@x.example', false, 'Re: a Bcc: v@x.example'],
    ['', false, 'Re:'],
  ])('of %j, tagged %s, is %j', (subject, tagged, expected) => {
    expect(replySubject(subject, 12, tagged)).toBe(expected);
  });
});

describe('the references of a reply', () => {
  it('end with the message that is answered', () => {
    expect(replyReferences({ messageId: '<3@x>', answers: ['<2@x>', '<1@x>'] })).toEqual([
      '<1@x>',
      '<2@x>',
      '<3@x>',
    ]);
    expect(replyReferences({ messageId: '<3@x>', answers: ['<3@x>', '<1@x>'] })).toEqual(['<1@x>', '<3@x>']);
    expect(replyReferences({ messageId: undefined, answers: ['<1@x>'] })).toEqual([]);
  });

  it('of a long conversation keep the root and the newest', () => {
    const answers = Array.from({ length: 60 }, (_, index) => `<${60 - index}@x>`);
    const all = replyReferences({ messageId: '<61@x>', answers });
    expect(all).toHaveLength(20);
    expect([all[0], all[1], all.at(-1)]).toEqual(['<1@x>', '<43@x>', '<61@x>']);
  });

  it('leave out what is no Message-ID', () => {
    expect(
      replyReferences({
        messageId: '<3@x>',
        answers: ['<a b>', '<1@x>\r\nBcc: <v@x>', `<${'x'.repeat(500)}>`],
      }),
    ).toEqual(['<3@x>']);
  });
});

describe('a quotation', () => {
  it('is escaped, and deepens quotations', () => {
    const { text, html } = quoteMessage({
      from: { name: 'Kim <script>', address: 'kim@customer.example' },
      at: '2026-11-28T10:05:00.000Z',
      text: 'Hello\n> old\n<b>bold</b>\n',
    });
    expect(text).toBe(
      'On 2026-11-28 10:05 UTC, Kim <script> <kim@customer.example> wrote:\n> Hello\n>> old\n> <b>bold</b>',
    );
    expect(html).not.toMatch(/<(?:script|b)>/);
    expect(html).toContain('&#60;b&#62;bold&#60;/b&#62;</blockquote>');
  });

  it('is cut', () => {
    const { text } = quoteMessage({ from: kim, at: '2026-11-28T10:05:00.000Z', text: 'x'.repeat(50_000) });
    expect(text.length).toBeLessThan(20_200);
    expect(text).toMatch(/\n> \[…\]$/);
  });
});

test('a reply has its text, the signature and the quotation, in this order', async () => {
  const reply = await composeReply(
    { text: 'Hello **Kim**', quotes: { from: kim, at: '2026-11-28T10:05:00.000Z', text: 'Where?' } },
    { number: 12, subject: 'Lamp' },
    { signature: '*Support*\nContoso', tagsSubject: true },
    { messageId: '<1@x>', answers: [], subject: 'My lamp' },
  );
  expect(reply.subject).toBe('Re: My lamp [#12]');
  expect(reply.references).toEqual(['<1@x>']);
  expect(reply.text).toBe(
    'Hello Kim\n\n-- \nSupport\nContoso\n\nOn 2026-11-28 10:05 UTC, <Kim@customer.example> wrote:\n> Where?\n',
  );
  expect(reply.html).toMatch(/<strong>Kim<\/strong>[\s\S]*<em>Support<\/em>[\s\S]*<blockquote/);
  const plain = await composeReply({ text: 'Hi' }, { number: 12, subject: 'Lamp' }, undefined, undefined);
  expect(plain).toEqual({ subject: 'Re: Lamp', text: 'Hi\n', html: '<p>Hi</p>', references: [] });
});

describe('an attachment', () => {
  const file = { filename: 'a.txt', contentType: 'text/plain; charset=utf-8', size: 10 };

  it('has a safe name, and a number if another has its name', () => {
    expect(checkAttachment({ ...file, filename: '../../etc/pass\u202ewd.txt' }, [])).toEqual({
      kind: 'accepted',
      filename: 'passwd.txt',
      contentType: 'text/plain',
    });
    expect(
      checkAttachment(file, [
        { filename: 'A.txt', size: 1 },
        { filename: 'a (2).txt', size: 1 },
      ]),
    ).toMatchObject({ filename: 'a (3).txt' });
    expect(checkAttachment({ ...file, filename: undefined, contentType: 'image/png' }, [])).toMatchObject({
      filename: 'image.png',
    });
  });

  it('fits 25 MB with the others, or less where the way out takes less', () => {
    const most = MAX_ATTACHMENT_BYTES;
    expect(checkAttachment({ ...file, size: most }, []).kind).toBe('accepted');
    expect(checkAttachment({ ...file, size: most }, [{ filename: 'b', size: 1 }])).toEqual({
      kind: 'refused',
      message: 'a.txt is too large: 25.0 of 25 MB are left. Share a link to the file instead.',
    });
    expect(checkAttachment({ ...file, size: 101 }, [], 100).kind).toBe('refused');
    expect(checkAttachment({ ...file, size: 0 }, []).kind).toBe('refused');
    const many = Array.from({ length: MAX_ATTACHMENTS }, (_, index) => ({ filename: `${index}`, size: 1 }));
    expect(checkAttachment(file, many).kind).toBe('refused');
    expect(checkAttachment(file, many.slice(1)).kind).toBe('accepted');
  });
});

describe('a canned reply', () => {
  const values = {
    'ticket number': '12',
    subject: '[click](https://evil.example) *now*',
    'requester name': 'Kim',
    'mailbox name': 'Support',
    'opening hours': '',
  };

  it('is filled with values that stay text', async () => {
    const filled = fillCannedReply({ text: 'Hello {{requester name}}, **{{subject}}**' }, values);
    const { text, html } = await renderMarkdown(filled);
    expect(text).toBe('Hello Kim, [click](https://evil.example) *now*');
    expect(html).not.toContain('<a ');
    expect(html).toContain('<strong>');
  });

  it('is checked', () => {
    expect(parseCannedReply({ name: ' Hours ', text: 'a\r\n{{subject}}' })).toEqual({
      kind: 'valid',
      name: 'Hours',
      text: 'a\n{{subject}}',
    });
    expect(parseCannedReply({ name: '', text: '{{nope}}' })).toMatchObject({
      kind: 'invalid',
      errors: { name: expect.any(String), text: expect.stringContaining('Line 1, character 1') },
    });
  });
});

describe('what changed since the page was shown', () => {
  const at = (minute: number): string => `2026-11-28T10:${String(minute).padStart(2, '0')}:00.000Z`;
  const before: TicketState = {
    status: 'open',
    assignee: undefined,
    messages: [
      { ref: 'm2', from: 'Kim', at: at(2) },
      { ref: 'm1', from: 'Kim', at: at(1) },
    ],
    replies: [{ id: 'r1', by: 'Sam', at: at(1) }],
  };

  it('is nothing while nothing changed', () => {
    expect(changesSince(seenToken(before), before)).toEqual([]);
  });

  it('is said newest first', () => {
    expect(
      changesSince(seenToken(before), {
        status: 'closed',
        assignee: { name: 'Sam', address: 'sam@contoso.example' },
        messages: [{ ref: 'm3', from: 'Lee', at: at(5) }, ...before.messages],
        replies: [{ id: 'r2', by: 'Alex', at: at(7) }, ...before.replies],
      }),
    ).toEqual([
      'The ticket was closed.',
      'The ticket was assigned to Sam.',
      'Alex replied at 10:07 UTC.',
      'Lee wrote at 10:05 UTC.',
    ]);
  });

  it('includes an assignee, not the spelling of their address, and nothing of a draft that knew none', () => {
    const lee: TicketState = { ...before, assignee: { name: undefined, address: 'Lee@contoso.example' } };
    const token = seenToken(lee);
    expect(changesSince(token, before)).toEqual(['The ticket is no longer assigned to anybody.']);
    const spelled = { ...lee, assignee: { name: 'Lee', address: 'lee@Contoso.example' } };
    expect(changesSince(token, spelled)).toEqual([]);
    const { a: _, ...earlier } = JSON.parse(Buffer.from(token, 'base64url').toString()) as { a: string };
    const old = Buffer.from(JSON.stringify(earlier)).toString('base64url');
    expect(changesSince(old, before)).toEqual([]);
  });

  it('includes a message that the mail server received earlier but that arrived later', () => {
    const late = { ref: 'm0', from: 'Lee', at: at(0) };
    expect(changesSince(seenToken(before), { ...before, messages: [...before.messages, late] })).toEqual([
      'Lee wrote at 10:00 UTC.',
    ]);
  });

  it('leaves out the messages of earlier pages', () => {
    const many = Array.from({ length: 40 }, (_, index) => ({
      ref: `m${index}`,
      from: 'Kim',
      at: at(59 - index),
    }));
    const token = seenToken({ ...before, messages: many });
    expect(changesSince(token, { ...before, messages: many })).toEqual([]);
    expect(changesSince(token, { ...before, messages: many.slice(2) })).toEqual([]);
  });

  test.each(['', 'x', Buffer.from('{}').toString('base64url'), 'e'.repeat(50_000)])(
    'is unknown for the token %j',
    (token) => {
      expect(changesSince(token, before)).toBeUndefined();
    },
  );
});

test('a draft is kept up to its limits', () => {
  const draft = { to: '', cc: '', bcc: '', text: 'x'.repeat(draftLimits.text) };
  expect(draftProblem(draft)).toBeUndefined();
  expect(draftProblem({ ...draft, text: `${draft.text}x` })).toMatch(/\.$/);
  expect(draftProblem({ ...draft, cc: 'x'.repeat(10_001) })).toMatch(/\.$/);
});
