/** The credential fields of a form, with expiry dates to the day. */
import { describe, expect, test } from 'vitest';
import {
  type CredentialInput,
  type CredentialRules,
  parseCredential,
  proposedExpiry,
  questionedFrom,
} from '../../shared/providers/credential-form.ts';

const now = Date.parse('2026-11-24T10:00:00.000Z');
const usual: CredentialRules = {
  now,
  rules: { secret: [{ pattern: '^\\S+$', wanted: true, sentence: 'One word, please.' }] },
  kinds: ['secret', 'certificate', 'federated'],
  secretsExpire: true,
  secret: 'needed',
  questionsLateExpiry: true,
};
function parse(fields: Record<string, string>, change: Partial<CredentialRules> = {}) {
  const errors: Record<string, string> = {};
  const input = parseCredential((name) => fields[name] ?? '', { ...usual, ...change }, errors);
  return { input: shown(input), errors };
}
const shown = (input: CredentialInput): unknown =>
  input.kind === 'secret' ? { ...input, value: input.value.expose() } : input;
const typed = { credential: 'secret', secret: 's', expiresOn: '2027-11-24' };

describe('a credential', () => {
  test('that is a secret has its value and expires at the end of its last day', () => {
    expect(parse(typed)).toEqual({
      input: { kind: 'secret', value: 's', expiresOn: '2027-11-24T23:59:59.000Z' },
      errors: {},
    });
  });

  test('that is a secret has no expiry date if secrets do not expire', () => {
    expect(parse({ ...typed, expiresOn: '' }, { secretsExpire: false })).toEqual({
      input: { kind: 'secret', value: 's', expiresOn: undefined },
      errors: {},
    });
  });

  test('that is a certificate has an expiry date', () => {
    expect(parse({ ...typed, credential: 'certificate' })).toEqual({
      input: { kind: 'certificate', expiresOn: '2027-11-24T23:59:59.000Z' },
      errors: {},
    });
    expect(parse({ credential: 'certificate' }).errors).toEqual({
      expiresOn: 'Enter the date on which the certificate expires, for example 2028-11-24.',
    });
  });

  test('that is the managed identity needs nothing', () => {
    expect(parse({ credential: 'federated' })).toEqual({ input: { kind: 'federated' }, errors: {} });
  });

  test.each(['certificate', 'federated'])(
    'that is a %s which the provider does not support is a secret',
    (credential) => {
      expect(parse({ ...typed, credential }, { kinds: ['secret'] }).input).toMatchObject({ kind: 'secret' });
    },
  );

  test('that is missing is required', () => {
    expect(parse({ ...typed, secret: '' }).errors).toEqual({ secret: 'Enter the client secret.' });
  });

  test('that breaks a rule is rejected with the message of the rule', () => {
    expect(parse({ ...typed, secret: 'two words' }).errors).toEqual({ secret: 'One word, please.' });
  });
});

describe('an empty secret', () => {
  test.each([
    ['of a draft', 'optional', 'secret', 'keep'],
    ['of a draft without a choice', 'optional', '', 'keep'],
    ['of an edit', 'keep', '', 'keep'],
    ['of an edit that chooses a new secret', 'keep', 'secret', 'secret'],
    ['of a new provider', 'needed', '', 'secret'],
  ] as const)('%s is: %s, %s → %s', (_what, secret, credential, kind) => {
    const { input, errors } = parse({ credential }, { secret });
    expect(input).toMatchObject({ kind });
    expect(Object.keys(errors)).toEqual(kind === 'keep' ? [] : ['secret', 'expiresOn']);
  });

  test('that is not empty is a new one, also of a draft', () => {
    expect(parse(typed, { secret: 'optional' }).input).toMatchObject({ kind: 'secret', value: 's' });
    expect(parse({ ...typed, credential: '' }, { secret: 'keep' }).input).toMatchObject({ kind: 'secret' });
  });
});

describe('the date of expiry', () => {
  const errorsOf = (expiresOn: string, more: Partial<CredentialRules> = {}, confirmed = ''): string[] =>
    Object.keys(parse({ ...typed, expiresOn, expiryConfirmed: confirmed }, more).errors);

  test.each(['', 'soon', '2027-02-30', '2027-13-01', '12027-01-01', '2027-01-011', '2027-1-1'])(
    '%j is invalid',
    (text) => {
      expect(parse({ ...typed, expiresOn: text }).errors).toEqual({
        expiresOn: 'Enter the date on which the secret expires, for example 2028-11-24.',
      });
    },
  );

  test('may be today and not yesterday', () => {
    expect(errorsOf('2026-11-24')).toEqual([]);
    expect(errorsOf('2026-11-24', { now: Date.parse('2026-11-24T23:59:59.000Z') })).toEqual([]);
    expect(parse({ ...typed, expiresOn: '2026-11-23' }).errors).toEqual({
      expiresOn: 'This date has passed: the secret would not work. Create a new secret and enter its date.',
    });
  });

  test('is within a hundred years, each counted as a leap year', () => {
    const last = new Date(now + 100 * 366 * 86_400_000);
    const lastDay = new Date(last.getTime() - 86_400_000).toISOString().slice(0, 10);
    expect(errorsOf(lastDay, {}, 'on')).toEqual([]);
    expect(parse({ ...typed, expiresOn: last.toISOString().slice(0, 10) }).errors).toEqual({
      expiresOn: 'Enter a date within the next hundred years.',
    });
    const atTheEnd = { now: Date.parse('2026-11-24T23:59:59.000Z') };
    expect(errorsOf(last.toISOString().slice(0, 10), atTheEnd, 'on')).toEqual([]);
  });

  test('is questioned from two days after 24 months, unless it is confirmed or was not entered', () => {
    expect(questionedFrom(now)).toBe('2028-11-26');
    expect(errorsOf('2028-11-25')).toEqual([]);
    expect(errorsOf('2028-11-26')).toEqual(['expiryConfirmed']);
    expect(errorsOf('2028-11-27')).toEqual(['expiryConfirmed']);
    expect(errorsOf('2028-11-26', {}, 'on')).toEqual([]);
    expect(errorsOf('2028-11-26', { questionsLateExpiry: false })).toEqual([]);
  });

  test.each([
    ['2026-11-24T10:00:00Z', '2028-11-24'],
    ['2026-08-31T23:00:00Z', '2028-08-31'],
    ['2026-02-28T00:00:00Z', '2028-02-28'],
    ['2028-02-29T00:00:00Z', '2030-02-28'],
    ['2026-12-31T00:00:00Z', '2028-12-31'],
    ['2026-01-01T00:00:00Z', '2028-01-01'],
  ])('proposed on %s is %s', (at, date) => {
    expect(proposedExpiry(Date.parse(at))).toBe(date);
  });
});
