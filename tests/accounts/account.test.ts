/** How an account is identified, and what its tokens are encrypted for. */
import { describe, expect, test } from 'vitest';
import { accountIdOf, hasEnded, type Identity, tokenContext } from '../../shared/accounts/account.ts';
import { identityOf } from '../../shared/accounts/identity.ts';
import { sampleAccount } from '../harness/memory/sample-account.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';

const { identity } = sampleAccount();
const idOf = (change: Partial<Identity>, providerId = 'p'): string =>
  accountIdOf(providerId, { ...identity, ...change });

describe('the id of an account', () => {
  test('is 26 characters of base32', () => {
    expect(idOf({})).toMatch(/^[a-z2-7]{26}$/);
  });

  test('is derived from the object and its tenant, whatever else Entra returns', () => {
    expect(idOf({ issuer: 'other', subject: 'other', user: 'new@name.example' })).toBe(idOf({}));
    expect(idOf({ tenantId: 'other' })).not.toBe(idOf({}));
    expect(idOf({ objectId: 'other' })).not.toBe(idOf({}));
    expect(idOf({}, 'q')).not.toBe(idOf({}));
  });

  test.each([{ tenantId: undefined }, { objectId: undefined }])(
    'is derived from the subject and its issuer with %j',
    (lacking) => {
      expect(idOf({ ...lacking, user: 'new@name.example' })).toBe(idOf(lacking));
      expect(idOf({ ...lacking, issuer: 'other' })).not.toBe(idOf(lacking));
      expect(idOf({ ...lacking, subject: 'other' })).not.toBe(idOf(lacking));
    },
  );

  test('differs between an object of a tenant and a subject of an issuer with the same names', () => {
    const entra = idOf({ tenantId: 'one', objectId: 'two' });
    expect(idOf({ tenantId: undefined, objectId: undefined, issuer: 'one', subject: 'two' })).not.toBe(entra);
  });
});

test('a token is encrypted for its account, its purpose and its registration', () => {
  const provider = sampleProvider();
  const contexts = [
    tokenContext({ providerId: 'p', accountId: 'a' }, 'access', provider),
    tokenContext({ providerId: 'p', accountId: 'a' }, 'refresh', provider),
    tokenContext({ providerId: 'q', accountId: 'a' }, 'access', provider),
    tokenContext({ providerId: 'p', accountId: 'b' }, 'access', provider),
    tokenContext({ providerId: 'p', accountId: 'a' }, 'access', { ...provider, clientId: 'other' }),
  ];
  expect(new Set(contexts).size).toBe(contexts.length);
});

test('a sign-in without a refresh token has ended, and an app needs no refresh token', () => {
  const tokens = { ...sampleAccount().tokens, refresh: undefined };
  expect(hasEnded(sampleAccount())).toBe(false);
  expect(hasEnded(sampleAccount({ tokens }))).toBe(true);
  expect(hasEnded(sampleAccount({ kind: 'app', tokens }))).toBe(false);
  expect(hasEnded(sampleAccount({ kind: 'app' }))).toBe(false);
});

describe('an id_token', () => {
  const claims = {
    iss: 'https://login.example',
    sub: 's',
    tid: 't',
    oid: 'o',
    preferred_username: 'support@contoso.example',
    email: 'mail@contoso.example',
    email_verified: true,
    name: 'Support',
  };

  test('identifies the signed-in user', () => {
    expect(identityOf(claims)).toEqual({
      issuer: 'https://login.example',
      subject: 's',
      tenantId: 't',
      objectId: 'o',
      user: 'support@contoso.example',
      name: 'Support',
    });
    expect(identityOf(claims)).not.toHaveProperty('claimed');
  });

  test('uses a verified email if it has no preferred username', () => {
    const { preferred_username: _none, ...others } = claims;
    expect(identityOf(others)).toMatchObject({ user: 'mail@contoso.example' });
    expect(identityOf(others)).not.toHaveProperty('claimed');
  });

  test.each([false, 'true', 1, undefined])('has only a claimed email if email_verified is %j', (verified) => {
    const { preferred_username: _none, ...others } = claims;
    const read = identityOf({ ...others, email_verified: verified });
    expect(read).toMatchObject({ user: undefined, claimed: 'mail@contoso.example' });
  });

  test('without such claims names no user', () => {
    const nobody = {
      issuer: '',
      subject: '',
      tenantId: undefined,
      objectId: undefined,
      user: undefined,
      name: undefined,
    };
    expect(identityOf({})).toStrictEqual(nobody);
    expect(identityOf({ iss: 7, sub: '', tid: null, oid: '', name: ['x'], email: '' })).toStrictEqual(nobody);
  });

  test('has claims of at most 512 characters', () => {
    expect(identityOf({ name: 'n'.repeat(512) }).name).toHaveLength(512);
    expect(identityOf({ name: 'n'.repeat(513) }).name).toBeUndefined();
  });
});
