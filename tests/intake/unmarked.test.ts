import { describe, expect, test } from 'vitest';
import { isTryDue, listedDigest } from '../../shared/intake/unmarked.ts';

const MINUTE = 60_000;
const since = Date.parse('2026-11-24T10:00:00.000Z');
const at = (minutes: number): string => new Date(since + minutes * MINUTE).toISOString();

describe('a server that refuses to mark', () => {
  test.each([
    [0, 2],
    [2, 2],
    [4, 4],
    [8, 8],
    [16, 15],
    [600, 15],
  ])('tried %i minutes after its first refusal is tried again %i minutes later', (tried, later) => {
    const refusal = { action: 'mark-seen', problem: '', since: at(0), triedAt: at(tried) };
    expect(isTryDue(refusal, since + (tried + later) * MINUTE - 1)).toBe(false);
    expect(isTryDue(refusal, since + (tried + later) * MINUTE)).toBe(true);
  });

  test('is tried at once where its last try lies in the future: the clock was set back', () => {
    const refusal = { action: 'mark-seen', problem: '', since: at(0), triedAt: at(60) };
    expect(isTryDue(refusal, since)).toBe(true);
  });

  test('has lists told apart by what is in them, whatever their order', () => {
    expect(listedDigest([3, 1, 2])).toBe(listedDigest([1, 2, 3]));
    expect(listedDigest([1, 2, 3])).not.toBe(listedDigest([1, 2, 4]));
  });
});
