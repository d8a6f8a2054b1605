import { expect, test } from 'vitest';
import type { FetchFailure } from '../../shared/mailboxes/mailbox.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { retryNow } from '../../shared/mailboxes/retry-now.ts';
import { openSeam, type Seam, type SeamPoint } from '../../shared/platform/seam.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';

const NOW = Date.parse('2026-11-24T10:00:00Z');
const later = '2026-11-24T10:15:00.000Z';

test('mailboxes that wait for a person are retried at once after their provider was fixed, and no others', async () => {
  const store = createMailboxStore(new MemoryTables(openSeam));
  const failure: FetchFailure = {
    state: 'action-required',
    code: 'AADSTS7000222',
    problem: 'The secret has expired.',
    since: '2026-11-24T09:00:00.000Z',
    failures: 3,
    triedAt: '2026-11-24T09:45:00.000Z',
    nextTryAt: later,
  };
  const mailbox = mailboxOf({ kind: 'mark-seen' });
  for (const [id, providerId] of [
    ['mine', 'p1'],
    ['passing', 'p1'],
    ['other', 'p2'],
    ['fine', 'p1'],
  ] as const)
    await store.save({ ...mailbox, id, providerId });
  await store.setFailure('mine', failure);
  await store.setFailure('passing', { ...failure, state: 'retrying' });
  await store.setFailure('other', failure);
  await retryNow(store, 'p1', NOW);
  const { failing } = await store.fetchState();
  expect([...failing].map(([id, { nextTryAt }]) => [id, nextTryAt]).sort()).toEqual([
    ['mine', '2026-11-24T10:00:00.000Z'],
    ['other', later],
    ['passing', later],
  ]);
  expect(failing.get('mine')).toMatchObject({ ...failure, nextTryAt: '2026-11-24T10:00:00.000Z' });
});

test('an installation without a failure is not read any further', async () => {
  const points: SeamPoint[] = [];
  const seam: Seam = {
    ...openSeam,
    call: (point, effect) => {
      points.push(point);
      return effect();
    },
  };
  await retryNow(createMailboxStore(new MemoryTables(seam)), 'p1', NOW);
  expect(points).toEqual(['table.MailboxState.list']);
});
