/** Which folder is which, and what stops more mailboxes than one. */
import { describe, expect, test } from 'vitest';
import { folderKeyOf, isSameFolder, type Mailbox, twinOf } from '../../shared/mailboxes/mailbox.ts';
import { sharedCauseOf } from '../../shared/mailboxes/shared-cause.ts';
import { codeFrom } from '../../shared/platform/problem.ts';

const mailbox: Mailbox = {
  id: 'one',
  address: 'support@contoso.example',
  protocol: 'imap',
  host: 'imap.contoso.example',
  port: 993,
  folder: 'INBOX',
  providerId: 'p',
  accountId: 'a',
  enabled: true,
  intervalMinutes: 1,
  afterFetch: { kind: 'mark-seen' },
  createdAt: '2026-11-24T10:00:00.000Z',
};

describe('a folder', () => {
  test('is INBOX in any case, and any other one only in its own', () => {
    expect(isSameFolder('INBOX', 'inbox')).toBe(true);
    expect(isSameFolder('Inbox', 'iNBOX')).toBe(true);
    expect(isSameFolder('Archive', 'Archive')).toBe(true);
    expect(isSameFolder('Archive', 'archive')).toBe(false);
    expect(isSameFolder('INBOX', 'INBOX/Old')).toBe(false);
  });

  test('has a key of 16 hex digits, whatever the case of address, host and INBOX', () => {
    const key = folderKeyOf(mailbox);
    expect(key).toMatch(/^[0-9a-f]{16}$/);
    const other = {
      address: 'Support@Contoso.example',
      host: 'IMAP.contoso.example',
      port: 993,
      folder: 'inbox',
    };
    expect(folderKeyOf(other)).toBe(key);
  });

  test('always keeps its key, under which cursors are stored', () => {
    expect(folderKeyOf(mailbox)).toBe('cd1fa3b302562a5c');
  });

  test.each([
    { address: 'sales@contoso.example' },
    { host: 'imap2.contoso.example' },
    { port: 1993 },
    { folder: 'Archive' },
  ])('has another key with %j', (connectRequest) => {
    expect(folderKeyOf({ ...mailbox, ...connectRequest })).not.toBe(folderKeyOf(mailbox));
  });

  test('of an alias is the same folder of the same address, under any server', () => {
    const twin = {
      ...mailbox,
      id: 'two',
      address: 'SUPPORT@contoso.example',
      host: 'x.example',
      folder: 'inbox',
    };
    expect(twinOf(mailbox, [mailbox, twin])).toBe(twin);
    expect(twinOf(mailbox, [mailbox])).toBeUndefined();
    expect(twinOf(mailbox, [{ ...twin, folder: 'Archive' }])).toBeUndefined();
    expect(twinOf(mailbox, [{ ...twin, address: 'sales@contoso.example' }])).toBeUndefined();
  });
});

describe('a failure of a mailbox', () => {
  const cause = (code: string, state: 'retrying' | 'action-required' = 'retrying'): string | undefined =>
    sharedCauseOf({ providerId: 'p', host: 'Mail.contoso.example' }, { state, code: codeFrom(code) });

  test.each([
    ['storage', ['table-storage', 'blob-storage', 'queue-storage']],
    [
      'vault|p',
      [
        'key-vault',
        'key-vault-denied',
        'key-vault-throttled',
        'no-identity',
        'secret-disabled',
        'sealed-unreadable',
        'bad-encryption-key',
      ],
    ],
    [
      'sign-in|p',
      [
        'no-answer',
        'http-408',
        'http-500',
        'http-503',
        'http-599',
        'server_error',
        'temporarily_unavailable',
        ...[50033, 70012, 90006, 90012, 90024, 90033, 90055].map((number) => `AADSTS${number}`),
      ],
    ],
  ])('is shared: %s', (shared, codes) => {
    expect(codes.filter((code) => cause(code) !== shared)).toEqual([]);
  });

  test.each([
    ['throttling', ['http-429', 'slow_down', 'AADSTS50196', 'http-400', 'http-4080', 'http-50', 'http-5000']],
    ['what only begins or ends like it', ['xno-answer', 'no-answers', 'AADSTS500331', 'xAADSTS50033']],
    [
      'what only looks like the vault',
      ['no-identity-x', 'x-key-vault', 'secret-disabled2', 'sealed-unreadable2', 'bad-encryption-keys'],
    ],
    ['what only looks like storage', ['table-storages', 'storage', '']],
  ])('is its own: %s', (_what, codes) => {
    expect(codes.filter((code) => cause(code) !== undefined)).toEqual([]);
  });

  test('is its own if a person has to act', () => {
    expect(cause('table-storage', 'action-required')).toBeUndefined();
    expect(cause('no-answer', 'action-required')).toBeUndefined();
  });
});
