/** Where the quotation at the end of a text begins. */
import { describe, expect, test } from 'vitest';
import { splitQuotedText } from '../../shared/tickets/quoted-text.ts';

const quotedIn = (...lines: string[]): string => splitQuotedText(lines.join('\n')).quoted;

describe('a quotation', () => {
  test.each([
    '-----Original Message-----',
    '--Original Message--',
    '---  original message  ---  ',
    '-----Ursprüngliche Nachricht-----',
    "-----Message d'origine-----",
    '---------- Forwarded message ----------',
  ])('begins at %j, whatever comes behind it', (marker) => {
    expect(splitQuotedText(`Thanks\r\n\r\n${marker}\r\nFrom: x\r\n\r\ntext`)).toEqual({
      written: 'Thanks',
      quoted: `${marker}\nFrom: x\n\ntext`,
    });
  });

  test.each([
    '-Original Message-',
    'x -----Original Message-----',
    '-----Original Message----- x',
    '-----Original Message-----'.padStart(30, ' '),
    'Original Message',
    `${'-'.repeat(200)}Original Message--`,
  ])('does not begin at %j', (line) => {
    expect(quotedIn('Thanks', line, 'more')).toBe('');
  });

  test('is a line that begins with > and what is empty around it', () => {
    expect(splitQuotedText('Yes.\n\n > a\n\n  > b\n  \n')).toEqual({
      written: 'Yes.',
      quoted: '> a\n\n  > b',
    });
    expect(quotedIn('Yes.', '', '', '')).toBe('');
    expect(quotedIn('Yes.', 'a > b')).toBe('');
    expect(quotedIn('Yes.', 'x', '> b')).toBe('> b');
  });

  test('takes along the line that ends with a colon', () => {
    expect(quotedIn('Hi.', 'Yes.', 'On Monday, Ada wrote:', '> b')).toBe('On Monday, Ada wrote:\n> b');
    expect(quotedIn('Hi.', 'Yes.', 'On Monday, Ada wrote: ', '> b')).toBe('On Monday, Ada wrote: \n> b');
    expect(quotedIn('Hi.', 'Yes.', 'On Monday, Ada: wrote', '> b')).toBe('> b');
  });

  test('takes along the line above it only where that one stands alone', () => {
    expect(quotedIn('Yes.', '', 'On Monday, Ada', 'wrote:', '> b')).toBe('On Monday, Ada\nwrote:\n> b');
    expect(quotedIn('Yes.', '', ' ', 'wrote:', '> b')).toBe('wrote:\n> b');
    expect(quotedIn('Yes.', 'and no.', 'wrote:', '> b')).toBe('wrote:\n> b');
    expect(quotedIn('Yes.', ' ', 'On Monday, Ada', 'wrote:', '> b')).toBe('On Monday, Ada\nwrote:\n> b');
  });

  test('is none where nothing else was written', () => {
    for (const whole of [
      '> a',
      '> a\n> b',
      '-----Original Message-----\nx\n> y',
      'Ada wrote:\n> a',
      '\n\n> a',
      '-----Original Message-----\nx',
    ])
      expect(splitQuotedText(`${whole}\n`)).toEqual({ written: whole, quoted: '' });
    expect(splitQuotedText('> a\n> b')).toEqual({ written: '> a\n> b', quoted: '' });
  });

  test('is none where no line at the end begins with >, whatever the line ends', () => {
    expect(quotedIn('Hi.', 'See:', '')).toBe('');
    expect(quotedIn('Hi.', '> a', 'x', 'See:', '')).toBe('');
    expect(splitQuotedText('Hi.\r\nBye.\r\n')).toEqual({ written: 'Hi.\r\nBye.', quoted: '' });
  });

  test('leaves a line of more than 400 characters where it is', () => {
    expect(quotedIn('Yes.', `${'x'.repeat(400)}:`, '> b')).toBe('> b');
  });
});
