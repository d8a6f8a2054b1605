import { createServer as createPlainServer, type Server } from 'node:net';
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificates } from '../../dev/emulators/certificates.ts';
import { type ExchangeSkin, startExchangeSkin } from '../../dev/emulators/mail/exchange-skin.ts';
import { type Fault, faults, type SkinProtocol } from '../../dev/emulators/mail/exchange-texts.ts';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import type { TestTokens } from '../../shared/connection-test/connect-steps.ts';
import {
  type ConnectionTest,
  explainStep,
  failedStep,
  isWaiting,
} from '../../shared/connection-test/connection-test.ts';
import {
  type ConnectionTestDeps,
  findTestMessage,
  runConnectionTest,
} from '../../shared/connection-test/run-connection-test.ts';
import type { Mailbox, MailLogin } from '../../shared/mailboxes/mailbox.ts';
import { createMailSender } from '../../shared/outbox/send-mail.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { info, plainMail, sales, sam, support } from '../harness/stack/mail-lab.ts';
import { useMailServer } from '../harness/stack/mail-under-test.ts';

/** The intake has taken no email. */
const none = () => Promise.resolve(false);
const account = { providerId: 'p', accountId: 'a' };
const mailboxAt = (
  server: { host: string; port: number },
  connectRequest: Partial<Mailbox> = {},
): Mailbox => ({
  id: 'a'.repeat(26),
  address: support,
  protocol: 'imap',
  host: server.host,
  port: server.port,
  folder: 'INBOX',
  ...account,
  enabled: true,
  intervalMinutes: 1,
  afterFetch: { kind: 'mark-seen' },
  createdAt: '2026-11-24T08:00:00.000Z',
  ...connectRequest,
});
const loginAt = ({ host, port }: { host: string; port: number }): MailLogin => ({ host, port, ...account });

/** Gives these tokens one after the other, the last one for ever. */
function tokensOf(user: string, ...tokens: string[]): TestTokens {
  let asked = 0;
  return {
    get() {
      const token = tokens[Math.min(asked++, tokens.length - 1)] ?? '';
      const expiresAt = '2026-11-24T09:00:00.000Z';
      return Promise.resolve({ kind: 'token', token: new Secret(token), expiresAt, user });
    },
  };
}
function depsWith(accessTokens: TestTokens, seam: Seam = openSeam): ConnectionTestDeps {
  const config = { local: true };
  return {
    seam,
    config,
    accessTokens,
    mailSender: createMailSender({ seam, config, accessTokens }),
    pauseMs: 1,
  };
}

const passed = ({ steps }: ConnectionTest): string[] =>
  steps.filter(({ state }) => state === 'passed').map(({ name }) => name);
const found = ({ steps }: ConnectionTest, name: string): string | undefined =>
  steps.find((step) => step.name === name)?.found;
/** The failing step, and what a person is told of it. */
function failure(tested: ConnectionTest | undefined): { step: string; code: string; narrowed: string } {
  const step = tested && failedStep(tested);
  if (step === undefined) throw new Error(`nothing failed: ${JSON.stringify(tested?.steps)}`);
  return { step: step.name, code: explainStep(step, {}).code, narrowed: step.narrowed ?? '' };
}
async function onlyOne(tests: Promise<ConnectionTest[]>, protocol: string): Promise<ConnectionTest> {
  const one = (await tests).find((tested) => tested.protocol === protocol);
  if (one === undefined) throw new Error(`${protocol} was not tested`);
  return one;
}
async function listening(server: Server): Promise<{ host: string; port: number }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.address();
  return { host: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 0 };
}

const kinds: [string, MailServerKind][] = [
  ['the mail server without installation', 'npm'],
  ['Dovecot and Postfix', 'debian'],
];

describe.each(kinds)('"Test connection" on %s', (_name, kind) => {
  const here = kind === 'npm' || mailServerKindHere() === 'debian';
  if (!here) console.warn('SKIPPED: "Test connection" on Dovecot and Postfix, which are not here.');
  describe.skipIf(!here)('of our own', () => {
    const mail = useMailServer(kind);
    beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), mail.lab().ca]));

    const good = async (user = support): Promise<TestTokens> => tokensOf(user, await mail.lab().token(user));
    const skinned = async (protocol: SkinProtocol, ...planned: Fault[]): Promise<ExchangeSkin> => {
      const target = mail.server()[protocol];
      const skin = await startExchangeSkin({ protocol, target, tls: mail.lab().options.tls });
      skin.faults.push(...planned);
      onTestFinished(() => skin.stop());
      return skin;
    };
    const all = (connectRequest: Partial<Mailbox> = {}): Mailbox =>
      mailboxAt(mail.server().imap, {
        sending: loginAt(mail.server().smtp),
        ...connectRequest,
      });

    /** The same mailbox, read over POP3. */
    const overPop3 = (connectRequest: Partial<Mailbox> = {}): Mailbox =>
      all({ ...mail.server().pop3, protocol: 'pop3', afterFetch: { kind: 'leave' }, ...connectRequest });

    test.each([
      ['imap', ['dns', 'tcp', 'tls', 'token', 'sign-in', 'folder', 'count'], /^\d+ unread, of \d+ emails\.$/],
      ['pop3', ['dns', 'tcp', 'tls', 'token', 'sign-in', 'count'], /read and unread/],
    ] as const)(
      'passes every step of %s and SMTP, counts, and finds the test email',
      async (way, steps, count) => {
        const client = await mail.emptyInbox(support);
        const mailbox = way === 'imap' ? all() : overPop3();
        await mail
          .server()
          .deliverMany(support, [plainMail({ subject: 'one' }), plainMail({ subject: 'two' })]);
        const deps = depsWith(await good());
        const tests = await runConnectionTest(deps, mailbox, { toOneself: true });
        const [reading, smtp] = tests;
        if (reading === undefined || smtp === undefined) throw new Error('two are tested');
        expect(tests.map(failedStep)).toEqual([undefined, undefined]);
        expect(reading.protocol).toBe(way);
        expect(passed(reading)).toEqual(steps);
        expect(passed(smtp)).toEqual(['dns', 'tcp', 'tls', 'token', 'sign-in', 'send']);
        expect(found(reading, 'count')).toMatch(count);
        for (const tested of tests)
          expect(found(tested, 'tls')).toMatch(/^TLSv1\.3\. Certificate for .* issued by .* valid from 20/);
        expect(isWaiting(smtp)).toBe(true);

        const lost = {
          ...smtp,
          expected: { ...smtp.expected, mark: 'postroom-0000000000000000' },
        } as typeof smtp;
        const absent = await findTestMessage({ ...deps, isTaken: none }, mailbox, lost);
        expect(isWaiting(absent), 'another email is not taken for it').toBe(true);
        await mail.received(client, 'Sending test');
        const arrived = await findTestMessage({ ...deps, isTaken: none }, mailbox, smtp);
        expect(isWaiting(arrived)).toBe(false);
        expect(arrived.steps.at(-1)).toMatchObject({ name: 'arrival', state: 'passed' });

        const token = await mail.lab().token(support);
        for (const { transcript } of [...tests, arrived]) {
          const text = transcript.join('\n');
          expect(text).toMatch(/^C: .*\(sign-in\)$/m);
          expect(text).not.toContain(token.slice(0, 40));
          expect(text).not.toMatch(/[A-Za-z0-9+/=]{120}/);
          expect(text).not.toContain('Hello');
        }
      },
    );

    test('accepts 0 unread, and marks nothing', async () => {
      const client = await mail.emptyInbox(sales);
      const tests = runConnectionTest(depsWith(await good(sales)), all({ address: sales }), {
        toOneself: false,
      });
      expect(found(await onlyOne(tests, 'imap'), 'count')).toMatch(
        /^0 unread, of 0 emails\. There is nothing to import right now/,
      );
      await mail.server().deliver(sales, plainMail({ subject: 'unseen', to: sales }));
      await runConnectionTest(depsWith(await good(sales)), all({ address: sales }), { toOneself: false });
      await client.noop();
      expect(await client.search({ seen: false })).toEqual([1]);
    });

    test('opens a shared mailbox and a folder with a custom name', async () => {
      const client = await mail.imapAs(info, sam);
      const name = 'Rückfragen & “Post”';
      await client.mailboxCreate(name);
      const mailbox = all({ address: info, folder: name });
      for (const tested of await runConnectionTest(depsWith(await good(sam)), mailbox, { toOneself: false }))
        expect(failedStep(tested)).toBeUndefined();
    });

    test('uses a fresh token if the first one is refused, as a fetch does', async () => {
      const dead = await mail.lab().token(support, { lifetime: -60 });
      const fresh = await mail.lab().token(support);
      for (const protocol of ['imap', 'pop3', 'smtp'] as const) {
        const skin = await skinned(protocol);
        const mailbox = {
          imap: mailboxAt(skin),
          pop3: mailboxAt(skin, { protocol: 'pop3' }),
          smtp: mailboxAt(mail.server().imap, { sending: loginAt(skin) }),
        }[protocol];
        // The test beside it would take the dead token: each test has tokens of its own.
        const tokens: TestTokens = {
          get: (_account, options) =>
            tokensOf(support, options.rejected === undefined ? dead : fresh).get(account, options),
        };
        const tested = await onlyOne(
          runConnectionTest(depsWith(tokens), mailbox, { toOneself: false }),
          protocol,
        );
        expect(failedStep(tested)).toBeUndefined();
        expect(found(tested, 'sign-in')).toContain('(after a token refresh)');
      }
    });

    describe('stops at the step that fails, with its explanation:', () => {
      const imapCase = async (mailbox: Mailbox, tokens?: TestTokens): Promise<ConnectionTest> =>
        onlyOne(runConnectionTest(depsWith(tokens ?? (await good())), mailbox, { toOneself: false }), 'imap');

      test('a host that does not exist', async () => {
        const tested = await imapCase(mailboxAt({ host: 'no-such-host.invalid', port: 993 }));
        expect(failure(tested)).toMatchObject({ step: 'dns', code: 'network-mail' });
      });

      test('a port where nothing listens', async () => {
        const closed = createPlainServer();
        const server = await listening(closed);
        await new Promise((resolve) => closed.close(resolve));
        expect(failure(await imapCase(mailboxAt(server)))).toMatchObject({
          step: 'tcp',
          code: 'network-mail',
        });
      });

      test('a port that speaks plain text', async () => {
        const { drop } = mail.server();
        expect(failure(await imapCase(mailboxAt(drop)))).toMatchObject({
          step: 'tls',
          code: 'tls-wrong-port',
        });
        const smtp = await onlyOne(
          runConnectionTest(depsWith(await good()), all({ sending: loginAt(drop) }), { toOneself: false }),
          'smtp',
        );
        expect(failure(smtp)).toMatchObject({ step: 'tls', code: 'tls-wrong-port' });
      });

      test('a certificate of an unknown issuer, which is shown, and no token is sent there', async () => {
        const { cert, key } = await makeCertificates();
        let heard = '';
        const server = createTlsServer({ cert, key }, (socket) => {
          socket.on('error', () => {});
          socket.on('data', (chunk: Buffer) => {
            heard += chunk.toString('latin1');
          });
          socket.write('* OK\r\n');
        });
        const tested = await imapCase(mailboxAt(await listening(server)));
        expect(failure(tested)).toMatchObject({ step: 'tls', code: 'tls-certificate' });
        expect(failedStep(tested)?.evidence).toMatch(/Certificate for .* issued by .* valid from/);
        expect(heard).toBe('');
      });

      test('an account that has no token', async () => {
        const tested = await imapCase(all(), {
          get: () =>
            Promise.resolve({
              kind: 'action-required',
              code: 'AADSTS50173',
              message: 'The provided grant has expired due to it being revoked.',
            }),
        });
        expect(failure(tested)).toMatchObject({ step: 'token', code: 'AADSTS50173' });
      });

      test.each([
        ['imap', 'imap-token-refused'],
        ['pop3', 'pop3-token-refused'],
        ['smtp', 'smtp-token-refused'],
      ] as const)(
        'a token that %s refuses twice, in the words of Exchange Online',
        async (protocol, code) => {
          const skin = await skinned(protocol);
          const tokens = tokensOf(support, await mail.lab().token(support, { lifetime: -60 }));
          const mailbox = {
            imap: mailboxAt(skin),
            pop3: mailboxAt(skin, { protocol: 'pop3' }),
            smtp: all({ sending: loginAt(skin) }),
          }[protocol];
          const tests = runConnectionTest(depsWith(tokens), mailbox, { toOneself: false });
          expect(failure(await onlyOne(tests, protocol))).toMatchObject({ step: 'sign-in', code });
        },
      );

      test.each(['imap', 'pop3', 'smtp'] as const)(
        'a server that repeats the token over %s, which nobody sees',
        async (protocol) => {
          const token = await mail.lab().token(support);
          const echo: Fault = {
            kind: 'answer',
            protocol,
            times: 10,
            when: (line) => line.length > 500,
            answer: (line) => {
              const no = { imap: `${line.split(' ')[0]} NO`, pop3: '-ERR', smtp: '535 5.7.3' }[protocol];
              return `${no} I do not like ${token} in ${line.split(' ').at(-1)}`;
            },
          };
          const skin = await skinned(protocol, echo);
          const mailbox = {
            imap: mailboxAt(skin),
            pop3: mailboxAt(skin, { protocol: 'pop3' }),
            smtp: all({ sending: loginAt(skin) }),
          }[protocol];
          const deps = depsWith(tokensOf(support, token));
          const tests = await runConnectionTest(deps, mailbox, { toOneself: false });
          const result = JSON.stringify(tests);
          expect(result).toContain('I do not like');
          for (const secret of [token, mail.lab().xoauth2(support, token)])
            for (const piece of [secret.slice(10, 60), secret.slice(-60, -10)])
              expect(result).not.toContain(piece);
          if (protocol !== 'smtp') return;
          const refused = await deps.mailSender.signIn({
            kind: 'mailbox',
            ...skin,
            user: support,
            account,
          });
          expect(JSON.stringify(refused)).toContain('I do not like');
          expect(JSON.stringify(refused)).not.toContain(token.slice(10, 60));
        },
      );

      test('a server that repeats a token that does not look like one', async () => {
        const echo: Fault = {
          kind: 'answer',
          protocol: 'imap',
          times: 10,
          when: (line) => /AUTHENTICATE/.test(line),
          answer: (line) => `${line.split(' ')[0]} NO not opaque-word today`,
        };
        const tested = await imapCase(
          mailboxAt(await skinned('imap', echo)),
          tokensOf(support, 'opaque-word'),
        );
        expect(failedStep(tested)?.evidence).toContain('NO not [token] today');
        expect(JSON.stringify(tested)).not.toContain('opaque-word');
      });

      test('a token without the permission to send, which its claims show', async () => {
        const refusal: Fault = {
          kind: 'answer',
          protocol: 'smtp',
          times: 2,
          when: (line) => /^AUTH /i.test(line),
          answer: () => '535 5.7.3 Authentication unsuccessful',
        };
        const skin = await skinned('smtp', refusal);
        const tokens = tokensOf(support, await mail.lab().token(support, { scp: 'IMAP.AccessAsUser.All' }));
        const tests = runConnectionTest(depsWith(tokens), all({ sending: loginAt(skin) }), {
          toOneself: false,
        });
        const smtp = await onlyOne(tests, 'smtp');
        expect(found(smtp, 'token')).toContain('Permissions: IMAP.AccessAsUser.All.');
        expect(failure(smtp)).toMatchObject({
          step: 'sign-in',
          code: 'smtp-token-refused',
          narrowed: expect.stringContaining('does not contain SMTP.Send'),
        });
      });

      test('a server that stops responding, at the timeout of the step', async () => {
        const skin = await skinned('imap', faults.silent(/EXAMINE/));
        const deps = { ...depsWith(await good()), stepMs: 5000 };
        const tested = await onlyOne(runConnectionTest(deps, mailboxAt(skin), { toOneself: false }), 'imap');
        expect(failure(tested)).toMatchObject({ step: 'folder', code: 'network-mail' });
        expect(failedStep(tested)?.evidence).toContain('within 5 seconds');
        expect(failedStep(tested)?.ms).toBeGreaterThanOrEqual(4990);
      });

      test('a folder that is missing', async () => {
        const skin = await skinned('imap');
        const tested = await imapCase(mailboxAt(skin, { folder: 'No such folder' }));
        expect(failure(tested)).toMatchObject({ step: 'folder', code: 'imap-folder-missing' });
      });

      test('IMAP disabled for the user’s own mailbox', async () => {
        const skin = await skinned('imap', faults.notConnected(10));
        const { narrowed, ...rest } = failure(await imapCase(mailboxAt(skin)));
        expect(rest).toEqual({ step: 'folder', code: 'imap-no-access' });
        expect(narrowed).toContain('IMAP is turned off for it');
      });

      test('a shared mailbox that the user may not open, while their own opens', async () => {
        // The first sign-in: folder and list; the second: the folder again. The third is sam's own mailbox.
        const skin = await skinned('imap', faults.notConnected(3));
        const tested = await imapCase(mailboxAt(skin, { address: info }), await good(sam));
        expect(failure(tested).narrowed).toContain(`${sam}’s own mailbox opens, but ${info} does not`);
      });

      test('a user whose own mailbox does not open either', async () => {
        const skin = await skinned('imap', faults.notConnected(10));
        const tested = await imapCase(mailboxAt(skin, { address: info }), await good(sam));
        expect(failure(tested).narrowed).toContain('Neither');
      });

      test('a server that was busy for a moment', async () => {
        const skin = await skinned('imap', faults.notConnected(2));
        expect(failure(await imapCase(mailboxAt(skin))).narrowed).toContain('A second attempt');
      });

      test('a server that hangs up with its reason', async () => {
        const skin = await skinned('imap', faults.imapBye());
        expect(failure(await imapCase(mailboxAt(skin)))).toMatchObject({
          step: 'folder',
          code: 'imap-closed',
        });
      });

      test('sending disabled in the tenant', async () => {
        const skin = await skinned('smtp', faults.smtpAuthDisabled());
        const tests = runConnectionTest(depsWith(await good()), all({ sending: loginAt(skin) }), {
          toOneself: true,
        });
        expect(failure(await onlyOne(tests, 'smtp'))).toMatchObject({
          step: 'sign-in',
          code: 'smtp-auth-disabled-tenant',
        });
      });

      test('a mailbox that the account may not send as', async () => {
        const refusal: Fault = {
          kind: 'answer',
          protocol: 'smtp',
          times: 1,
          when: (line) => /^MAIL FROM/i.test(line),
          answer: () => '550 5.7.60 SMTP; Client does not have permissions to send as this sender',
        };
        const skin = await skinned('smtp', refusal);
        const tests = runConnectionTest(depsWith(await good()), all({ sending: loginAt(skin) }), {
          toOneself: true,
        });
        const smtp = await onlyOne(tests, 'smtp');
        expect(failure(smtp)).toMatchObject({ step: 'send', code: 'smtp-send-as-refused' });
        expect(isWaiting(smtp)).toBe(false);
      });

      test('an email that never arrives, abandoned after two minutes and not before', async () => {
        let now = Date.parse('2026-11-24T08:00:00.000Z');
        const deps = depsWith(await good(), { ...openSeam, now: () => now });
        const expected = {
          mark: 'postroom-never',
          sentAt: '2026-11-24T08:00:00.000Z',
          until: '2026-11-24T08:02:00.000Z',
        };
        const steps = [{ name: 'arrival', state: 'waiting', ms: 0, found: '' }] as const;
        const waiting: ConnectionTest = {
          protocol: 'smtp',
          server: 'x',
          startedAt: expected.sentAt,
          steps,
          transcript: [],
          expected,
        };
        now += 119_000;
        expect(isWaiting(await findTestMessage({ ...deps, isTaken: none }, all(), waiting))).toBe(true);
        now += 1_000;
        const given = await findTestMessage({ ...deps, isTaken: none }, all(), waiting);
        expect(failure(given)).toMatchObject({ step: 'arrival', code: 'mail-not-arrived' });
        const blind = await findTestMessage(
          { ...deps, isTaken: none },
          all({ host: 'no-such-host.invalid' }),
          waiting,
        );
        expect(failure(blind), 'where nobody could look').toMatchObject({
          step: 'arrival',
          code: 'network-mail',
        });
      });
    });
  });
});
