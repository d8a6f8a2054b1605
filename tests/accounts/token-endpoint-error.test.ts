/** A failed call to a provider as a value: the provider's words if it responded, else ours. */
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

describe('a response that is not a success', () => {
  test('is read with its message and its pause, without the secrets that it repeats', () => {
    expect(new TokenEndpointError(refusal, 'login.example').failure(NOW)).toEqual({
      ...refused,
      detail: 'login.example answered with status 429.',
    });
    expect(failureOf(new Error('the library gave up'), provider, refusal, NOW)).toEqual({
      ...refused,
      detail: 'Contoso answered with status 429.',
    });
  });

  test('requests no pause if its header is repeated', () => {
    const twice = answered(503, { headers: { 'retry-after': ['30', '60'] } });
    expect(new TokenEndpointError(twice, 'login.example').failure(NOW).retryAfterSeconds).toBeUndefined();
  });

  test('that never came is a timeout that names the host', () => {
    expect(new TokenEndpointError({}, 'login.example').failure(NOW)).toEqual(
      silence('No response from login.example.'),
    );
    expect(new TokenEndpointError({}, 'login.example')).toHaveProperty('message', 'no usable response');
  });
});

describe('an error', () => {
  const down = `The sign-in service of Contoso does not respond.`;

  test('of an endpoint that Postroom refuses to call is lasting, like a refusal of the request', () => {
    const error = new PostroomError('endpoint-refused', 'The address is private.');
    for (const exchange of [{}, refusal])
      expect(failureOf(error, provider, exchange, NOW)).toEqual({
        ...silence('The address is private.'),
        status: 400,
        error: 'endpoint-refused',
      });
  });

  test('of our own has our message', () => {
    const error = new PostroomError('endpoint-silent', 'No answer within 15 s.');
    expect(failureOf(error, provider, {}, NOW)).toEqual(silence('No answer within 15 s.'));
  });

  test('of the network names the provider and no detail of the error', () => {
    expect(failureOf(new Error('ECONNRESET 10.0.0.1'), provider, {}, NOW)).toEqual(silence(down));
    const alike = Object.assign(new Error('x'), { code: 'endpoint-refused' });
    expect(failureOf(alike, provider, {}, NOW)).toEqual(silence(down));
  });

  test('after a success is an unreadable response', () => {
    expect(failureOf(new Error('odd field'), provider, answered(200), NOW)).toEqual(silence(down));
  });
});
