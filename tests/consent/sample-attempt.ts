import type { Approval } from '../../shared/consent/approval.ts';
import type { ConnectRequest, PendingConsent } from '../../shared/consent/consent.ts';
import type { Invitation } from '../../shared/consent/invitation.ts';

/** The time of these tests. */
export const NOW = Date.parse('2026-11-24T12:00:00.000Z');
export const isoAt = (milliseconds: number): string => new Date(NOW + milliseconds).toISOString();
/** A row key: 52 times the same letter. */
export const keyOf = (letter: string): string => letter.repeat(52);

export const sampleWish = (change: Partial<ConnectRequest> = {}): ConnectRequest => ({
  providerId: 'p'.repeat(26),
  address: 'support@contoso.example',
  signIn: 'support@contoso.example',
  shared: false,
  chooseAccount: false,
  protocols: ['imap', 'smtp'],
  reconnect: undefined,
  replacement: undefined,
  ...change,
});

export const sampleConsent = (change: Partial<PendingConsent> = {}): PendingConsent => ({
  key: keyOf('c'),
  connectRequest: sampleWish(),
  startedBy: { kind: 'principal', id: 'ada' },
  registration: 'the registration',
  browserHash: 'the hash of a cookie',
  sealedState: 'sealed state',
  sealedVerifier: 'sealed verifier',
  sealedNonce: 'sealed nonce',
  startedAt: isoAt(0),
  expiresAt: isoAt(600_000),
  usedAt: undefined,
  ...change,
});

export const sampleInvitation = (change: Partial<Invitation> = {}): Invitation => ({
  key: keyOf('d'),
  connectRequest: sampleWish(),
  invitedBy: { id: 'ada', name: 'Ada' },
  createdAt: isoAt(0),
  expiresAt: isoAt(7 * 86_400_000),
  revokedAt: undefined,
  done: undefined,
  approvalKey: undefined,
  attempts: [],
  ...change,
});

export const sampleApproval = (change: Partial<Approval> = {}): Approval => ({
  key: keyOf('e'),
  connectRequest: sampleWish(),
  startedBy: { kind: 'principal', id: 'ada' },
  sealedState: 'sealed state',
  explanation: undefined,
  createdAt: isoAt(0),
  expiresAt: isoAt(7 * 86_400_000),
  grantedAt: undefined,
  ...change,
});
