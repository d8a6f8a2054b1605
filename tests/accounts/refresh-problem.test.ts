/** What a person reads about a lasting refusal: its cause and what to do. */
import { describe, expect, test } from 'vitest';
import { credentialGone, credentialUnavailable, problemFor } from '../../shared/accounts/refresh-problem.ts';
import type { Lasting } from '../../shared/accounts/token-failure.ts';
import type { VaultCode } from '../../shared/platform/problem.ts';
import { sampleAccount } from '../harness/memory/sample-account.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';

const provider = sampleProvider({ name: 'Contoso' });
const account = sampleAccount();
const verdict = (blames: Lasting['blames']): Lasting => ({
  kind: 'action-required',
  code: 'AADSTS1',
  message: 'The provider’s own words.',
  blames,
});
const BEGUN = '2026-11-24T12:00:00.000Z';

describe('a refusal caused by', () => {
  test('the credential asks for a new one, and names the provider', () => {
    const { code, message } = problemFor(verdict('credential'), account, provider, BEGUN);
    expect(code).toBe('AADSTS1');
    expect(message).toMatch(/^Contoso refuses .*Replace the provider’s secret.*own words\.$/);
    expect(problemFor(verdict('credential'), account, undefined, undefined).message).toMatch(
      /^The provider refuses /,
    );
  });

  test('the settings has the provider’s own message', () => {
    expect(problemFor(verdict('settings'), account, provider, BEGUN)).toEqual({
      code: 'AADSTS1',
      message: 'The provider’s own words.',
    });
  });

  test('the grant of an app, which has none, has the provider’s own message', () => {
    const app = sampleAccount({ kind: 'app' });
    expect(problemFor(verdict('grant'), app, provider, BEGUN)).toEqual({
      code: 'AADSTS1',
      message: 'The provider’s own words.',
    });
  });

  test('the grant asks the user to sign in again', () => {
    const { code, message } = problemFor(verdict('grant'), account, provider, undefined);
    expect(code).toBe('AADSTS1');
    expect(message).toMatch(/^The sign-in of support@contoso\.example has ended\..*own words\.$/);
  });

  test('the grant after a refresh that never finished says since when', () => {
    const { code, message } = problemFor(verdict('grant'), account, provider, BEGUN);
    expect(code).toBe('AADSTS1');
    expect(message).toMatch(/^At 2026-11-24T12:00:00\.000Z Postroom .* was stopped .*own words\.$/);
  });
});

test('a disabled credential asks to enable it, and a deleted one to replace it', () => {
  expect(credentialGone(provider, 'disabled')).toMatchObject({
    code: 'secret-disabled',
    message: expect.stringContaining('The credential of Contoso is disabled'),
  });
  for (const reason of ['missing', 'draft'] as const)
    expect(credentialGone(provider, reason)).toMatchObject({
      code: 'secret-missing',
      message: expect.stringContaining('The credential of Contoso is not in Key Vault'),
    });
});

test.each<[VaultCode, RegExp]>([
  ['no-identity', /managed identity returned no token .* Contoso: it must be user-assigned/],
  ['key-vault-denied', /Contoso: it denies access to this installation/],
  ['key-vault-throttled', /Contoso: it is throttling requests/],
  ['secret-disabled', /Contoso: the encryption key is disabled/],
  ['bad-encryption-key', /Contoso: the encryption key in Key Vault was not created by Postroom/],
  ['key-vault', /Contoso: it does not respond/],
])('an unavailable credential is explained for %s', (code, words) => {
  expect(credentialUnavailable(provider, code)).toEqual({ code, message: expect.stringMatching(words) });
  expect(credentialUnavailable(provider, code).message).toMatch(/Postroom retries automatically\.$/);
});
