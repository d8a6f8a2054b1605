/** The reply form and the emails that were sent, as their pages show them; every button works without a script. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { OutboxMessage } from '../../shared/outbox/outbox-message.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { appendMessages } from '../../shared/tickets/append-messages.ts';
import { expectWhole } from '../harness/browser/check-drawn.ts';
import { headingsInOrder, readPage } from '../harness/pages/read-page.ts';
import {
  newMessage,
  principalHeader,
  type SamplePostroom,
  samplePostroom,
} from '../harness/pages/sample-postroom.ts';

let postroom: SamplePostroom;
let ticket: string;
const sending = { host: 'smtp.office365.com', port: 587, providerId: 'p1', accountId: 'a1' };

beforeEach(async () => {
  postroom = samplePostroom();
  await postroom.mailbox({ sending });
  ticket = await postroom.file({ minutesAgo: 60, text: 'The printer says no.\nAda' });
});

/** The page of the ticket, with the values of its reply form. */
async function openForm(query = ''): Promise<{ page: string; fields: Record<string, string> }> {
  const page = await (await postroom.ask(`/tickets/${ticket}${query}`)).text();
  return { page, fields: fieldsOf(page) };
}

const decoded = (html: string): string =>
  html.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
function fieldsOf(page: string): Record<string, string> {
  const value = (name: string): string =>
    decoded(new RegExp(`<input[^>]* name="${name}"[^>]* value="([^"]*)"`).exec(page)?.[1] ?? '');
  const text = /<textarea[^>]* name="text"[^>]*>([^<]*)<\/textarea>/.exec(page)?.[1] ?? '';
  return {
    ...Object.fromEntries(['seen', 'version', 'reply', 'to', 'cc', 'bcc'].map((name) => [name, value(name)])),
    text: decoded(text),
  };
}

async function press(
  action: string,
  fields: Record<string, string>,
  { files = [], name = 'Mira Sund' }: { files?: File[]; name?: string } = {},
): Promise<{ status: number; location: string; page: string }> {
  const body = new FormData();
  for (const [field, value] of Object.entries({ ...fields, action })) body.set(field, value);
  for (const file of files) body.append('files', file);
  const headers = { ...principalHeader('agent', name), 'sec-fetch-site': 'same-origin' };
  const answer = await postroom.ask(`/tickets/${ticket}/reply`, { method: 'POST', body, headers });
  return { status: answer.status, location: answer.headers.get('location') ?? '', page: await answer.text() };
}

const sentReplies = (): Promise<OutboxMessage[]> => postroom.services.outbox.list(ticket);
const plainTextOf = (message: OutboxMessage | undefined): string =>
  message?.text.kind === 'inline' ? message.text.text : '';
const statusOf = async (): Promise<string | undefined> =>
  (await postroom.tickets.conversation(ticket, { limit: 1 }))?.ticket.status;
const post = (path: string): Promise<Response> =>
  postroom.ask(`/tickets/${ticket}/${path}`, { method: 'POST' });

const refusal = { code: codeFrom('smtp-refused'), reason: '550 5.1.1 No such user', isVerdict: true };

describe('the reply form', () => {
  test('begins with the recipients of the conversation; Reply-To is used, and our own mailboxes are left out', async () => {
    ticket = await postroom.file({
      replyTo: [{ name: undefined, address: 'service@fabrikam.example' }],
      cc: [
        { name: 'Warehouse', address: 'warehouse@fabrikam.example' },
        { name: undefined, address: 'Support@contoso.example' },
      ],
    });
    const { fields } = await openForm();
    expect(fields).toMatchObject({
      to: 'service@fabrikam.example',
      cc: 'warehouse@fabrikam.example',
      bcc: '',
      text: '',
    });
  });

  test('sends what was written, in the thread of the newest message, after the time for an undo', async () => {
    await postroom.mailbox({
      sending,
      answers: { name: 'Contoso Support', signature: 'The team', tagsSubject: true },
    });
    const { fields } = await openForm();
    const answer = await press('send', { ...fields, bcc: 'boss@contoso.example', text: 'Try **this**.' });
    expect(answer.status).toBe(303);
    const [reply] = await sentReplies();
    expect(answer.location).toContain(`flash=sent#o-${reply?.id}`);
    expect(reply).toMatchObject({
      kind: 'reply',
      by: 'Mira Sund',
      from: { address: 'support@contoso.example', name: 'Contoso Support' },
      to: ['ada@fabrikam.example'],
      bcc: ['boss@contoso.example'],
      subject: 'Re: Cannot print [#1]',
      references: ['<312f3000@fabrikam.example>'],
      delivery: { status: { state: 'queued', due: '2026-11-24T10:00:10.000Z' } },
    });
    expect(plainTextOf(reply)).toBe('Try this.\n\n-- \nThe team\n');
    expect(reply?.html).toMatchObject({ text: expect.stringContaining('<strong>this</strong>') });
    const { page, fields: after } = await openForm();
    expect(page).toContain('>Undo</button>');
    expect(page).toContain('in 10 seconds');
    expect(after['text']).toBe('');
  });

  test('quotes the message on request, below the signature', async () => {
    await postroom.mailbox({ sending, answers: { signature: 'The team' } });
    const { fields } = await openForm();
    await press('send', { ...fields, text: 'See below.', quotes: 'on' });
    expect(plainTextOf((await sentReplies())[0])).toBe(
      'See below.\n\n-- \nThe team\n\nOn 2026-11-24 09:00 UTC, Ada Byron <ada@fabrikam.example> wrote:\n> The printer says no.\n> Ada\n',
    );
  });

  test.each([
    ['send', 'open'],
    ['send-close', 'closed'],
    ['send-wait', 'waiting'],
  ])('with the button %s leaves the ticket %s', async (action, status) => {
    const { fields } = await openForm();
    expect((await press(action, { ...fields, text: 'Done.' })).status).toBe(303);
    expect(await statusOf()).toBe(status);
    expect(await (await postroom.ask(`/tickets?status=${status}`)).text()).toContain('Cannot print');
  });

  test('is sent once, however often its button is pressed', async () => {
    const { fields } = await openForm();
    const first = await press('send', { ...fields, text: 'Once.' });
    const again = await press('send', { ...fields, text: 'Once.' });
    expect([first.status, again.status]).toEqual([303, 303]);
    expect(await sentReplies()).toHaveLength(1);
  });

  test('says which recipient or text is wrong, and keeps everything that was typed', async () => {
    const { fields } = await openForm();
    const cc = 'x@y.example\nBcc: z@y.example';
    const wrong = await press('send', { ...fields, to: 'ada@fabrikam', cc, text: ' ' });
    expect(wrong.status).toBe(422);
    expect(wrong.page).toContain('ada@fabrikam is not an email address.');
    expect(wrong.page).toContain('Bcc: z@y.example is not an email address.');
    expect(wrong.page).toContain('Write a message.');
    expect(fieldsOf(wrong.page)).toMatchObject({ to: 'ada@fabrikam' });
    expect(await sentReplies()).toEqual([]);
    expect((await openForm()).fields).toMatchObject({ to: 'ada@fabrikam' });
  });

  test('refuses a reply that would come back to another mailbox of ours', async () => {
    await postroom.mailbox({ id: 'billing', address: 'billing@contoso.example' });
    const { fields } = await openForm();
    const refused = await press('send', { ...fields, to: 'billing@contoso.example', text: 'Hello' });
    expect(refused.status).toBe(422);
    expect(refused.page).toContain('billing@contoso.example is a mailbox of this installation');
    expect(await sentReplies()).toEqual([]);
  });

  test('shows why nobody can reply when the mailbox has no way to send', async () => {
    await postroom.mailbox({ sending: undefined });
    const { page } = await openForm();
    expect(page).toContain('cannot send email');
    expect(page).not.toContain('value="send"');
  });

  test('previews the reply with signature and quotation, without a script and without anything active', async () => {
    await postroom.mailbox({ sending, answers: { signature: 'The *team*' } });
    const { fields } = await openForm();
    const evil =
      '<script>alert(1)</script> [x](javascript:alert(1)) **bold** ![](https://tracker.example/x.png)';
    const shown = await press('preview', { ...fields, text: evil, quotes: 'on' });
    expect(shown.location).toBe(`/tickets/${ticket}?preview=on#preview`);
    const { page } = await openForm('?preview=on');
    expect(page).toContain('<strong>bold</strong>');
    expect(page).toContain('<em>team</em>');
    expect(page).toContain('<blockquote>The printer says no.');
    const preview = /<div class="rendered".*?<\/section>/s.exec(page)?.[0] ?? '';
    expect(preview).not.toMatch(/<script|href="javascript|style=/);
    expect(readPage(page)).toMatchObject({ repeatedIds: [], unlabelled: [], danglingIds: [], inline: [] });
  });
});

describe('a draft', () => {
  test('is there again on the next visit', async () => {
    const { fields } = await openForm();
    await press('save', { ...fields, text: 'Half a thought' });
    const { page, fields: later } = await openForm();
    expect(later).toMatchObject({ text: 'Half a thought', version: '2026-11-24T10:00:00.000Z' });
    expect(page).toContain('Draft saved');
  });

  test('is saved by the script, which gets the version that the form is then based on', async () => {
    const { fields } = await openForm();
    const save = (text: string, version: string) =>
      postroom.ask(`/tickets/${ticket}/draft`, {
        method: 'POST',
        body: new URLSearchParams({ ...fields, text, version }),
      });
    const saved = await save('Typing', '');
    expect([saved.status, await saved.text()]).toEqual([200, '2026-11-24T10:00:00.000Z']);
    // Another window, which does not know of it.
    expect((await save('Other window', '')).status).toBe(409);
    expect((await openForm()).fields['text']).toBe('Typing');
  });

  test('that was saved in another window is not overwritten unseen: both texts are shown', async () => {
    const { fields } = await openForm();
    await press('save', { ...fields, text: 'First window' });
    const second = await press('send', { ...fields, text: 'Second window' });
    expect(second.status).toBe(409);
    expect(second.page).toContain('First window');
    expect(fieldsOf(second.page)['text']).toBe('Second window');
    expect(await sentReplies()).toEqual([]);
    expect((await press('send', fieldsOf(second.page))).status).toBe(303);
    expect(plainTextOf((await sentReplies())[0])).toContain('Second window');
  });

  test('is gone after “Discard draft”', async () => {
    const { fields } = await openForm();
    await press('save', { ...fields, text: 'No' });
    await press('discard', { ...(await openForm()).fields });
    expect((await openForm()).fields['text']).toBe('');
  });

  test('keeps its attachments through every button, and they leave with the reply', async () => {
    const { fields } = await openForm();
    const files = [new File(['one'], 'notes.txt', { type: 'text/plain' }), new File(['two'], 'notes.txt')];
    await press('preview', { ...fields, text: 'With files' }, { files });
    const attached = await openForm();
    expect(attached.page).toContain('notes (2).txt');
    const id = /value="detach ([\w-]{36})"[^>]*aria-label="Remove notes \(2\)\.txt"/.exec(attached.page)?.[1];
    await press(`detach ${id}`, attached.fields);
    await press('send', (await openForm()).fields);
    const [reply] = await sentReplies();
    expect(reply?.attachments).toMatchObject([{ filename: 'notes.txt', contentType: 'text/plain', size: 3 }]);
    const file = await postroom.ask(`/tickets/${ticket}/sent/${reply?.id}/attachments/0`);
    expect([file.status, await file.text()]).toEqual([200, 'one']);
    expect(file.headers.get('content-disposition')).toContain('attachment');
  });

  test('that is discarded leaves the attachments of a reply that has them too', async () => {
    const { fields } = await openForm();
    const files = [new File(['one'], 'notes.txt', { type: 'text/plain' })];
    await press('send', { ...fields, text: 'With a file' }, { files });
    const [reply] = await sentReplies();
    await setState({ state: 'failed', at: '2026-11-24T10:00:12.000Z', why: refusal, isOfWayOut: false });
    await post(`sent/${reply?.id}/edit`);
    await press('discard', (await openForm()).fields);
    expect((await openForm()).page).not.toContain('Remove notes.txt');
    const file = await postroom.ask(`/tickets/${ticket}/sent/${reply?.id}/attachments/0`);
    expect(await file.text()).toBe('one');
  });

  test('takes 25 MB of attachments in all, and says which file is too large', async () => {
    const { fields } = await openForm();
    const large = new File([new Uint8Array(20 * 1024 * 1024)], 'scan.tiff', { type: 'image/tiff' });
    expect((await press('attach', { ...fields, text: 'Scans' }, { files: [large] })).status).toBe(303);
    const refused = await press('send', (await openForm()).fields, {
      files: [new File([new Uint8Array(6 * 1024 * 1024)], 'more.tiff')],
    });
    expect(refused.status).toBe(422);
    expect(refused.page).toContain('more.tiff is too large');
    expect(fieldsOf(refused.page)['text']).toBe('Scans');
    expect(await sentReplies()).toEqual([]);
  });

  test('takes 2 MB over Microsoft Graph alone, and says what an admin can do; 25 MB if that account also reads so', async () => {
    const graph = { ...sending, protocol: 'graph-send', host: 'graph.microsoft.com', port: 443 } as const;
    const file = new File([new Uint8Array(3 * 1024 * 1024)], 'scan.pdf');
    await postroom.mailbox({ sending: graph, providerId: 'p1', accountId: 'a1' });
    const { page, fields } = await openForm();
    expect(page).toContain('2 MB in all.');
    expect(page).toContain('ask an admin to read this mailbox over Microsoft Graph');
    const refused = await press('attach', { ...fields, text: 'Scan' }, { files: [file] });
    expect([refused.status, refused.page]).toEqual([422, expect.stringContaining('scan.pdf is too large')]);

    await postroom.mailbox({ sending: graph, providerId: 'p1', accountId: 'a1', protocol: 'graph' });
    const again = await openForm();
    expect(again.page).toContain('25 MB in all.');
    expect(again.page).not.toContain('ask an admin');
    expect((await press('attach', again.fields, { files: [file] })).status).toBe(303);
    await postroom.mailbox({ sending: graph, providerId: 'p1', accountId: 'a1' });
    const sent = await press('send', (await openForm()).fields);
    expect(sent.page).toContain('at most 2 MB in all. Remove some. To send larger attachments,');
  });

  test('over the limit of a request is refused before it is read', async () => {
    const headers = {
      ...principalHeader('agent'),
      'sec-fetch-site': 'same-origin',
      'content-length': '30000000',
    };
    const answer = await postroom.ask(`/tickets/${ticket}/reply`, { method: 'POST', body: 'x', headers });
    expect(answer.status).toBe(413);
  });
});

describe('a ticket that changed since the form was opened', () => {
  test('is said before the reply is sent, and nothing typed is lost', async () => {
    const { fields } = await openForm();
    await post('close');
    const held = await press('send', { ...fields, text: 'Careful words' });
    expect(held.status).toBe(409);
    expect(held.page).toContain('The ticket was closed.');
    expect(fieldsOf(held.page)['text']).toBe('Careful words');
    expect(await sentReplies()).toEqual([]);
    expect((await press('send', fieldsOf(held.page))).status).toBe(303);
    expect(await sentReplies()).toHaveLength(1);
  });

  test('while its attachments were uploaded', async () => {
    const { fields } = await openForm();
    const form = new FormData();
    for (const [field, value] of Object.entries({ ...fields, text: 'Slow', action: 'send' }))
      form.set(field, value);
    const whole = new Response(form);
    const bytes = await whole.bytes();
    const uploaded = Promise.withResolvers<void>();
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await uploaded.promise;
        controller.enqueue(bytes);
        controller.close();
      },
    });
    const headers = {
      ...principalHeader('agent'),
      'sec-fetch-site': 'same-origin',
      'content-type': whole.headers.get('content-type') ?? '',
      'content-length': String(bytes.byteLength),
    };
    const init = { method: 'POST', body, headers, duplex: 'half' };
    const answer = postroom.ask(`/tickets/${ticket}/reply`, init);
    await post('close');
    uploaded.resolve();
    expect((await answer).status).toBe(409);
    expect(await sentReplies()).toEqual([]);
  });

  test('by the reply of a colleague', async () => {
    const mine = await openForm();
    await press('send', { ...(await openForm()).fields, text: 'I was faster' });
    const held = await press('send', { ...mine.fields, text: 'Too late' });
    expect(held.status).toBe(409);
    expect(held.page).toContain('Mira Sund replied at 10:00 UTC.');
    expect(await sentReplies()).toHaveLength(1);
  });
});

describe('undo', () => {
  test('keeps the reply from leaving, gives its text back as a draft, and opens a ticket that “Send and close” closed', async () => {
    const { fields } = await openForm();
    const files = [new File(['one'], 'notes.txt', { type: 'text/plain' })];
    await press('send-close', { ...fields, cc: 'kim@fabrikam.example', text: 'Wait, *no*' }, { files });
    const [reply] = await sentReplies();
    const undone = await post(`sent/${reply?.id}/undo`);
    expect(undone.headers.get('location')).toContain('flash=undone#reply');
    expect((await sentReplies())[0]?.delivery.status.state).toBe('withdrawn');
    expect(await statusOf()).toBe('open');
    const { page, fields: again } = await openForm();
    expect(again).toMatchObject({ text: 'Wait, *no*', cc: 'kim@fabrikam.example' });
    expect(page).toContain('Remove notes.txt');
    expect((await press('send', again)).status).toBe(303);
    const replies = await sentReplies();
    expect(replies.map(({ delivery }) => delivery.status.state).sort()).toEqual(['queued', 'withdrawn']);
    expect(replies.map(({ attachments }) => attachments.length)).toEqual([1, 1]);
  });

  test('takes back a reply that waits for its server, and gives its text back', async () => {
    await press('send-close', { ...(await openForm()).fields, text: 'I called instead' });
    const [reply] = await sentReplies();
    const why = { code: codeFrom('smtp-auth-disabled-tenant'), reason: '535 5.7.139', isVerdict: true };
    await setState({ state: 'failed', at: '2026-11-24T10:00:12.000Z', why, isOfWayOut: true });
    if (reply !== undefined) await postroom.services.outbox.hold(reply);
    await post(`sent/${reply?.id}/undo`);
    expect(await postroom.services.outbox.releaseHeld('support')).toBe(0);
    expect((await sentReplies())[0]?.delivery.status.state).toBe('withdrawn');
    expect([await statusOf(), (await openForm()).fields['text']]).toEqual(['open', 'I called instead']);
  });

  test('comes too late once a process has claimed the reply', async () => {
    const { fields } = await openForm();
    await press('send', { ...fields, text: 'Gone' });
    await setState({ state: 'sending', claimedAt: '2026-11-24T10:00:00.000Z' });
    const [reply] = await sentReplies();
    const late = await post(`sent/${reply?.id}/undo`);
    expect(late.headers.get('location')).toContain('flash=too-late');
    expect((await openForm()).fields['text']).toBe('');
  });
});

/** Puts the first sent email into a state. */
async function setState(status: OutboxMessage['delivery']['status'], more: object = {}): Promise<void> {
  const [first] = await sentReplies();
  const stored = first && (await postroom.services.outbox.get(first));
  if (stored === undefined) throw new Error('nothing was sent');
  const delivery = { ...stored.record.delivery, ...more, status };
  await postroom.services.outbox.replace({ ...stored.record, delivery }, stored.etag);
}

describe('a sent reply shows', () => {
  const at = '2026-11-24T10:00:12.000Z';
  const due = '2026-11-24T10:05:00.000Z';
  const away = {
    code: codeFrom('smtp-unreachable'),
    reason: 'The server does not answer.',
    isVerdict: false,
  };
  const states: [
    name: string,
    status: OutboxMessage['delivery']['status'],
    texts: string[],
    absent: string[],
  ][] = [
    ['sending', { state: 'sending', claimedAt: at }, ['Sending'], ['Undo']],
    [
      'sent',
      { state: 'sent', at, answer: '250 2.0.0 Ok', foundInSent: false, refused: [] },
      ['>Sent<', '250 2.0.0 Ok'],
      ['Undo', 'Try again'],
    ],
    [
      'sent, not to all',
      {
        state: 'sent',
        at,
        answer: '250 Ok',
        foundInSent: false,
        refused: [{ address: 'x@y.example', line: '550 no' }],
      },
      [
        'The server refused x@y.example: “550 no”',
        'Server message for the other recipients: <q class="said">250 Ok</q>',
        'Edit and send again',
      ],
      [],
    ],
    [
      'found in the Sent folder',
      { state: 'sent', at, answer: 'The answer was lost.', foundInSent: true, refused: [] },
      ['<p>The answer was lost.</p>'],
      ['Edit and send again'],
    ],
    [
      'queued long ago',
      { state: 'queued', due: '2026-11-24T09:00:00.000Z' },
      ['Due since', 'as soon as these limits allow'],
      ['Do not send'],
    ],
    [
      'retrying',
      { state: 'retrying', at, due, why: away },
      ['Retrying', 'Next attempt', due, 'Do not send'],
      ['Try again'],
    ],
    [
      'retrying, and the monitor is late',
      { state: 'retrying', at, due: '2026-11-24T09:59:00.000Z', why: away },
      ['Retrying', 'Due since'],
      ['Try again'],
    ],
    [
      'failed by its server’s verdict',
      { state: 'failed', at, why: refusal, isOfWayOut: false },
      ['Failed', '550 5.1.1 No such user', 'Edit and send again'],
      ['Try again'],
    ],
    [
      'failed because of its way out',
      { state: 'failed', at, why: away, isOfWayOut: true },
      [
        'Failed',
        'Try again',
        'Do not send',
        'It has not been sent yet.',
        'sent automatically within ten minutes',
      ],
      ['Edit and send again'],
    ],
    [
      'unknown',
      { state: 'unknown', at, due, why: away, searches: 0 },
      ['Unknown', 'Next search'],
      ['Try again', 'Send again'],
    ],
    [
      'unknown for good',
      { state: 'unknown', at, why: away, searches: 2 },
      ['Unknown', 'Ask the recipient', '>Send again</button>'],
      ['Try again'],
    ],
  ];

  test.each(states)('%s', async (_name, status, texts, absent) => {
    await press('send', { ...(await openForm()).fields, text: 'State' });
    await setState(status);
    const { page } = await openForm();
    for (const text of texts) expect(page).toContain(text);
    for (const text of absent) expect(page).not.toContain(`>${text}<`);
    if (texts.includes('Due since')) expect(page).not.toMatch(/Leaves|Next attempt/);
    const faults = readPage(page);
    expect(faults).toMatchObject({ repeatedIds: [], unlabelled: [], danglingIds: [], inline: [] });
    expect(headingsInOrder(faults.headings)).toBe(true);
  });

  /** A reply that left, and a report about it. */
  async function bounced(
    kind: 'permanent' | 'delayed',
    minutesAgo = -1,
  ): Promise<{ reply: OutboxMessage; key: string }> {
    await press('send', { ...(await openForm()).fields, text: 'Hello?' });
    await setState({ state: 'sent', at, answer: '250 Ok', foundInSent: false, refused: [] });
    const [reply] = await sentReplies();
    if (reply === undefined) throw new Error('there is no reply');
    const mail = { minutesAgo, messageClass: 'bounce' as const, subject: 'Undeliverable: hello' };
    const report = await newMessage(mail, 'b', 1, postroom.blobs);
    const filing = { ticketId: ticket, number: 1, mailboxId: 'support', follows: undefined, opens: false };
    const bounce = {
      messageId: reply.messageId,
      recipient: 'kim@customer.example',
      status: '5.1.1',
      said: '550 5.1.1 User unknown',
      kind,
      reason: 'no-mailbox' as const,
    };
    const messages = [{ ...report, bounce: { emailId: reply.id, bounces: [bounce] } }];
    await appendMessages(postroom.services.tables, { ...filing, messages });
    return { reply, key: report.key };
  }

  test('the bounce that names it, with a link to the report', async () => {
    const { key } = await bounced('permanent');
    const { page } = await openForm();
    expect(page).toContain('Bounced');
    expect(page).toContain('550 5.1.1 User unknown');
    expect(page).toContain(`href="#m-${key}"`);
    expect(readPage(page).danglingIds).toEqual([]);
  });

  test('after a bounce a button that copies it into the form', async () => {
    const { reply } = await bounced('permanent');
    expect((await openForm()).page).toContain('>Edit and send again<');
    const { headers } = await post(`sent/${reply.id}/edit`);
    expect(headers.get('location')).toContain('flash=copied-sent');
    expect((await openForm()).fields['text']).toBe('Hello?');
  });

  test('a bounce below the email that it reports on, although mail servers note whole seconds', async () => {
    const { reply, key } = await bounced('permanent', 1);
    const { page } = await openForm();
    expect(page.indexOf(`id="m-${key}"`)).toBeGreaterThan(page.indexOf(`id="o-${reply.id}"`));
  });

  test('no such button while the mail server keeps trying', async () => {
    await bounced('delayed');
    const { page } = await openForm();
    expect(page).toContain('Delayed');
    expect(page).not.toContain('>Edit and send again<');
  });

  test('after a bounce the thread of the customer: the next reply does not answer the report', async () => {
    const { reply } = await bounced('permanent');
    await press('send', { ...(await openForm()).fields, text: 'Once more' });
    const next = (await sentReplies()).find(({ id }) => id !== reply.id);
    expect(next).toMatchObject({ subject: 'Re: Cannot print' });
    expect(next?.references.at(-1)).toBe(reply.messageId);
  });

  test('an admin, and no agent, the way to the connection test where the cause is how the mailbox sends', async () => {
    await press('send', { ...(await openForm()).fields, text: 'Waiting' });
    await setState({ state: 'failed', at, why: away, isOfWayOut: true });
    const link = 'href="/mailboxes/support/test"';
    expect((await openForm()).page).not.toContain(link);
    const seen = await postroom.ask(`/tickets/${ticket}`, { headers: principalHeader('admin') });
    expect(await seen.text()).toContain(link);
  });

  test('that it was sent a second time', async () => {
    await press('send', { ...(await openForm()).fields, text: 'Twice' });
    await setState(
      { state: 'sent', at, answer: '250 Ok', foundInSent: false, refused: [] },
      { sentAgainAt: at },
    );
    expect((await openForm()).page).toContain('The recipient may have it twice.');
  });

  test('its button, which sends it again once its way out is repaired', async () => {
    await press('send', { ...(await openForm()).fields, text: 'Again' });
    await setState({ state: 'failed', at, why: away, isOfWayOut: true });
    const [reply] = await sentReplies();
    await post(`sent/${reply?.id}/retry`);
    expect((await sentReplies())[0]?.delivery.status.state).toBe('queued');
  });

  test('a button that sends it again where nothing more can be found out, and cannot be undone', async () => {
    await press('send', { ...(await openForm()).fields, text: 'Perhaps' });
    await setState({ state: 'unknown', at, why: away, searches: 2 });
    const [reply] = await sentReplies();
    await post(`sent/${reply?.id}/retry`);
    const [again] = await sentReplies();
    expect(again?.delivery).toMatchObject({ status: { state: 'queued' }, sentAgainAt: expect.any(String) });
    expect((await openForm()).page).not.toContain('>Undo</button>');
  });

  test('its text in the draft again, after the server refused it', async () => {
    await press('send', { ...(await openForm()).fields, text: 'To the wrong one' });
    await setState({ state: 'failed', at, why: refusal, isOfWayOut: false });
    const [reply] = await sentReplies();
    await post(`sent/${reply?.id}/edit`);
    expect((await openForm()).fields['text']).toBe('To the wrong one');
  });
});

describe('a canned reply', () => {
  const admin = (path: string, fields?: Record<string, string>): Promise<Response> =>
    postroom.ask(path, {
      ...(fields !== undefined && { method: 'POST', body: new URLSearchParams(fields) }),
      headers: { ...principalHeader('admin'), 'sec-fetch-site': 'same-origin' },
    });

  test('is added, changed and deleted by an admin, each with its audit entry', async () => {
    await admin('/canned-replies/new', { name: 'Greeting', text: 'Hello {{requester name}}' });
    const [added] = await postroom.services.cannedReplies.list();
    expect(added).toMatchObject({
      name: 'Greeting',
      text: 'Hello {{requester name}}',
      changedBy: 'Mira Sund',
    });
    await admin(`/canned-replies/${added?.id}`, { name: 'Greeting', text: 'Hi' });
    expect(await (await admin('/canned-replies')).text()).toContain('Hi');
    await admin(`/canned-replies/${added?.id}/delete`, {});
    expect(await postroom.services.cannedReplies.list()).toEqual([]);
    const entries = await auditEntries();
    expect(entries.sort()).toEqual(['added Greeting', 'changed Greeting', 'deleted Greeting']);
  });

  test('is deleted only after a question, which needs no script', async () => {
    await admin('/canned-replies/new', { name: 'Greeting & <more>', text: 'Hi' });
    const [added] = await postroom.services.cannedReplies.list();
    const deletion = `/canned-replies/${added?.id}/delete`;
    const list = await (await admin('/canned-replies')).text();
    expect(list).toContain(`<a href="${deletion}"`);
    expect(list).not.toContain(`action="${deletion}"`);
    const question = await admin(deletion);
    const page = await question.text();
    expect([question.status, page]).toEqual([
      200,
      expect.stringContaining('>Delete Greeting &amp; &lt;more&gt;?</h1>'),
    ]);
    expect(page).toContain(`<form method="post" action="${deletion}">`);
    expectWhole({ question: page });
    expect(await postroom.services.cannedReplies.list()).toHaveLength(1);
    const pressed = await admin(deletion, {});
    expect(pressed.headers.get('location')).toBe('/canned-replies?flash=deleted');
    expect(await postroom.services.cannedReplies.list()).toEqual([]);
    expect((await admin(deletion)).status).toBe(404);
  });

  test('with a variable that does not exist is refused, with its place', async () => {
    const refused = await admin('/canned-replies/new', { name: 'Greeting', text: 'Hello\n{{name}}' });
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain('Line 2, character 1: {{name}} is not a variable.');
  });

  test('is inserted below what was typed, with its values escaped', async () => {
    ticket = await postroom.file({ subject: 'A [link](https://evil.example)' });
    await admin('/canned-replies/new', {
      name: 'About',
      text: 'About {{subject}}, ticket {{ticket number}}.',
    });
    const [canned] = await postroom.services.cannedReplies.list();
    const { fields } = await openForm();
    await press('insert', { ...fields, text: 'Hello', canned: canned?.id ?? '' });
    const { fields: filled } = await openForm();
    expect(filled['text']).toMatch(/^Hello\n\nAbout A \\\[link\\\]/);
    await press('send', filled);
    const [reply] = await sentReplies();
    expect(reply?.html).toMatchObject({ text: expect.not.stringContaining('<a ') });
  });

  test('is not for agents to change', async () => {
    const answer = await postroom.ask('/canned-replies/new', {
      method: 'POST',
      body: new URLSearchParams({ name: 'a', text: 'b' }),
    });
    expect(answer.status).toBe(403);
  });

  async function auditEntries(): Promise<string[]> {
    const { entries } = await postroom.audit.page({ limit: 10 });
    return entries.map(({ action, subject }) => `${action} ${subject.name}`);
  }
});
