/** Every way out keeps the same contract, at a real server. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startExchangeSkin } from '../../dev/emulators/mail/exchange-skin.ts';
import { type Fault, faults } from '../../dev/emulators/mail/exchange-texts.ts';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { Endpoint, MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import type { TokenSource } from '../../shared/mailboxes/connect-inbox.ts';
import { openInbox } from '../../shared/mailboxes/open-inbox.ts';
import type { SendingRoute } from '../../shared/outbox/send-mail.ts';
import { otherLimits } from '../../shared/outbox/sending-limits.ts';
import { wayOutOver } from '../../shared/outbox/way-out.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { sendingMailbox } from '../harness/memory/outbox-emails.ts';
import { useGraphMail } from '../harness/stack/graph-mail-lab.ts';
import { info, sales, sam, support } from '../harness/stack/mail-lab.ts';
import { emptied, received, useMailServer } from '../harness/stack/mail-under-test.ts';
import { account, letter, relayAt, senderWith, tokensOf } from './sending.ts';
import { handsOverEmail, handsOverLargeEmail, type WayOutLab } from './way-out-contract.ts';

const open: WayOutLabOpen = (address, protocol) => openInbox(protocol, address, openSeam, { local: true });
type WayOutLabOpen = Awaited<ReturnType<WayOutLab['reading']>>['deps']['openInbox'];

const kinds: [string, MailServerKind][] = [
  ['the mail server without installation', 'npm'],
  ['Postfix', 'debian'],
];

const noToken: TokenSource = {
  get: () => Promise.resolve({ kind: 'action-required', code: 'account-missing', message: 'Sign in again.' }),
};
const overSmtp = (accessTokens: TokenSource, { host, port }: Endpoint) =>
  wayOutOver(senderWith(accessTokens), { kind: 'mailbox', host, port, user: support, account });
const relay: SendingRoute = { kind: 'relay' };

/** The servers take a token for a password, so that a relay can sign in to them. */
const smtpWays = {
  SMTP: {
    way: (token: string, place: Endpoint) => overSmtp(tokensOf(token), place),
    refusedAs: 'smtp-auth-disabled-tenant',
    unequipped: (place: Endpoint) => ({ way: overSmtp(noToken, place), code: 'account-missing' }),
  },
  'the relay': {
    way: (token: string, { host, port }: Endpoint) =>
      wayOutOver(relayAt(`smtp://${encodeURIComponent(support)}:${token}@${host}:${port}`), relay),
    refusedAs: 'relay-refused',
    unequipped: () => ({ way: wayOutOver(senderWith(noToken), relay), code: 'no-relay' }),
  },
};
const places = (['SMTP', 'the relay'] as const).flatMap((way) =>
  kinds.map(([name, kind]) => [way, name, kind] as const),
);

describe.each(places)('%s at %s', (over, _name, kind) => {
  const here = kind === 'npm' || mailServerKindHere() === 'debian';
  if (!here) console.warn('SKIPPED: sending over Postfix, which is not here.');
  describe.skipIf(!here)('hands over an email', () => {
    const mail = useMailServer(kind);
    beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), mail.lab().ca]));

    const lab: WayOutLab = {
      way: async (place = mail.server().smtp) => smtpWays[over].way(await mail.lab().token(support), place),
      unequipped: async () => smtpWays[over].unequipped(mail.server().smtp),
      closed: async () => ({
        way: await skinned(faults.smtpAuthDisabled()),
        code: smtpWays[over].refusedAs,
      }),
      throttled: () => skinned(faults.smtpRate()),
      answerLost: () => skinned(faults.answerLost()),
      emptyInbox: mail.emptyInbox,
      async keepSent(messageId) {
        const client = await mail.imapAs(support);
        await client.append('Sent Items', Buffer.from(`Message-ID: ${messageId}\r\nSubject: x\r\n\r\nx\r\n`));
      },
      reading: async () => ({
        deps: { accessTokens: tokensOf(await mail.lab().token(support)), openInbox: open },
        mailbox: sendingMailbox(mail.server().smtp, mail.server().imap),
      }),
    };
    async function skinned(...planned: Fault[]) {
      const skin = await startExchangeSkin({
        protocol: 'smtp',
        target: mail.server().smtp,
        tls: mail.lab().options.tls,
      });
      skin.faults.push(...planned);
      onTestFinished(() => skin.stop());
      return lab.way(skin);
    }

    handsOverEmail(() => lab);
    handsOverLargeEmail(() => lab);

    test('as refused for good, with the server’s line, if the recipient does not exist', async () => {
      expect(await (await lab.way()).deliver(letter({ to: ['nobody@contoso.example'] }))).toMatchObject({
        kind: 'refused',
        permanent: true,
        isOfWayOut: false,
        why: {
          code: 'smtp-recipient-unknown',
          reason: expect.stringMatching(/^550 5\.1\.1/),
          isVerdict: true,
        },
      });
    });
  });
});

describe('Microsoft Graph', () => {
  const mail = useGraphMail('npm');
  const place = () => ({ host: 'localhost', port: mail.graph().port });
  const tokens = async (upn = support, scp = 'Mail.Send') => tokensOf(await mail.token(upn, { scp }));
  const over = (accessTokens: TokenSource, at = place()) => {
    const route: SendingRoute = { kind: 'mailbox', protocol: 'graph-send', ...at, user: support, account };
    return wayOutOver(senderWith(accessTokens), route);
  };
  const lab: WayOutLab = {
    way: async (at = place()) => over(await tokens(), at),
    unequipped: async () => ({ way: over(noToken), code: 'account-missing' }),
    async closed() {
      return {
        way: over(await tokens(support, 'Mail.Read')),
        code: 'graph-access-denied',
      };
    },
    async throttled() {
      fault({ status: 429, headers: { 'retry-after': '90' } });
      return lab.way();
    },
    async answerLost() {
      fault({ loseAnswer: true });
      return lab.way();
    },
    emptyInbox: (user) => emptied(mail.imapAs(user)),
    async keepSent(messageId) {
      expect(await (await lab.way()).deliver(letter({ messageId }))).toMatchObject({ kind: 'accepted' });
    },
    reading: async () => ({
      deps: { accessTokens: await tokens(support, 'Mail.ReadWrite'), openInbox: open },
      mailbox: { ...sendingMailbox(mail.server().smtp), protocol: 'graph', ...place() },
    }),
  };
  const fault = (what: {
    status?: number;
    body?: unknown;
    headers?: Record<string, string>;
    loseAnswer?: boolean;
  }) => mail.graph().faults.push({ match: { path: '/sendMail$' }, ...what });

  describe('hands over an email', () => handsOverEmail(() => lab));

  test.each([
    ['the mailbox of the account', support, support, 'Mail.Send', '/v1.0/me/sendMail'],
    ['a shared mailbox', sam, info, 'Mail.Send.Shared', `/v1.0/users/${encodeURIComponent(info)}/sendMail`],
  ])('sends from %s, and keeps the copy in its Sent folder', async (_what, owner, from, scp, path) => {
    await mail.empty(from);
    const inbox = await lab.emptyInbox(sales);
    const accessTokens = await tokens(owner, scp);
    const source = { ...accessTokens, get: withOwner(accessTokens, owner) };
    const route: SendingRoute = { kind: 'mailbox', protocol: 'graph-send', ...place(), user: from, account };
    const mine = letter({
      from: { address: from, name: 'Help' },
      subject: `from ${from}`,
      headers: { 'X-Own': '1' },
    });
    expect(await wayOutOver(senderWith(source), route).deliver(mine)).toMatchObject({ kind: 'accepted' });
    expect(mail.graph().requests.at(-1)).toMatchObject({ method: 'POST', path, status: 202 });
    const email = await received(inbox, `from ${from}`);
    expect(email).toContain(`<${from}>`);
    expect(email).toContain('Message-ID: <outbox-1@postroom.example>');
    expect(email, 'Graph drops it, so that nothing may depend on it').not.toContain('X-Own');
    expect(await mail.mailbox(from).emails('Sent Items')).toHaveLength(1);
  });

  test.each<[string, number, string | undefined, object]>([
    [
      'Send As is missing',
      403,
      'ErrorSendAsDenied',
      { permanent: true, isOfWayOut: true, code: 'graph-send-as-denied' },
    ],
    [
      'the mailbox is full',
      507,
      'ErrorQuotaExceeded',
      { permanent: true, isOfWayOut: true, code: 'graph-mailbox-full' },
    ],
    [
      'it sent too much',
      403,
      'ErrorExceededMessageLimit',
      { permanent: false, isOfWayOut: true, code: 'graph-sending-limit' },
    ],
    [
      'the email is too large',
      413,
      undefined,
      { permanent: true, isOfWayOut: false, code: 'graph-too-large' },
    ],
    [
      'a recipient is none',
      400,
      'ErrorInvalidRecipients',
      { permanent: true, isOfWayOut: false, code: 'graph-recipient-invalid' },
    ],
    [
      'of a code that nobody knows',
      400,
      'ErrorUnheardOf',
      { permanent: true, isOfWayOut: false, code: 'graph-send-refused' },
    ],
    [
      'the service is away',
      503,
      'ServiceNotAvailable',
      { permanent: false, isOfWayOut: true, code: 'graph-throttled' },
    ],
  ])('refuses if %s', async (_what, status, code, { code: named, ...expected }: { code?: string }) => {
    fault({ status, ...(code !== undefined && { body: { error: { code, message: 'Words.' } } }) });
    expect(await (await lab.way()).deliver(letter())).toMatchObject({
      kind: 'refused',
      why: { code: named, isVerdict: true },
      ...expected,
    });
  });

  test('is asked to wait as long as it says', async () => {
    fault({ status: 503, headers: { 'retry-after': '300' } });
    const before = Date.now();
    const outcome = await (await lab.way()).deliver(letter());
    const retryAt = outcome.kind === 'refused' ? Date.parse(outcome.retryAt ?? '') : Number.NaN;
    expect(retryAt).toBeGreaterThanOrEqual(before + 300_000);
    expect(retryAt).toBeLessThanOrEqual(Date.now() + 300_000);
  });

  test.each([500, 502, 504])('with status %d leaves open whether it took the email', async (status) => {
    fault({ status });
    expect(await (await lab.way()).deliver(letter())).toMatchObject({
      kind: 'unknown',
      why: { code: 'graph-answer-lost', isVerdict: false },
    });
    expect(mail.graph().faults, 'asked once').toEqual([]);
  });

  test('refreshes a refused token once', async () => {
    const old = await mail.token(support, { scp: 'Mail.Send', lifetime: -10 });
    const source = tokensOf(old, await mail.token(support, { scp: 'Mail.Send' }));
    expect(await over(source).deliver(letter())).toMatchObject({ kind: 'accepted' });
    expect(source.asked).toEqual([{}, { rejected: old }]);
    const ended = tokensOf(old);
    expect(await over(ended).deliver(letter())).toMatchObject({
      kind: 'refused',
      why: { code: 'graph-token-refused' },
      permanent: true,
    });
    expect(ended.asked).toHaveLength(2);
  });
});

/** The same tokens, of this owner. */
const withOwner =
  (source: TokenSource, user: string): TokenSource['get'] =>
  async (ref, use) => {
    const got = await source.get(ref, use);
    return got.kind === 'token' ? { ...got, user } : got;
  };

describe('the relay', () => {
  test('is counted once for all mailboxes, with the limits of an unknown server, and keeps no copies', () => {
    expect(wayOutOver(relayAt('smtp://127.0.0.1:1'), relay)).toMatchObject({
      about: { id: 'relay', name: 'SMTP relay' },
      sender: 'relay',
      limits: otherLimits,
      keepsCopies: false,
    });
  });

  test('that cannot be used is not started, until an operator acts', async () => {
    const way = wayOutOver(relayAt('smtp://user:canary@'), relay);
    const outcome = await way.deliver(letter());
    expect(outcome).toMatchObject({ kind: 'not-started', permanent: true, why: { code: 'bad-relay' } });
    expect(JSON.stringify(outcome)).not.toContain('canary');
  });
});
