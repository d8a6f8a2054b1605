import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { countingProxy } from '../../dev/emulators/mail/counting-proxy.ts';
import { type ExchangeSkin, startExchangeSkin } from '../../dev/emulators/mail/exchange-skin.ts';
import { type Fault, faults, type SkinProtocol } from '../../dev/emulators/mail/exchange-texts.ts';
import { mailServerKindHere, startMailServer } from '../../dev/emulators/mail/mail-server.ts';
import type { Endpoint, MailServer } from '../../dev/emulators/mail/mail-world.ts';
import {
  type MailLab,
  makeMailLab,
  plainMail,
  sales,
  support,
  type TokenWishes,
} from '../harness/stack/mail-lab.ts';
import { Conversation } from '../harness/stack/mail-lines.ts';

const kinds = mailServerKindHere() === 'debian' ? (['debian', 'npm'] as const) : (['npm'] as const);
if (kinds.length === 1) console.warn('SKIPPED: the skin before Dovecot and Postfix, which are not here.');

describe.each(kinds)('the proxy before the mail server of kind %s', (kind) => {
  let lab: MailLab;
  let server: MailServer;

  beforeAll(async () => {
    lab = await makeMailLab(kind);
    server = await startMailServer(lab.options);
  });
  afterAll(async () => {
    await server?.stop();
    lab?.remove();
  });

  async function skin(protocol: SkinProtocol, ...planned: Fault[]): Promise<ExchangeSkin> {
    const started = await startExchangeSkin({ protocol, target: server[protocol], tls: lab.options.tls });
    started.faults.push(...planned);
    onTestFinished(() => started.stop());
    return started;
  }

  async function imap(endpoint: Endpoint, wishes?: TokenWishes): Promise<ImapFlow> {
    const client = new ImapFlow({
      host: endpoint.host,
      port: endpoint.port,
      secure: true,
      tls: { ca: lab.ca },
      auth: { user: support, accessToken: await lab.token(support, wishes) },
      logger: false,
    });
    client.on('error', () => {});
    onTestFinished(() => client.close());
    await client.connect();
    return client;
  }

  async function mailer({ host, port }: Endpoint, wishes?: TokenWishes) {
    const auth = { type: 'OAuth2' as const, user: support, accessToken: await lab.token(support, wishes) };
    const transport = createTransport({ host, port, requireTLS: true, tls: { ca: lab.ca }, auth });
    onTestFinished(() => transport.close());
    return transport;
  }

  const letter = { from: support, to: sales, subject: 'through the skin', text: '.\n.dot' };

  describe('the Exchange skin', () => {
    test('passes email byte for byte and uses Exchange’s responses over IMAP', async () => {
      const front = await skin('imap');
      const raw = plainMail({
        subject: 'a1 OK Logged in',
        text: '* OK ready\r\na1 OK Logged in (0.001 + 0.000 secs).',
      });
      await server.deliver(support, raw);
      const client = await imap(front);
      expect(client.greeting).toContain('The Microsoft Exchange IMAP4 service is ready.');
      await client.mailboxOpen('INBOX');
      const mail = await client.fetchOne('*', { source: true });
      expect(mail === false ? '' : String(mail.source)).toBe(String(raw));
      await client.append('INBOX', raw);
      expect(front.seen).toEqual(expect.arrayContaining(['AUTHENTICATE', 'SELECT', 'FETCH', 'APPEND']));
      const refused = imap(front, { lifetime: -60 });
      await expect(refused).rejects.toMatchObject({
        authenticationFailed: true,
        responseText: 'AUTHENTICATE failed.',
      });
      await expect(refused).rejects.not.toHaveProperty('serverResponseCode');
    });

    test('refuses IMAP for one mailbox that has it switched off, after a sign-in that works', async () => {
      const front = await skin('imap', faults.imapOff(support));
      for (const [mailbox, expected] of [
        [support, 'a1 BAD User is authenticated but not connected.'],
        [sales, expect.stringMatching(/^a1 OK/)],
      ] as const) {
        const talk = new Conversation(front, lab.ca);
        onTestFinished(() => talk.close());
        await talk.line();
        const sasl = lab.xoauth2(mailbox, await lab.token(mailbox));
        expect((await talk.imap(`AUTHENTICATE XOAUTH2 ${sasl}`)).at(-1)).toBe(
          'a1 OK AUTHENTICATE completed.',
        );
        expect((await talk.imap('SELECT INBOX')).at(-1)).toEqual(expected);
      }
    });

    test('uses Exchange’s responses over POP3', async () => {
      const talk = new Conversation(await skin('pop3'), lab.ca);
      onTestFinished(() => talk.close());
      expect(await talk.line()).toBe('+OK The Microsoft Exchange POP3 service is ready. [TABBAEIA]');
      await talk.ask('AUTH XOAUTH2');
      const wrong = lab.xoauth2(support, await lab.token(sales));
      expect(await talk.ask(wrong)).toBe('-ERR Authentication failure: unknown user name or bad password.');
      await talk.ask('AUTH XOAUTH2');
      expect(await talk.ask(lab.xoauth2(support, await lab.token(support)))).toBe(
        '+OK User successfully authenticated.',
      );
      const mail = await talk.pop3('RETR 1');
      expect(mail.lines).toContain('* OK ready');
    });

    test('sends and refuses email with Exchange’s responses over SMTP', async () => {
      const front = await skin('smtp');
      const sent = await (await mailer(front)).sendMail(letter);
      expect(sent.response).toMatch(/^250 2\.0\.0 OK/);
      const expired = (await mailer(front, { lifetime: -60 })).sendMail(letter);
      await expect(expired).rejects.toMatchObject({
        code: 'EAUTH',
        response: expect.stringContaining('535 5.7.3 Authentication unsuccessful ['),
      });
      const disguised = (await mailer(front)).sendMail({ ...letter, from: sales });
      await expect(disguised).rejects.toMatchObject({
        response: expect.stringContaining('5.2.252 SendAsDenied'),
      });
    });

    test('throttles, disconnects, hangs and stays silent on request, each the requested number of times', async () => {
      const front = await skin('imap', faults.notConnected(1));
      await expect(imap(front)).rejects.toMatchObject({
        response: 'User is authenticated but not connected.',
      });

      const client = await imap(front);
      front.faults.push(faults.imapThrottle(60));
      await expect(client.mailboxOpen('INBOX')).rejects.toMatchObject({
        code: 'ETHROTTLE',
        throttleReset: 60,
      });
      front.faults.push(faults.unavailable());
      await expect(client.mailboxOpen('INBOX')).rejects.toMatchObject({
        responseText: 'Server Unavailable. 15',
      });
      await client.mailboxOpen('INBOX');
      expect(front.faults).toEqual([]);

      front.faults.push(faults.silent(/NOOP/));
      const waiting = client.noop().then(
        () => 'answered',
        () => 'closed',
      );
      const time = new Promise((resolve) => setTimeout(resolve, 300, 'still waiting'));
      expect(await Promise.race([waiting, time])).toBe('still waiting');
      client.close();

      const second = await imap(front);
      await second.mailboxOpen('INBOX');
      front.faults.push(faults.imapBye());
      await expect(second.fetchOne('1', { uid: true })).rejects.toMatchObject({ code: 'NoConnection' });
    });

    test('cuts an email off in the middle', async () => {
      const front = await skin('imap');
      await server.deliver(support, plainMail({ subject: 'long', text: 'x'.repeat(200_000) }));
      const client = await imap(front);
      await client.mailboxOpen('INBOX');
      front.faults.push(faults.cutAfter(50_000));
      await expect(client.fetchOne('*', { source: true })).rejects.toMatchObject({ code: 'NoConnection' });
    });

    test('simulates disabled SMTP sign-in, a rate limit and an exhausted quota', async () => {
      const front = await skin('smtp');
      const cases: [Fault, object][] = [
        [
          faults.smtpAuthDisabled(),
          { code: 'EAUTH', responseCode: 535, response: expect.stringContaining('5.7.139') },
        ],
        [faults.smtpRate(), { responseCode: 432 }],
        [faults.smtpQuota(), { code: 'EENVELOPE', responseCode: 550 }],
      ];
      for (const [fault, error] of cases) {
        front.faults.push(fault);
        await expect((await mailer(front)).sendMail(letter)).rejects.toMatchObject(error);
      }
      expect((await (await mailer(front)).sendMail(letter)).accepted).toEqual([sales]);
    });
  });

  describe('the counting proxy', () => {
    test('counts commands by verb, not the text of emails, and can add latency', async () => {
      const proxy = await countingProxy({ target: server.imap, tls: lab.options.tls, delayMs: 40 });
      onTestFinished(() => proxy.stop());
      const client = await imap(proxy);
      await client.mailboxOpen('INBOX');
      proxy.reset();
      await client.append('INBOX', plainMail({ subject: 'no command', text: 'a1 STORE\r\na2 FETCH\r\n' }));
      await client.search({ all: true }, { uid: true });
      const started = performance.now();
      await client.noop();
      expect(performance.now() - started).toBeGreaterThanOrEqual(39);
      for await (const mail of client.fetch('1:*', { uid: true, source: true }, { uid: true }))
        expect(mail.uid).toBeGreaterThan(0);
      const counts = proxy.counts();
      expect(counts).toMatchObject({ APPEND: 1, 'UID SEARCH': 1, 'UID FETCH': 1 });
      expect(counts).not.toHaveProperty('STORE');
      expect(counts).not.toHaveProperty('FETCH');
      expect(proxy.totals()).toMatchObject({ connections: 0, fromServer: expect.any(Number) });
    });
  });
});
