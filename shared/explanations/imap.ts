import type { LineEntry } from './explanation.ts';
import { imapOn, lookAtHealth, nothingToDo, report, signInAgain, useOauth, waitAnHour } from './phrases.ts';

/**
 * What Exchange Online and others say over IMAP, the more notification first: one transcript often holds several.
 * Codes that the mailboxes feature has for the same state are the same word.
 */
export const imapEntries: readonly LineEntry[] = [
  {
    code: 'imap-no-access',
    pattern: /\bUser is authenticated but not connected\b/i,
    title: 'The sign-in works, but this mailbox does not open',
    cause:
      'The account that signed in may not open this mailbox: it is another person’s or a shared one without Full Access, IMAP is switched off for it, or it has no licence, was moved or is full.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'Compare the account that is signed in with the address of the mailbox. If it is the wrong person’s, sign in again with the right one.',
      'Shared mailbox: let an Exchange admin run Add-MailboxPermission -Identity {mailbox} -User USER-WHO-SIGNS-IN -AccessRights FullAccess',
      imapOn,
      'Check that the mailbox has a licence with Exchange Online and is not full.',
      waitAnHour,
    ],
    links: ['users', 'mailboxes'],
  },
  {
    code: 'imap-token-expired',
    pattern: /\bSession invalidated ?- ?AccessTokenExpired\b/i,
    title: 'The access token ended during the connection',
    cause: 'A token lives for about an hour, and the connection was open when it ended.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  {
    code: 'imap-throttled',
    pattern: /\bRequest is throttled\b|\bETHROTTLE\b/i,
    title: 'Exchange slows this mailbox down',
    cause: 'The mailbox has used up what Exchange allows one user in a while. It recovers within minutes.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, 'If it comes back often: look for other programs that read the same mailbox.'],
    links: [],
  },
  {
    code: 'imap-too-many-connections-gmail',
    pattern: /\bToo many simultaneous connections\b/i,
    title: 'Gmail counts too many connections',
    cause: 'Other programs read the same Gmail mailbox at the same time; 15 connections are allowed.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, 'If it lasts: close other mail programs on this mailbox.'],
    links: [],
  },
  {
    code: 'imap-too-many-connections',
    pattern: /\bToo many concurrent connections\b/i,
    title: 'The mailbox has too many connections',
    cause:
      'Other programs read the same mailbox at the same time. The sign-in itself is in order, whatever else the server says.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, 'If it lasts: close other mail programs on this mailbox.'],
    links: [],
  },
  {
    code: 'imap-unavailable',
    pattern: /\bServer Unavailable\. ?\d{1,3}\b|\b(?:NO|BAD) Server Unavailable\b/i,
    title: 'The mail server is not there at the moment',
    cause: 'The server behind this mailbox is down, or the mailbox is being moved to another one.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
  {
    code: 'imap-temporary',
    pattern:
      /\b(?:NO|BAD|BYE) \[(?:UNAVAILABLE|INUSE|LIMIT)\]|\bserverResponseCode: (?:UNAVAILABLE|INUSE|LIMIT)\b/i,
    title: 'The mail server asks to come back later',
    cause:
      'The server says with a standard code (RFC 5530) that the trouble is a passing one, even if it speaks of a failed sign-in.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
  {
    code: 'imap-target-missing',
    pattern: /\bThe mail server did not move\b.{0,200}(?:\[(?:TRYCREATE|NONEXISTENT)\]|doesn['’]t exist)/i,
    title: 'The folder for stored email is not there',
    cause:
      'Stored email is to be moved into a folder that was renamed, deleted or never made. It stays where it is, unread; new email is stored all the same.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, edit the mailbox and enter the name of a folder that exists, or choose to mark stored email as read.',
      'Or make the folder in the mailbox.',
    ],
    links: [],
  },
  {
    code: 'imap-refused',
    pattern: /\bThe mail server did not (?:mark as read|move|delete)\b/i,
    title: 'Stored email may not be changed in this mailbox',
    cause:
      'The account that signs in may read the mailbox, and may not mark, move or delete what is in it. Stored email stays where it is, unread; new email is stored all the same.',
    who: 'tenant-admin',
    retry: 'after-fix',
    steps: [
      'Shared mailbox: let an Exchange admin run Add-MailboxPermission -Identity {mailbox} -User USER-WHO-SIGNS-IN -AccessRights FullAccess',
      'Other servers: give the account the right to set flags in the folder, and to delete where stored email is moved or deleted (RFC 4314: the rights s, w, t and e).',
      'Or, in Postroom, edit the mailbox and choose another thing to do with stored email.',
    ],
    links: ['mailboxes'],
  },
  {
    code: 'imap-folder-missing',
    pattern:
      /\[NONEXISTENT\]|\bserverResponseCode: NONEXISTENT\b|\bmailboxMissing: true\b|(?<=\bNO .{1,120}) doesn['’]t exist\b/,
    title: 'The folder is not there',
    cause: 'The folder that Postroom fetches from was renamed, moved or deleted.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, edit the mailbox and enter the folder’s present name.'],
    links: [],
  },
  {
    code: 'imap-mailbox-full',
    pattern: /\[OVERQUOTA\]|\bserverResponseCode: OVERQUOTA\b/,
    title: 'The mailbox is full',
    cause: 'The mailbox has reached its size limit; soon it will refuse new email, too.',
    who: 'mailbox-owner',
    retry: 'after-fix',
    steps: [
      'Delete or archive old mail, and empty the folder for deleted mail.',
      'Or let an Exchange admin give it an archive or a larger licence.',
    ],
    links: ['mailboxes'],
  },
  {
    code: 'imap-token-refused',
    pattern:
      /\bAUTHENTICATE failed\b|\b(?:NO|BAD) \[AUTHENTICATIONFAILED\]|\bserverResponseCode: AUTHENTICATIONFAILED\b/i,
    title: 'The mail server refuses the sign-in',
    cause:
      'The token has ended, lacks the permission for IMAP, is made for another service, or does not fit the address; or IMAP is switched off for the mailbox. Exchange does not say which.',
    who: 'mailbox-owner',
    retry: 'sign-in-again',
    steps: [
      'Postroom has already tried once with a fresh token.',
      'Check that the mailbox’s address is its primary address, and the provider’s scopes those of the preset.',
      imapOn,
      'Access without a user: the service principal in Exchange must have the Object ID of the enterprise application, not of the registration.',
      signInAgain,
    ],
    links: ['users', 'permissions'],
  },
  {
    code: 'imap-password-refused',
    pattern: /\bNO LOGIN failed\b|\bLOGIN failed\./,
    title: 'The mail server takes no passwords',
    cause: 'A password was sent. Exchange Online takes none since January 2023; or IMAP is switched off.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [useOauth, imapOn],
    links: ['users'],
  },
  {
    code: 'imap-command-error',
    pattern: /\bBAD Command Error\. ?1[0-2]\b/i,
    title: 'The mail server did not understand a command',
    cause: 'Exchange refused a command. After throttling that is normal; else it is a defect of Postroom.',
    who: 'you',
    retry: 'by-itself',
    steps: ['Wait for the next fetch, which comes by itself.', `If it comes back: ${report}`],
    links: [],
  },
  {
    code: 'imap-closed',
    pattern: /\bBYE (?:Connection closed|Server shutting down|Logging out)\b|\bConnection closed\. 14\b/i,
    title: 'The mail server closed the connection',
    cause: 'The server ended the connection: after silence, for maintenance, or because it has had enough.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
];

/** What servers say when all is well; found only where nothing else is. */
export const imapSuccess: LineEntry = {
  code: 'imap-signed-in',
  pattern: /\bOK AUTHENTICATE completed\b/i,
  title: 'This is no error: the sign-in worked',
  cause: 'The mail server accepted the sign-in. If mail is missing, the reason stands in a later line.',
  who: 'you',
  retry: 'by-itself',
  steps: ['Look for a line with NO, BAD or BYE after this one, and paste that.'],
  links: [],
};
