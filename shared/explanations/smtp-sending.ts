import type { LineEntry } from './explanation.ts';
import { lookAtHealth, sendAs, smtpOn } from './phrases.ts';

const waits = 'There is nothing to do: Postroom tries again later.';
const senderIsMailbox =
  'In Postroom, set the sender of the mailbox to the address of the account that signs in.';
const rightTakesTime = 'The permission can take an hour or more to apply. Then send again.';

/** What Exchange Online says when a signed-in client sends. */
export const smtpSendingEntries = [
  {
    code: 'smtp-send-as-refused',
    pattern: /\b55[04][ -]5\.7\.60(?!\d)/,
    title: 'The account may not send with this address',
    cause: 'The sender is not the address of the account, and the “Send As” permission is missing.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [senderIsMailbox, sendAs, rightTakesTime],
    links: ['mailboxes'],
  },
  {
    code: 'smtp-send-as-denied',
    pattern: /\b554[ -]5\.2\.252(?!\d)|\bSendAsDenied/,
    title: 'The account may not send with this address',
    cause:
      'Exchange received the email and then refused its sender: the account that signs in does not have the “Send As” permission.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [senderIsMailbox, sendAs, rightTakesTime],
    links: ['mailboxes'],
  },
  {
    code: 'smtp-thread-limit',
    pattern: /\bsender thread limit exceeded\b/i,
    title: 'Too many connections are sending for this mailbox',
    cause:
      'Exchange allows three at a time. Postroom opens no more than that, so other programs are sending as well.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [waits, 'If it lasts, look for other programs that send for this mailbox.'],
    links: [],
  },
  {
    code: 'smtp-concurrent-connections',
    pattern: /\bConcurrent connections limit exceeded\b/i,
    title: 'Too many connections are sending for this mailbox',
    cause: 'Exchange limits how many connections one mailbox may have at a time.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [waits, 'If it lasts, look for other programs that send for this mailbox.'],
    links: [],
  },
  {
    code: 'smtp-rate',
    pattern: /\bMessage submission rate for this client has exceeded\b/i,
    title: 'Too many emails in a minute',
    cause: 'Exchange accepts 30 emails a minute from one mailbox.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [waits],
    links: [],
  },
  {
    code: 'smtp-recipient-quota',
    pattern: /\bSubmissionQuotaExceeded/,
    title: 'The mailbox has reached its daily sending limit',
    cause: 'Exchange lets a mailbox write to 10,000 recipients in 24 hours.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      'Wait up to 24 hours; sending works again by itself.',
      'Look for a mail loop or another program that sends for this mailbox.',
    ],
    links: ['mailboxes'],
  },
  {
    code: 'smtp-mailbox-full',
    pattern: /\b554[ -]5\.2\.2(?!\d)|\bException:QuotaExceeded/,
    title: 'The mailbox is full and cannot send',
    cause: 'Each sent email is kept in “Sent Items”, and there is no space left.',
    who: 'mailbox-owner',
    retry: 'after-fix',
    steps: [
      'Delete or archive old email, especially in “Sent Items”.',
      'Let an Exchange admin set a retention policy for that folder.',
    ],
    links: ['mailboxes'],
  },
  {
    code: 'smtp-old-tls',
    pattern: /\b421[ -]4\.7\.66(?!\d)|\bTLS 1\.0 and 1\.1 are not supported\b/i,
    title: 'The version of TLS is too old',
    cause:
      'The connection used TLS 1.0 or 1.1. Postroom uses newer versions, so something in between changes the connection.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Remove the proxy or the setting of Node that limits the version of TLS.'],
    links: [],
  },
  {
    code: 'smtp-temporary',
    pattern: /\b451[ -]4\.7\.0(?!\d)/,
    title: 'The mail server is having problems',
    cause:
      'A temporary error in Exchange. In rare cases, the mailbox has no license or SMTP is switched off.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [waits, `If it lasts, check the license of the mailbox. ${smtpOn}`],
    links: ['service-health', 'users'],
  },
  {
    code: 'smtp-service-unavailable',
    pattern: /\b421[ -]4\.3\.2 (?:The )?Service (?:is )?not (?:available|active)\b/i,
    title: 'The mail server is under maintenance',
    cause: 'The server says that its service is not available at the moment.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [waits, lookAtHealth],
    links: ['service-health'],
  },
  {
    code: 'smtp-busy',
    pattern: /\b452[ -]4\.3\.1(?!\d)/,
    title: 'The mail server is overloaded',
    cause: 'The server does not have the capacity for new email at the moment.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [waits, lookAtHealth],
    links: ['service-health'],
  },
  {
    code: 'smtp-too-many-recipients',
    pattern: /\b452[ -]4\.5\.3(?!\d)/,
    title: 'The email has too many recipients',
    cause: 'The server limits how many recipients one email may have.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Send to fewer recipients at a time.'],
    links: [],
  },
  {
    code: 'smtp-too-large',
    pattern: /\b552[ -]5\.3\.4(?!\d)/,
    title: 'The email is too large',
    cause: 'With its attachments, the email is larger than the mailbox is allowed to send.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Send fewer or smaller attachments.',
      'Or let an Exchange admin raise the limit: Set-Mailbox -Identity {mailbox} -MaxSendSize 100MB',
    ],
    links: ['mailboxes'],
  },
  {
    code: 'smtp-restricted',
    pattern: /\b550[ -]5\.1\.8(?!\d)/,
    title: 'The mailbox is blocked from sending because of spam',
    cause:
      'Microsoft restricted it after it sent email that looked like spam. Somebody else may have used it.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'Find out what was sent, and change the password of the account.',
      'Open Microsoft Defender, Review, “Restricted entities”, and unblock the mailbox.',
    ],
    links: ['restricted-entities'],
  },
  {
    code: 'smtp-tenant-restricted',
    pattern: /\b550[ -]5\.7\.7(?:05|50|08)(?!\d)/,
    title: 'The whole tenant may not send',
    cause:
      'Microsoft restricts what this tenant sends, because it sends too much, is too new, or looks suspicious.',
    who: 'microsoft',
    retry: 'after-fix',
    steps: [
      'Let an admin ask Microsoft’s support to lift the restriction.',
      'Look for mailboxes that send spam.',
    ],
    links: ['support', 'restricted-entities'],
  },
  {
    code: 'smtp-recipient-unknown',
    pattern: /\b550[ -]5\.1\.1(?:0)?(?!\d)|\b501[ -]5\.1\.3(?!\d)|\bRecipientNotFound\b/,
    title: 'The recipient does not exist',
    cause: 'The address of the recipient is misspelled or no longer exists.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Correct the address of the recipient, and send the email again.'],
    links: [],
  },
] as const satisfies readonly LineEntry[];
