import { expect, test } from 'vitest';
import { numbersInSubject, subjectTag } from '../../shared/tickets/subject-tag.ts';

test('the tag of a ticket is found in the changed subjects of mail clients', () => {
  const tag = subjectTag(12);
  expect(tag).toBe('[#12]');
  for (const subject of [tag, `Re: ${tag} Lamp`, `AW: WG:${tag}Lamp`, `[EXTERNAL] Lamp ${tag}`])
    expect(numbersInSubject(subject)).toEqual([12]);
});

test('several tags are found in their order, each once, and at most three', () => {
  expect(numbersInSubject('Re: [#12] Fwd: [#7] [#12] [#999999999] [#4]')).toEqual([12, 7, 999_999_999]);
});

test.each([
  'Lamp',
  '#12',
  '[12]',
  '[# 12]',
  '[#12',
  '(#12)',
  '[repo#12]',
  '[#0]',
  '[#012]',
  '[#-1]',
  '[#1234567890]',
  '',
])('%j has none', (subject) => {
  expect(numbersInSubject(subject)).toEqual([]);
});
