import type { LineEntry } from './explanation.ts';
import { grantConsent, lookAtHealth, nothingToDo, sendAs, signInAgain } from './phrases.ts';
import { ownEntry } from './problem-meanings.ts';

/** Codes of Microsoft Graph in its JSON. https://learn.microsoft.com/graph/errors */
export const graphEntries: readonly LineEntry[] = [
  {
    code: 'graph-target-missing',
    pattern: /\bMicrosoft Graph did not move\b.{0,40}\bno folder\b/,
    title: 'The folder for imported email does not exist',
    cause:
      'Imported email is to be moved to a folder that was renamed, deleted or never created. It stays where it is, unread. New email is still imported.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, edit the mailbox and enter the name of an existing folder, or choose “Mark as read”.',
      'Or create the folder in the mailbox.',
    ],
    links: [],
  },
  {
    code: 'graph-mailbox-full',
    pattern: /\bErrorQuotaExceeded\b/,
    title: 'The mailbox is full',
    cause: 'The mailbox has reached its size limit, so Exchange no longer allows changes in it.',
    who: 'mailbox-owner',
    retry: 'after-fix',
    steps: [
      'Delete or archive old email, and empty Deleted Items.',
      'Or have an Exchange admin give it an archive or a larger license.',
    ],
    links: ['mailboxes'],
  },
  {
    code: 'graph-mailbox-moving',
    pattern: /\b(?:Error)?MailboxInfoStale\b|\bErrorMailboxMoveInProgress\b|\bErrorMailboxStoreUnavailable\b/,
    title: 'Exchange is moving the mailbox',
    cause: 'The mailbox is being moved to another Exchange Online server, or its server is restarting.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
  {
    code: 'graph-unknown-mailbox',
    pattern: /\bErrorInvalidUser\b|\bErrorNonExistentMailbox\b/,
    title: 'Microsoft 365 has no mailbox with this address',
    cause: 'The address is misspelled, belongs to another tenant, or is the address of a group.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, edit the mailbox and compare its address with the primary address in the Microsoft 365 admin center.',
      'A group or distribution list has no mailbox that an app can read. Use a shared mailbox.',
    ],
    links: ['mailboxes'],
  },
  {
    code: 'graph-send-as-denied',
    pattern: /\bErrorSendAsDenied\b/,
    title: 'The account is not allowed to send from this address',
    cause: 'The account does not have the “Send As” permission for the sender.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'In Postroom, set the sender of the mailbox to the address of the account that signs in.',
      sendAs,
      'The permission can take an hour or more to work. Then send again.',
    ],
    links: ['mailboxes'],
  },
  {
    code: 'graph-sending-limit',
    pattern: /\bErrorExceededMessageLimit\b|\bErrorMessageSubmissionBlocked\b/,
    title: 'The account has reached its sending limit',
    cause:
      'Exchange Online limits how many emails and recipients an account can have per day, and blocks accounts suspected of spam.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      nothingToDo,
      'If it lasts more than a day, have an admin check the restricted entities in the Microsoft Defender portal.',
    ],
    links: [],
  },
  {
    code: 'graph-recipient-invalid',
    pattern: /\bErrorInvalidRecipients\b/,
    title: 'Exchange rejected a recipient',
    cause: 'At least one recipient is not an address that Exchange can send to.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Correct the recipients and send again.'],
    links: [],
  },
  {
    code: 'graph-too-large',
    pattern: /\bErrorMessageSizeExceeded\b|\blarger than the 4 MB that Microsoft Graph takes\b/,
    title: 'The email is too large for Microsoft Graph',
    cause:
      'Unless an admin has set another limit, Exchange accepts emails up to 35 MB, which is about 25 MB of attachments. The text of an email must fit into a 4 MB request.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Send smaller attachments, or a link to the files.',
      'Or have an Exchange admin raise the mailbox’s message size limit.',
    ],
    links: [],
  },
  {
    code: 'graph-access-denied',
    pattern: /\bErrorAccessDenied\b/,
    title: 'The app is not allowed to do this in the mailbox',
    cause: 'A Microsoft Graph permission is missing, or no one has consented to it.',
    who: 'tenant-admin',
    retry: 'sign-in-again',
    steps: [
      'Open the app registration, “API permissions”, Microsoft Graph, and add the missing permission.',
      grantConsent,
      signInAgain,
    ],
    links: ['permissions', 'admin-consent'],
  },
  {
    code: 'graph-no-mailbox',
    pattern: /\bMailboxNotEnabledForRESTAPI\b/,
    title: 'The account has no mailbox in Exchange Online',
    cause: 'The account has no Exchange Online license, or its mailbox is on-premises.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'Give the account an Exchange Online license, and wait until its mailbox is created.',
      'Try again.',
    ],
    links: ['users'],
  },
  {
    code: 'graph-throttled',
    pattern: /\bApplicationThrottled\b|\bMailboxConcurrency\b|\bTooManyRequests\b|\bErrorServerBusy\b/,
    title: 'Microsoft Graph is throttling the app',
    // https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits
    cause:
      'The app has reached the limit of Microsoft Graph for one app and mailbox: four requests at a time and 10,000 in ten minutes. It recovers within minutes.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      nothingToDo,
      'Microsoft does not raise this limit. If it happens often, look for other programs that use the same app registration for this mailbox, and give Postroom its own registration.',
    ],
    links: [],
  },
  ownEntry('graph-token-refused', /\bInvalidAuthenticationToken\b/),
  ownEntry('graph-refused', /\bMicrosoft Graph did not change stored email\b/),
  ownEntry('graph-folder-missing', /\bErrorFolderNotFound\b/),
  ownEntry('graph-unavailable', /\bMicrosoft Graph does not respond\b/),
];
