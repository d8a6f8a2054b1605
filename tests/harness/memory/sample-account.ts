import type { Account } from '../../../shared/accounts/account.ts';

/** A working sign-in, with plain texts in place of encrypted tokens. */
export const sampleAccount = (change: Partial<Account> = {}): Account =>
  ({
    providerId: 'p'.repeat(26),
    accountId: 'a'.repeat(26),
    identity: {
      issuer: 'https://login.example/tenant/v2.0',
      subject: 'subject-1',
      tenantId: '11111111-2222-4333-8444-555555555555',
      objectId: '99999999-2222-4333-8444-555555555555',
      user: 'Support@contoso.example',
      name: 'Support',
    },
    user: 'support@contoso.example',
    address: 'help@contoso.example',
    scopes: ['imap', 'smtp'],
    tokens: {
      access: 'sealed access',
      accessExpiresAt: '2026-11-24T11:00:00.000Z',
      receivedAt: '2026-11-24T10:00:00.000Z',
      refreshAt: '2026-11-24T10:50:00.000Z',
      refresh: 'sealed refresh',
      previousRefresh: 'sealed refresh before',
    },
    state: 'ok',
    stateSince: '2026-11-20T10:00:00.000Z',
    problem: undefined,
    retryAt: undefined,
    refusedAsOf: undefined,
    refreshBegunAt: undefined,
    consentedAt: '2026-11-20T10:00:00.000Z',
    consentedBy: 'ada',
    ...change,
  }) as Account;
