/** Keys, states and cookies of what leads to a sign-in: each is good for one thing, and names nothing of what it hides. */
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

  test('is open until its end, and not at it', () => {
    expect(stateOf()).toBe('open');
    expect(stateOf({ expiresAt: new Date(NOW).toISOString() })).toBe('expired');
    expect(stateOf({ expiresAt: new Date(NOW - 1).toISOString() })).toBe('expired');
  });

  test('that was followed stays done, also when it was taken back or has ended since', () => {
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

  test('is found in what somebody pasted: the link, its end, blanks around it', () => {
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

  test('has a cookie of its own, bound to this host', () => {
    expect(invitationCookie('abcdefghijklmnop')).toBe('__Host-postroom-invitation-abcdefghijkl');
    expect(invitationCookie('abcdefghijkLmnop')).not.toBe(invitationCookie('abcdefghijklmnop'));
  });
});

describe('a key', () => {
  const keys = { invitation: invitationKey, approval: approvalKey, consent: consentKey };

  test.each(Object.entries(keys))(
    'of an %s is 52 characters of base32, and of one text alone',
    (_kind, keyOf) => {
      expect(keyOf('x')).toMatch(/^[a-z2-7]{52}$/);
      expect(keyOf('x')).toBe(keyOf('x'));
      expect(keyOf('x')).not.toBe(keyOf('y'));
    },
  );

  test('of one kind is never one of another kind', () => {
    expect(new Set(Object.values(keys).map((keyOf) => keyOf('x'))).size).toBe(3);
  });

  test('says nothing of the text: what is hashed has its kind before it', () => {
    const hash = createHash('sha256').update('browser|cookie').digest('base64url');
    expect(browserHash(new Secret('cookie'))).toBe(hash);
  });

  test('keeps apart what is sealed for it', () => {
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

  test('names a cookie, so that two tabs do not spoil each other', () => {
    expect(consentCookie('abcdefghijklmnop')).toBe('__Host-postroom-consent-abcdefghijkl');
  });
});

test('a state of an approval is known by its kind, and no other one is', () => {
  expect(approvalState('random')).toBe('admin_random');
  expect(isApprovalState(approvalState('random'))).toBe(true);
  for (const other of ['random', 'x_admin_random', 'setup_admin_', ''])
    expect(isApprovalState(other)).toBe(false);
});

describe('who goes on an attempt', () => {
  const person = (id: string) => ({ kind: 'principal', id }) as const;
  const guest = (key: string) => ({ kind: 'invitation', key }) as const;

  test('is the same person, or the same invitation', () => {
    expect(isSameInitiator(person('a'), person('a'))).toBe(true);
    expect(isSameInitiator(guest('a'), guest('a'))).toBe(true);
  });

  test('is nobody else, also where an id is the key of an invitation', () => {
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
  ])('that is %s is refused', (json) => {
    expect(() => connectRequestOf(json)).toThrow();
  });
});
