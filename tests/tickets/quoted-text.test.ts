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
  ])('begins at %j, whatever follows it', (marker) => {
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

  test('is a line that begins with > and the empty lines around it', () => {
    expect(splitQuotedText('Yes.\n\n > a\n\n  > b\n  \n')).toEqual({
      written: 'Yes.',
      quoted: '> a\n\n  > b',
    });
    expect(quotedIn('Yes.', '', '', '')).toBe('');
    expect(quotedIn('Yes.', 'a > b')).toBe('');
    expect(quotedIn('Yes.', 'x', '> b')).toBe('> b');
  });

  test('includes the line that ends with a colon', () => {
    expect(quotedIn('Hi.', 'Yes.', 'On Monday, Ada wrote:', '> b')).toBe('On Monday, Ada wrote:\n> b');
    expect(quotedIn('Hi.', 'Yes.', 'On Monday, Ada wrote: ', '> b')).toBe('On Monday, Ada wrote: \n> b');
    expect(quotedIn('Hi.', 'Yes.', 'On Monday, Ada: wrote', '> b')).toBe('> b');
  });

  test('includes the line above it only if that is on its own', () => {
    expect(quotedIn('Yes.', '', 'On Monday, Ada', 'wrote:', '> b')).toBe('On Monday, Ada\nwrote:\n> b');
    expect(quotedIn('Yes.', '', ' ', 'wrote:', '> b')).toBe('wrote:\n> b');
    expect(quotedIn('Yes.', 'and no.', 'wrote:', '> b')).toBe('wrote:\n> b');
    expect(quotedIn('Yes.', ' ', 'On Monday, Ada', 'wrote:', '> b')).toBe('On Monday, Ada\nwrote:\n> b');
  });

  test('is none if there is no other text', () => {
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

  test('is none if no line at the end begins with >, whatever the line end is', () => {
    expect(quotedIn('Hi.', 'See:', '')).toBe('');
    expect(quotedIn('Hi.', '> a', 'x', 'See:', '')).toBe('');
    expect(splitQuotedText('Hi.\r\nBye.\r\n')).toEqual({ written: 'Hi.\r\nBye.', quoted: '' });
  });

  test('includes no reply directly above the line of a client', () => {
    const line = 'On 5 Mar 2024, at 09:14, Ada <ada@a.example> wrote:';
    expect(quotedIn('Hi.', '', 'Yes.', line, '> b')).toBe(`${line}\n> b`);
    expect(quotedIn('Hi.', '', 'Yes.', line, '', 'b')).toBe(`${line}\n\nb`);
  });

  test('is none if the line that introduces it has no name and no date', () => {
    expect(quotedIn('It breaks.', 'The log says:', '> error 12')).toBe('');
    expect(quotedIn('It breaks.', 'The log of 5.3.2024 09:14 says:', '> error 12')).toBe('');
    expect(quotedIn('Yes.', 'Ada <ada@a.example> 5.3.2024 09:14:', '> b')).toBe(
      'Ada <ada@a.example> 5.3.2024 09:14:\n> b',
    );
  });

  test('is none in a forwarded text, whoever forwarded it', () => {
    const fields = ['From: Ada <ada@a.example>', 'Sent: Monday', 'To: b@b.example', 'Subject: x', '', 'text'];
    expect(splitQuotedText(['FYI', '', ...fields].join('\n'), 'FW: x').quoted).toBe('');
    expect(splitQuotedText(['FYI', '', ...fields].join('\n'), 'RE: FW: x').quoted).toContain('text');
    expect(
      quotedIn('FYI', '', '---------- Forwarded message ----------', 'From: x', '', 'Ada wrote:', '> b'),
    ).toBe('');
  });

  test('is none in a text of more than 5,000 lines', () => {
    const lines = (count: number): string => ['Yes.', ...Array<string>(count - 1).fill('> b')].join('\n');
    expect(splitQuotedText(lines(5_000)).written).toBe('Yes.');
    expect(splitQuotedText(lines(5_001)).quoted).toBe('');
  });

  test('does not fold a line of more than 400 characters', () => {
    expect(quotedIn('Yes.', `${'x'.repeat(400)}:`, '> b')).toBe('> b');
  });
});

describe('a signature', () => {
  const signatureIn = (...lines: string[]): string | undefined => splitQuotedText(lines.join('\n')).signature;

  test('begins at two dashes and a space, and has at most ten lines', () => {
    const ten = Array.from({ length: 10 }, (_, line) => `line ${line}`);
    expect(signatureIn('Yes.', '-- ', ...ten)).toBe(['-- ', ...ten].join('\n').trim());
    expect(signatureIn('Yes.', '-- ', ...ten, 'line 10')).toBeUndefined();
    expect(signatureIn('-- ', 'Ada')).toBeUndefined();
    expect(signatureIn('Yes.', '-- ')).toBeUndefined();
  });

  test('begins at two dashes alone only if no sentence follows', () => {
    expect(signatureIn('Yes.', '--', 'Ada Byron', 'Contoso')).toBe('--\nAda Byron\nContoso');
    expect(signatureIn('Yes.', '--', 'And no.')).toBeUndefined();
    expect(signatureIn('Yes.', '--', 'Or no?', 'Ada')).toBeUndefined();
  });

  test('is the name of a device, and no sentence about one', () => {
    expect(signatureIn('Yes.', '', 'Sent from my iPhone')).toBe('Sent from my iPhone');
    expect(signatureIn('Yes.', '', '-- ', 'Ada', '', 'Sent from my iPhone')).toBe(
      '-- \nAda\n\nSent from my iPhone',
    );
    expect(signatureIn('Yes.', 'Sent from my iPhone, as the other one is broken')).toBeUndefined();
    expect(signatureIn('Yes.', 'Sent mobile phones back')).toBeUndefined();
    expect(signatureIn('Sent from my iPhone')).toBeUndefined();
  });

  test('is separate from the quotation below it', () => {
    expect(splitQuotedText('Yes.\n\n-- \nAda\n\nBob wrote:\n> b')).toEqual({
      written: 'Yes.',
      signature: '-- \nAda',
      quoted: 'Bob wrote:\n> b',
    });
  });

  test('stays visible if a reply follows', () => {
    expect(splitQuotedText('Yes.\n-- \nAda\n> b\nNo.')).toEqual({
      written: 'Yes.\n-- \nAda\n> b\nNo.',
      quoted: '',
    });
  });
});
