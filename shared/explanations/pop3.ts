import type { LineEntry } from './explanation.ts';
import { nothingToDo, popOn, report, useOauth } from './phrases.ts';
import { ownEntry } from './problem-meanings.ts';

/** POP3 errors of Exchange Online and others. */
export const pop3Entries: readonly LineEntry[] = [
  ownEntry('pop3-token-refused', /\bAuthentication failure: unknown user name or bad password\b/i),
  {
    code: 'pop3-logon-failure',
    pattern: /\bLogon failure: unknown user name or bad password\b/i,
    title: 'The mail server refuses the password, or is accessed too often',
    cause:
      'Exchange Online no longer accepts passwords. It sends the same message when a mailbox is read too often; in that case, it is temporary.',
    who: 'you',
    retry: 'by-itself',
    steps: [useOauth, 'If it already uses one, no action is needed: Postroom retries automatically.', popOn],
    links: ['users'],
  },
  {
    code: 'pop3-wrong-state',
    pattern: /-ERR Command is not valid in this state\b/i,
    title: 'The command was sent at the wrong time',
    cause:
      'The connection is not encrypted (port 110), or the sign-in was sent in one line, but Exchange expects two.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, open the mailbox and set the port to 995.', `If it is already 995: ${report}`],
    links: [],
  },
  ownEntry('pop3-in-use', /-ERR \[IN-USE\]|\bmaildrop already locked\b/i),
  ownEntry('pop3-login-delay', /-ERR \[LOGIN-DELAY\]/i),
  ownEntry('pop3-no-access', /-ERR \[SYS\/PERM\]/i),
  {
    code: 'pop3-closed',
    pattern: /-ERR (?:Protocol error|Connection is closed)\. ?\d{0,4}/i,
    title: 'The mail server closed the connection',
    cause: 'The server is throttling the mailbox, is under maintenance, or has detected a second reader.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: ['service-health'],
  },
];

/** Responses on success; they match only when nothing else does. */
export const pop3Success: LineEntry = {
  code: 'pop3-signed-in',
  pattern: /\+OK User successfully authenticated\b/i,
  title: 'This is not an error: the sign-in worked',
  cause: 'The mail server accepted the sign-in. If email is missing, a later line has the reason.',
  who: 'you',
  retry: 'by-itself',
  steps: ['Look for a later line that begins with -ERR, and paste that.'],
  links: [],
};
