import type { Account } from '../../../shared/accounts/account.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { MemoryFolder, openMemoryInbox } from '../memory/memory-inbox.ts';
import type { DemoApp } from './demo-app.ts';

/** A mailbox as set up by a person for this account. */
export const mailboxOf = (account: Account, change: Partial<Mailbox> = {}): Mailbox => ({
  id: 'm'.repeat(26),
  address: account.address,
  protocol: 'imap',
  host: 'localhost',
  port: 1,
  folder: 'INBOX',
  providerId: account.providerId,
  accountId: account.accountId,
  enabled: true,
  intervalMinutes: 1,
  afterFetch: { kind: 'mark-seen' },
  createdAt: '2026-11-24T00:00:00.000Z',
  ...change,
});

/** The mail server of the app: one folder in memory, with these subjects, oldest first. */
export function fillInbox(app: DemoApp, subjects: readonly string[]): MemoryFolder {
  const folder = new MemoryFolder();
  for (const [index, subject] of subjects.entries()) {
    const raw = `From: a@example.org\r\nTo: b@example.org\r\nSubject: ${subject}\r\nMessage-ID: <${index}@x>\r\n\r\nHello\r\n`;
    folder.deliver(Buffer.from(raw), new Date(Date.UTC(2026, 10, 20, index)).toISOString());
  }
  app.services.intake.openInbox = () => openMemoryInbox(folder, app.seam);
  return folder;
}
