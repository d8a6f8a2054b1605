/** What may stand in an envelope and in a header of an email that leaves. */
import { describe, expect, test } from 'vitest';
import { envelopeProblem, isEnvelopeAddress, type OutgoingMail } from '../../shared/outbox/outgoing-mail.ts';

const mail = (connectRequest: Partial<OutgoingMail> = {}): OutgoingMail => ({
  from: { address: 'support@contoso.example', name: 'Support' },
  to: ['kim@customer.example'],
  subject: 'Re: hello',
  text: 'Hello',
  messageId: '<1@contoso.example>',
  ...connectRequest,
});

describe('an address', () => {
  test.each([
    'a@b.example',
    "o'neil+tag@mail.b-c.example",
    `${'a'.repeat(64)}@b.example`,
    `a@${'b'.repeat(63)}.example`,
    'jürgen@köln.example',
    'a@1.example',
    // A host name is normalised by whoever looks it up (UTS 46), so it stays the same one.
    'a@ｂ.example',
  ])('may leave: %s', (address) => {
    expect(isEnvelopeAddress(address)).toBe(true);
  });

  test.each([
    ['no domain', 'a'],
    ['a domain of one word', 'a@localhost'],
    ['no local part', '@b.example'],
    ['a local part of 65 characters', `${'a'.repeat(65)}@b.example`],
    ['a label of 64 characters', `a@${'b'.repeat(64)}.example`],
    ['a label that begins with a hyphen', 'a@-b.example'],
    ['a label that ends with one', 'a@b-.example'],
    ['an empty label', 'a@b..example'],
    ['a dot at its end', 'a@b.example.'],
    ['a name', 'Kim <kim@b.example>'],
    ['something before it', ' a@b.example'],
    ['something behind it', 'a@b.example '],
    ['a control character', 'a\u0007@b.example'],
    ['two of them', 'a@b.example,c@d.example'],
    ['quotes', '"a"@b.example'],
    ['a local part that is another one when it is normalised', 'ａdmin@b.example'],
    ['255 characters', `a@${'b.'.repeat(123)}example`],
  ])('may not leave with %s', (_what, address) => {
    expect(isEnvelopeAddress(address)).toBe(false);
  });

  test('has 254 characters at most', () => {
    const long = `a@${'b.'.repeat(122)}examples`;
    expect(long).toHaveLength(254);
    expect(isEnvelopeAddress(long)).toBe(true);
    expect(isEnvelopeAddress(`${long}s`)).toBe(false);
  });

  test('may be written with letters and their marks apart', () => {
    expect(isEnvelopeAddress('ju\u0308rgen@b.example'.normalize('NFD'))).toBe(true);
  });
});

describe('an email', () => {
  test('may leave', () => {
    expect(envelopeProblem(mail())).toBeUndefined();
    expect(envelopeProblem(mail({ from: { address: 'support@contoso.example' } }))).toBeUndefined();
    expect(envelopeProblem(mail({ headers: { 'Auto-Submitted': 'auto-replied', A: '' } }))).toBeUndefined();
    const hundred = Array.from({ length: 100 }, (_, index) => `a${index}@b.example`);
    expect(envelopeProblem(mail({ to: hundred }))).toBeUndefined();
    expect(envelopeProblem(mail({ messageId: `<${'1'.repeat(200)}@${'b'.repeat(200)}>` }))).toBeUndefined();
  });

  test.each<[string, Partial<OutgoingMail>]>([
    ['The sender is not a mail address.', { from: { address: 'support' } }],
    ['There is no recipient.', { to: [] }],
    ['There are more than 100 recipients.', { to: Array.from({ length: 101 }, (_, i) => `a${i}@b.example`) }],
    ['A recipient is not a mail address.', { to: ['a@b.example', 'nobody', 'c@d.example'] }],
    ['The Message-ID is not one.', { messageId: '1@contoso.example' }],
    ['The Message-ID is not one.', { messageId: '<1@contoso.example>x' }],
    ['The Message-ID is not one.', { messageId: 'x<1@contoso.example>' }],
    ['The Message-ID is not one.', { messageId: '<1>' }],
    ['The Message-ID is not one.', { messageId: `<${'1'.repeat(201)}@contoso.example>` }],
    ['A header has a name that is not one.', { headers: { 'X-A': 'a', 'X A': 'b' } }],
    ['A header has a name that is not one.', { headers: { '1A': 'b' } }],
    ['A header has a name that is not one.', { headers: { 'X-A:': 'b' } }],
    ['A header has a name that is not one.', { headers: { ['X'.repeat(77)]: 'b' } }],
    ['A header holds a line break or another control character.', { subject: 'a\r\nb' }],
    ['A header holds a line break or another control character.', { subject: 'a\u0000' }],
    [
      'A header holds a line break or another control character.',
      { from: { address: 'a@b.example', name: 'a\nb' } },
    ],
    ['A header holds a line break or another control character.', { headers: { 'X-A': 'a', 'X-B': 'a\nb' } }],
  ])('may not leave: %s', (sentence, connectRequest) => {
    expect(envelopeProblem(mail(connectRequest))).toBe(sentence);
  });
});
