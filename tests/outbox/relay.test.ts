/** The address of a relay, and what is noted about a mail that was sent. */
import { describe, expect, test } from 'vitest';
import { sendActivity } from '../../shared/outbox/note-sends.ts';
import { relayOf } from '../../shared/outbox/relay.ts';
import type { SendingRoute } from '../../shared/outbox/send-mail.ts';
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

  test('may be without TLS on this machine alone, and never with a password', () => {
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

  test('with a lone percent sign is refused without showing the password', () => {
    for (const address of ['smtp://a:100%@relay.example.org', 'smtp://100%:a@relay.example.org'])
      expect(() => read(address)).toThrow(
        'A % in the name or the password of the relay must be written as %25.',
      );
  });
});

describe('the activity of a sent mail', () => {
  const NOW = Date.parse('2026-11-24T10:00:00.000Z');
  const refusedOne = { address: 'nobody@customer.example', line: '550 No.' };
  const mailbox: SendingRoute = {
    kind: 'mailbox',
    host: 'smtp.example.org',
    port: 587,
    user: 'support@contoso.example',
    account: { providerId: 'p', accountId: 'a' },
  };
  const note = (result: Parameters<typeof sendActivity>[1], route: SendingRoute = mailbox) =>
    sendActivity(route, result, NOW, 250);

  test('says who sent, when, and how long it took', () => {
    expect(note({ kind: 'sent', answer: '250 ok', refusedRecipients: [] })).toEqual({
      kind: 'send',
      at: '2026-11-24T10:00:00.000Z',
      aboutId: 'a',
      about: 'support@contoso.example',
      ms: 250,
      result: 'done',
      what: 'A mail left.',
    });
    const relay = { kind: 'relay', url: new Secret('smtp://relay.example.org') } as const;
    expect(note(undefined, relay)).toMatchObject({ aboutId: 'relay', about: 'The relay' });
  });

  test('says how it ended', () => {
    const refused = { kind: 'refused', said: '550 No.', code: 'x', retryAt: undefined, asked: true } as const;
    expect(note(undefined)).toMatchObject({ result: 'trying-again' });
    expect(note({ ...refused, permanent: true })).toMatchObject({
      result: 'needs-person',
      what: 'The mail was refused: 550 No.',
    });
    expect(note({ ...refused, permanent: false })).toMatchObject({ result: 'trying-again' });
    expect(
      note({ kind: 'sent', answer: '250 ok', refusedRecipients: [refusedOne, refusedOne] }),
    ).toMatchObject({
      result: 'done',
      what: 'A mail left; 2 of its recipients were refused.',
    });
  });
});
