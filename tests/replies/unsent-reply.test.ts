import { beforeEach, expect, test } from 'vitest';
import { reportUnsentReply } from '../../functions/use-cases/report-unsent-reply.ts';
import type { AgentMail } from '../../shared/agent-alerts/agent-alert.ts';
import { agentMailText } from '../../shared/agent-alerts/agent-mail-text.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { email } from '../harness/memory/outbox-emails.ts';
import { START } from '../harness/memory/sample-findings.ts';
import { type SamplePostroom, samplePostroom } from '../harness/pages/sample-postroom.ts';

const at = '2026-11-24T10:00:12.000Z';
const why = { code: codeFrom('smtp-recipient-unknown'), reason: '550 5.1.1 No such user', isVerdict: true };
const failed = {
  status: { state: 'failed', at, why, isOfWayOut: false },
  attempts: 1,
} as const;

let postroom: SamplePostroom;
let ticket: string;

beforeEach(async () => {
  postroom = samplePostroom();
  await postroom.mailbox({ answers: { alertOnReply: ['Team@contoso.example', 'support@contoso.example'] } });
  ticket = await postroom.file({ minutesAgo: 60 });
});

const report = (change: Parameters<typeof email>[1] = {}): Promise<void> =>
  reportUnsentReply(
    postroom.services,
    email('reply', { ticketId: ticket, mailboxId: 'support', by: 'Mira Sund', delivery: failed, ...change }),
  );
const written = { personId: 'm', address: 'Mira@contoso.example', quotes: false };
const told = (): Promise<{ address: string; mail: AgentMail }[]> =>
  postroom.services.agentQueues.takeDue(START);

test('a reply that was refused opens its ticket again, and its writer is told why, once', async () => {
  await postroom.tickets.setStatus(ticket, 'closed');
  await report({ written });
  await report({ written });
  expect((await postroom.tickets.conversation(ticket, { limit: 1 }))?.ticket.status).toBe('open');
  const [one, ...others] = await told();
  expect([one?.address, one?.mail.events.length, others]).toEqual(['mira@contoso.example', 1, []]);
  const { subject, text } = agentMailText(one?.mail ?? { events: [], more: 0 }, (id) => `https://p/${id}`);
  expect(subject).toBe('Reply not sent: ticket #1: Cannot print');
  for (const part of ['Mira Sund', '550 5.1.1 No such user', `https://p/${ticket}`])
    expect(text).toContain(part);
});

test('a second failure of the same reply is told again', async () => {
  await report({ written });
  await told();
  await report({
    written,
    delivery: { ...failed, status: { ...failed.status, at: '2026-11-24T11:00:00.000Z' } },
  });
  expect(await told()).toHaveLength(0);
  expect(await postroom.services.agentQueues.takeDue(START + 61_000)).toHaveLength(1);
});

test('without an address of the writer, the assignee is told, or the agents of the mailbox, and no mailbox of ours', async () => {
  await report();
  expect((await told()).map(({ address }) => address)).toEqual(['team@contoso.example']);
  await postroom.tickets.assign(ticket, {
    from: '',
    to: { name: 'Sam', address: 'sam@contoso.example' },
  });
  await report({ id: 'other', written: { ...written, address: 'support@contoso.example' } });
  expect((await told()).map(({ address }) => address)).toEqual(['sam@contoso.example']);
});

test('a reply of a ticket that is gone is no fault', async () => {
  await report({ ticketId: 'gone' });
  expect(await told()).toEqual([]);
});
