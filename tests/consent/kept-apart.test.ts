/** Keys, states and cookies of sign-ins: each has one purpose, and reveals nothing of what it stands for. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  approvalContext,
  approvalKey,
  approvalState,
  isApprovalState,
} from '../../shared/consent/approval.ts';
import {
  browserHash,
  consentContext,
  consentCookie,
  consentKey,
  isSameInitiator,
} from '../../shared/consent/consent.ts';
import { invitationKind } from '../../shared/consent/consent-records.ts';
import {
  type Invitation,
  invitationCookie,
  invitationKey,
  invitationLink,
  stateOfInvitation,
  tokenIn,
} from '../../shared/consent/invitation.ts';
import { Secret } from '../../shared/platform/secret.ts';

const NOW = Date.parse('2026-11-24T10:00:00.000Z');
const TOKEN = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDE_-'.padEnd(43, 'x').slice(0, 43);
const connectRequest = {
  providerId: 'p',
  address: 'support@contoso.example',
  signIn: 'support@contoso.example',
  shared: false,
  chooseAccount: false,
  protocols: ['imap' as const],
  reconnect: undefined,
  replacement: undefined,
};
const invitation = (changes: Partial<Invitation> = {}): Invitation => ({
  key: 'k',
  connectRequest,
  invitedBy: { id: 'ada', name: 'Ada' },
  createdAt: new Date(NOW - 1000).toISOString(),
  expiresAt: new Date(NOW + 1).toISOString(),
  revokedAt: undefined,
  done: undefined,
  approvalKey: undefined,
  attempts: [],
  ...changes,
});

describe('an invitation', () => {
  const stateOf = (changes: Partial<Invitation> = {}): string => stateOfInvitation(invitation(changes), NOW);
  const done = { at: new Date(NOW).toISOString(), accountId: 'a', user: 'u' };

  test('is open before its expiry, and not at it', () => {
    expect(stateOf()).toBe('open');
    expect(stateOf({ expiresAt: new Date(NOW).toISOString() })).toBe('expired');
    expect(stateOf({ expiresAt: new Date(NOW - 1).toISOString() })).toBe('expired');
  });

  test('that was used stays used, even if it was revoked or has expired since', () => {
    const revokedAt = new Date(NOW).toISOString();
    expect(stateOf({ done })).toBe('done');
    expect(stateOf({ done, revokedAt })).toBe('done');
    expect(stateOf({ revokedAt })).toBe('revoked');
    expect(stateOf({ revokedAt, expiresAt: revokedAt })).toBe('revoked');
  });

  test('is a link whose token no browser sends', () => {
    const link = invitationLink({ publicUrl: 'https://desk.example' }, new Secret(TOKEN));
    expect(link).toBe(`https://desk.example/invite#${TOKEN}`);
    expect(new URL(link).pathname).toBe('/invite');
  });

  test('is found in pasted text: the link, its last part, spaces around it', () => {
    for (const pasted of [`https://desk.example/invite#${TOKEN}`, TOKEN, ` ${TOKEN}\n`, `#${TOKEN}`])
      expect(tokenIn(pasted)?.expose()).toBe(TOKEN);
  });

  test.each([
    ['', 'nothing'],
    [TOKEN.slice(1), 'one character short'],
    [`${TOKEN}x`, 'one too many'],
    [`x#${TOKEN} and more`, 'something behind it'],
    [`https://desk.example/invite/${TOKEN}`, 'a path'],
    [`#${TOKEN.slice(1)}!`, 'another alphabet'],
  ])('is not found in %j: %s', (pasted) => {
    expect(tokenIn(pasted)).toBeUndefined();
  });

  test('has its own cookie, bound to this host', () => {
    expect(invitationCookie('abcdefghijklmnop')).toBe('__Host-postroom-invitation-abcdefghijkl');
    expect(invitationCookie('abcdefghijkLmnop')).not.toBe(invitationCookie('abcdefghijklmnop'));
  });
});

describe('a key', () => {
  const keys = { invitation: invitationKey, approval: approvalKey, consent: consentKey };

  test.each(Object.entries(keys))(
    'of an %s has 52 characters of base32, and belongs to one text only',
    (_kind, keyOf) => {
      expect(keyOf('x')).toMatch(/^[a-z2-7]{52}$/);
      expect(keyOf('x')).toBe(keyOf('x'));
      expect(keyOf('x')).not.toBe(keyOf('y'));
    },
  );

  test('of one kind never equals one of another kind', () => {
    expect(new Set(Object.values(keys).map((keyOf) => keyOf('x'))).size).toBe(3);
  });

  test('reveals nothing of the text, which is hashed with its kind as a prefix', () => {
    const hash = createHash('sha256').update('browser|cookie').digest('base64url');
    expect(browserHash(new Secret('cookie'))).toBe(hash);
  });

  test('separates the texts that are encrypted for it', () => {
    const contexts = [
      consentContext('k', 'state'),
      consentContext('k', 'verifier'),
      consentContext('k', 'nonce'),
      consentContext('l', 'state'),
      approvalContext('k'),
      approvalContext('l'),
    ];
    expect(new Set(contexts).size).toBe(contexts.length);
  });

  test('names a cookie, so that two tabs do not disturb each other', () => {
    expect(consentCookie('abcdefghijklmnop')).toBe('__Host-postroom-consent-abcdefghijkl');
  });
});

test('a state of an approval is recognized by its kind, and no other is', () => {
  expect(approvalState('random')).toBe('admin_random');
  expect(isApprovalState(approvalState('random'))).toBe(true);
  for (const other of ['random', 'x_admin_random', 'setup_admin_', ''])
    expect(isApprovalState(other)).toBe(false);
});

describe('an attempt is continued', () => {
  const person = (id: string) => ({ kind: 'principal', id }) as const;
  const guest = (key: string) => ({ kind: 'invitation', key }) as const;

  test('by the same person, or with the same invitation', () => {
    expect(isSameInitiator(person('a'), person('a'))).toBe(true);
    expect(isSameInitiator(guest('a'), guest('a'))).toBe(true);
  });

  test('by no one else, even if an ID equals the key of an invitation', () => {
    expect(isSameInitiator(person('a'), person('b'))).toBe(false);
    expect(isSameInitiator(guest('a'), guest('b'))).toBe(false);
    expect(isSameInitiator(person('a'), guest('a'))).toBe(false);
    expect(isSameInitiator(guest('a'), person('a'))).toBe(false);
  });
});

describe('a stored connect request', () => {
  const connectRequestOf = (json: string) =>
    invitationKind.fromRow({ ...invitationKind.toRow(invitation()), connectRequest: json }).connectRequest;

  test.each([
    connectRequest,
    { ...connectRequest, reconnect: { mailboxId: 'm', accountId: 'a' }, confirmed: 'a' },
    { ...connectRequest, replacement: { kind: 'this' as const, accountId: 'a' } },
    { ...connectRequest, replacement: { kind: 'any' as const } },
  ])('is read back as it was written: %j', (one) => {
    expect(connectRequestOf(JSON.stringify(one))).toEqual(one);
  });

  test.each([
    '{}',
    '[]',
    JSON.stringify({ ...connectRequest, protocols: ['ftp'] }),
    JSON.stringify({ ...connectRequest, replacement: { kind: 'this' } }),
    JSON.stringify({ ...connectRequest, replacement: { kind: 'other' } }),
    JSON.stringify({ ...connectRequest, reconnect: { mailboxId: 'm' } }),
    JSON.stringify({ ...connectRequest, confirmed: 7 }),
  ])('that is %s is rejected', (json) => {
    expect(() => connectRequestOf(json)).toThrow();
  });
});
