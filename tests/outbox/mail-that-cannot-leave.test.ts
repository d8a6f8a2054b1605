/** What keeps an email from leaving, and what of it may be tried again. */
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { makeCertificates } from '../../dev/emulators/certificates.ts';
import type { TokenSource } from '../../shared/mailboxes/connect-inbox.ts';
import type { OutgoingMail } from '../../shared/outbox/outgoing-mail.ts';
import { createMailSender, type SendingRoute } from '../../shared/outbox/send-mail.ts';
import { openSmtpSession } from '../../shared/outbox/smtp-session.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { support } from '../harness/stack/mail-lab.ts';
import { account, letter, listening, relayAt, senderWith, tokensOf } from './sending.ts';

describe('an email that cannot be sent', () => {
  const route = (port: number, host = '127.0.0.1'): SendingRoute => ({
    kind: 'mailbox',
    host,
    port,
    user: support,
    account,
  });

  test.each<[string, Partial<OutgoingMail>]>([
    ['no recipient', { to: [] }],
    ['a recipient that contains a command', { to: ['a@b.example>\r\nRCPT TO:<c@d.example'] }],
    ['a recipient in full-width letters', { to: ['ａｄｍｉｎ@customer.example'] }],
    ['a recipient with a full-width at sign', { to: ['a＠b.example@customer.example'] }],
    ['a recipient with a name', { to: ['Kim <kim@customer.example>'] }],
    ['101 recipients', { to: Array.from({ length: 101 }, (_, index) => `a${index}@b.example`) }],
    ['a sender that is none', { from: { address: 'support' } }],
    ['a subject of two lines', { subject: 'a\r\nBcc: c@d.example' }],
    ['a name of two lines', { from: { address: support, name: 'a\nb' } }],
    ['a header of two lines', { headers: { 'X-A': 'a\r\nBcc: c@d.example' } }],
    ['a header whose name contains another', { headers: { 'X-A: b\r\nBcc': 'c@d.example' } }],
    ['a Message-ID that is none', { messageId: 'outbox-1' }],
  ])('is refused before any request: %s', async (_what, connectRequest) => {
    const tokens = tokensOf('t');
    expect(await senderWith(tokens).send(route(1), letter(connectRequest))).toMatchObject({
      kind: 'refused',
      asked: false,
      code: 'bad-envelope',
      permanent: true,
    });
    expect(tokens.asked).toEqual([]);
  });

  test('has the problem of the account if there is no token', async () => {
    const accessTokens: TokenSource = {
      get: () =>
        Promise.resolve({
          kind: 'retrying',
          code: 'refresh-busy',
          message: 'Busy.',
          retryAt: '2026-11-24T09:00:00Z',
        }),
    };
    expect(await senderWith(accessTokens).send(route(1), letter())).toEqual({
      kind: 'refused',
      asked: false,
      code: 'refresh-busy',
      reason: 'Busy.',
      permanent: false,
      retryAt: '2026-11-24T09:00:00Z',
    });
  });

  test('is an outage if nothing listens', async () => {
    const closed = createServer();
    const port = await listening(closed);
    await new Promise((resolve) => closed.close(resolve));
    await expect(senderWith(tokensOf('t')).send(route(port), letter())).rejects.toMatchObject({
      code: 'smtp-unreachable',
    });
  });

  test('is an outage if the certificate has an unknown issuer', async () => {
    const { cert, key } = await makeCertificates();
    const port = await listening(createTlsServer({ cert, key }, (socket) => socket.write('220 hello\r\n')));
    const server = { host: '127.0.0.1', port, implicitTls: true };
    const session = openSmtpSession(server, { seam: openSeam, local: true });
    await expect(session).rejects.toMatchObject({ code: 'smtp-tls' });
  });

  /** Answers each line of the client with the next of these; after the last one it hangs up at `until`. */
  function hangsUp(lines: readonly string[], until: RegExp): Promise<number> {
    return listening(
      createServer((socket) => {
        socket.on('error', () => {});
        const answers = [...lines];
        let heard = '';
        socket.write(answers.shift() ?? '');
        socket.on('data', (chunk: Buffer) => {
          heard += chunk.toString('latin1');
          if (until.test(heard)) socket.destroy();
          else if (heard.endsWith('\r\n')) socket.write(answers.shift() ?? '');
        });
      }),
    );
  }
  const polite = ['220 x\r\n', '250 x\r\n', '250 ok\r\n', '250 ok\r\n', '354 go on\r\n'];

  test.each([
    ['may have been sent if the server disconnects after the message', /\r\n\.\r\n$/, 'smtp-answer-lost'],
    ['was not sent if the server disconnects at the recipient', /RCPT TO/, 'smtp-unreachable'],
    ['was not sent if the server disconnects at once', /EHLO/, 'smtp-unreachable'],
  ])('%s', async (_what, until, code) => {
    const sender = relayAt(`smtp://127.0.0.1:${await hangsUp(polite, until)}`);
    const sending = sender.send({ kind: 'relay' }, letter());
    await expect(sending).rejects.toMatchObject({ code });
  });

  test('names domains in ASCII, which every server knows, unless the address needs SMTPUTF8 anyway', async () => {
    const said: string[] = [];
    const port = await listening(
      createServer((socket) => {
        socket.write('220 x\r\n');
        socket.on('data', (chunk) => {
          said.push(
            ...String(chunk)
              .split('\r\n')
              .filter((line) => /^(?:MAIL|RCPT)/.test(line)),
          );
          socket.write(/^RCPT/.test(String(chunk)) ? '550 5.1.1 no\r\n' : '250 x\r\n');
        });
      }),
    );
    const to = ['kim@müller.example', 'jörg@müller.example', 'a@b.example'];
    const sent = await relayAt(`smtp://127.0.0.1:${port}`).send({ kind: 'relay' }, letter({ to }));
    expect(sent.kind).toBe('refused');
    expect(said.slice(1)).toEqual([
      'RCPT TO:<kim@xn--mller-kva.example>',
      'RCPT TO:<jörg@müller.example>',
      'RCPT TO:<a@b.example>',
    ]);
  });

  test('is sent to no private address, whatever its name', async () => {
    const sender = createMailSender({
      seam: openSeam,
      config: { local: false },
      accessTokens: tokensOf('t'),
    });
    for (const host of ['localhost', '127.0.0.1', '::1'])
      await expect(sender.send(route(587, host), letter())).rejects.toMatchObject({
        code: 'endpoint-refused',
      });
  });

  test.each(['http://relay.example', 'relay.example:587', 'smtp://', 'smtp://10.0.0.1:25'])(
    'takes no relay that is none: %s',
    async (address) => {
      const sending = relayAt(address, { local: false }).send({ kind: 'relay' }, letter());
      await expect(sending).rejects.toMatchObject({ code: 'bad-relay' });
    },
  );
});
