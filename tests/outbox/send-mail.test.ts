import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificates } from '../../dev/peers/certificates.ts';
import { type ExchangeSkin, startExchangeSkin } from '../../dev/peers/mail/exchange-skin.ts';
import { type Fault, faults } from '../../dev/peers/mail/exchange-texts.ts';
import { mailServerKindHere } from '../../dev/peers/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/peers/mail/mail-world.ts';
import type { TokenSource } from '../../shared/mailboxes/connect-inbox.ts';
import type { OutgoingMail } from '../../shared/outbox/outgoing-mail.ts';
import { createMailSender, type MailSender, type SendingRoute } from '../../shared/outbox/send-mail.ts';
import { openSmtpSession } from '../../shared/outbox/smtp-session.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { info, sales, sam, support } from '../peers/mail-lab.ts';
import { useMailServer } from '../peers/mail-under-test.ts';

const account = { providerId: 'p', accountId: 'a' };
const letter = (wish: Partial<OutgoingMail> = {}): OutgoingMail => ({
  from: { address: support, name: 'Contoso Ünterstützung' },
  to: [sales],
  subject: 'Grüße from the outbox',
  text: '.a line with a dot\n',
  messageId: '<outbox-1@postroom.example>',
  headers: { 'Auto-Submitted': 'auto-replied' },
  ...wish,
});

interface Asked {
  rejected?: string;
}

/** Gives these tokens one after the other, the last one for ever, and notes what was asked. */
function tokensOf(...tokens: string[]): TokenSource & { asked: Asked[] } {
  const asked: Asked[] = [];
  return {
    asked,
    get(_account, options = {}) {
      asked.push(options);
      const token = tokens[Math.min(asked.length, tokens.length) - 1] ?? '';
      return Promise.resolve({ kind: 'token', token: new Secret(token) });
    },
  };
}

const senderWith = (accessTokens: TokenSource, seam: Seam = openSeam): MailSender =>
  createMailSender({ seam, config: { local: true }, accessTokens });

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const kinds: [string, MailServerKind][] = [
  ['the mail server without installation', 'npm'],
  ['Postfix', 'debian'],
];

describe.each(kinds)('a mail over %s', (_name, kind) => {
  const here = kind === 'npm' || mailServerKindHere() === 'debian';
  if (!here) console.warn('SKIPPED: sending over Postfix, which is not here.');
  describe.skipIf(!here)('of our own', () => {
    const mail = useMailServer(kind);
    beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), mail.lab().ca]));

    const route = (wish: { user?: string; host?: string; port?: number } = {}): SendingRoute => ({
      kind: 'mailbox',
      ...mail.server().smtp,
      user: support,
      account,
      ...wish,
    });
    const skinned = async (...planned: Fault[]): Promise<ExchangeSkin> => {
      const skin = await startExchangeSkin({
        protocol: 'smtp',
        target: mail.server().smtp,
        tls: mail.lab().options.tls,
      });
      skin.faults.push(...planned);
      onTestFinished(() => skin.stop());
      return skin;
    };

    test('is sent with a token, arrives as it was written, and passes the seam', async () => {
      const inbox = await mail.emptyInbox(sales);
      const points: string[] = [];
      const seam: Seam = {
        ...openSeam,
        call: (point, effect) => {
          points.push(point);
          return effect();
        },
      };
      const sender = senderWith(tokensOf(await mail.lab().token(support)), seam);
      const result = await sender.send(route(), letter({ subject: 'from the outbox' }));
      expect(result).toMatchObject({ kind: 'sent', refusedRecipients: [] });
      expect(result.kind === 'sent' && result.answer).toMatch(/^250 /);
      expect(points).toEqual(['smtp.connect', 'smtp.sign-in', 'smtp.send']);
      const source = await mail.received(inbox, 'from the outbox');
      expect(source).toContain('\r\n.a line with a dot\r\n');
      expect(source).toMatch(/^Message-ID: <outbox-1@postroom\.example>/im);
      expect(source).toMatch(/^Auto-Submitted: auto-replied/m);
      expect(source).toMatch(/^From: =\?UTF-8\?.* <support@contoso\.example>/m);
    });

    test('leaves as a shared mailbox with the token of somebody who may', async () => {
      const sender = senderWith(tokensOf(await mail.lab().token(sam)));
      const result = await sender.send(route({ user: info }), letter({ from: { address: info } }));
      expect(result).toMatchObject({ kind: 'sent' });
    });

    test('is sent with a fresh token where the first one is refused, and refused where that is, too', async () => {
      const dead = await mail.lab().token(support, { lifetime: -60 });
      const tokens = tokensOf(dead, await mail.lab().token(support));
      expect(await senderWith(tokens).send(route(), letter())).toMatchObject({ kind: 'sent' });
      expect(tokens.asked).toEqual([{}, { rejected: dead }]);

      const refused = await senderWith(tokensOf(dead)).send(route(), letter());
      expect(refused).toMatchObject({ kind: 'refused', code: 'smtp-token-refused', permanent: true });
      expect(JSON.stringify(refused)).not.toContain(dead.slice(0, 40));
    });

    test('is sent under the name of who signed in where the server wants that for a shared mailbox', async () => {
      const names: string[] = [];
      const wantsUser: Fault = {
        kind: 'answer',
        protocol: 'smtp',
        times: 100,
        when: (line) => {
          const sasl = /^AUTH XOAUTH2 (\S+)/i.exec(line)?.[1];
          if (sasl === undefined) return false;
          const name = /^user=([^\p{Cc}]*)/u.exec(Buffer.from(sasl, 'base64').toString())?.[1] ?? '';
          names.push(name);
          return name !== sam;
        },
        answer: () => '535 5.7.3 Authentication unsuccessful',
      };
      const skin = await skinned(wantsUser);
      const token = new Secret(await mail.lab().token(sam));
      const sender = senderWith({ get: () => Promise.resolve({ kind: 'token', token, user: sam }) });
      expect(await sender.signIn(route({ ...skin, user: info }))).toMatchObject({ kind: 'accepted' });
      expect(names).toEqual([info, info, sam]);
      await sender.signIn(route({ ...skin, user: info }));
      expect(names.slice(3), 'and remembers it').toEqual([sam]);
    });

    test('is refused with the server’s own line where a recipient is unknown, and sent to the others', async () => {
      const sender = senderWith(tokensOf(await mail.lab().token(support)));
      const nobody = 'nobody@contoso.example';
      expect(await sender.send(route(), letter({ to: [nobody] }))).toMatchObject({
        kind: 'refused',
        code: 'smtp-recipient-unknown',
        permanent: true,
        said: expect.stringMatching(/^550 5\.1\.1/),
      });
      expect(await sender.send(route(), letter({ to: [nobody, sales] }))).toMatchObject({
        kind: 'sent',
        refusedRecipients: [{ address: nobody, line: expect.stringMatching(/^550/) }],
      });
    });

    test('is refused where somebody else stands as its sender', async () => {
      const skin = await skinned();
      const sender = senderWith(tokensOf(await mail.lab().token(support)));
      const result = await sender.send(route(skin), letter({ from: { address: sales } }));
      expect(result).toMatchObject({ kind: 'refused', code: 'smtp-send-as-denied', permanent: true });
    });

    test('takes no fresh token where the tenant has switched sending off', async () => {
      const skin = await skinned(faults.smtpAuthDisabled());
      const tokens = tokensOf(await mail.lab().token(support));
      expect(await senderWith(tokens).send(route(skin), letter())).toMatchObject({
        kind: 'refused',
        code: 'smtp-auth-disabled-tenant',
        permanent: true,
        retryAt: undefined,
      });
      expect(tokens.asked).toHaveLength(1);
    });

    test('is told when to be tried again where too many connections send', async () => {
      const skin = await skinned(faults.smtpRate());
      const now = Date.parse('2026-11-24T08:00:00.000Z');
      const sender = senderWith(tokensOf(await mail.lab().token(support)), { ...openSeam, now: () => now });
      expect(await sender.send(route(skin), letter())).toMatchObject({
        kind: 'refused',
        code: 'smtp-concurrent-connections',
        permanent: false,
        retryAt: '2026-11-24T08:01:00.000Z',
      });
    });

    test('only signs in where that alone is asked', async () => {
      const inbox = await mail.emptyInbox(sales);
      const good = senderWith(tokensOf(await mail.lab().token(support)));
      expect(await good.signIn(route())).toMatchObject({
        kind: 'accepted',
        answer: expect.stringMatching(/^235/),
      });
      const bad = senderWith(tokensOf('not-a-token'));
      expect(await bad.signIn(route())).toMatchObject({ kind: 'refused', code: 'smtp-token-refused' });
      await inbox.noop();
      expect(await inbox.search({ all: true })).toEqual([]);
    });

    test('leaves over a relay on this machine, without a sign-in', async () => {
      const inbox = await mail.emptyInbox(sales);
      const { host, port } = mail.server().drop;
      const relay: SendingRoute = { kind: 'relay', url: new Secret(`smtp://${host}:${port}`) };
      const sender = senderWith(tokensOf());
      expect(await sender.send(relay, letter({ subject: 'over the relay' }))).toMatchObject({ kind: 'sent' });
      expect(await mail.received(inbox, 'over the relay')).toContain('Auto-Submitted');
    });

    test('never gives a password to a server without TLS', async () => {
      const { host, port } = mail.server().drop;
      const url = new Secret(`smtp://relay:canary-password@${host}:${port}`);
      const sending = senderWith(tokensOf()).send({ kind: 'relay', url }, letter());
      await expect(sending).rejects.toMatchObject({ code: 'smtp-tls' });
    });
  });
});

describe('a mail that cannot leave', () => {
  const route = (port: number, host = '127.0.0.1'): SendingRoute => ({
    kind: 'mailbox',
    host,
    port,
    user: support,
    account,
  });

  test.each<[string, Partial<OutgoingMail>]>([
    ['no recipient', { to: [] }],
    ['a recipient that holds a command', { to: ['a@b.example>\r\nRCPT TO:<c@d.example'] }],
    ['a recipient with a name', { to: ['Kim <kim@customer.example>'] }],
    ['101 recipients', { to: Array.from({ length: 101 }, (_, index) => `a${index}@b.example`) }],
    ['a sender that is none', { from: { address: 'support' } }],
    ['a subject of two lines', { subject: 'a\r\nBcc: c@d.example' }],
    ['a name of two lines', { from: { address: support, name: 'a\nb' } }],
    ['a header of two lines', { headers: { 'X-A': 'a\r\nBcc: c@d.example' } }],
    ['a header whose name holds another', { headers: { 'X-A: b\r\nBcc': 'c@d.example' } }],
    ['a Message-ID that is none', { messageId: 'outbox-1' }],
  ])('is refused before anything is asked: %s', async (_what, wish) => {
    const tokens = tokensOf('t');
    expect(await senderWith(tokens).send(route(1), letter(wish))).toMatchObject({
      kind: 'refused',
      asked: false,
      code: 'bad-envelope',
      permanent: true,
    });
    expect(tokens.asked).toEqual([]);
  });

  test('says what the account says where there is no token', async () => {
    const accessTokens: TokenSource = {
      get: () =>
        Promise.resolve({
          kind: 'retrying',
          code: 'busy',
          message: 'Busy.',
          retryAt: '2026-11-24T09:00:00Z',
        }),
    };
    expect(await senderWith(accessTokens).send(route(1), letter())).toEqual({
      kind: 'refused',
      asked: false,
      code: 'busy',
      said: 'Busy.',
      permanent: false,
      retryAt: '2026-11-24T09:00:00Z',
    });
  });

  test('is an outage where nobody listens', async () => {
    const closed = createServer();
    const port = await listening(closed);
    await new Promise((resolve) => closed.close(resolve));
    await expect(senderWith(tokensOf('t')).send(route(port), letter())).rejects.toMatchObject({
      code: 'smtp-unreachable',
    });
  });

  test('is an outage where the certificate is nobody’s we know', async () => {
    const { cert, key } = makeCertificates();
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
    ['may have left where the server hangs up after it was handed over', /\r\n\.\r\n$/, 'smtp-answer-lost'],
    ['has not left where the server hangs up at the recipient', /RCPT TO/, 'smtp-unreachable'],
    ['has not left where the server hangs up at once', /EHLO/, 'smtp-unreachable'],
  ])('%s', async (_what, until, code) => {
    const url = new Secret(`smtp://127.0.0.1:${await hangsUp(polite, until)}`);
    const sending = senderWith(tokensOf()).send({ kind: 'relay', url }, letter());
    await expect(sending).rejects.toMatchObject({ code });
  });

  test('goes to no private address, whatever its name', async () => {
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
      const sender = createMailSender({ seam: openSeam, config: { local: false }, accessTokens: tokensOf() });
      const sending = sender.send({ kind: 'relay', url: new Secret(address) }, letter());
      await expect(sending).rejects.toMatchObject({ code: 'bad-relay' });
    },
  );
});
