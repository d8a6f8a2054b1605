/** Every way out keeps the same contract, at a real server. */
import { setTimeout as pause } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { ImapFlow } from 'imapflow';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startExchangeSkin } from '../../dev/emulators/mail/exchange-skin.ts';
import { type Fault, faults } from '../../dev/emulators/mail/exchange-texts.ts';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { openInbox } from '../../shared/mailboxes/open-inbox.ts';
import type { OutgoingMail } from '../../shared/outbox/outgoing-mail.ts';
import type { SendingRoute } from '../../shared/outbox/send-mail.ts';
import { openSentFolder } from '../../shared/outbox/sent-folder.ts';
import { smtpWayOut, type WayOut } from '../../shared/outbox/way-out.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { sales, sam, support } from '../harness/stack/mail-lab.ts';
import { useMailServer } from '../harness/stack/mail-under-test.ts';
import { sendingMailbox } from './emails.ts';
import { injections } from './injections.ts';
import { account, letter, senderWith, tokensOf } from './sending.ts';

const kinds: [string, MailServerKind][] = [
  ['the mail server without installation', 'npm'],
  ['Postfix', 'debian'],
];

describe.each(kinds)('SMTP at %s', (_name, kind) => {
  const here = kind === 'npm' || mailServerKindHere() === 'debian';
  if (!here) console.warn('SKIPPED: sending over Postfix, which is not here.');
  describe.skipIf(!here)('hands over an email', () => {
    const mail = useMailServer(kind);
    beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), mail.lab().ca]));

    async function way(
      place: { host: string; port: number } = mail.server().smtp,
      token?: string,
    ): Promise<WayOut> {
      const tokens = tokensOf(token ?? (await mail.lab().token(support)));
      const { host, port } = place;
      const route: SendingRoute = { kind: 'mailbox', host, port, user: support, account };
      return smtpWayOut(senderWith(tokens), route);
    }
    async function skinned(...planned: Fault[]): Promise<WayOut> {
      const skin = await startExchangeSkin({
        protocol: 'smtp',
        target: mail.server().smtp,
        tls: mail.lab().options.tls,
      });
      skin.faults.push(...planned);
      onTestFinished(() => skin.stop());
      return way(skin);
    }

    test('as accepted, with text, HTML, attachments, thread and every recipient', async () => {
      const [inSales, inSam, inSupport] = await Promise.all([sales, sam, support].map(mail.emptyInbox));
      const outcome = await (await way()).deliver(
        letter({
          subject: 'a whole email',
          html: '<p>Grüße</p>',
          cc: [sam],
          bcc: [support],
          references: ['<a@customer.example>', '<b@customer.example>'],
          attachments: [
            { filename: 'Übersicht.txt', contentType: 'text/plain', content: Buffer.from('attached\n') },
            { filename: 'x.bin', contentType: 'not a type\r\nX-Evil: 1', content: Buffer.from([0, 255]) },
          ],
        }),
      );
      expect(outcome).toMatchObject({ kind: 'accepted', answer: expect.stringMatching(/^250/), refused: [] });
      for (const inbox of [inSales, inSam, inSupport]) {
        if (inbox === undefined) throw new Error('no inbox');
        const source = await mail.received(inbox, 'a whole email');
        const head = source.slice(0, source.indexOf('\r\n\r\n'));
        expect(head).toMatch(/^To: sales@contoso\.example\r$/m);
        expect(head).toMatch(/^Cc: sam@contoso\.example\r$/m);
        expect(source).not.toMatch(/^(?:Bcc|X-Evil):/im);
        expect(head).toMatch(/^In-Reply-To: <b@customer\.example>/m);
        expect(head).toMatch(/^References: <a@customer\.example>\s+<b@customer\.example>/m);
        expect(source).toContain(Buffer.from('attached\n').toString('base64'));
        expect(source).toContain('Content-Type: text/html');
      }
    });

    test('as refused for good, with the server’s line, if the recipient does not exist', async () => {
      expect(await (await way()).deliver(letter({ to: ['nobody@contoso.example'] }))).toMatchObject({
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

    test('as refused for every email of this sender if SMTP AUTH is off', async () => {
      expect(await (await skinned(faults.smtpAuthDisabled())).deliver(letter())).toMatchObject({
        kind: 'refused',
        permanent: true,
        isOfWayOut: true,
        why: { code: 'smtp-auth-disabled-tenant', isVerdict: true },
      });
    });

    test('as refused for now, for every email of this sender, if it sends too much', async () => {
      const outcome = await (await skinned(faults.smtpRate())).deliver(letter());
      expect(outcome).toMatchObject({ kind: 'refused', permanent: false, isOfWayOut: true });
      expect(outcome).toHaveProperty('retryAt', expect.any(String));
    });

    test('as unknown if the server took it and its answer is lost', async () => {
      const inbox = await mail.emptyInbox(sales);
      const outcome = await (await skinned(faults.answerLost())).deliver(letter({ subject: 'unanswered' }));
      expect(outcome).toMatchObject({
        kind: 'unknown',
        why: { code: 'smtp-answer-lost', isVerdict: false },
      });
      expect(await mail.received(inbox, 'unanswered')).toContain('outbox-1@postroom.example');
    });

    test('as not started if nothing listens, and refused by ourselves if it is no valid email', async () => {
      const closed = await way({ host: '127.0.0.1', port: 1 });
      expect(await closed.deliver(letter())).toMatchObject({
        kind: 'not-started',
        permanent: false,
        why: { code: 'smtp-unreachable', isVerdict: false },
      });
      expect(await (await way()).deliver(letter({ to: [] }))).toMatchObject({
        kind: 'refused',
        permanent: true,
        why: { code: 'bad-envelope', isVerdict: false },
      });
    });

    test('as not started if the account has no token', async () => {
      const route: SendingRoute = { kind: 'mailbox', ...mail.server().smtp, user: support, account };
      const sender = senderWith({
        get: () =>
          Promise.resolve({ kind: 'action-required', code: 'account-missing', message: 'Sign in again.' }),
      });
      expect(await smtpWayOut(sender, route).deliver(letter())).toMatchObject({
        kind: 'not-started',
        permanent: true,
        why: { code: 'account-missing', isVerdict: false },
      });
    });

    test('whose header and envelope no text from outside can change (60 attempts)', async () => {
      const inbox = await mail.emptyInbox(sales);
      const others = await Promise.all([sam, support].map(mail.emptyInbox));
      const reference = letter({ subject: 'plain', references: ['<a@b.example>'], attachments: [file('x')] });
      const out = await way();
      expect(await out.deliver(reference)).toMatchObject({ kind: 'accepted' });
      const names = namesOf(await mail.received(inbox, 'plain'));
      let accepted = 1;
      expect(injections(sam)).toHaveLength(60);
      for (const { where, text } of injections(sam)) {
        const outcome = await out.deliver(poisoned(where, text));
        if (outcome.kind === 'accepted') accepted += 1;
        else
          expect(outcome, `${where}: ${JSON.stringify(text)}`).toMatchObject({
            kind: 'refused',
            why: { code: 'bad-envelope' },
          });
      }
      const received = await arrived(inbox, accepted);
      expect(received, 'what the server accepted arrived for its recipient').toHaveLength(accepted);
      for await (const { source } of inbox.fetch(received, { source: true }))
        expect(namesOf(String(source))).toEqual(names);
      for (const other of others) {
        await other.noop();
        expect(await other.search({ all: true }), 'nobody else got anything').toEqual([]);
      }
    });

    test('that is found in the Sent folder by its Message-ID, if the server keeps copies', async () => {
      const client = await mail.imapAs(support);
      const messageId = '<ticket.sent@contoso.example>';
      await client.append('Sent Items', Buffer.from(`Message-ID: ${messageId}\r\nSubject: x\r\n\r\nx\r\n`));
      const deps = {
        accessTokens: tokensOf(await mail.lab().token(support)),
        openInbox: (...[address, protocol]: Parameters<Parameters<typeof openSentFolder>[0]['openInbox']>) =>
          openInbox(protocol, address, openSeam, { local: true }),
      };
      const mailbox = sendingMailbox(mail.server().smtp, mail.server().imap);
      const folder = await openSentFolder(deps, mailbox);
      expect(await folder.has(messageId)).toBe(true);
      expect(await folder.has('<ticket.other@contoso.example>')).toBe(false);
      await folder.close();
      const away = await openSentFolder(deps, { ...mailbox, port: 1 });
      expect(await away.has(messageId), 'not known while the server is away').toBeUndefined();
    });
  });
});

test('a relay that is away is no verdict', async () => {
  const relay: SendingRoute = { kind: 'relay', url: new Secret('smtp://127.0.0.1:1') };
  const way = smtpWayOut(senderWith(tokensOf()), relay);
  expect(way.account).toBeUndefined();
  expect(await way.deliver(letter())).toMatchObject({ kind: 'not-started', why: { isVerdict: false } });
});

/** The UIDs in a folder, once there are as many. */
async function arrived(inbox: ImapFlow, count: number): Promise<number[]> {
  for (const end = Date.now() + 8_000; ; await pause(50)) {
    await inbox.noop();
    const found = (await inbox.search({ all: true })) || [];
    if (found.length >= count || Date.now() > end) return found;
  }
}

const file = (filename: string) => ({ filename, contentType: 'text/plain', content: Buffer.from('x') });

/** The names of all header fields, at the top and in the parts. */
const namesOf = (source: string): string[] =>
  source
    .replace(/\r\n[\t ]+/g, ' ')
    .split('\r\n')
    .flatMap((line) => /^([A-Za-z][\w-]*):/.exec(line)?.[1]?.toLowerCase() ?? [])
    .filter((name) => !['received', 'return-path', 'delivered-to', 'x-original-to'].includes(name))
    .sort();

function poisoned(where: ReturnType<typeof injections>[number]['where'], text: string): OutgoingMail {
  const usual = { references: ['<a@b.example>'], attachments: [file('x')] };
  switch (where) {
    case 'subject':
      return letter({ ...usual, subject: text });
    case 'name':
      return letter({ ...usual, from: { address: support, name: text } });
    case 'address':
      return letter({ ...usual, to: [text] });
    case 'message-id':
      return letter({ ...usual, messageId: text });
    case 'references':
      return letter({ ...usual, references: [text] });
    case 'file name':
      return letter({ ...usual, attachments: [file(text)] });
  }
}
