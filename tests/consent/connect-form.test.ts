/** "Which mailbox?": what a person may enter, and what it means. */
import { describe, expect, test } from 'vitest';
import { confirmedIn, isMailAddress, parseConnectForm } from '../../shared/consent/connect-form.ts';

const ID = 'a'.repeat(26);
const typed = { address: ' support@contoso.example ', who: 'self' };
const connectRequest = {
  address: 'support@contoso.example',
  signIn: 'support@contoso.example',
  shared: false,
  chooseAccount: false,
  protocols: ['imap', 'smtp'],
  replacement: undefined,
  confirmed: undefined,
};
const parsed = (fields: Readonly<Record<string, string>>) => parseConnectForm({ ...typed, ...fields });

describe('an address', () => {
  test.each([
    'support@contoso.example',
    'a@b.co',
    'first.last+tag@sub-domain.contoso.example',
    "o'neil@contoso.example",
    'jörg@contoso.example',
    'a@b.xn--p1ai',
    'SUPPORT@CONTOSO.EXAMPLE',
    `${'a'.repeat(64)}@contoso.example`,
    `a@${'b'.repeat(63)}.example`,
    `a@b.${'c'.repeat(63)}`,
  ])('%s is valid', (text) => {
    expect(isMailAddress(text)).toBe(true);
  });

  test.each([
    '',
    'support',
    '@contoso.example',
    'support@',
    'support@contoso',
    'sup port@contoso.example',
    'Support <support@contoso.example>',
    '"support"@contoso.example',
    'a@b@contoso.example',
    'a,b@contoso.example',
    'a;b@contoso.example',
    'a@-b.example',
    'a@b-.example',
    'a@b..example',
    'a@.example',
    'a@b.e',
    'a@b_c.example',
    'a@contoso.example.',
    ' a@contoso.example',
    'a@contoso.example ',
    'a@contoso.example\nb',
    `${'a'.repeat(65)}@contoso.example`,
    `a@${'b'.repeat(64)}.example`,
    `a@b.${'c'.repeat(64)}`,
  ])('%j is invalid', (text) => {
    expect(isMailAddress(text)).toBe(false);
  });

  test('has at most 254 characters', () => {
    const long = `a@${`${'b'.repeat(49)}.`.repeat(5)}ee`;
    expect(isMailAddress(long)).toBe(true);
    expect(long).toHaveLength(254);
    expect(isMailAddress(`a${long}`)).toBe(false);
  });
});

describe('a form', () => {
  test('with only an address means that mailbox, in the usual ways, or in those of its provider', () => {
    expect(parsed({})).toEqual({ kind: 'valid', connectRequest });
    expect(parseConnectForm({ address: typed.address })).toEqual({ kind: 'valid', connectRequest });
    expect(parseConnectForm({ address: typed.address }, ['graph'])).toMatchObject({
      connectRequest: { protocols: ['graph'] },
    });
  });

  test('without an address requires one', () => {
    const errors = { address: expect.stringContaining('Enter the address') };
    expect(parseConnectForm({})).toEqual({ kind: 'invalid', errors });
    expect(parsed({ address: 'support' })).toEqual({ kind: 'invalid', errors });
  });

  test('for a shared mailbox says who signs in', () => {
    expect(parsed({ who: 'shared', signIn: ' sam@contoso.example ' })).toEqual({
      kind: 'valid',
      connectRequest: { ...connectRequest, signIn: 'sam@contoso.example', shared: true },
    });
    expect(parsed({ who: 'shared', signIn: 'CONTOSO\\sam' })).toMatchObject({ kind: 'valid' });
    expect(parsed({ who: 'shared', signIn: 's'.repeat(254) })).toMatchObject({ kind: 'valid' });
  });

  test.each([
    {},
    { signIn: '' },
    { signIn: '  ' },
    { signIn: 'sam smith@contoso.example' },
    { signIn: 's'.repeat(255) },
  ])('for a shared mailbox with %j requires the user who signs in', (fields) => {
    expect(parsed({ who: 'shared', ...fields })).toEqual({
      kind: 'invalid',
      errors: { signIn: expect.stringContaining('Enter the user who signs in') },
    });
  });

  test('for a user’s own mailbox ignores other usernames in the hidden field', () => {
    expect(parsed({ signIn: 'sam smith' })).toEqual({ kind: 'valid', connectRequest });
  });

  test('may choose other ways, if it shows them', () => {
    expect(parsed({ imap: 'on' })).toEqual({ kind: 'valid', connectRequest });
    expect(parsed({ ways: 'yes', imap: 'on' })).toMatchObject({
      connectRequest: { protocols: ['imap'] },
    });
    expect(parsed({ ways: 'yes', pop3: 'on', smtp: 'on' })).toMatchObject({
      connectRequest: { protocols: ['pop3', 'smtp'] },
    });
    expect(parsed({ ways: 'yes', graph: 'on', 'graph-send': 'on' })).toMatchObject({
      connectRequest: { protocols: ['graph', 'graph-send'] },
    });
    expect(parsed({ ways: 'yes', imap: 'on', smtp: 'off' })).toMatchObject({
      connectRequest: { protocols: ['imap'] },
    });
  });

  test.each([{}, { smtp: 'on' }])('with the ways %j can read no email', (fields) => {
    expect(parsed({ ways: 'yes', ...fields })).toEqual({
      kind: 'invalid',
      errors: { imap: expect.stringContaining('Choose at least one way to read email') },
    });
  });

  test('reports all errors at once', () => {
    const result = parseConnectForm({ who: 'shared', ways: 'yes' });
    if (result.kind === 'valid') throw new Error('valid');
    expect(Object.keys(result.errors)).toEqual(['address', 'signIn', 'imap']);
  });

  test('may request the account picker', () => {
    expect(parsed({ choose: 'on' })).toMatchObject({ connectRequest: { chooseAccount: true } });
  });

  test('may allow a given account, or any, to be replaced', () => {
    for (const replacement of ['any', 'on'])
      expect(parsed({ replacement })).toMatchObject({ connectRequest: { replacement: { kind: 'any' } } });
    expect(parsed({ replacement: ID })).toMatchObject({
      connectRequest: { replacement: { kind: 'this', accountId: ID } },
    });
    for (const replacement of ['', 'x', `${ID}a`, ` ${ID}`, ID.toUpperCase()])
      expect(parsed({ replacement })).toEqual({ kind: 'valid', connectRequest });
  });

  test('may confirm an account by its ID', () => {
    expect(parsed({ confirmed: ID })).toMatchObject({ connectRequest: { confirmed: ID } });
    for (const confirmed of ['', `${ID}a`, `x${ID}`, ID.slice(1)])
      expect(confirmedIn({ confirmed })).toBeUndefined();
    expect(confirmedIn({})).toBeUndefined();
  });
});
