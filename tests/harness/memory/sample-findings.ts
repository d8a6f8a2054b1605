import type { Finding } from '../../../shared/alerts/alert.ts';
import type { Notification } from '../../../shared/alerts/notification.ts';
import { codeFrom } from '../../../shared/platform/problem.ts';

export const START = Date.parse('2026-11-24T10:00:00.000Z');
export const HOUR = 3_600_000;
export const iso = (ms: number): string => new Date(ms).toISOString();

export const silent = (id = 'support', changes: Partial<Finding> = {}): Finding => ({
  kind: 'mailbox-silent',
  subject: { kind: 'mailbox', id, name: `${id}@contoso.example` },
  severity: 'error',
  headline: `${id}@contoso.example is not fetched.`,
  cause: 'The mail server does not answer.',
  code: 'imap-unavailable',
  since: iso(START - HOUR),
  affected: 'No mail is lost: it waits in the mailbox.',
  who: 'nobody: wait',
  fix: { label: 'Test the connection', href: `/mailboxes/${id}/test` },
  ...changes,
});

export const secret = (stage: string, changes: Partial<Finding> = {}): Finding => ({
  ...silent('p1', {
    kind: 'secret-due',
    subject: { kind: 'provider', id: 'p1', name: 'Contoso' },
    severity: 'warning',
    headline: `The client secret of Contoso ends in ${stage}.`,
    cause: 'Microsoft ends each secret at the date it was made with.',
    code: codeFrom('secret-due'),
    affected: 'All mail is fetched until then.',
    who: 'you',
    fix: { label: 'Replace the secret of Contoso', href: '/providers/p1/edit' },
    stage,
  }),
  ...changes,
});

export const storageDown: Finding = silent('storage', {
  kind: 'storage-failing',
  subject: { kind: 'storage', id: 'storage', name: 'Storage' },
  severity: 'critical',
  headline: 'The storage of Postroom does not answer.',
});

export const sampleNotification = (changes: Partial<Notification> = {}): Notification => ({
  id: '1-a-1',
  what: 'opened',
  at: iso(START),
  openedAt: iso(START),
  key: 'mailbox-silent|mailbox|support',
  finding: silent(),
  ...changes,
});
