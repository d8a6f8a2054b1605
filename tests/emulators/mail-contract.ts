import type { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startMailServer } from '../../dev/emulators/mail/mail-server.ts';
import { exchangeCapabilities, type MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import {
  info,
  makeMailLab,
  plainMail,
  sales,
  sam,
  support,
  type TokenWishes,
} from '../harness/stack/mail-lab.ts';
import { useMailServer } from '../harness/stack/mail-under-test.ts';
import { describeImap } from './mail-contract-imap.ts';

/** What every mail server of the demo must do, whichever programs it consists of. */
export function describeMailServer(kind: MailServerKind): void {
  const running = useMailServer(kind);
  const { lab, server, restart, imapAs, emptyInbox, conversation, pop3As, mailerAs, received } = running;

  describe('sign-in', () => {
    test('opens the user’s own mailbox with a token of 2.5 kB and a shared one with a delegate’s token', async () => {
      expect((await lab().token(support)).length).toBeGreaterThan(2400);
      for (const [mailbox, user] of [
        [support, support],
        [info, support],
        [info, sam],
      ] as const) {
        const client = await imapAs(mailbox, user);
        expect(await client.status('INBOX', { messages: true })).toMatchObject({ messages: 0 });
      }
    });

    test('opens only the mailboxes allowed for an app with an app’s own token', async () => {
      const roles = ['IMAP.AccessAsApp', 'POP.AccessAsApp'];
      for (const mailbox of [sales, info]) {
        const client = await imapAs(mailbox, '', { roles });
        expect(await client.status('INBOX', { messages: true })).toMatchObject({ messages: 0 });
      }
      await expect(imapAs(sam, '', { roles })).rejects.toMatchObject({ authenticationFailed: true });
    });

    test.each<[string, string, string, TokenWishes]>([
      ['an expired token', support, support, { lifetime: -60 }],
      ['a token of another issuer', support, support, { iss: 'https://sts.windows.net/somebody-else/' }],
      ['the token of another user', support, sales, {}],
      ['a shared mailbox to who is no delegate', info, sales, {}],
    ])('rejects %s over IMAP and POP3', async (_what, mailbox, user, wishes) => {
      await expect(imapAs(mailbox, user, wishes)).rejects.toMatchObject({ authenticationFailed: true });
      const [, answer] = await pop3As(mailbox, user, wishes);
      expect(answer).toMatch(/^-ERR /);
    });

    test('works with the token in the command and with the token on a separate line', async () => {
      const sasl = lab().xoauth2(support, await lab().token(support));
      const one = await conversation(server().imap);
      expect((await one.imap(`AUTHENTICATE XOAUTH2 ${sasl}`)).at(-1)).toMatch(/^a1 OK/);
      const two = await conversation(server().imap);
      expect((await two.ask('a1 AUTHENTICATE XOAUTH2')).trim()).toBe('+');
      expect(await two.ask(sasl)).toMatch(/^(a1 OK|\* CAPABILITY)/);
    });

    test('announces what Exchange Online announces, and no more', async () => {
      const talk = await conversation(server().imap);
      const [before = ''] = await talk.imap('CAPABILITY');
      // Dovecot announces this for a server without passwords; it removes nothing.
      const capabilities = before
        .split(' ')
        .slice(2)
        .filter((name) => name !== 'LOGINDISABLED');
      expect(new Set(capabilities)).toEqual(new Set([...exchangeCapabilities, 'AUTH=XOAUTH2']));
      const client = await imapAs(support);
      expect(new Set(client.capabilities.keys())).toEqual(new Set(exchangeCapabilities));
    });
  });

  describeImap(running);

  describe('POP3', () => {
    test('signs in with two lines, lists, retrieves with doubled dots, and deletes at QUIT', async () => {
      const inbox = await emptyInbox(sales);
      const raw = plainMail({ subject: 'pop one', to: sales, text: '.a dot\r\n..two\r\nlast line' });
      await server().deliverMany(sales, [raw, plainMail({ subject: 'pop two', to: sales })]);
      const [talk, answer] = await pop3As(sales);
      expect(answer).toMatch(/^\+OK/);
      const uidl = (await talk.pop3('UIDL')).lines;
      expect(uidl).toHaveLength(2);
      expect((await talk.pop3('LIST')).lines[0]).toBe(`1 ${raw.length}`);
      const { lines } = await talk.pop3('RETR 1');
      expect(lines).toContain('..a dot');
      expect(lines).toContain('...two');
      expect(lines.map((line) => `${line.replace(/^\./, '')}\r\n`).join('')).toBe(raw.toString('latin1'));
      const head = (await talk.pop3('TOP 1 1')).lines;
      expect(head.slice(-2)).toEqual(['', '..a dot']);
      expect(await talk.ask('RETR 9')).toMatch(/^-ERR/);
      expect(await talk.ask('DELE 1')).toMatch(/^\+OK/);
      talk.close();

      const [again] = await pop3As(sales);
      expect((await again.pop3('UIDL')).lines).toEqual(uidl);
      await again.ask('DELE 1');
      expect(await again.ask('QUIT')).toMatch(/^\+OK/);
      const [last] = await pop3As(sales);
      expect((await last.pop3('UIDL')).lines).toEqual([uidl[1]?.replace(/^2/, '1')]);
      await inbox.noop();
      expect(await inbox.search({ all: true })).toHaveLength(1);
    });
  });

  describe('SMTP', () => {
    test('delivers submitted email to another demo mailbox', async () => {
      const inbox = await emptyInbox(sales);
      const mailer = await mailerAs(support);
      const sent = await mailer.sendMail({ from: support, to: sales, subject: 'submitted', text: '.dot\n' });
      expect(sent.accepted).toEqual([sales]);
      const source = await received(inbox, 'submitted');
      expect(source).toContain('\r\n\r\n.dot\r\n');
      expect(source).toMatch(/^Return-Path: <support@contoso\.example>/m);
    });

    test('rejects an expired token, an unknown recipient and another sender', async () => {
      const expired = await mailerAs(support, { lifetime: -60 });
      const mail = { from: support, to: sales, subject: 'refused', text: 'x' };
      await expect(expired.sendMail(mail)).rejects.toMatchObject({ code: 'EAUTH', responseCode: 535 });
      const mailer = await mailerAs(support);
      const nobody = mailer.sendMail({ ...mail, to: 'nobody@contoso.example' });
      await expect(nobody).rejects.toMatchObject({ code: 'EENVELOPE', responseCode: 550 });
      const disguised = mailer.sendMail({ ...mail, from: sales });
      await expect(disguised).rejects.toMatchObject({ code: 'EENVELOPE', permanent: true });
    });

    test('offers no sign-in except XOAUTH2, and none before TLS', async () => {
      const open = createTransport({ ...server().smtp, ignoreTLS: true });
      onTestFinished(() => open.close());
      await expect(open.sendMail({ from: support, to: sales, text: 'x' })).rejects.toMatchObject({
        permanent: true,
      });
      const auth = { user: support, pass: 'password' };
      const plain = createTransport({ ...server().smtp, requireTLS: true, tls: { ca: lab().ca }, auth });
      onTestFinished(() => plain.close());
      await expect(plain.verify()).rejects.toMatchObject({ code: 'EAUTH' });
    });

    test('returns a bounce for email to outside addresses', async () => {
      const inbox = await emptyInbox(support);
      const mailer = await mailerAs(support);
      await mailer.sendMail({ from: support, to: 'kim@customer.example', subject: 'to outside', text: 'x' });
      const source = await received(inbox, 'Undelivered');
      expect(source).toMatch(/^Content-Type: multipart\/report; report-type=delivery-status/m);
      expect(source).toMatch(/^Final-Recipient: rfc822; ?kim@customer\.example/m);
      expect(source).toMatch(/^Subject: to outside/m);
    });

    test('accepts email without sign-in at the drop port, for demo mailboxes only', async () => {
      const inbox = await emptyInbox(sales);
      const drop = createTransport({ ...server().drop });
      onTestFinished(() => drop.close());
      const mail = { from: 'Kim <kim@customer.example>', to: sales, subject: 'dropped', text: 'x' };
      expect((await drop.sendMail(mail)).accepted).toEqual([sales]);
      expect(await received(inbox, 'dropped')).toContain('kim@customer.example');
      for (const to of ['nobody@contoso.example', 'kim@customer.example']) {
        await expect(drop.sendMail({ ...mail, to })).rejects.toMatchObject({ permanent: true });
      }
    });
  });

  test('reports the port that is in use', async () => {
    const other = await makeMailLab(kind);
    onTestFinished(() => other.remove());
    const { imap } = server();
    const starting = startMailServer({ ...other.options, ports: { imap: imap.port } });
    await expect(starting).rejects.toThrow(`port ${imap.port} (imap); free it or choose another`);
  });

  test('keeps UIDVALIDITY, UIDs and flags after a restart', async () => {
    const before = await emptyInbox(sam);
    await server().deliverMany(sam, [
      plainMail({ subject: 'kept', to: sam }),
      plainMail({ subject: 'kept read', to: sam }),
      plainMail({ subject: 'not kept', to: sam }),
    ]);
    await before.noop();
    await before.messageFlagsAdd('2', ['\\Seen', 'Postroom']);
    await before.messageDelete('3');
    const look = async (client: ImapFlow) => {
      const mails: unknown[] = [];
      for await (const { uid, flags, source } of client.fetch('1:*', {
        uid: true,
        flags: true,
        source: true,
      })) {
        mails.push({
          uid,
          flags: [...(flags ?? [])].filter((flag) => flag !== '\\Recent'),
          source: String(source),
        });
      }
      return { mails, status: await client.status('INBOX', { uidNext: true, uidValidity: true }) };
    };
    const seenBefore = await look(before);
    expect(seenBefore.mails).toHaveLength(2);
    await restart();
    const after = await imapAs(sam);
    await after.mailboxOpen('INBOX');
    expect(await look(after)).toEqual(seenBefore);
  });
}
