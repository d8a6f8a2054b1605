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

/** Problems of mailboxes that are read, of push, and of the connection test. */
export const readingProblems = {
  'imap-token-refused': {
    title: 'The mail server refuses the sign-in',
    cause:
      'The token has expired, lacks the permission for IMAP, was issued for another service, or does not match the address; or IMAP is switched off for the mailbox. Exchange does not say which.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [
      'Postroom has already tried once with a fresh token.',
      'Check that the mailbox’s address is its primary address, and the provider’s scopes those of the preset.',
      imapOn,
      graphInstead,
      'Access without a user: the service principal in Exchange must have the Object ID of the enterprise application, not of the registration.',
      signInAgain,
    ],
    links: ['users', 'permissions'],
  },
  'imap-no-access': {
    title: 'The sign-in works, but this mailbox cannot be opened',
    cause:
      'The account that signed in may not open this mailbox: it belongs to somebody else, or is a shared mailbox to which the account has no Full Access; IMAP is switched off for it; or it has no license, was moved or is full.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'Compare the account that is signed in with the address of the mailbox. If it is the wrong person’s, sign in again with the right one.',
      'Shared mailbox: let an Exchange admin run Add-MailboxPermission -Identity {mailbox} -User USER-WHO-SIGNS-IN -AccessRights FullAccess',
      imapOn,
      graphInstead,
      'Check that the mailbox has a license with Exchange Online and is not full.',
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
      'The account that signs in may read the mailbox, but may not mark, move or delete email in it. Imported email stays where it is, unread. New email is still imported.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'Shared mailbox: let an Exchange admin run Add-MailboxPermission -Identity {mailbox} -User USER-WHO-SIGNS-IN -AccessRights FullAccess',
      'Other servers: give the account the right to set flags in the folder, and to delete if imported email is moved or deleted (RFC 4314: the rights s, w, t and e).',
      'Or, in Postroom, edit the mailbox and choose something else under “After import”.',
    ],
    links: ['mailboxes'],
  },
  'imap-unavailable': {
    title: 'The mail server is not available at the moment',
    cause: 'The server behind this mailbox is down, or the mailbox is being moved to another one.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
  'pop3-token-refused': {
    title: 'The mail server refuses the sign-in',
    cause:
      'The token has expired, lacks the permission for POP, or does not match the address; or POP is switched off for the mailbox.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [
      'Postroom has already tried once with a fresh token.',
      'Check that the mailbox’s address is its primary address, and the provider’s scopes those of the preset.',
      popOn,
      graphInstead,
      signInAgain,
    ],
    links: ['users', 'permissions'],
  },
  'pop3-no-access': {
    title: 'The mail server does not open this mailbox',
    cause:
      'The server reports a problem with this mailbox that does not resolve by itself (RFC 3206, SYS/PERM).',
    who: 'mailbox-owner',
    retry: 'after-fix',
    steps: [
      'Ask the administrators of the mail server to check the state, the license and the size of this mailbox.',
      testConnection,
    ],
    links: ['mailboxes'],
  },
  'pop3-in-use': {
    title: 'Another program is reading the mailbox',
    cause: 'POP3 allows one connection at a time, and another program is connected.',
    who: 'mailbox-owner',
    retry: 'by-itself',
    steps: [
      'Close the other mail program, or wait until it is done.',
      'If it lasts, choose IMAP for this mailbox, which allows several connections.',
    ],
    links: [],
  },
  'pop3-login-delay': {
    title: 'The mail server requires longer pauses between sign-ins',
    cause: 'The server refuses a sign-in over POP3 that comes too soon after the last one.',
    who: 'you',
    retry: 'by-itself',
    steps: [
      'If it is rare, there is nothing to do: Postroom retries automatically.',
      'If it happens often, edit the mailbox in Postroom and fetch it less often.',
    ],
    links: [],
  },
  'pop3-no-uidl': {
    title: 'The mail server cannot tell its messages apart',
    cause:
      'The server does not support UIDL, an optional command of POP3. Without it, nobody can know which messages were fetched.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Choose IMAP for this mailbox, if the server offers it.'],
    links: [],
  },
  'pop3-refused': {
    title: 'The mail server refuses a command over POP3',
    cause: 'The server accepted the sign-in, but answered a later command with -ERR.',
    who: 'you',
    retry: 'after-fix',
    steps: [testConnection, 'Or choose IMAP for this mailbox, if the server offers it.'],
    links: [],
  },
  'pop3-unavailable': {
    title: 'The mail server does not answer over POP3',
    cause:
      'The server is down, is busy with this mailbox, closed the connection, or does not speak POP3 at this port.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, `If it lasts, check the host and port of the mailbox. ${lookAtHealth}`],
    links: ['service-health'],
  },
  'graph-token-refused': {
    title: 'Microsoft Graph refuses the sign-in',
    cause:
      'The token has expired, was issued for another service, or is refused by a policy of the tenant. Postroom has already tried once with a fresh one.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [
      'Check that the provider’s cloud is that of the mailbox, and its scopes those of the preset.',
      signInAgain,
    ],
    links: ['permissions'],
  },
  'graph-no-access': {
    title: 'The sign-in works, but Microsoft Graph cannot open this mailbox',
    cause:
      'The account that signed in may not open this mailbox, a permission for Microsoft Graph is missing, or there is no mailbox with this address in Exchange Online.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'Compare the account that is signed in with the address of the mailbox. If it is the wrong person’s, sign in again with the right one.',
      'Own mailbox: the app registration needs the delegated permission Mail.ReadWrite of Microsoft Graph, with consent.',
      'Shared mailbox: it needs Mail.ReadWrite.Shared, and an Exchange admin has to run Add-MailboxPermission -Identity {mailbox} -User USER-WHO-SIGNS-IN -AccessRights FullAccess',
      'Access without a user: it needs the application permission Mail.ReadWrite, and this mailbox has to be within its scope in Exchange.',
      'Check that the mailbox has a license with Exchange Online and is not on-premises.',
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
      'The account that signs in may read the mailbox, but may not mark, move or delete email in it. Imported email stays where it is. New email is still imported.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'Open the app registration, “API permissions”, Microsoft Graph: Mail.Read is not enough. It needs Mail.ReadWrite, for a shared mailbox Mail.ReadWrite.Shared, with consent.',
      'Shared mailbox: let an Exchange admin run Add-MailboxPermission -Identity {mailbox} -User USER-WHO-SIGNS-IN -AccessRights FullAccess',
      'Or, in Postroom, edit the mailbox and choose something else under “After import”.',
    ],
    links: ['permissions', 'mailboxes'],
  },
  'graph-unavailable': {
    title: 'Microsoft Graph does not answer',
    cause: 'Microsoft Graph is down or overloaded, or the network of Postroom blocks the request.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
  'socket-broken': {
    title: 'The connection to the mail server broke',
    cause:
      'The server closed the connection, stopped responding, or sent something that no mail server would send.',
    who: 'you',
    retry: 'by-itself',
    steps: ['In Postroom, check host and port of the mailbox.', testConnection],
    links: [],
  },
  'certificate-not-trusted': {
    title: 'The certificate of the server is not trusted',
    cause:
      'The certificate was not issued for this host by an authority that Postroom trusts. Postroom sends no token there.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, check the host name of the mailbox.',
      'If it is right, ask the administrators of the server or the proxy to replace its certificate.',
    ],
    links: [],
  },
  'step-refused': {
    title: 'A step of the connection test was refused',
    cause: 'The server or the sign-in refused this step of the test. The message is shown with the step.',
    who: 'you',
    retry: 'after-fix',
    steps: ['Copy the message of the server from the transcript, and paste it here.'],
    links: [],
  },
  'fetch-too-slow': {
    title: 'The fetch was stopped because it took too long',
    cause: 'The mail server was too slow for one fetch. What was stored by then is kept.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
  'fetches-do-not-end': {
    title: 'Fetches start, but do not finish',
    cause: 'The queue fetch-shard is not being processed, or the Functions host ends each run too early.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, open Health and see which functions run.',
      'Restart the function app.',
      findInAppLog,
    ],
    links: ['function-apps'],
  },
  'email-missing': {
    title: 'Emails in the mailbox are missing in Postroom',
    cause:
      'The check of the folder found emails that Postroom has never seen, although somebody has read them. This can happen when a mail server was restored or numbered its messages anew while Postroom was off.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open Mailboxes, choose “Check” for the mailbox, and fetch the missing emails.'],
    links: [],
  },
  'push-silent': {
    title: 'New email is no longer announced',
    cause:
      'Microsoft Graph accepted the subscription for this mailbox, but an email arrived without an event. Graph drops events when Postroom answers slowly or is not reachable from the internet.',
    who: 'you',
    retry: 'by-itself',
    steps: [
      'Wait a few minutes: Postroom has replaced the subscription, and meanwhile checks the mailbox every minute. The alert closes with the next event.',
      'If it stays open, check that POST requests from the internet reach /graph/notifications at the address in PUBLIC_URL: a firewall, a gateway or an access restriction of the Functions app may block them.',
    ],
    links: ['function-apps'],
  },
  'push-refused': {
    title: 'Microsoft Graph refuses to announce new email',
    cause:
      'It does not accept a subscription for this mailbox: a permission is missing, or it does not reach Postroom from the internet. Email is still fetched every minute.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Read what Graph said on the page of the mailbox in Postroom.',
      'If it mentions access, grant Mail.ReadBasic to the app registration and sign the account in again.',
      'If it mentions validation, check that POST requests from the internet reach /graph/notifications at the address in PUBLIC_URL.',
    ],
    links: ['function-apps'],
  },
  'push-unconfirmed': {
    title: 'Microsoft Graph does not confirm that it announces new email',
    cause: 'Postroom failed to subscribe or renew several times. Meanwhile, email is fetched every minute.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      'Wait: Postroom tries again by itself. If it lasts for hours, look at the service health of Microsoft 365.',
    ],
    links: [],
  },
  'quarantine-grown': {
    title: 'Some emails could not be imported',
    cause:
      'Each of them is listed under Unimported email with its reason and, where Postroom has it, its original. No ticket was made of it.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, open Unimported email and read the reasons.',
      'Try again, make a ticket of the email, or dismiss it. The alert closes when nothing waits.',
    ],
    links: [],
  },
} satisfies Meanings;
