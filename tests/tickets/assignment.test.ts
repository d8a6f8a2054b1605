/** Who works on a ticket: the buttons of its page, and the reply that assigns it. Everything works without a script. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type ReplyContext, readReplyContext } from '../../functions/use-cases/reply-context.ts';
import { type ReplyToSend, sendReply, undoReply } from '../../functions/use-cases/send-reply.ts';
import type { OutboxMessage } from '../../shared/outbox/outbox-message.ts';
import type { Principal } from '../../shared/platform/principal.ts';
import type { Person } from '../../shared/tickets/ticket.ts';
import { headingsInOrder, readPage } from '../harness/pages/read-page.ts';
import { principalHeader, type SamplePostroom, samplePostroom } from '../harness/pages/sample-postroom.ts';

const sending = { host: 'smtp.office365.com', port: 587, providerId: 'p1', accountId: 'a1' };
const mira = { name: 'Mira Sund', address: 'mira.sund@contoso.example' };
const sam = { name: 'Sam Lee', address: 'sam.lee@contoso.example' };

let postroom: SamplePostroom;
let id: string;
beforeEach(async () => {
  postroom = samplePostroom();
  await postroom.mailbox({ sending, answers: { alertOnReply: ['team@contoso.example'] } });
  id = await postroom.file({ minutesAgo: 60 });
});

const assignee = async (): Promise<Person | undefined> =>
  (await postroom.tickets.conversation(id, { limit: 1 }))?.ticket.assignee;
const page = async (query = ''): Promise<string> => (await postroom.ask(`/tickets/${id}${query}`)).text();
const list = async (query = ''): Promise<string> => (await postroom.ask(`/tickets${query}`)).text();
const entries = async () =>
  (await postroom.audit.page({ kind: 'ticket', id, limit: 9 })).entries.map(({ action, changes }) => ({
    action,
    changes,
  }));

async function press(
  fields: Record<string, string>,
  as = principalHeader('agent'),
): Promise<{ status: number; location: string; page: string }> {
  const headers = { ...as, 'sec-fetch-site': 'same-origin' };
  const body = new URLSearchParams({ from: '', ...fields });
  const answer = await postroom.ask(`/tickets/${id}/assign`, { method: 'POST', headers, body });
  return { status: answer.status, location: answer.headers.get('location') ?? '', page: await answer.text() };
}

describe('the ticket page', () => {
  test('assigns the ticket to the signed-in person, and unassigns it; the audit log has both', async () => {
    expect(await page()).toMatch(/Unassigned.*Assign to me/s);
    expect((await press({ to: 'me' })).location).toBe(`/tickets/${id}?flash=assigned`);
    expect(await assignee()).toEqual(mira);
    const assigned = await page();
    expect(assigned).toMatch(
      /Assigned to <strong dir="auto">Mira Sund<\/strong> mira\.sund@contoso\.example/,
    );
    expect(assigned).not.toContain('Assign to me');
    expect((await press({ to: 'nobody', from: mira.address })).location).toContain('flash=unassigned');
    expect(await assignee()).toBeUndefined();
    expect(await page()).not.toContain('>Unassign<');
    expect(await entries()).toEqual([
      { action: 'unassigned', changes: [{ name: 'assignee', before: mira.address, after: undefined }] },
      { action: 'assigned', changes: [{ name: 'assignee', before: undefined, after: mira.address }] },
    ]);
  });

  test('assigns it to somebody else by their address, and suggests who is known', async () => {
    expect(await page()).toContain('<option value="team@contoso.example"');
    await press({ 'assign-to': ' Lee <Lee@contoso.example> ' });
    expect(await assignee()).toEqual({ name: undefined, address: 'Lee@contoso.example' });
    await press({ 'assign-to': 'MIRA.sund@contoso.example', from: 'lee@contoso.example' });
    expect(await assignee()).toEqual(mira);
  });

  test.each([
    ['sam', 'sam is not an email address.'],
    ['', 'Enter one email address.'],
    ['a@x.example, b@x.example', 'Enter one email address.'],
    ['a@x.example\nBcc: b@x.example', 'Bcc: b@x.example is not an email address.'],
    ['support+1@contoso.example', 'is a mailbox of this installation'],
  ])('refuses %j, says why at the field, and keeps what was typed', async (typed, problem) => {
    const refused = await press({ 'assign-to': typed });
    expect(refused.status).toBe(422);
    expect(refused.page).toContain(problem);
    expect(refused.page).toMatch(/<details open/);
    expect(await assignee()).toBeUndefined();
    expect(await entries()).toEqual([]);
    const { headings, ...faults } = readPage(refused.page);
    expect(faults).toMatchObject({ repeatedIds: [], unlabelled: [], danglingIds: [], inline: [] });
    expect(headingsInOrder(headings)).toBe(true);
  });

  test('never overwrites an assignee that the person has not seen', async () => {
    await press({ to: 'me' });
    const late = await press({ to: 'me' }, principalHeader('agent', 'Sam Lee'));
    expect(late.location).toBe(`/tickets/${id}?flash=assignee-changed`);
    expect(await page('?flash=assignee-changed')).toContain('Nothing was changed');
    expect(await assignee()).toEqual(mira);
    expect(await entries()).toHaveLength(1);
  });

  test('changes once if a button is pressed twice', async () => {
    await press({ to: 'me' });
    expect((await press({ to: 'me' })).location).toContain('flash=assigned');
    expect(await entries()).toHaveLength(1);
  });

  test.each([
    ['no address', ''],
    ['one that is not valid', 'mira'],
  ])('says that a person who signed in with %s cannot be alerted', async (_what, address) => {
    await press({ to: 'me' }, principalHeader('agent', 'Mira Sund', address));
    expect(await assignee()).toEqual({ name: 'Mira Sund', address: undefined });
    expect(await page()).toContain(
      'Mira Sund signed in without an email address, so Postroom cannot alert them',
    );
  });

  test('says so of an assignee whose address became a mailbox of ours', async () => {
    await press({ 'assign-to': 'sales@contoso.example' });
    expect(await page()).not.toContain('is a mailbox of this installation');
    await postroom.mailbox({ id: 'sales', address: 'sales@contoso.example' });
    expect(await page()).toContain('sales@contoso.example is a mailbox of this installation');
  });

  test('of no ticket is not found', async () => {
    id = 'nowhere';
    expect((await press({ to: 'me' })).status).toBe(404);
  });
});

test('a reply is held back, with its text, if somebody changed the assignee since the page was opened', async () => {
  const opened = await page();
  const hidden = (name: string): string =>
    new RegExp(`<input type="hidden" name="${name}" value="([^"]*)"`).exec(opened)?.[1] ?? '';
  await press({ to: 'me' }, principalHeader('agent', 'Sam Lee'));
  const body = new FormData();
  for (const name of ['seen', 'version', 'reply']) body.set(name, hidden(name));
  body.set('to', 'ada@fabrikam.example');
  body.set('text', 'Switch it on.');
  body.set('action', 'send');
  const held = await postroom.ask(`/tickets/${id}/reply`, { method: 'POST', body });
  expect(held.status).toBe(409);
  const shown = await held.text();
  expect(shown).toContain('The ticket was assigned to Sam Lee.');
  expect(shown).toContain('Switch it on.</textarea>');
  expect(await postroom.services.outbox.list(id)).toEqual([]);
});

test('the list shows who works on a ticket, and can be limited to one’s own and to those of nobody', async () => {
  await postroom.file({ subject: 'Of nobody' });
  await press({ to: 'me' });
  expect(await list()).toContain('Assigned to Mira Sund');
  const [mine, free] = [await list('?assigned=me'), await list('?assigned=nobody')];
  expect([mine.includes('Cannot print'), mine.includes('Of nobody')]).toEqual([true, false]);
  expect([free.includes('Cannot print'), free.includes('Of nobody')]).toEqual([false, true]);
  expect(await list('?assigned=me&status=closed')).toContain('No matching tickets');
});

describe('a reply', () => {
  const principal = (person: { name: string; address: string }): Principal => ({
    id: `id of ${person.name}`,
    ...person,
    roles: ['agent'],
  });
  const context = async (): Promise<ReplyContext> => {
    const read = await readReplyContext(postroom.services, id);
    if (read === undefined) throw new Error('no such ticket');
    return read;
  };
  let replies = 0;
  /** @param services those that send, if one of them is to be interrupted */
  async function reply(
    by: Principal,
    change: Partial<ReplyToSend> = {},
    services = postroom.services,
  ): Promise<{ ticketId: string; id: string }> {
    replies += 1;
    const draft: ReplyToSend['draft'] = {
      ticketId: id,
      personId: by.id,
      personName: by.name,
      to: 'ada@fabrikam.example',
      cc: '',
      bcc: '',
      text: 'Switch it on.',
      quotes: false,
      attachments: [],
      seen: '',
      savedAt: '2026-11-24T10:00:00.000Z',
    };
    const sent: ReplyToSend = {
      id: `r${replies}`,
      draft,
      to: ['ada@fabrikam.example'],
      cc: [],
      bcc: [],
      status: undefined,
      by,
      ...change,
    };
    expect(await sendReply(services, await context(), sent)).toEqual({ kind: 'queued' });
    return { ticketId: id, id: sent.id };
  }
  const outbox = (): Promise<OutboxMessage[]> => postroom.services.outbox.list(id);

  test('assigns an unassigned ticket to its writer, in the ticket, the list and the audit log', async () => {
    await reply(principal(mira));
    expect(await assignee()).toEqual(mira);
    expect(await list('?assigned=me')).toContain('Assigned to Mira Sund');
    expect((await entries()).map(({ action }) => action)).toEqual(['assigned']);
    expect(await page()).toContain('<option value="mira.sund@contoso.example" label="Mira Sund"');
    await reply(principal(sam), { status: 'closed' });
    expect(await assignee()).toEqual(mira);
    expect((await entries()).map(({ action }) => action)).toEqual(['closed', 'assigned']);
  });

  test('does so in its own transaction: nobody is assigned for a reply that is not there', async () => {
    await reply(principal(mira), { id: 'twice' });
    await press({ to: 'nobody', from: mira.address });
    await reply(principal(sam), { id: 'twice' });
    expect(await assignee()).toBeUndefined();
    expect(await outbox()).toHaveLength(1);
  });

  test('of two people at the same time, assigns the first, and both replies leave', async () => {
    let isFirst = true;
    const tickets: SamplePostroom['tickets'] = {
      ...postroom.tickets,
      async firstAssignee(...args) {
        const change = await postroom.tickets.firstAssignee(...args);
        if (isFirst) {
          isFirst = false;
          await reply(principal(sam));
        }
        return change;
      },
    };
    await reply(principal(mira), {}, { ...postroom.services, tickets });
    expect(await assignee()).toEqual(sam);
    const all = await outbox();
    expect(all.map(({ by, written }) => [by, written?.assigns]).sort()).toEqual([
      ['Mira Sund', false],
      ['Sam Lee', true],
    ]);
  });

  test('that is undone takes the assignment back, with the status', async () => {
    const ref = await reply(principal(mira), { status: 'closed' });
    // A colleague may press the button too.
    expect(await undoReply(postroom.services, ref, principal(sam))).toBe('undone');
    const ticket = (await context()).ticket;
    expect([ticket.assignee, ticket.status]).toEqual([undefined, 'open']);
    expect(await list('?assigned=nobody')).toContain('Cannot print');
  });

  test('that is undone leaves an assignee whom somebody has chosen', async () => {
    const ref = await reply(principal(mira));
    await press({ 'assign-to': sam.address, from: mira.address });
    await undoReply(postroom.services, ref, principal(mira));
    expect((await assignee())?.address).toBe(sam.address);
    await press({ to: 'me', from: sam.address });
    const later = await reply(principal(mira));
    await undoReply(postroom.services, later, principal(mira));
    expect(await assignee()).toEqual(mira);
  });
});
