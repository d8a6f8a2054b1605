import { expect, test } from 'vitest';
import { matchesSearch, readPop3Header } from '../../shared/mailboxes/pop3-headers.ts';

const head = (...lines: string[]): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);

test.each<[string, string[], string]>([
  [
    'the topmost Received field, folded',
    [
      'Return-Path: <kim@customer.example>',
      'Received: from a (b; c) by mx.contoso.example',
      '\twith ESMTPS; Tue, 24 Nov 2026 10:00:05 +0100 (CET)',
      'Received: from x by a; Mon, 23 Nov 2026 09:00:00 +0000',
      'Date: Sun, 22 Nov 2026 09:00:00 +0000',
    ],
    '2026-11-24T09:00:05.000Z',
  ],
  [
    'the Date field, if no server left its time',
    ['Date: 22 Nov 2026 09:00 -0500'],
    '2026-11-22T14:00:00.000Z',
  ],
  [
    'the Date field, if the server left no readable time',
    ['Received: by x; yesterday', 'Date: Tue, 1 Dec 2026 00:00:00 GMT'],
    '2026-12-01T00:00:00.000Z',
  ],
  ['UTC, if there is no zone', ['Date: 22 Nov 2026 09:00:00'], '2026-11-22T09:00:00.000Z'],
  ['the epoch, and never the present time, if there is none', ['Subject: x'], '1970-01-01T00:00:00.000Z'],
  ['the epoch, if it is no date', ['Date: 99 Nov 2026 09:00:00 +0000'], '1970-01-01T00:00:00.000Z'],
])('the time of receipt is %s', (_what, lines, expected) => {
  expect(readPop3Header(head(...lines)).receivedAt).toBe(expected);
});

test('the Message-ID is read from the header, folded or not, and not from the body', () => {
  expect(readPop3Header(head('MESSAGE-ID:', ' <a@b>')).messageId).toBe('<a@b>');
  expect(readPop3Header(Buffer.from('Subject: x\r\n\r\nMessage-ID: <a@b>\r\n')).messageId).toBe('');
});

test.each<[string, string, string, boolean]>([
  ['a part of the subject', 'Subject: Hello World', 'o wor', true],
  ['a part of the sender', 'From: Kim <kim@customer.example>', 'KIM@', true],
  ['an encoded word, base64', 'Subject: =?utf-8?B?R3LDvMOfZQ==?=', 'grüße', true],
  [
    'an encoded word, quoted, over two words',
    'Subject: =?iso-8859-1?Q?Gr=FC=DFe_?= =?utf-8?q?an_alle?=',
    'grüße an',
    true,
  ],
  ['raw UTF-8', 'Subject: Grüße', 'grüße', true],
  ['an unknown charset as it is', 'Subject: =?x-none?q?abc?=', 'abc', true],
  ['nothing in another field', 'To: kim@customer.example', 'kim', false],
])('a search finds %s', (_what, line, words, expected) => {
  expect(matchesSearch(head(line), { words, messageId: undefined })).toBe(expected);
});
