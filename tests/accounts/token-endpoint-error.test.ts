/** What broke while talking to a provider, as a value: its own words where it answered, ours where it did not. */
import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../shared/accounts/oauth-servers.ts';
import { failureOf, TokenEndpointError } from '../../shared/accounts/token-endpoint-error.ts';
import { silence } from '../../shared/accounts/token-failure.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';

const NOW = Date.parse('2026-11-24T12:00:00.000Z');
const provider = sampleProvider({ name: 'Contoso' });
const answered = (status: number, change: Partial<Exchange['answer']> = {}): Exchange => ({
  answer: { status, headers: {}, text: '', ...change },
  sent: ['hunter2pass'],
});
const refusal = answered(429, {
  headers: { 'retry-after': '30' },
  text: JSON.stringify({ error: 'slow_down', error_description: 'Too often, hunter2pass.' }),
});
const refused = {
  status: 429,
  error: 'slow_down',
  suberror: undefined,
  codes: [],
  sentence: 'Too often, [secret].',
  retryAfterSeconds: 30,
};

describe('an answer that is no success', () => {
  test('is read with its words, its pause and without the secrets that it repeats', () => {
    expect(new TokenEndpointError(refusal, 'login.example').failure(NOW)).toEqual({
      ...refused,
      detail: 'login.example answered with status 429.',
    });
    expect(failureOf(new Error('the library gave up'), provider, refusal, NOW)).toEqual({
      ...refused,
      detail: 'Contoso answered with status 429.',
    });
  });

  test('asks for no pause where its header stands twice', () => {
    const twice = answered(503, { headers: { 'retry-after': ['30', '60'] } });
    expect(new TokenEndpointError(twice, 'login.example').failure(NOW).retryAfterSeconds).toBeUndefined();
  });

  test('that never came is silence, by the name of the host', () => {
    expect(new TokenEndpointError({}, 'login.example').failure(NOW)).toEqual(
      silence('No answer came from login.example.'),
    );
    expect(new TokenEndpointError({}, 'login.example')).toHaveProperty('message', 'no usable answer');
  });
});

describe('an error', () => {
  const down = `The sign-in service of Contoso does not answer.`;

  test('of an endpoint that Postroom does not talk to lasts, as a refusal of the request does', () => {
    const error = new PostroomError('endpoint-refused', 'The address is private.');
    for (const exchange of [{}, refusal])
      expect(failureOf(error, provider, exchange, NOW)).toEqual({
        ...silence('The address is private.'),
        status: 400,
        error: 'endpoint-refused',
      });
  });

  test('of ours is said in our words', () => {
    const error = new PostroomError('endpoint-silent', 'No answer within 15 s.');
    expect(failureOf(error, provider, {}, NOW)).toEqual(silence('No answer within 15 s.'));
  });

  test('of the network names the provider and nothing of the error', () => {
    expect(failureOf(new Error('ECONNRESET 10.0.0.1'), provider, {}, NOW)).toEqual(silence(down));
    const alike = Object.assign(new Error('x'), { code: 'endpoint-refused' });
    expect(failureOf(alike, provider, {}, NOW)).toEqual(silence(down));
  });

  test('after a success is no answer that could be read', () => {
    expect(failureOf(new Error('odd field'), provider, answered(200), NOW)).toEqual(silence(down));
  });
});
