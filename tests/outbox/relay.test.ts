import { describe, expect, test } from 'vitest';
import { isRelayMistake, relayOf } from '../../shared/outbox/relay.ts';
import { Secret } from '../../shared/platform/secret.ts';

const read = (address: string, local = false): unknown => {
  const { server, signIn } = relayOf(new Secret(address), { local });
  return {
    ...server,
    signIn: signIn?.kind === 'password' ? [signIn.user, signIn.password.expose()] : signIn,
  };
};

describe('the address of a relay', () => {
  test.each([
    ['smtp://relay.example.org', { port: 587, implicitTls: false, signIn: undefined }],
    ['smtp://relay.example.org:2525', { port: 2525, implicitTls: false, signIn: undefined }],
    ['smtps://relay.example.org', { port: 465, implicitTls: true, signIn: undefined }],
    ['smtps://ada:pw@relay.example.org:4650', { port: 4650, implicitTls: true, signIn: ['ada', 'pw'] }],
    ['smtp://a%40b:p%25%3A@relay.example.org', { port: 587, implicitTls: false, signIn: ['a@b', 'p%:'] }],
    ['smtp://ada@relay.example.org', { port: 587, implicitTls: false, signIn: ['ada', ''] }],
  ])('%s', (address, expected) => {
    expect(read(address)).toEqual({ host: 'relay.example.org', plainAllowed: false, ...expected });
  });

  test('may be without TLS only on this machine, and never with a password', () => {
    expect(read('smtp://127.0.0.1:25', true)).toMatchObject({ plainAllowed: true });
    expect(read('smtp://a:b@127.0.0.1:25', true)).toMatchObject({ plainAllowed: false });
    expect(() => read('smtp://127.0.0.1:25')).toThrow(/The host of the relay: /);
  });

  test.each(['', 'relay.example.org', 'https://a:secret@relay.example.org', 'smtp:', 'smtp://'])(
    'that is %j is refused with what to write',
    (address) => {
      expect(() => read(address)).toThrow(expect.objectContaining({ code: 'bad-relay' }));
      expect(() => read(address)).toThrow(/must be smtp:\/\/user:password@host:587/);
    },
  );

  test('with an invalid percent sign is rejected without showing the password', () => {
    for (const address of ['smtp://a:100%@relay.example.org', 'smtp://100%:a@relay.example.org'])
      expect(() => read(address)).toThrow(
        'A % in the name or the password of the relay must be written as %25.',
      );
  });
});

test.each([
  ['no-relay', true],
  ['bad-relay', true],
  ['relay-refused', true],
  ['smtp-unreachable', false],
  ['key-vault', false],
])('%s is for the operator to correct: %s', (code, isMistake) => {
  expect(isRelayMistake(code)).toBe(isMistake);
});
