/** What may join the ticket of an email of ours that it names. */
import { describe, expect, it } from 'vitest';
import { type Candidate, decideMessages } from '../../shared/intake/decide-messages.ts';
import type { KnownThread } from '../../shared/intake/threads.ts';

const thread = (open: boolean): KnownThread => ({
  ticketId: 'ours',
  number: 7,
  open,
  participants: ['kim@customer.example'],
});
const decide = (change: Partial<Candidate & { kind: 'mail' }>, open: boolean) => {
  const candidate: Candidate = {
    kind: 'mail',
    key: 'k',
    ownTicketId: 'new',
    messageId: undefined,
    answers: [],
    tags: [],
    sender: 'lee@elsewhere.example',
    people: [],
    provenTickets: ['ours'],
    ...change,
  };
  const known = { byMessageId: new Map(), byNumber: new Map(), threads: new Map([['ours', thread(open)]]) };
  return decideMessages([candidate], known, 8).get('k');
};

describe('an email that names an email of ours', () => {
  it('joins its open ticket, whoever wrote it', () => {
    expect(decide({}, true)).toMatchObject({ ticketId: 'ours', number: 7, opens: false });
  });

  it('opens a ticket that follows a closed one', () => {
    expect(decide({}, false)).toMatchObject({
      ticketId: 'new',
      opens: true,
      follows: { id: 'ours', number: 7 },
    });
  });

  it('does not join if its sender is forged', () => {
    expect(decide({ isForged: true }, true)).toMatchObject({ ticketId: 'new', opens: true });
  });

  it('joins a closed ticket if it is no news there, or a bounce, also one with a forged sender', () => {
    expect(decide({ quiet: true }, false)).toMatchObject({ ticketId: 'ours', quiet: true });
    expect(decide({ reportsOn: [] }, false)).toMatchObject({ ticketId: 'ours', opens: false });
    expect(decide({ reportsOn: [], isForged: true }, false)).toMatchObject({ ticketId: 'ours' });
  });

  it('opens a ticket if there is none of this mailbox', () => {
    expect(decide({ provenTickets: ['gone'] }, true)).toMatchObject({ ticketId: 'new', follows: undefined });
  });
});
