import { describe, expect, test } from 'vitest';
import { summaryOf, type TraceFacts, traceOf, traceOfUnfetched } from '../../shared/intake/trace-email.ts';

const RECEIVED = '2026-11-24T09:00:00.000Z';
const STORED = '2026-11-24T09:01:00.000Z';
const UPDATED = '2026-11-24T09:01:02.000Z';
const of = (decision: TraceFacts['mail']['decision'], more: Partial<TraceFacts> = {}) =>
  traceOf({
    receivedAt: RECEIVED,
    storedAt: STORED,
    updatedAt: UPDATED,
    mail: { state: 'done', attempts: 1, decision },
    ...more,
  });
const opened = { disposition: 'ticket', ticketId: 't', number: 12, opens: true } as const;

describe('the trace of an email', () => {
  test('is listed step by step, each with its time', () => {
    expect(of(opened)).toEqual({
      outcome: 'ticket',
      summary: 'Opened ticket #12.',
      ticket: { id: 't', number: 12 },
      steps: [
        { what: 'Received by the mail server.', at: RECEIVED },
        { what: 'Listed by a fetch; its original was stored.', at: STORED },
        { what: 'Read by Postroom.', at: UPDATED },
        { what: 'Opened ticket #12.', at: UPDATED },
      ],
    });
  });

  test.each([
    ['a reply', { ...opened, opens: false }, 'Added to ticket #12 as a reply.'],
    [
      'a reply to a closed ticket, or of a stranger',
      { ...opened, follows: { id: 'o', number: 3 } },
      'Opened ticket #12. It answers ticket #3, which was closed or has other participants.',
    ],
    [
      'a folded one',
      { ...opened, opens: false, folded: 'an automatic message too many' },
      'Added to ticket #12 as a reply. It is collapsed in the conversation: an automatic message too many',
    ],
    ['a skipped one', { disposition: 'skip', reason: 'a newsletter' }, 'Skipped: a newsletter.'],
    [
      'an unreadable one',
      { disposition: 'quarantine', reason: 'it needs too much memory' },
      'Not imported: it needs too much memory.',
    ],
    [
      'one whose reason is a sentence',
      { disposition: 'quarantine', reason: 'The email cannot be read: it has more than 1,000 parts.' },
      'Not imported: The email cannot be read: it has more than 1,000 parts.',
    ],
  ] as const)('of %s has the reason', (_what, decision, sentence) => {
    expect(summaryOf(decision, false)).toBe(sentence);
    expect(of(decision).steps.at(-1)?.what).toBe(sentence);
  });

  test.each([
    [opened, 'Skipped: it is a copy of an email in ticket #12.'],
    [{ disposition: 'skip' }, 'Skipped: it is a copy of an email that was skipped.'],
    [{ disposition: 'quarantine' }, 'Skipped: it is a copy of an email that was not imported.'],
  ] as const)('of a copy names its original', (decision, sentence) => {
    expect(of(decision, { isCopy: true })).toMatchObject({ outcome: 'skipped', summary: sentence });
  });

  test('of an unreadable one has no parse step', () => {
    const { outcome, steps } = of({ disposition: 'quarantine', reason: 'odd' });
    expect(outcome).toBe('not-imported');
    expect(steps.map(({ what }) => what)).not.toContain('Read by Postroom.');
  });

  test.each([
    [1, 'Postroom is processing it.'],
    [3, 'Postroom is processing it (attempt 3).'],
  ])('that is not done after %i attempts says so', (attempts, summary) => {
    const trace = of(undefined, { mail: { state: 'received', attempts, decision: undefined } });
    expect(trace).toMatchObject({ outcome: 'in-progress', summary, ticket: undefined });
    expect(of(opened, { mail: { state: 'decided', attempts, decision: opened } }).outcome).toBe(
      'in-progress',
    );
  });

  test('of one that the server never returned ends with the reason', () => {
    expect(traceOfUnfetched(RECEIVED, 'the server cannot hand it out')).toMatchObject({
      outcome: 'not-imported',
      summary: 'Not imported: the server cannot hand it out.',
    });
  });
});
