/** Which refused sign-ins offer Microsoft Graph. */
import { expect, test } from 'vitest';
import { type GraphHint, graphHintFor, graphOffer } from '../../shared/mailboxes/graph-hint.ts';
import type { FetchProtocol } from '../../shared/mailboxes/open-inbox.ts';
import type { ProblemCode } from '../../shared/platform/problem.ts';

test.each<[FetchProtocol, ProblemCode, string | undefined, GraphHint | undefined]>([
  ['imap', 'imap-no-access', 'User is authenticated but not connected.', 'likely'],
  ['imap', 'imap-no-access', undefined, 'likely'],
  ['imap', 'imap-token-refused', 'AUTHENTICATE failed.', 'possible'],
  ['imap', 'imap-token-refused', undefined, 'possible'],
  ['pop3', 'pop3-token-refused', '-ERR Logon failure: unknown user name or bad password.', 'possible'],
  [
    'pop3',
    'pop3-token-refused',
    '-ERR Authentication failure: unknown user name or bad password.',
    'possible',
  ],
  ['imap', 'imap-token-refused', 'Session invalidated - AccessTokenExpired', undefined],
  [
    'imap',
    'imap-unavailable',
    'Request is throttled. Suggested Backoff Time: 120000 milliseconds',
    undefined,
  ],
  ['imap', 'imap-folder-missing', "NO Support doesn't exist.", undefined],
  ['pop3', 'pop3-in-use', '-ERR [IN-USE] maildrop already locked', undefined],
  ['graph', 'graph-no-access', 'ErrorAccessDenied: Access is denied.', undefined],
])('a mailbox over %s that fails with %s, %j: %s', (protocol, code, said, hint) => {
  expect(graphHintFor({ protocol }, { code, said })).toBe(hint);
});

test('the offer says what is off and what to choose', () => {
  const mailbox = { protocol: 'imap', address: 'support@contoso.example' } as const;
  expect(graphOffer(mailbox, 'likely')).toBe(
    'IMAP is probably switched off for support@contoso.example. Microsoft Graph reads the mailbox without it.',
  );
  expect(graphOffer(mailbox, 'possible')).toMatch(/^IMAP may be switched off/);
});
