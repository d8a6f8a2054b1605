import type { Meanings } from './explanation.ts';
import {
  findInAppLog,
  graphInstead,
  imapOn,
  lookAtHealth,
  nothingToDo,
  popOn,
  signInAgain,
  testConnection,
  waitAnHour,
} from './phrases.ts';

/** Problems of mailboxes that are read, and of the connection test. */
export const readingProblems = {
  'imap-token-refused': {
    title: 'The mail server refuses the sign-in',
    cause:
      'The token has expired, lacks the IMAP permission, is for another service, or does not match the address, or IMAP is turned off for the mailbox. Exchange does not say which.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [
      'Postroom has already retried once with a new token.',
      'Check that the mailbox’s address is its primary address and that the provider’s scopes are those of the preset.',
      imapOn,
      graphInstead,
      'App-only access: the service principal in Exchange must have the Object ID of the enterprise application, not of the app registration.',
      signInAgain,
    ],
    links: ['users', 'permissions'],
  },
  'imap-no-access': {
    title: 'The sign-in works, but this mailbox cannot be opened',
    cause:
      'The account that signed in cannot open this mailbox: it is another user’s or a shared mailbox without Full Access, IMAP is turned off for it, or it has no license, was moved, or is full.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'Compare the signed-in account with the mailbox’s address. If it is the wrong account, sign in again with the right one.',
      'Shared mailbox: have an Exchange admin run Add-MailboxPermission -Identity {mailbox} -User USER-WHO-SIGNS-IN -AccessRights FullAccess',
      imapOn,
      graphInstead,
      'Check that the mailbox has an Exchange Online license and is not full.',
      waitAnHour,
    ],
    links: ['users', 'mailboxes'],
  },
  'imap-folder-missing': {
    title: 'The folder does not exist',
    cause: 'The folder that Postroom fetches from was renamed, moved or deleted.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, edit the mailbox and enter the folder’s current name.'],
    links: [],
  },
  'imap-refused': {
    title: 'Imported email cannot be changed in this mailbox',
    cause:
      'The account that signs in can read the mailbox but cannot mark, move or delete email in it. Imported email stays where it is, unread. New email is still imported.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'Shared mailbox: have an Exchange admin run Add-MailboxPermission -Identity {mailbox} -User USER-WHO-SIGNS-IN -AccessRights FullAccess',
      'Other servers: give the account the right to set flags in the folder, and to delete if imported email is moved or deleted (RFC 4314: the rights s, w, t and e).',
      'Or, in Postroom, edit the mailbox and choose something else under “After import”.',
    ],
    links: ['mailboxes'],
  },
  'imap-unavailable': {
    title: 'The mail server is temporarily unavailable',
    cause: 'The mailbox’s server is down, or the mailbox is being moved to another server.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
  'pop3-token-refused': {
    title: 'The mail server refuses the sign-in',
    cause:
      'The token has expired, lacks the POP permission, or does not match the address, or POP is turned off for the mailbox.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [
      'Postroom has already retried once with a new token.',
      'Check that the mailbox’s address is its primary address and that the provider’s scopes are those of the preset.',
      popOn,
      graphInstead,
      signInAgain,
    ],
    links: ['users', 'permissions'],
  },
  'pop3-no-access': {
    title: 'The mail server keeps this mailbox closed',
    cause: 'The server reports a permanent problem with this mailbox (RFC 3206, SYS/PERM).',
    who: 'mailbox-owner',
    retry: 'after-fix',
    steps: [
      'Ask whoever runs the mail server to check this mailbox: its state, license and size.',
      testConnection,
    ],
    links: ['mailboxes'],
  },
  'pop3-in-use': {
    title: 'Another program is reading the mailbox',
    cause: 'POP3 allows one reader at a time, and another one is connected.',
    who: 'mailbox-owner',
    retry: 'by-itself',
    steps: [
      'Close the other mail program, or wait until it has finished.',
      'If it continues, choose IMAP for this mailbox, which allows several readers.',
    ],
    links: [],
  },
  'pop3-login-delay': {
    title: 'The mail server requires longer intervals between sign-ins',
    cause: 'The server refuses a POP3 sign-in that comes too soon after the last one.',
    who: 'you',
    retry: 'by-itself',
    steps: [
      'If it is rare, no action is needed: Postroom retries automatically.',
      'If it happens often, edit the mailbox in Postroom and fetch it less often.',
    ],
    links: [],
  },
  'pop3-no-uidl': {
    title: 'The mail server cannot tell its messages apart',
    cause:
      'The server does not support UIDL, an optional POP3 command. Without it, Postroom cannot know which messages were fetched.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Choose IMAP for this mailbox if the server offers it.'],
    links: [],
  },
  'pop3-refused': {
    title: 'The mail server refuses a command over POP3',
    cause: 'The server accepted the sign-in, but answered a later command with -ERR.',
    who: 'you',
    retry: 'after-fix',
    steps: [testConnection, 'Or choose IMAP for this mailbox if the server offers it.'],
    links: [],
  },
  'pop3-unavailable': {
    title: 'The mail server does not respond over POP3',
    cause:
      'The server is down or busy with this mailbox, closed the connection, or does not speak POP3 on this port.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, `If it continues, check the mailbox’s host and port. ${lookAtHealth}`],
    links: ['service-health'],
  },
  'graph-token-refused': {
    title: 'Microsoft Graph refuses the sign-in',
    cause:
      'The token has expired, was issued for another service, or is blocked by a policy of the tenant. Postroom has already retried once with a new token.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [
      'Check that the provider’s cloud is that of the mailbox and that its scopes are those of the preset.',
      signInAgain,
    ],
    links: ['permissions'],
  },
  'graph-no-access': {
    title: 'The sign-in works, but Microsoft Graph cannot open this mailbox',
    cause:
      'The account that signed in cannot open this mailbox, a Microsoft Graph permission is missing, or Exchange Online has no mailbox with this address.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'Compare the signed-in account with the mailbox’s address. If it is the wrong account, sign in again with the right one.',
      'The account’s own mailbox: the app registration needs the delegated Microsoft Graph permission Mail.ReadWrite, with consent.',
      'Shared mailbox: it needs Mail.ReadWrite.Shared, and an Exchange admin must run Add-MailboxPermission -Identity {mailbox} -User USER-WHO-SIGNS-IN -AccessRights FullAccess',
      'App-only access: it needs the application permission Mail.ReadWrite, and this mailbox must be within its scope in Exchange.',
      'Check that the mailbox has an Exchange Online license and is not on-premises.',
      waitAnHour,
    ],
    links: ['permissions', 'mailboxes', 'users'],
  },
  'graph-folder-missing': {
    title: 'The folder does not exist',
    cause: 'The folder that Postroom fetches from was renamed, moved or deleted.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, edit the mailbox and enter the folder’s current name, as Outlook shows it. Separate the names of nested folders with “/”.',
    ],
    links: [],
  },
  'graph-refused': {
    title: 'Imported email cannot be changed in this mailbox',
    cause:
      'The account that signs in can read the mailbox but cannot mark, move or delete email in it. Imported email stays where it is. New email is still imported.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'Open the app registration, “API permissions”, Microsoft Graph: Mail.Read is not enough. It needs Mail.ReadWrite, for a shared mailbox Mail.ReadWrite.Shared, with consent.',
      'Shared mailbox: have an Exchange admin run Add-MailboxPermission -Identity {mailbox} -User USER-WHO-SIGNS-IN -AccessRights FullAccess',
      'Or, in Postroom, edit the mailbox and choose something else under “After import”.',
    ],
    links: ['permissions', 'mailboxes'],
  },
  'graph-unavailable': {
    title: 'Microsoft Graph does not respond',
    cause: 'Microsoft Graph is down or overloaded, or Postroom’s network blocks the request.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
  'socket-broken': {
    title: 'The connection to the mail server broke',
    cause:
      'The server closed the connection, did not respond for too long, or sent something that is not a mail server’s response.',
    who: 'you',
    retry: 'by-itself',
    steps: ['In Postroom, check the mailbox’s host and port.', testConnection],
    links: [],
  },
  'certificate-not-trusted': {
    title: 'The server’s certificate is not trusted',
    cause:
      'The certificate was not issued for this host by an authority that Postroom trusts. Postroom sends no token there.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, check the mailbox’s host name.',
      'If it is correct, ask whoever runs the server or the proxy to fix its certificate.',
    ],
    links: [],
  },
  'step-refused': {
    title: 'A step of the connection test was refused',
    cause:
      'The server or the sign-in service refused this step of the test. Its response is shown with the step.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Copy the server’s response from the transcript and paste it here.'],
    links: [],
  },
  'fetch-too-slow': {
    title: 'The fetch was stopped because it took too long',
    cause: 'The mail server responded too slowly for one fetch. Everything fetched until then is stored.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
  'fetches-do-not-end': {
    title: 'Fetches start but do not finish',
    cause: 'The queue fetch-shard is not being processed, or the Functions host stops each run early.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, open Health and check which functions are running.',
      'Restart the function app.',
      findInAppLog,
    ],
    links: ['function-apps'],
  },
  'email-missing': {
    title: 'Emails in the mailbox are missing from Postroom',
    cause:
      'The folder check found emails that Postroom has never seen, although someone has read them. This can happen if a mail server was restored or renumbered its messages while Postroom was off.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open Mailboxes, choose “Check” for the mailbox, and fetch the missing emails.'],
    links: [],
  },
  'quarantine-grown': {
    title: 'Some emails could not be imported',
    cause:
      'Each is listed under Unimported email with the reason and, if Postroom has it, the original. No ticket was created.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, open Unimported email and read the reasons.',
      'Try again, create a ticket from the email, or dismiss it. The alert closes when all are handled.',
    ],
    links: [],
  },
} satisfies Meanings;
