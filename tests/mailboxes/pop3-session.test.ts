import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificates } from '../../dev/emulators/certificates.ts';
import { startExchangeSkin } from '../../dev/emulators/mail/exchange-skin.ts';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { connectSocket, type LineSocket } from '../../shared/mailboxes/line-socket.ts';
import { Pop3Session } from '../../shared/mailboxes/pop3-session.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { info, plainMail, sales, sam, support } from '../harness/stack/mail-lab.ts';
import { useMailServer } from '../harness/stack/mail-under-test.ts';

const here = { rules: { local: true }, withinMs: 10_000 };
const all = async (pieces: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const got: Uint8Array[] = [];
  for await (const piece of pieces) got.push(piece);
  return Buffer.concat(got);
};

const kinds: [string, MailServerKind][] = [
  ['the mail server without installation', 'npm'],
  ['Dovecot', 'debian'],
];

describe.each(kinds)('POP3 on %s', (_name, kind) => {
  const available = kind === 'npm' || mailServerKindHere() === 'debian';
  if (!available) console.warn('SKIPPED: POP3 on Dovecot, which is not here.');
  describe.skipIf(!available)('of our own', () => {
    const mail = useMailServer(kind);
    const connected = async (
      heard: string[] = [],
      endpoint: { host: string; port: number } = mail.server().pop3,
      seam: Seam = openSeam,
    ): Promise<Pop3Session> => {
      const listener = (from: string, line: string): void => void heard.push(`${from}: ${line}`);
      const wire = await connectSocket(endpoint, { ...here, listener });
      onTestFinished(() => wire.close());
      const { distrust } = await wire.encrypt({ ca: mail.lab().ca });
      expect(distrust).toBeUndefined();
      return Pop3Session.greeted(wire, seam);
    };
    const signedIn = async (user = sales, upn = user): Promise<Pop3Session> => {
      const session = await connected();
      await session.signIn(user, new Secret(await mail.lab().token(upn)));
      return session;
    };

    test('signs in with a token, counts, lists and fetches byte for byte', async () => {
      await mail.emptyInbox(sales);
      const raws = [
        plainMail({ subject: 'dots', to: sales, text: '.one\r\n..two\r\n.\r\n\r\n...' }),
        plainMail({ subject: 'large', to: sales, text: `${'x'.repeat(70)}\r\n`.repeat(20_000) }),
        plainMail({ subject: 'empty', to: sales, text: '' }),
      ];
      await mail.server().deliverMany(sales, raws);
      const session = await signedIn();
      expect([...(await session.capabilities()).keys()]).toEqual(expect.arrayContaining(['UIDL', 'TOP']));
      const { count, bytes } = await session.stat();
      expect(count).toBe(3);
      expect(bytes).toBe(raws.reduce((sum, raw) => sum + raw.byteLength, 0));
      const mails = await session.mails();
      expect(mails.map(({ number }) => number)).toEqual([1, 2, 3]);
      expect(new Set(mails.map(({ uidl }) => uidl)).size).toBe(3);
      expect([...(await session.sizes()).values()]).toEqual(raws.map((raw) => raw.byteLength));
      for (const [index, raw] of raws.entries()) expect(await all(session.mail(index + 1))).toEqual(raw);
      const head = Buffer.from(await session.top(1, 1)).toString();
      expect(head).toContain('Subject: dots\r\n');
      expect(head.endsWith('\r\n\r\n.one\r\n')).toBe(true);
      await session.quit();
    });

    test('deletes at the end of the session and not before', async () => {
      await mail.emptyInbox(sales);
      await mail.server().deliverMany(sales, [plainMail({ subject: 'one' }), plainMail({ subject: 'two' })]);
      const broken = await signedIn();
      await broken.remove(1);
      broken.close();
      const session = await signedIn();
      const [first, second] = await session.mails();
      expect(first?.number).toBe(1);
      await session.remove(1);
      await session.quit();
      const after = await signedIn();
      expect((await after.mails()).map(({ uidl }) => uidl)).toEqual([second?.uidl]);
      await after.quit();
    });

    test('opens a shared mailbox with the token of a permitted user', async () => {
      const session = await signedIn(info, sam);
      expect((await session.stat()).count).toBe(0);
      await session.quit();
    });

    test('reports a refused token with the response of Exchange Online, without the token', async () => {
      const skin = await startExchangeSkin({
        protocol: 'pop3',
        target: mail.server().pop3,
        tls: mail.lab().options.tls,
      });
      onTestFinished(() => skin.stop());
      const heard: string[] = [];
      const session = await connected(heard, skin);
      const dead = await mail.lab().token(sales, { lifetime: -60 });
      await expect(session.signIn(sales, new Secret(dead))).rejects.toMatchObject({
        failure: 'token-refused',
        said: '-ERR Authentication failure: unknown user name or bad password.',
      });
      expect(heard).toContain('client: (sign-in)');
      expect(heard.join('\n')).not.toContain(mail.lab().xoauth2(sales, dead).slice(0, 60));
    });

    test('continues after a refused command, and makes its calls through the seam under its own names', async () => {
      const points: string[] = [];
      const seam: Seam = {
        ...openSeam,
        call: (point, effect) => {
          points.push(point);
          return effect();
        },
      };
      const session = await connected([], mail.server().pop3, seam);
      await session.signIn(support, new Secret(await mail.lab().token(support)));
      await expect(session.remove(99)).rejects.toMatchObject({ failure: 'refused' });
      expect((await session.stat()).count).toBeGreaterThanOrEqual(0);
      await session.quit();
      expect(points).toEqual(['greeting', 'sign-in', 'delete', 'stat', 'quit'].map((name) => `pop3.${name}`));
    });
  });
});

describe('an untrusted POP3 server', () => {
  async function listening(server: Server): Promise<{ host: string; port: number }> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
    const address = server.address();
    return { host: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 0 };
  }
  /** Sends these chunks, one after each received line (the first at once); closes the connection if one says so. */
  const hangUp = 'hang up';
  async function scripted(pieces: readonly (string | readonly string[])[]): Promise<LineSocket> {
    const serve = (socket: Socket): void => {
      socket.on('error', () => {});
      const rest = [...pieces];
      const send = async (): Promise<void> => {
        const next = rest.shift();
        for (const piece of typeof next === 'string' ? [next] : (next ?? [])) {
          if (piece === hangUp) socket.end();
          else socket.write(piece, 'latin1');
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      void send();
      socket.on('data', () => void send());
    };
    const wire = await connectSocket(await listening(createServer(serve)), here);
    onTestFinished(() => wire.close());
    return wire;
  }
  const greeted = async (...pieces: (string | readonly string[])[]): Promise<Pop3Session> =>
    Pop3Session.greeted(await scripted(['+OK\r\n', ...pieces]), openSeam);

  test('is read correctly however the bytes are split', async () => {
    const body = 'a\r\n..b\r\n...\r\n.\r\n';
    for (let cut = 1; cut < body.length; cut++) {
      const session = await greeted(['+OK\r\n', body.slice(0, cut), body.slice(cut)], '+OK 0 0\r\n');
      expect((await all(session.mail(1))).toString(), `cut at ${cut}`).toBe('a\r\n.b\r\n..\r\n');
      expect(await session.stat()).toEqual({ count: 0, bytes: 0 });
    }
    const bytes = await greeted(['+OK\r\n', ...body], '+OK 0 0\r\n');
    expect((await all(bytes.mail(1))).toString()).toBe('a\r\n.b\r\n..\r\n');
    const empty = await greeted('+OK\r\n.\r\n', '+OK 0 0\r\n');
    expect(await all(empty.mail(1))).toHaveLength(0);
  });

  test('cannot end an email by a line feed alone, which would make its text a response', async () => {
    const session = await greeted('+OK\r\na\n.\n-ERR not an answer\n.\r\nb\r\n.\r\n', '+OK 1 2\r\n');
    expect((await all(session.mail(1))).toString()).toBe('a\n.\n-ERR not an answer\n.\r\nb\r\n');
    expect(await session.stat()).toEqual({ count: 1, bytes: 2 });
  });

  test.each<[string, (string | readonly string[])[], (session: Pop3Session) => Promise<unknown>]>([
    ['speaks another protocol', ['* OK IMAP\r\n'], (session) => session.stat()],
    ['counts in words', ['+OK many emails\r\n'], (session) => session.stat()],
    ['lists what is no list', ['+OK\r\n1\r\n.\r\n'], (session) => session.mails()],
    ['names an email with control characters', ['+OK\r\n1 a\u0001b\r\n.\r\n'], (session) => session.mails()],
    ['sends a line without an end', ['x'.repeat(70_000)], (session) => session.stat()],
    ['hangs up in the middle of an email', [['+OK\r\nabc', hangUp]], (session) => all(session.mail(1))],
    ['hangs up in the middle of a list', [['+OK\r\n1 a\r\n', hangUp]], (session) => session.mails()],
  ])('is an outage if it %s', async (_what, pieces, use) => {
    const session = await greeted(...pieces);
    await expect(use(session)).rejects.toMatchObject({ failure: 'unavailable' });
  });

  test('is an outage if the beginning of an email has no end', async () => {
    const session = await greeted(`+OK\r\n${'Subject: x\r\n'.repeat(200)}`);
    await expect(session.top(1, 0, 1000)).rejects.toMatchObject({ failure: 'unavailable' });
  });

  test.each([
    ['-ERR [IN-USE] maildrop already locked', 'unavailable'],
    ['-ERR [SYS/TEMP] try later', 'unavailable'],
    ['HTTP/1.1 400 Bad Request', 'unavailable'],
    ['-ERR [AUTH] no', 'token-refused'],
    ['-ERR Protocol error. 14', 'token-refused'],
  ])('responds %s, which is `%s`', async (line, failure) => {
    const session = await greeted('+ \r\n', `${line}\r\n`);
    await expect(session.signIn(support, new Secret('t'))).rejects.toMatchObject({ failure, said: line });
  });

  test('cannot inject a second line through an email’s number or a name', async () => {
    const wire = await scripted(['+OK\r\n', '+OK\r\n']);
    expect(() => wire.say('NOOP\r\nDELE 1')).toThrow('one line');
  });

  test('shows its certificate, and receives no data if the issuer is unknown', async () => {
    const { cert, key } = await makeCertificates();
    let heard = '';
    const server = createTlsServer({ cert, key }, (socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        heard += chunk.toString();
      });
      socket.write('+OK\r\n');
    });
    const wire = await connectSocket(await listening(server), here);
    const { distrust, certificate } = await wire.encrypt();
    expect(distrust).toMatch(/^(?:UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)/);
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.parse(certificate.validFrom));
    expect(certificate.names).toContain('localhost');
    expect(() => wire.say('AUTH XOAUTH2')).toThrow('not trusted');
    expect(heard).toBe('');
  });

  test('is not a TLS server if it responds in plain text', async () => {
    const wire = await scripted(['+OK plain text\r\n', '-ERR what?\r\n']);
    await wire.line();
    await expect(wire.encrypt()).rejects.toMatchObject({ fault: 'ERR_SSL_WRONG_VERSION_NUMBER' });
  });

  test('is rejected if it sends more than its greeting before TLS', async () => {
    const wire = await scripted(['+OK\r\n+OK you are signed in\r\n']);
    await wire.line();
    await expect(wire.encrypt()).rejects.toMatchObject({ fault: 'early-data' });
  });
});
