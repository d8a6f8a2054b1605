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
  ownEntry('imap-unavailable', /\bServer Unavailable\. ?\d{1,3}\b|\b(?:NO|BAD) Server Unavailable\b/i),
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
  ownEntry('imap-refused', /\bThe mail server did not (?:mark as read|move|delete)\b/i),
  ownEntry(
    'imap-folder-missing',
    /\[NONEXISTENT\]|\bserverResponseCode: NONEXISTENT\b|\bmailboxMissing: true\b|(?<=\bNO .{1,120}) doesn['’]t exist\b/,
  ),
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
  ownEntry(
    'imap-token-refused',
    /\bAUTHENTICATE failed\b|\b(?:NO|BAD) \[AUTHENTICATIONFAILED\]|\bserverResponseCode: AUTHENTICATIONFAILED\b/i,
  ),
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

/** Responses on success; they match only when nothing else does. */
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
