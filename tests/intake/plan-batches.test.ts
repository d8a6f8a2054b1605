import { expect, test } from 'vitest';
import { limits, planBatches } from '../../shared/intake/plan-batches.ts';
import { uidOf, uidRef } from '../../shared/mailboxes/imap-position.ts';
import type { MessageMeta } from '../../shared/mailboxes/message-ref.ts';

const MB = 1024 * 1024;
const mails = (...sizes: number[]): MessageMeta[] =>
  sizes.map((size, index) => ({
    ref: uidRef(index + 1),
    size,
    receivedAt: '2026-11-24T10:00:00.000Z',
    messageId: '',
  }));
const planned = (...sizes: number[]): string[] =>
  planBatches(mails(...sizes)).map((batch) =>
    batch.kind === 'in-memory'
      ? `held ${batch.messages.map(({ ref }) => uidOf(ref)).join(' ')}`
      : `${batch.kind} ${uidOf(batch.message.ref)}`,
  );

test('nothing to fetch makes no batch', () => {
  expect(planBatches([])).toEqual([]);
});

test('fifty emails are one batch, one more is a second', () => {
  const sizes = Array.from({ length: 51 }, () => 1000);
  expect(planBatches(mails(...sizes.slice(1)))).toHaveLength(1);
  expect(
    planBatches(mails(...sizes)).map((batch) => batch.kind === 'in-memory' && batch.messages.length),
  ).toEqual([50, 1]);
});

test('a batch has at most 8 MB', () => {
  expect(planned(2 * MB, 2 * MB, 2 * MB, 2 * MB)).toEqual(['held 1 2 3 4']);
  expect(planned(2 * MB, 2 * MB, 2 * MB, 2 * MB, 1)).toEqual(['held 1 2 3 4', 'held 5']);
  expect(planned(2 * MB, 2 * MB, 2 * MB, 1, 2 * MB)).toEqual(['held 1 2 3 4', 'held 5']);
});

test('an email is held in memory up to 8 MB, streamed up to 100 MB, and left on the server beyond', () => {
  expect(planned(limits.inMemoryBytes)).toEqual(['held 1']);
  expect(planned(limits.inMemoryBytes + 1)).toEqual(['large 1']);
  expect(planned(limits.rawBytes)).toEqual(['large 1']);
  expect(planned(limits.rawBytes + 1)).toEqual(['oversized 1']);
});

test('emails keep their order, so that earlier ones are processed before a large one', () => {
  expect(planned(1, 9 * MB, 2, 3, 101 * MB, 4)).toEqual([
    'held 1',
    'large 2',
    'held 3 4',
    'oversized 5',
    'held 6',
  ]);
});
