import { describe, expect, test } from 'vitest';
import { isFresh, isWaiting, lifetimeOf, readGrant, tidyTokenBody } from '../../shared/accounts/grant.ts';

const now = Date.parse('2026-11-24T10:00:00Z');
const at = (seconds: number): string => new Date(now + seconds * 1000).toISOString();

describe('a token is replaced', () => {
  test.each([
    ['of an hour, ten minutes before its end', 3600, 0, 3000],
    ['of an hour, a minute earlier at most', 3600, 1, 2940],
    ['of a day, ten minutes before its end', 86_400, 0, 85_800],
    ['of twenty minutes, at half its life', 1200, 0, 600],
    ['of five minutes, at half its life', 300, 0, 150],
    ['of five minutes, a tenth of that earlier at most', 300, 1, 135],
    ['of no life at all, at once', 0, 1, 0],
  ])('%s', (_which, seconds, spread, refreshAfter) => {
    expect(lifetimeOf(seconds, now, spread)).toEqual({
      receivedAt: at(0),
      accessExpiresAt: at(seconds),
      refreshAt: at(refreshAfter),
    });
  });

  test('at a different moment from one received together with it', () => {
    const moments = new Set(Array.from({ length: 50 }, () => lifetimeOf(3600, now).refreshAt));
    expect(moments.size).toBeGreaterThan(10);
    for (const moment of moments) {
      expect(Date.parse(moment)).toBeGreaterThanOrEqual(now + 2940_000);
      expect(Date.parse(moment)).toBeLessThanOrEqual(now + 3000_000);
    }
  });
});

describe('expires_in', () => {
  test.each([
    ['a number', 600, 600],
    ['a broken number', 599.9, 599],
    ['a string', '600', 600],
    ['a string with spaces', ' 600 ', 600],
    ['zero', 0, 0],
    ['less than nothing', -5, 0],
    ['more than a month', 1e12, 30 * 86_400],
    ['missing', undefined, 3600],
    ['null', null, 3600],
    ['empty', '', 3600],
    ['a word', 'soon', 3600],
    ['endless', '1e999', 3600],
    ['an object', {}, 3600],
  ])('as %s', (_how, expires_in, seconds) => {
    expect(readGrant(JSON.stringify({ access_token: 'a', expires_in })).expiresInSeconds).toBe(seconds);
  });
});

describe('when a clock is set', () => {
  const tokens = lifetimeOf(3600, now, 0);

  test('forward, a token is replaced as if the time had passed', () => {
    expect(isFresh(tokens, now + 86_400_000)).toBe(false);
  });

  test('back, a token received in the future is replaced, unless only a slow clock made it so', () => {
    expect(isFresh(tokens, now - 86_400_000)).toBe(false);
    expect(isFresh(tokens, now - 6 * 60_000)).toBe(false);
    expect(isFresh(tokens, now - 4 * 60_000)).toBe(true);
  });

  test('back, a pause requested in the future is over', () => {
    expect(isWaiting(at(120), now)).toBe(true);
    expect(isWaiting(at(3600), now)).toBe(true);
    expect(isWaiting(at(86_400), now)).toBe(false);
    expect(isWaiting(at(0), now)).toBe(false);
    expect(isWaiting(undefined, now)).toBe(false);
  });
});

describe('a response of the token endpoint', () => {
  const read = (body: unknown) => {
    const { accessToken, refreshToken, scopes } = readGrant(JSON.stringify(body));
    return [accessToken?.expose(), refreshToken?.expose(), scopes];
  };

  test('returns its tokens and scopes', () => {
    expect(read({ access_token: 'a', refresh_token: 'r', scope: ' imap  smtp ' })).toEqual([
      'a',
      'r',
      ['imap', 'smtp'],
    ]);
  });

  test.each([[undefined], [''], [7], [null], [['a']]])('has no token if the field is %j', (value) => {
    expect(read({ access_token: value, refresh_token: value, scope: [] })).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('keeps all its fields, with the lifetime as a number', () => {
    expect(JSON.parse(tidyTokenBody('{"access_token":"a","scope":"s","expires_in":"600"}'))).toEqual({
      access_token: 'a',
      scope: 's',
      expires_in: 600,
    });
    expect(JSON.parse(tidyTokenBody('{"access_token":"a","expires_in":" "}')).expires_in).toBe(3600);
    expect(JSON.parse(tidyTokenBody('{"access_token":"a","expires_in":[]}')).expires_in).toBe(3600);
  });

  test('without a token is unchanged', () => {
    for (const text of ['{"error":"invalid_grant"}', 'no JSON', '']) expect(tidyTokenBody(text)).toBe(text);
  });
});

describe('to the second', () => {
  test('a token is replaced at its time, and not earlier', () => {
    expect(isFresh({ refreshAt: at(0), receivedAt: at(0) }, now)).toBe(false);
    expect(isFresh({ refreshAt: at(1), receivedAt: at(0) }, now)).toBe(true);
  });

  test('clocks may differ by five minutes', () => {
    const tokens = { refreshAt: at(3600), receivedAt: at(300) };
    expect(isFresh(tokens, now)).toBe(true);
    expect(isFresh(tokens, now - 1)).toBe(false);
  });

  test('the longest pause is six hours, plus the difference between two clocks', () => {
    expect(isWaiting(at(6 * 3600 + 300), now)).toBe(true);
    expect(isWaiting(at(6 * 3600 + 301), now)).toBe(false);
  });
});
