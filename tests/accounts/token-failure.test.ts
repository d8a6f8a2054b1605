/** How a refusal of a token endpoint is classified as temporary or lasting. */
import { describe, expect, test } from 'vitest';
import type { SignInEvent } from '../../shared/accounts/sign-in-history.ts';
import {
  blamesCredential,
  codeOf,
  codesOf,
  type EndpointFailure,
  explainable,
  judgeFailure,
  judgeWithHistory,
  objectOf,
  readFailure,
  silence,
  tidySentence,
} from '../../shared/accounts/token-failure.ts';

const NOW = Date.parse('2026-11-24T10:00:00.000Z');
const DAY_MS = 86_400_000;
const failure = (connectRequest: Partial<EndpointFailure> = {}): EndpointFailure => ({
  ...silence('login.example answered with status 400.'),
  status: 400,
  ...connectRequest,
});
const read = (body: unknown, retryAfter?: string, sent?: string[]): EndpointFailure =>
  readFailure(
    'login.example',
    { status: 400, text: typeof body === 'string' ? body : JSON.stringify(body), retryAfter },
    NOW,
    sent,
  );
const judged = (connectRequest: Partial<EndpointFailure>): string => {
  const verdict = judgeFailure(failure(connectRequest));
  return verdict.kind === 'retrying' ? 'retrying' : verdict.blames;
};

describe('a failure', () => {
  test.each([
    ['no answer', { status: undefined, error: 'invalid_grant' }],
    ['an answer that is no refusal', { status: 399, error: 'invalid_grant' }],
    ['408', { status: 408, error: 'invalid_grant' }],
    ['425', { status: 425, error: 'invalid_grant' }],
    ['429', { status: 429, error: 'invalid_grant' }],
    ['500', { status: 500, error: 'invalid_grant' }],
    ['a refusal without an error code', { status: 400 }],
    ['an unknown suberror', { suberror: 'something_new' }],
    ['temporarily_unavailable', { error: 'temporarily_unavailable' }],
    ['server_error', { error: 'server_error' }],
    ['slow_down', { error: 'slow_down' }],
    ['an outage with a lasting error code', { error: 'invalid_grant', codes: [1, 90033] }],
    ['an assertion that is created for each request', { error: 'invalid_client', codes: [700024] }],
  ])('is temporary: %s', (_what, connectRequest) => {
    expect(judged(connectRequest)).toBe('retrying');
  });

  test.each([
    ['invalid_grant', 'grant'],
    ['interaction_required', 'grant'],
    ['consent_required', 'grant'],
    ['login_required', 'grant'],
    ['bad_token', 'grant'],
    ['invalid_client', 'credential'],
    ['unauthorized_client', 'credential'],
    ['invalid_scope', 'settings'],
  ])('requires a person: %s blames the %s', (error, blamed) => {
    for (const status of [400, 401, 499]) expect(judged({ error, status })).toBe(blamed);
  });

  test.each([
    'bad_token',
    'token_expired',
    'basic_action',
    'additional_action',
    'consent_required',
    'user_password_expired',
    'ui_not_allowed',
    'interrupted_user',
  ])('requires a new sign-in for Microsoft’s suberror %s, whatever the error is', (suberror) => {
    expect(judged({ suberror, error: 'invalid_request' })).toBe('grant');
    expect(judged({ suberror })).toBe('grant');
  });

  test('requires an admin if a new sign-in would be refused as well', () => {
    expect(judged({ suberror: 'message_only', error: 'invalid_grant' })).toBe('settings');
    expect(judged({ suberror: 'message_only' })).toBe('settings');
  });

  test('blames the credential before anything else', () => {
    expect(judged({ error: 'invalid_client', suberror: 'message_only' })).toBe('credential');
    expect(blamesCredential(failure({ error: 'invalid_client' }))).toBe(true);
    expect(blamesCredential(failure({ error: 'invalid_grant' }))).toBe(false);
    expect(blamesCredential(failure({ error: 'invalid_client', status: 503 }))).toBe(false);
  });

  test('has the provider’s message, else ours', () => {
    expect(judgeFailure(failure({ error: 'invalid_grant', sentence: 'Ended.' }))).toEqual({
      kind: 'action-required',
      code: 'invalid_grant',
      message: 'Ended.',
      blames: 'grant',
    });
    expect(judgeFailure(failure())).toEqual({
      kind: 'retrying',
      code: 'http-400',
      message: 'login.example answered with status 400.',
      retryAfterSeconds: undefined,
    });
  });

  test('pauses as requested, and at least ten minutes if the app sent too many requests', () => {
    const pause = (connectRequest: Partial<EndpointFailure>): unknown => {
      const verdict = judgeFailure(failure({ status: 429, ...connectRequest }));
      return verdict.kind === 'retrying' ? verdict.retryAfterSeconds : 'none';
    };
    expect(pause({})).toBeUndefined();
    expect(pause({ retryAfterSeconds: 7 })).toBe(7);
    expect(pause({ retryAfterSeconds: 7, codes: [90033] })).toBe(7);
    expect(pause({ codes: [50196] })).toBe(600);
    expect(pause({ codes: [50196], retryAfterSeconds: 601 })).toBe(601);
  });

  test('has Microsoft’s number, the OAuth error, the status or a timeout as its code', () => {
    expect(codeOf(failure({ codes: [7000222, 1], error: 'invalid_client', status: 401 }))).toBe(
      'AADSTS7000222',
    );
    expect(codeOf(failure({ codes: [], error: 'invalid_client', status: 401 }))).toBe('invalid_client');
    expect(codeOf(failure({ codes: [], error: undefined, status: 401 }))).toBe('http-401');
    expect(codeOf(failure({ codes: [], error: undefined, status: undefined }))).toBe('no-answer');
    expect(codeOf(silence('Nothing came.'))).toBe('no-answer');
    expect(silence('Nothing came.').detail).toBe('Nothing came.');
  });
});

describe('a refusal without an OAuth error', () => {
  const event = (connectRequest: Partial<SignInEvent> = {}): SignInEvent => ({
    at: new Date(NOW - DAY_MS).toISOString(),
    result: 'retrying',
    code: 'http-403',
    times: 9,
    lastAt: new Date(NOW - 1000).toISOString(),
    ...connectRequest,
  });
  const wordless = failure({ status: 403, detail: 'login.example answered with status 403.' });
  const kindAfter = (history: SignInEvent[], connectRequest: Partial<EndpointFailure> = {}): string =>
    judgeWithHistory({ ...wordless, ...connectRequest }, history, NOW).kind;

  test('requires a person once it has lasted for a day', () => {
    expect(judgeWithHistory(wordless, [event()], NOW)).toEqual({
      kind: 'action-required',
      code: 'http-403',
      message: expect.stringMatching(/more than a day.* login\.example answered with status 403\.$/),
      blames: 'settings',
    });
    expect(kindAfter([event({ at: new Date(NOW - DAY_MS + 1).toISOString() })])).toBe('retrying');
    expect(kindAfter([])).toBe('retrying');
  });

  test('keeps requiring a person, however recent the event is', () => {
    expect(kindAfter([event({ result: 'action-required', at: new Date(NOW).toISOString() })])).toBe(
      'action-required',
    );
  });

  test('starts again after another failure or a success', () => {
    expect(kindAfter([event({ code: 'http-404' })])).toBe('retrying');
    expect(kindAfter([event({ result: 'refreshed' })])).toBe('retrying');
    expect(kindAfter([event({ result: 'signed-in' })])).toBe('retrying');
  });

  test.each([
    ['http-400', { status: 400 }, 'action-required'],
    ['http-499', { status: 499 }, 'action-required'],
    ['http-500', { status: 500 }, 'retrying'],
    ['http-399', { status: 399 }, 'retrying'],
    ['http-408', { status: 408 }, 'retrying'],
    ['http-425', { status: 425 }, 'retrying'],
    ['http-429', { status: 429 }, 'retrying'],
    ['no-answer', { status: undefined }, 'retrying'],
    ['AADSTS90033', { codes: [90033] }, 'retrying'],
    ['slow_down', { error: 'slow_down' }, 'retrying'],
  ] as const)('is lasting or temporary by its code: %s', (code, connectRequest, kind) => {
    expect(kindAfter([event({ code })], connectRequest)).toBe(kind);
  });

  test('ends the grant if Microsoft’s suberror says so, however long it has lasted', () => {
    const history = [event({ code: 'http-400', result: 'action-required' })];
    expect(judgeWithHistory(failure({ suberror: 'bad_token' }), history, NOW)).toMatchObject({
      kind: 'action-required',
      blames: 'grant',
    });
  });

  test('does not change a refusal that had an OAuth error', () => {
    expect(
      judgeWithHistory(failure({ error: 'invalid_grant' }), [event({ code: 'invalid_grant' })], NOW),
    ).toMatchObject({ kind: 'action-required', blames: 'grant' });
  });
});

describe('a response', () => {
  test('is read field by field', () => {
    expect(
      read({
        error: 'invalid_grant',
        suberror: 'token_expired',
        error_description: 'AADSTS700082: It has expired.\r\nTrace ID: 1',
        error_codes: [700082],
        trace_id: '11111111-2222-3333-4444-555555555555',
        correlation_id: 'AAAAAAAA-2222-3333-4444-555555555555',
        timestamp: '2026-11-24 01:42:11Z',
      }),
    ).toEqual({
      status: 400,
      error: 'invalid_grant',
      suberror: 'token_expired',
      codes: [700082],
      sentence: 'AADSTS700082: It has expired.',
      retryAfterSeconds: undefined,
      traceId: '11111111-2222-3333-4444-555555555555',
      correlationId: 'AAAAAAAA-2222-3333-4444-555555555555',
      timestamp: '2026-11-24 01:42:11Z',
      detail: 'login.example answered with status 400.',
    });
  });

  test.each([['<html>'], ['[]'], ['null'], ['7'], [''], ['"text"']])(
    'that is %s contains nothing',
    (text) => {
      expect(objectOf(text)).toEqual({});
      expect(read(text)).toEqual({
        status: 400,
        error: undefined,
        suberror: undefined,
        codes: [],
        sentence: undefined,
        retryAfterSeconds: undefined,
        detail: 'login.example answered with status 400.',
      });
    },
  );

  test('returns only what has the format of an error code', () => {
    const errorOf = (error: unknown): unknown => read({ error }).error;
    expect(errorOf('a'.repeat(80))).toBe('a'.repeat(80));
    for (const odd of ['a'.repeat(81), '', 'two words', 'line\nbreak', ' a', 'a ', 7, null])
      expect(errorOf(odd)).toBeUndefined();
  });

  test('returns only IDs and times in Microsoft’s format', () => {
    const id = '11111111-2222-3333-4444-555555555555';
    for (const odd of [`${id}0`, `x${id}`, '11111111', 7, [id]])
      expect(read({ trace_id: odd, correlation_id: odd })).not.toHaveProperty('traceId');
    for (const odd of [
      '2026-11-24 01:42:11Z!',
      ' 2026-11-24 01:42:11Z',
      '2026-11-24T01:42:11Z',
      7,
      ['2026-11-24 01:42:11Z'],
    ])
      expect(read({ timestamp: odd })).not.toHaveProperty('timestamp');
    expect(read({ correlation_id: id })).toMatchObject({ correlationId: id });
    expect(read({})).not.toHaveProperty('correlationId');
  });

  test('that repeats a secret has it redacted in each of its texts', () => {
    const secret = 'a-refresh-token-of-the-request';
    const told = read({ error: secret, suberror: secret, error_description: `No: ${secret}` }, undefined, [
      secret,
    ]);
    expect(JSON.stringify(told)).not.toContain(secret);
  });

  test.each([
    [undefined, undefined],
    ['120', 120],
    [' 120 ', 120],
    ['0', 1],
    ['3600', 3600],
    ['3601', 3600],
    ['Tue, 24 Nov 2026 10:00:30 GMT', 30],
    ['Tue, 24 Nov 2026 09:00:00 GMT', 1],
    ['soon', undefined],
    ['10 minutes', undefined],
    ['24 Nov 2026 10:00:30 GMT', 30],
    ['Tue, 24 Nov 2026 10:00:30 +0000', 30],
  ])('that requests a pause of %s means %s seconds', (header, seconds) => {
    expect(read({}, header).retryAfterSeconds).toBe(seconds);
  });
});

describe('Microsoft’s numbers', () => {
  test('are read from their field, else from the text', () => {
    expect(codesOf([1, 2], 'AADSTS333: x')).toEqual([1, 2]);
    expect(codesOf(['1', 2.5, 3], undefined)).toEqual([3]);
    expect(codesOf([], 'AADSTS50196: x')).toEqual([50196]);
    expect(codesOf('50196', 'see AADSTS700024.')).toEqual([700024]);
    expect(codesOf(undefined, 'AADSTS12')).toEqual([]);
    expect(codesOf(undefined, undefined)).toEqual([]);
    expect(codesOf(undefined, `${' '.repeat(4000)}AADSTS50196`)).toEqual([]);
  });
});

describe('a message', () => {
  test('is one line without the trace after it', () => {
    expect(tidySentence('Ended.\r\n\r\nTrace ID: 1\r\nCorrelation ID: 2')).toBe('Ended.');
    expect(tidySentence('Ended.  trace id: 1')).toBe('Ended.');
    expect(tidySentence('Ended.Trace ID: 1')).toBe('Ended.');
    expect(tidySentence(' a\u0000\u0001b\u2028c\u0085d ')).toBe('a b c d');
  });

  test('is cut at 400 characters', () => {
    expect(tidySentence('a'.repeat(400))).toBe('a'.repeat(400));
    expect(tidySentence('a'.repeat(401))).toBe(`${'a'.repeat(400)}…`);
    expect(tidySentence(`${' '.repeat(4000)}late`)).toBe('');
  });
});

test('a failed response is explained from its parts: the provider’s message, else what is known about the response', () => {
  const parts = {
    error: 'invalid_grant',
    suberror: 'bad_token',
    traceId: 't',
    correlationId: 'c',
    timestamp: 'now',
  };
  const given = failure({ ...parts, codes: [50173], sentence: 'Revoked.' });
  expect(explainable(given)).toEqual({ ...parts, code: 'AADSTS50173', said: 'Revoked.' });
  expect(explainable(failure())).toMatchObject({
    code: 'http-400',
    said: 'login.example answered with status 400.',
  });
});
