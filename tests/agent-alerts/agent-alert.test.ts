import { describe, expect, it, test } from 'vitest';
import { alertAddressOf } from '../../functions/use-cases/alert-agents.ts';
import {
  type AgentEvent,
  ALERT_GAP_MS,
  type ArrivedMessage,
  addEvents,
  agentsToAlert,
  emptyQueue,
  MAX_LISTED,
  takeDue,
} from '../../shared/agent-alerts/agent-alert.ts';
import { agentMailText } from '../../shared/agent-alerts/agent-mail-text.ts';

const message: ArrivedMessage = {
  opensTicket: true,
  assignee: undefined,
  sender: 'kim@customer.example',
  messageClass: 'person',
  isFolded: false,
  isFirstFetch: false,
};
const answers = {
  alertOnTicket: ['Sam@contoso.example', 'support@contoso.example'],
  alertOnReply: ['team@contoso.example'],
};
const own = new Set(['support@contoso.example']);
const told = (change: Partial<ArrivedMessage>): string[] =>
  agentsToAlert({ ...message, ...change }, answers, own);

describe('an email to agents', () => {
  it('about a new ticket goes to those of the mailbox, never to a mailbox of ours', () => {
    expect(told({})).toEqual(['sam@contoso.example']);
  });

  it('about a reply goes to the assignee, or to those of the mailbox while there is none', () => {
    expect(told({ opensTicket: false, assignee: 'Alex@contoso.example' })).toEqual(['alex@contoso.example']);
    expect(told({ opensTicket: false })).toEqual(['team@contoso.example']);
  });

  test.each<[string, Partial<ArrivedMessage>]>([
    ['the agent wrote it', { sender: 'SAM@contoso.example' }],
    ['it is collapsed', { isFolded: true }],
    ['the first fetch found it', { isFirstFetch: true }],
    ['an auto-responder wrote it', { messageClass: 'auto-reply' }],
    ['its writer is out of office', { messageClass: 'out-of-office' }],
    ['Postroom sent it', { messageClass: 'own' }],
  ])('is not sent if %s', (_, change) => {
    expect(told(change)).toEqual([]);
  });

  it('is sent about a bounce', () => {
    expect(told({ messageClass: 'bounce' })).toEqual(['sam@contoso.example']);
  });
});

test.each<[string | undefined, string | undefined]>([
  ['Alex@contoso.example', 'Alex@contoso.example'],
  [undefined, undefined],
  ['alex', undefined],
  ['alex@contoso.example\r\nBcc: x@y.example', undefined],
  ['Support@contoso.example', undefined],
  ['support+12@contoso.example', undefined],
])('an assignee with the address %j is alerted at %j', (address, expected) => {
  expect(alertAddressOf({ address }, own)).toBe(expected);
});

const event = (index: number): AgentEvent => ({
  kind: index % 2 === 0 ? 'reply' : 'ticket',
  key: `${index}`,
  mailboxId: 'support',
  ticketId: 't',
  number: index,
  subject: `Subject ${index}`,
  from: { name: undefined, address: 'kim@customer.example' },
  preview: 'Where?',
  at: '2026-11-28T10:00:00.000Z',
});
const NOW = Date.parse('2026-11-28T12:00:00.000Z');

describe('the queue of an agent', () => {
  it('is due at once, and again a minute later', () => {
    const first = takeDue(addEvents(emptyQueue, [event(1)]), NOW);
    expect(first?.mail).toEqual({ events: [event(1)], more: 0 });
    const next = addEvents(first?.queue ?? emptyQueue, [event(1), event(2)]);
    expect(takeDue(next, NOW + ALERT_GAP_MS - 1)).toBeUndefined();
    expect(takeDue(next, NOW + ALERT_GAP_MS)?.mail.events).toEqual([event(2)]);
    expect(takeDue(next, NOW - ALERT_GAP_MS)?.mail.events).toEqual([event(2)]);
  });

  it('counts what a digest does not list', () => {
    const many = Array.from({ length: MAX_LISTED + 5 }, (_, index) => event(index));
    const queue = many.reduce((before, one) => addEvents(before, [one]), emptyQueue);
    expect(takeDue(queue, NOW)?.mail).toMatchObject({ events: { length: MAX_LISTED }, more: 5 });
  });
});

describe('the text of an email to an agent', () => {
  const linkTo = (id: string): string => `https://desk.example/tickets/${id}`;

  it('has the message and the link', () => {
    const { subject, text } = agentMailText({ events: [event(1)], more: 0 }, linkTo);
    expect(subject).toBe('New ticket #1: Subject 1');
    expect(text).toBe(
      'New ticket #1: Subject 1\nFrom kim@customer.example\n\nWhere?\n\nhttps://desk.example/tickets/t\n',
    );
  });

  it('of a digest counts all', () => {
    const { subject, text } = agentMailText({ events: [event(1), event(2)], more: 3 }, linkTo);
    expect(subject).toBe('5 new messages in Postroom');
    expect(text).toContain('Reply to ticket #2: Subject 2');
    expect(text).toMatch(/And 3 more\.\n$/);
  });
});
