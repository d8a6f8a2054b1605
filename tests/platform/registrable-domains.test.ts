import { expect, test } from 'vitest';
import { registrableDomainsOf } from '../../shared/platform/registrable-domains.ts';

test.each([
  [
    'names of one owner once, in the order of the names',
    ['login.b.example.co.uk', 'a.example.com', 'example.co.uk'],
    ['example.co.uk', 'example.com'],
  ],
  ['names under a private suffix apart', ['a.github.io', 'b.github.io'], ['a.github.io', 'b.github.io']],
  ['a name without a public suffix for itself, whatever its case', ['LOCALHOST', 'localhost'], ['localhost']],
  ['nothing of nothing', [], []],
])('registrable domains: %s', (_what, hosts, domains) => {
  expect(registrableDomainsOf(hosts)).toEqual(domains);
});
