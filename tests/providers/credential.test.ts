/** How the credentials of a provider replace each other. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  type Credential,
  certificatePem,
  credentialsOf,
  expiryOf,
  isSameCredential,
  type ProviderCredentials,
  secretName,
  sha256ThumbprintOf,
  thumbprintOf,
  withNext,
  withNextProven,
  withOnly,
  withoutNext,
} from '../../shared/providers/credential.ts';

const AT = '2026-11-01T09:00:00.000Z';
const secret = (version: string, vaultName = 'provider-x'): Credential => ({
  kind: 'secret',
  vaultName,
  version,
  setAt: AT,
  expiresOn: `2028-11-01T23:59:59.000Z`,
});
const identity: Credential = { kind: 'federated', setAt: AT };
const held = (change: Partial<ProviderCredentials> = {}): ProviderCredentials => ({
  credential: undefined,
  nextCredential: undefined,
  retired: [],
  ...change,
});
const retired = (...versions: string[]) => versions.map((version) => ({ vaultName: 'provider-x', version }));

describe('a replacement', () => {
  test('is the credential if there was none', () => {
    expect(withNext(held(), secret('1'))).toEqual(held({ credential: secret('1') }));
  });

  test('is stored beside the current one, and is tried first', () => {
    const both = withNext(held({ credential: secret('1') }), secret('2'));
    expect(both).toEqual(held({ credential: secret('1'), nextCredential: secret('2') }));
    expect(credentialsOf(both)).toEqual([secret('2'), secret('1')]);
  });

  test('retires an earlier replacement that has never worked', () => {
    const before = held({ credential: secret('1'), nextCredential: secret('2'), retired: retired('0') });
    expect(withNext(before, secret('3'))).toEqual(
      held({ credential: secret('1'), nextCredential: secret('3'), retired: retired('0', '2') }),
    );
  });

  test('that works retires the one it replaces', () => {
    const before = held({ credential: secret('1'), nextCredential: secret('2'), retired: retired('0') });
    expect(withNextProven(before)).toEqual(held({ credential: secret('2'), retired: retired('0', '1') }));
  });

  test('of the managed identity leaves nothing to disable', () => {
    const before = held({ credential: identity, nextCredential: secret('2') });
    expect(withNextProven(before)).toEqual(held({ credential: secret('2') }));
  });

  test('that does not exist proves nothing', () => {
    const before = held({ credential: secret('1'), retired: retired('0') });
    expect(withNextProven(before)).toEqual(before);
  });

  test('that is discarded is retired, and the current one stays', () => {
    const before = held({ credential: secret('1'), nextCredential: secret('2'), retired: retired('0') });
    expect(withoutNext(before)).toEqual(held({ credential: secret('1'), retired: retired('0', '2') }));
  });
});

describe('a single credential', () => {
  const before = held({ credential: secret('1'), nextCredential: secret('2'), retired: retired('0') });

  test('retires all others', () => {
    expect(withOnly(before, secret('3'))).toEqual(
      held({ credential: secret('3'), retired: retired('0', '2', '1') }),
    );
    expect(withOnly(before, undefined)).toEqual(held({ retired: retired('0', '2', '1') }));
  });

  test('that already existed is not retired', () => {
    expect(withOnly(before, secret('1'))).toEqual(
      held({ credential: secret('1'), retired: retired('0', '2') }),
    );
  });
});

describe('two credentials', () => {
  test.each<[string, Credential | undefined, Credential | undefined, boolean]>([
    ['of one version', secret('1'), { ...secret('1'), setAt: 'later' }, true],
    ['of two versions', secret('1'), secret('2'), false],
    ['of two entries', secret('1'), secret('1', 'provider-y'), false],
    ['that are both the managed identity', identity, { ...identity }, true],
    ['that are the managed identity, set twice', identity, { ...identity, setAt: 'later' }, false],
    ['of two kinds', identity, secret('1'), false],
    ['of two kinds, the other way round', secret('1'), identity, false],
    ['of which the first is none', undefined, secret('1'), false],
    ['of which the second is none', secret('1'), undefined, false],
    ['that are both none', undefined, undefined, false],
  ])('%s', (_what, one, other, same) => {
    expect(isSameCredential(one, other)).toBe(same);
  });
});

test('a secret and a certificate expire, the managed identity never does', () => {
  expect(expiryOf(secret('1'))).toBe('2028-11-01T23:59:59.000Z');
  expect(expiryOf(identity)).toBeUndefined();
});

test('the entry in the vault has the ID of the provider', () => {
  expect(secretName('x')).toBe('provider-x');
});

describe('a certificate', () => {
  const der = Buffer.from('a certificate that is longer than one line of a file in PEM, as all of them are');
  const certificate = der.toString('base64');

  test('has the thumbprint of the portal and that of RFC 7515', () => {
    expect(thumbprintOf(certificate)).toBe(createHash('sha1').update(der).digest('hex').toUpperCase());
    expect(sha256ThumbprintOf(certificate)).toBe(createHash('sha256').update(der).digest('base64url'));
  });

  test('is uploaded as PEM, with 64 characters a line (RFC 7468 section 2)', () => {
    const lines = certificatePem(certificate).split('\n');
    expect(lines[0]).toBe('-----BEGIN CERTIFICATE-----');
    expect(lines.slice(-2)).toEqual(['-----END CERTIFICATE-----', '']);
    const body = lines.slice(1, -2);
    expect(body.map(({ length }) => length)).toEqual([64, certificate.length - 64]);
    expect(body.join('')).toBe(certificate);
  });
});
