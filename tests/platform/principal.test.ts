import { describe, expect, test } from 'vitest';
import { SIGN_IN_TENANT } from '../../dev/host/sign-in.ts';
import { judgePrincipal, readPrincipal } from '../../shared/platform/principal.ts';
import { type Claim, principalHeaderOf } from '../harness/pages/principal-header.ts';

const headerOf = (...claims: Claim[]): string => principalHeaderOf(claims);

const on = { platformSignIn: true, signInTenants: [SIGN_IN_TENANT], adminObjectIds: ['oid-of-ada'] };
const off = { ...on, platformSignIn: false };
const long = 'http://schemas.microsoft.com/identity/claims/objectidentifier';

describe('the signed-in principal', () => {
  test('has the name, the object ID and the known roles of its claims', () => {
    const header = headerOf(['oid', 'oid-of-kim'], ['name', 'Kim'], ['roles', 'agent'], ['roles', 'emperor']);
    expect(readPrincipal(header, on)).toEqual({ id: 'oid-of-kim', name: 'Kim', roles: ['agent'] });
  });

  test('is also read from the long claim names', () => {
    const header = headerOf(
      [long, 'oid-of-kim'],
      ['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name', 'kim@contoso.example'],
      ['http://schemas.microsoft.com/ws/2008/06/identity/claims/role', 'admin'],
    );
    expect(readPrincipal(header, on)).toEqual({
      id: 'oid-of-kim',
      name: 'kim@contoso.example',
      roles: ['admin'],
    });
  });

  test('is an admin by the list of object IDs, never by an email address', () => {
    expect(readPrincipal(headerOf(['oid', 'oid-of-ada']), on)?.roles).toEqual(['admin']);
    const pretender = headerOf(
      ['oid', 'oid-of-eve'],
      ['preferred_username', 'oid-of-ada'],
      ['name', 'oid-of-ada'],
    );
    expect(readPrincipal(pretender, on)?.roles).toEqual([]);
  });

  test('is named by its object ID when no claim has a name', () => {
    expect(readPrincipal(headerOf(['oid', 'oid-of-kim']), on)?.name).toBe('oid-of-kim');
  });

  test.each<[string, Claim[], string | undefined]>([
    [
      'its email',
      [
        ['preferred_username', 'kim@login.example'],
        ['email', 'Kim@contoso.example'],
      ],
      'Kim@contoso.example',
    ],
    [
      'its email by the long name',
      [['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress', 'kim@contoso.example']],
      'kim@contoso.example',
    ],
    ['its sign-in name', [['preferred_username', 'kim@login.example']], 'kim@login.example'],
    ['no claim', [['name', 'kim@contoso.example']], undefined],
  ])('has the address of %s', (_of, claims, address) => {
    expect(readPrincipal(headerOf(['oid', 'oid-of-kim'], ...claims), on)?.address).toBe(address);
  });

  test('does not exist while the platform’s sign-in is off, whatever the header says', () => {
    expect(readPrincipal(headerOf(['oid', 'oid-of-ada'], ['roles', 'admin']), off)).toBeUndefined();
  });

  test.each<[string, string | undefined]>([
    ['missing', undefined],
    ['empty', ''],
    ['no base64 of JSON', 'hello'],
    ['JSON of another kind', Buffer.from('{"claims":"all"}').toString('base64')],
    ['null', Buffer.from('null').toString('base64')],
    ['without an object id', headerOf(['name', 'Kim'], ['roles', 'admin'])],
  ])('does not exist when the header is %s', (_what, header) => {
    expect(readPrincipal(header, on)).toBeUndefined();
  });

  const admin: Claim[] = [
    ['oid', 'oid-of-ada'],
    ['roles', 'admin'],
  ];
  test.each<[string, string]>([
    ['of another provider', principalHeaderOf(admin, { provider: 'google' })],
    ['of another tenant', principalHeaderOf(admin, { tenant: '11111111-0000-0000-0000-000000000000' })],
    ['of no tenant', principalHeaderOf(admin, { tenant: '' })],
    ['of two tenants, one of which is ours', principalHeaderOf([...admin, ['tid', 'another']])],
    [
      'that does not name its provider',
      Buffer.from(JSON.stringify({ claims: [{ typ: 'oid', val: 'oid-of-ada' }] })).toString('base64'),
    ],
  ])('%s is foreign, even as an admin by role and by list', (_whose, header) => {
    expect(judgePrincipal(header, on)).toEqual({ kind: 'foreign' });
    expect(readPrincipal(header, on)).toBeUndefined();
  });

  test('is of our tenant in upper or lower case and by either name of the claim', () => {
    const header = principalHeaderOf(
      [
        ['http://schemas.microsoft.com/identity/claims/tenantid', SIGN_IN_TENANT.toUpperCase()],
        ['oid', 'oid-of-kim'],
      ],
      { tenant: '' },
    );
    expect(readPrincipal(header, on)?.id).toBe('oid-of-kim');
  });
});
