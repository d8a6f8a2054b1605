/** Emails to agents whose mailboxes were deleted meanwhile. */
import { beforeEach, expect, test } from 'vitest';
import { sendAgentMail } from '../../functions/use-cases/alert-agents.ts';
import type { AgentEvent } from '../../shared/agent-alerts/agent-alert.ts';
import { type SamplePostroom, samplePostroom } from '../harness/pages/sample-postroom.ts';

const agent = 'sam@agents.example';
let postroom: SamplePostroom;
let ticketId: string;
beforeEach(async () => {
  postroom = samplePostroom();
  await postroom.mailbox();
  ticketId = await postroom.file({ minutesAgo: 5 });
});

const event = (change: Partial<AgentEvent>): AgentEvent => ({
  kind: 'ticket',
  key: 'a'.repeat(64),
  ticketId,
  mailboxId: 'support',
  number: 1,
  subject: 'Cannot print',
  from: { name: undefined, address: 'ada@fabrikam.example' },
  preview: 'The printer says no.',
  at: '2026-11-24T09:55:00.000Z',
  ...change,
});
const ofDeleted = (number: number): AgentEvent =>
  event({ key: `${number}`.padStart(64, 'b'), ticketId: `gone${number}`, mailboxId: 'deleted', number });

test('a digest leaves from the first mailbox that still exists, with all its events', async () => {
  await postroom.services.agentQueues.add(agent, [ofDeleted(8), event({}), ofDeleted(9)]);
  expect(await sendAgentMail(postroom.services)).toBe(1);
  const [sent, ...others] = await postroom.services.outbox.list(ticketId);
  expect(others).toEqual([]);
  expect(sent).toMatchObject({
    kind: 'notification',
    mailboxId: 'support',
    from: { address: 'support@contoso.example' },
    to: [agent],
    subject: '3 new messages in Postroom',
  });
  const text = sent?.text.kind === 'inline' ? sent.text.text : '';
  for (const number of [1, 8, 9]) expect(text).toContain(`New ticket #${number}: `);
});

test('nothing is sent if all its mailboxes are gone, and the agent is told of what comes later', async () => {
  await postroom.services.agentQueues.add(agent, [ofDeleted(8)]);
  expect(await sendAgentMail(postroom.services)).toBe(0);
  expect(await postroom.services.outbox.list('gone8')).toEqual([]);
  await postroom.services.agentQueues.add(agent, [event({})]);
  const [later] = await postroom.services.agentQueues.takeDue(postroom.services.seam.now() + 60_000);
  expect(later?.mail.events.map(({ number }) => number)).toEqual([1]);
});
