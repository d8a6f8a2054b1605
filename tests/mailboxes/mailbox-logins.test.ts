import { describe, expect, it } from 'vitest';
import type { Account } from '../../shared/accounts/account.ts';
import { usesAccount, usesProvider, withAccount } from '../../shared/mailboxes/mailbox-logins.ts';
import { mailboxOf } from '../harness/pages/sample-mailbox.ts';

const reader = { providerId: 'one', accountId: 'reader' };
const other = { providerId: 'two', accountId: 'other' };
const next = { providerId: 'three', accountId: 'next' };
const server = { host: 'mail.example', port: 1 };
const mailbox = mailboxOf({ address: 'a@b.example', ...reader } as Account);

describe('the account that signs in for a mailbox', () => {
  it.each([
    ['to read', mailboxOf({ address: 'a@b.example', ...other } as Account)],
    ['to send', { ...mailbox, sending: { ...server, ...other } }],
  ])('%s is found, and another can replace it there and nowhere else', (_, box) => {
    expect(usesAccount(box, other)).toBe(true);
    expect(usesProvider(box, 'two')).toBe(true);
    const moved = withAccount(box, other, next);
    expect(usesAccount(moved, other)).toBe(false);
    expect(usesAccount(moved, next)).toBe(true);
    expect(usesAccount(moved, reader)).toBe(usesAccount(box, reader));
  });

  it('differs from one of the same name at another provider', () => {
    expect(usesAccount(mailbox, { ...reader, providerId: 'two' })).toBe(false);
  });

  it('differs from one of another name at the same provider', () => {
    expect(usesAccount(mailbox, { ...reader, accountId: 'other' })).toBe(false);
    expect(usesProvider(mailbox, 'one')).toBe(true);
    expect(usesProvider(mailbox, 'two')).toBe(false);
  });

  it('leaves a protocol without an account unchanged', () => {
    const moved = withAccount(mailbox, reader, next);
    expect(moved).toMatchObject({ ...next, sending: undefined });
  });

  it('keeps the server of a login that changes its account', () => {
    const box = { ...mailbox, sending: { ...server, ...reader } };
    expect(withAccount(box, reader, next).sending).toEqual({ ...server, ...next });
    expect(withAccount(box, other, next)).toEqual(box);
  });
});
