import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../shared/platform/secret.ts';

const value = 'correct horse battery staple';
const secret = new Secret(value);

test('a secret returns its value only through expose', () => {
  expect(secret.expose()).toBe(value);
});

test.each<[string, () => string]>([
  ['as text', () => `${secret}`],
  ['joined to text', () => 'the secret is '.concat(String(secret))],
  ['as JSON', () => JSON.stringify({ secret, list: [secret] })],
  ['to an inspection', () => inspect({ secret }, { depth: 9, showHidden: true })],
  ['by its own properties', () => JSON.stringify(Object.getOwnPropertyDescriptors(secret))],
  ['to a copy', () => JSON.stringify({ ...secret })],
  ['to an error', () => inspect(new Error('failed', { cause: secret }))],
])('a secret is not shown %s', (_where, show) => {
  expect(show()).not.toContain('horse');
});
