import { describe, expect, test } from 'vitest';
import { failureOf, type SignInEvent, withEvent } from '../../shared/accounts/sign-in-history.ts';
import { explainProblem } from '../../shared/explanations/explain.ts';

const at = (minute: number): string => new Date(Date.UTC(2026, 10, 24, 0, minute)).toISOString();
const recorded = (...events: Omit<SignInEvent, 'times' | 'lastAt'>[]): SignInEvent[] =>
  events.reduce<SignInEvent[]>((history, event) => withEvent(history, event), []);
const outage = (minute: number): Omit<SignInEvent, 'times' | 'lastAt'> => ({
  at: at(minute),
  result: 'retrying',
  code: 'http-503',
  message: 'away',
});

describe('a history', () => {
  test('has its newest event first and keeps fifty', () => {
    const history = recorded(
      ...Array.from({ length: 60 }, (_, minute) => ({ at: at(minute), result: 'refreshed' as const })),
    );
    expect(history).toHaveLength(50);
    expect([history[0]?.at, history.at(-1)?.at]).toEqual([at(59), at(10)]);
  });

  test('counts a repeated failure, and starts again with a different one', () => {
    const history = recorded(
      { at: at(0), result: 'refreshed' },
      outage(1),
      outage(2),
      outage(3),
      { at: at(4), result: 'retrying', code: 'http-429' },
      outage(5),
    );
    expect(history.map(({ code, times }) => [code, times])).toEqual([
      ['http-503', 1],
      ['http-429', 1],
      ['http-503', 3],
      [undefined, 1],
    ]);
    expect(history[2]).toMatchObject({ at: at(1), lastAt: at(3) });
  });

  test('fits a column of a row whatever a provider says', () => {
    const history = recorded(
      ...Array.from({ length: 60 }, (_, minute) => ({
        at: at(minute),
        result: 'action-required' as const,
        code: `AADSTS${50_000 + minute}`,
        suberror: '"'.repeat(400),
        message: '"'.repeat(1000),
      })),
    );
    expect(JSON.stringify(history).length).toBeLessThanOrEqual(32 * 1024);
    expect(history[0]?.at).toBe(at(59));
  });

  test('has a number only once, although Microsoft starts its message with it', () => {
    const [event] = recorded({
      at: at(0),
      result: 'action-required',
      code: 'AADSTS50173',
      message: 'AADSTS50173: The grant was revoked.',
    });
    expect(event?.message).toBe('The grant was revoked.');
  });
});

describe('the explanation of a failure', () => {
  test.each([
    [{ code: 'AADSTS50173', message: 'The grant was revoked.' }, 'AADSTS50173'],
    [{ code: 'invalid_grant', message: 'The grant is over.' }, 'invalid_grant'],
    [{ code: 'http-503', message: 'login.example.org answered with status 503.' }, 'http-5xx'],
    [{ code: 'no-answer', message: 'The sign-in service of Contoso does not respond.' }, 'no-answer'],
    [{ code: 'secret-missing', message: 'The credential of Contoso is not in Key Vault.' }, 'secret-missing'],
  ])('%j is known', (event, code) => {
    expect(explainProblem(failureOf(event)).code).toBe(code);
  });

  test('has the IDs for support', () => {
    const [traceId, correlationId] = [
      '11111111-1111-4111-8111-111111111111',
      '22222222-2222-4222-8222-222222222222',
    ];
    const failure = failureOf({
      code: 'AADSTS50173',
      message: 'The grant was revoked.',
      traceId,
      correlationId,
    });
    expect(explainProblem(failure)).toMatchObject({ traceId, correlationId, said: 'The grant was revoked.' });
  });
});

describe('an event', () => {
  test('keeps 200 characters of its message', () => {
    const [event] = recorded({ at: at(0), result: 'retrying', code: 'c', message: 'a'.repeat(201) });
    expect(event?.message).toBe('a'.repeat(200));
  });

  test('has the provider’s own words if no code is known', () => {
    expect(recorded({ at: at(0), result: 'retrying', message: 'undefined: x' })[0]?.message).toBe(
      'undefined: x',
    );
  });

  test('is counted with the previous one only if the result is the same', () => {
    const failing = { code: 'http-403', message: 'no' };
    const history = recorded(
      { at: at(0), result: 'retrying', ...failing },
      { at: at(1), result: 'action-required', ...failing },
      { at: at(2), result: 'action-required', ...failing },
    );
    expect(history.map(({ result, times }) => [result, times])).toEqual([
      ['action-required', 2],
      ['retrying', 1],
    ]);
  });

  test('is kept even if it alone exceeds the limit', () => {
    const long = { at: at(0), result: 'retrying', code: 'c', suberror: 'x'.repeat(40_000) } as const;
    expect(recorded({ ...long, code: 'b' }, long)).toMatchObject([{ code: 'c' }]);
  });

  test('is explained from its own fields only, and without a code has the code unknown', () => {
    const parts = { code: 'AADSTS50173', suberror: 'bad_token', traceId: 't', correlationId: 'c' };
    const event = { ...recorded({ at: at(0), result: 'action-required' })[0], ...parts, message: 'Revoked.' };
    expect(failureOf(event)).toEqual({ ...parts, said: 'Revoked.' });
    expect(failureOf({})).toMatchObject({ code: 'unknown', said: undefined });
  });
});
