/** Which values of a token request are secret, and how they are found in the provider's response. */
import { describe, expect, test } from 'vitest';
import { secretsIn, withoutSecrets } from '../../shared/accounts/sent-secrets.ts';
import { readFailure } from '../../shared/accounts/token-failure.ts';
import { Secret } from '../../shared/platform/secret.ts';

describe('secrets of a token request', () => {
  test('are found in its body and in its header', () => {
    const body = new URLSearchParams({ client_id: 'c', client_secret: 's', code: 'k', grant_type: 'g' });
    expect(secretsIn({}, body)).toEqual(['s', 'k']);
    // RFC 6749 section 2.3.1: form-encoded, joined, in base64.
    const basic = Buffer.from('client%3A1:a%2Bb+c').toString('base64');
    expect(secretsIn({ authorization: `Basic ${basic}` }, undefined)).toEqual([basic, 'a+b c']);
    expect(secretsIn({ authorization: `Bearer ${new Secret('x').expose()}` }, undefined)).toEqual([]);
  });

  test('are exactly those that the RFCs name', () => {
    const secret = ['client_secret', 'client_assertion', 'refresh_token', 'code', 'code_verifier'];
    const body = new URLSearchParams({ client_id: 'c', scope: 's', redirect_uri: 'r' });
    for (const name of secret) body.append(name, `the ${name}`);
    body.append('code', 'a second code');
    expect(secretsIn({}, body)).toEqual([
      'the client_secret',
      'the client_assertion',
      'the refresh_token',
      'the code',
      'a second code',
      'the code_verifier',
    ]);
    expect(secretsIn({}, undefined)).toEqual([]);
  });

  test.each([
    ['basic Yzpz', ['Yzpz', 's']],
    ['Basic Yw==', ['Yw==', '']],
    ['x Basic Yzpz', []],
    ['Basic Yzpz x', []],
    ['Basic', []],
  ])('in the header %j are %j', (authorization, secrets) => {
    expect(secretsIn({ authorization }, undefined)).toEqual(secrets);
  });

  test.each(['a+b c&d', 'quo"te\\', "<o'k>", 'ümlaut€'])('are redacted in each form of %j', (secret) => {
    const html = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    const shown = [
      secret,
      encodeURIComponent(secret),
      String(new URLSearchParams({ s: secret })),
      JSON.stringify(secret),
      html.replaceAll('"', '&quot;').replaceAll("'", '&#39;'),
    ].join(' | ');
    expect(withoutSecrets(shown, [secret])).toBe('[secret] | [secret] | s=[secret] | "[secret]" | [secret]');
  });

  test('are redacted before a long message is cut, so that no part of one is left', () => {
    for (let padding = 370; padding <= 400; padding += 1) {
      const text = JSON.stringify({ error: 'e', error_description: `${'x'.repeat(padding)}hunter2pass` });
      const answer = { status: 400, text, retryAfter: undefined };
      expect(readFailure('host', answer, 0, ['hunter2pass']).sentence).not.toContain('h');
    }
  });

  test('do not change other words', () => {
    expect(withoutSecrets('An app of one', ['one', 'a', ''])).toBe('An app of one');
    expect(withoutSecrets('An app of four', ['four'])).toBe('An app of [secret]');
  });

  test('are redacted completely if one is the prefix of another, in either order', () => {
    for (const secrets of [
      ['token', 'token-and-more', 'token-and'],
      ['token-and-more', 'token-and', 'token'],
    ])
      expect(withoutSecrets('token-and-more, token-and, token', secrets)).toBe(
        '[secret], [secret], [secret]',
      );
  });
});
