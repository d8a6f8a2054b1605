/** An unavailable vault is a value with its fix; any other error is thrown. */
import { expect, test } from 'vitest';
import { vaultInWords, withVault } from '../../shared/accounts/vault-failure.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import type { ProblemCode, VaultCode } from '../../shared/platform/problem.ts';

const failing = (error: unknown) => withVault(() => Promise.reject(error));

test('a result of the vault is returned', async () => {
  expect(await withVault(async () => 'token')).toBe('token');
});

test.each<VaultCode>([
  'key-vault',
  'key-vault-denied',
  'key-vault-throttled',
  'no-identity',
  'secret-disabled',
  'sealed-unreadable',
  'bad-encryption-key',
])('%s is returned as a value, with our message', async (code) => {
  expect(await failing(new PostroomError(code, 'Our sentence.'))).toEqual({
    kind: 'vault-away',
    code,
    message: 'Our sentence.',
  });
});

test.each([
  'table-storage',
  'x-key-vault',
  'no-identity-x',
  'x-no-identity',
  'secret-disabled-x',
  'sealed-unreadable-x',
  'bad-encryption-key-x',
])('%s is thrown', async (code) => {
  // At run time a code that only resembles one of the vault's is not one, whatever the type says.
  await expect(failing(new PostroomError(code as ProblemCode, 'Our sentence.'))).rejects.toMatchObject({
    code,
  });
});

test('an error of our own is thrown, whatever its code', async () => {
  const mistake = Object.assign(new TypeError('a mistake'), { code: 'key-vault' });
  await expect(failing(mistake)).rejects.toBe(mistake);
});

test.each<[VaultCode, string, string]>([
  ['key-vault-denied', 'denies access to this installation', 'its role on the vault'],
  ['key-vault-throttled', 'is throttling requests', 'Wait a minute.'],
  ['no-identity', 'returns no token', 'User assigned'],
  ['secret-disabled', 'is disabled', 'Enabled'],
  ['bad-encryption-key', 'was not created by Postroom', 'disable the version'],
  ['sealed-unreadable', 'cannot be read', 'Manage deleted secrets'],
  ['key-vault', 'does not respond', 'Wait a minute. If the problem persists'],
])('%s is described in a sentence, with what to do about it', (code, happened, next) => {
  expect(vaultInWords({ code })).toEqual({
    happened: expect.stringContaining(happened),
    next: expect.stringContaining(next),
  });
});
