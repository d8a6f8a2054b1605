import { expect, test } from 'vitest';
import { afterFetchKinds, afterFetchProblem } from '../../shared/mailboxes/after-fetch.ts';
import { fetchProtocols } from '../../shared/mailboxes/open-inbox.ts';
import { saveMailbox } from '../../shared/mailboxes/save-mailbox.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';

test('over POP3, stored email stays or is deleted, and cannot be moved or marked', () => {
  expect(afterFetchKinds.pop3).toEqual(['delete', 'delete-later', 'leave']);
  const problem = (afterFetch: Parameters<typeof mailboxOf>[0]) =>
    afterFetchProblem({ protocol: 'pop3', afterFetch });
  expect(problem({ kind: 'delete-later', days: 3 })).toBeUndefined();
  expect(problem({ kind: 'move', folder: 'Done' })).toContain('cannot be moved over POP3');
  expect(problem({ kind: 'mark-seen' })).toContain('cannot be marked as read over POP3');
});

test('every protocol allows to leave email on the server', () => {
  for (const protocol of fetchProtocols)
    expect(afterFetchProblem({ protocol, afterFetch: { kind: 'leave' } })).toBeUndefined();
});

test('a mailbox that asks of its protocol what it cannot do is not opened and not saved', async () => {
  const called: string[] = [];
  const saved = await saveMailbox(
    {
      seam: { now: () => 0 },
      audit: { record: async () => void called.push('audit') },
      mailboxes: { save: async () => void called.push('save') },
      open: async () => {
        called.push('open');
        return { kind: 'failed', code: 'pop3-unavailable', message: 'not reached' };
      },
    },
    {
      mailbox: mailboxOf({ kind: 'move', folder: 'Done' }, 'pop3'),
      before: undefined,
      by: { id: 'admin', name: 'Admin' },
      accountName: () => undefined,
    },
    { evenIfNotOpened: true },
  );
  expect(saved).toEqual({ kind: 'not-opened', message: expect.stringContaining('cannot be moved') });
  expect(called).toEqual([]);
});
