import type { LineEntry } from './explanation.ts';
import { imapOn, lookAtHealth, nothingToDo, report, useOauth } from './phrases.ts';
import { ownEntry } from './problem-meanings.ts';

/**
 * IMAP errors of Exchange Online and others, the most specific first: one transcript often contains
 * several. States with a code in the mailboxes feature have the same code here.
 */
export const imapEntries: readonly LineEntry[] = [
  ownEntry('imap-no-access', /\bUser is authenticated but not connected\b/i),
  {
    code: 'imap-token-expired',
    pattern: /\bSession invalidated ?- ?AccessTokenExpired\b/i,
    title: 'The access token expired during the connection',
    cause: 'A token is valid for about an hour, and it expired while the connection was open.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  {
    code: 'imap-throttled',
    pattern: /\bRequest is throttled\b|\bETHROTTLE\b/i,
    title: 'Exchange is throttling this mailbox',
    cause: 'The mailbox has reached Exchange’s limit for one user. It recovers within minutes.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, 'If it happens often, look for other programs that read the same mailbox.'],
    links: [],
  },
  {
    code: 'imap-too-many-connections-gmail',
    pattern: /\bToo many simultaneous connections\b/i,
    title: 'Too many connections to Gmail',
    cause: 'Other programs are reading the same Gmail mailbox. Gmail allows 15 connections.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, 'If it continues, close other mail programs that use this mailbox.'],
    links: [],
  },
  {
    code: 'imap-too-many-connections',
    pattern: /\bToo many concurrent connections\b/i,
    title: 'The mailbox has too many connections',
    cause:
      'Other programs are reading the same mailbox. The sign-in itself works, whatever else the server says.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, 'If it continues, close other mail programs that use this mailbox.'],
    links: [],
  },
  ownEntry('imap-unavailable', /\bServer Unavailable\. ?\d{1,3}\b|\b(?:NO|BAD) Server Unavailable\b/i),
  {
    code: 'imap-temporary',
    pattern:
      /\b(?:NO|BAD|BYE) \[(?:UNAVAILABLE|INUSE|LIMIT)\]|\bserverResponseCode: (?:UNAVAILABLE|INUSE|LIMIT)\b/i,
    title: 'The mail server asks to try again later',
    cause:
      'The server’s response code (RFC 5530) says that the problem is temporary, even if the text mentions a failed sign-in.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
  {
    code: 'imap-target-missing',
    pattern: /\bThe mail server did not move\b.{0,200}(?:\[(?:TRYCREATE|NONEXISTENT)\]|doesn['’]t exist)/i,
    title: 'The folder for imported email does not exist',
    cause:
      'Imported email should be moved to a folder that was renamed, deleted or never created. It stays where it is, unread. New email is still imported.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, edit the mailbox and enter the name of an existing folder, or choose “Mark as read”.',
      'Or create the folder in the mailbox.',
    ],
    links: [],
  },
  ownEntry('imap-refused', /\bThe mail server did not (?:mark as read|move|delete)\b/i),
  ownEntry(
    'imap-folder-missing',
    /\[NONEXISTENT\]|\bserverResponseCode: NONEXISTENT\b|\bmailboxMissing: true\b|(?<=\bNO .{1,120}) doesn['’]t exist\b/,
  ),
  {
    code: 'imap-mailbox-full',
    pattern: /\[OVERQUOTA\]|\bserverResponseCode: OVERQUOTA\b/,
    title: 'The mailbox is full',
    cause: 'The mailbox has reached its size limit. It will soon refuse new email, too.',
    who: 'mailbox-owner',
    retry: 'after-fix',
    steps: [
      'Delete or archive old email, and empty Deleted Items.',
      'Or have an Exchange admin give it an archive or a larger license.',
    ],
    links: ['mailboxes'],
  },
  ownEntry(
    'imap-token-refused',
    /\bAUTHENTICATE failed\b|\b(?:NO|BAD) \[AUTHENTICATIONFAILED\]|\bserverResponseCode: AUTHENTICATIONFAILED\b/i,
  ),
  {
    code: 'imap-password-refused',
    pattern: /\bNO LOGIN failed\b|\bLOGIN failed\./,
    title: 'The mail server does not accept passwords',
    cause:
      'A password was sent, which Exchange Online has not accepted since January 2023, or IMAP is turned off.',
    who: 'you',
    retry: 'sign-in-again',
    steps: [useOauth, imapOn],
    links: ['users'],
  },
  {
    code: 'imap-command-error',
    pattern: /\bBAD Command Error\. ?1[0-2]\b/i,
    title: 'The mail server did not understand a command',
    cause:
      'Exchange rejected a command. After throttling, that is normal; otherwise, it is a bug in Postroom.',
    who: 'you',
    retry: 'by-itself',
    steps: ['Wait for the next fetch.', `If it happens again: ${report}`],
    links: [],
  },
  {
    code: 'imap-closed',
    pattern: /\bBYE (?:Connection closed|Server shutting down|Logging out)\b|\bConnection closed\. 14\b/i,
    title: 'The mail server closed the connection',
    cause: 'The server ended the connection: because of inactivity, maintenance, or a limit.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
];

/** Responses on success; they match only when nothing else does. */
export const imapSuccess: LineEntry = {
  code: 'imap-signed-in',
  pattern: /\bOK AUTHENTICATE completed\b/i,
  title: 'This is not an error: the sign-in worked',
  cause: 'The mail server accepted the sign-in. If email is missing, a later line has the reason.',
  who: 'you',
  retry: 'by-itself',
  steps: ['Look for a later line with NO, BAD or BYE, and paste that.'],
  links: [],
};
