import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { Push, Subscription } from '../../shared/push/subscription.ts';

export const START = Date.parse('2026-11-28T10:00:00.000Z');
export const MINUTE = 60_000;
export const at = (ms: number): string => new Date(START + ms).toISOString();

export const MAILBOX_ID = 'm'.repeat(26);
export const sampleMailbox = (change: Partial<Mailbox> = {}): Mailbox => ({
  id: MAILBOX_ID,
  address: 'support@contoso.example',
  protocol: 'imap',
  host: 'outlook.office365.com',
  port: 993,
  folder: 'INBOX',
  providerId: 'p'.repeat(26),
  accountId: 'a'.repeat(26),
  enabled: true,
  intervalMinutes: 1,
  afterFetch: { kind: 'mark-seen' },
  createdAt: at(-100 * MINUTE),
  ...change,
});

/** A subscription of six days that was made two hours ago. */
export const sampleSubscription = (change: Partial<Subscription> = {}): Subscription => ({
  providerId: 'p'.repeat(26),
  accountId: 'a'.repeat(26),
  resource: "me/mailFolders('inbox')/messages",
  subscriptionId: 'graph-1',
  createdAt: at(-120 * MINUTE),
  renewedAt: at(-120 * MINUTE),
  expiresAt: at(6 * 24 * 60 * MINUTE - 120 * MINUTE),
  ...change,
});

export const samplePush = (change: Partial<Push> = {}): Push => ({
  mailboxId: MAILBOX_ID,
  state: 'living',
  since: at(-120 * MINUTE),
  subscription: sampleSubscription(),
  clientStates: [],
  settings: '',
  failures: 0,
  nextAt: at(60 * MINUTE),
  ...change,
});
