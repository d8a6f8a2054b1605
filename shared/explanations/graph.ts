import type { LineEntry } from './explanation.ts';
import { grantConsent, nothingToDo, sendAs, signInAgain } from './phrases.ts';

/** Codes of Microsoft Graph in its JSON. https://learn.microsoft.com/graph/errors */
export const graphEntries: readonly LineEntry[] = [
  {
    code: 'graph-send-as-denied',
    pattern: /\bErrorSendAsDenied\b/,
    title: 'The account may not send with this address',
    cause: 'The right “Send As” for the sender is missing.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'In Postroom, set the sender of the mailbox to the address of the account that signs in.',
      sendAs,
      'The right works after an hour or more. Then send again.',
    ],
    links: ['mailboxes'],
  },
  {
    code: 'graph-access-denied',
    pattern: /\bErrorAccessDenied\b/,
    title: 'The app may not do this in the mailbox',
    cause: 'A permission for Microsoft Graph is missing, or nobody has consented to it.',
    who: 'tenant-admin',
    retry: 'sign-in-again',
    steps: [
      'Open the app registration, “API permissions”, Microsoft Graph, and add the permission that is missing.',
      grantConsent,
      signInAgain,
    ],
    links: ['permissions', 'admin-consent'],
  },
  {
    code: 'graph-no-mailbox',
    pattern: /\bMailboxNotEnabledForRESTAPI\b/,
    title: 'The account has no mailbox in Exchange Online',
    cause: 'The account has no licence with Exchange Online, or its mailbox is on an own server.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'Give the account a licence with Exchange Online, and wait until its mailbox is made.',
      'Try again.',
    ],
    links: ['users'],
  },
  {
    code: 'graph-throttled',
    pattern: /\bApplicationThrottled\b|\bMailboxConcurrency\b/,
    title: 'Microsoft Graph slows the app down',
    cause: 'The app asks too often or too much at a time for this mailbox.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  {
    code: 'graph-token',
    pattern: /\bInvalidAuthenticationToken\b/,
    title: 'Microsoft Graph does not accept the token',
    cause: 'The token has ended or was made for another service. Postroom fetches a fresh one.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      'Nothing is to be done at first: the next try uses a fresh token.',
      `If it comes back: ${signInAgain}`,
    ],
    links: [],
  },
];
