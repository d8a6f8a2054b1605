import { describe, expect, it } from 'vitest';
import { pauseForPerson, pauseInPassing } from '../../shared/accounts/retry-pause.ts';
import type { SignInEvent } from '../../shared/accounts/sign-in-history.ts';

const at = '2026-11-24T01:42:11.000Z';
const event = (result: SignInEvent['result'], times: number, code = 'http-503'): SignInEvent => ({
  at,
  result,
  code,
  times,
  lastAt: at,
});

describe('the pause after a temporary failure', () => {
  it('doubles from 30 seconds to 30 minutes, counting all failures since the last success', () => {
    const pauses = [0, 1, 2, 5, 6, 40].map((times) =>
      pauseInPassing(times === 0 ? [] : [event('retrying', times), event('refreshed', 1)], undefined, 0),
    );
    expect(pauses).toEqual([30, 60, 120, 960, 1800, 1800].map((seconds) => seconds * 1000));
    const mixed = [event('retrying', 1, 'no-answer'), event('retrying', 1), event('refreshed', 1)];
    expect(pauseInPassing(mixed, undefined, 0)).toBe(120_000);
  });

  it('is up to a quarter longer, so that accounts do not retry together', () => {
    expect(pauseInPassing([], undefined, 1)).toBe(37_500);
  });

  it('is as long as the provider asks, and at least half a minute', () => {
    expect(pauseInPassing([event('retrying', 9)], 45, 1)).toBe(45_000);
    expect(pauseInPassing([], 1, 1)).toBe(30_000);
  });
});

describe('the pause while a person has to act', () => {
  it('doubles from 15 minutes to 6 hours', () => {
    const hours = [0, 1, 4, 5, 60].map(
      (times) => pauseForPerson([event('action-required', times)]) / 3_600_000,
    );
    expect(hours).toEqual([0.25, 0.5, 4, 6, 6]);
    expect(pauseForPerson([event('retrying', 9)])).toBe(15 * 60_000);
  });
});
