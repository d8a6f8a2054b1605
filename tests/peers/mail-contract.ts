import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startMailServer } from '../../dev/peers/mail/mail-server.ts';
import {
  exchangeCapabilities,
  type MailServer,
  type MailServerKind,
  standardFolders,
} from '../../dev/peers/mail/mail-world.ts';
import {
  info,
  type MailLab,
  makeMailLab,
  plainMail,
  sales,
  sam,
  support,
  type TokenWishes,
} from './mail-lab.ts';
import { Conversation } from './mail-lines.ts';

/** What every mail server of the local world must do, whichever programs it is made of. */
export function describeMailServer(kind: MailServerKind): void {
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

  async function imapAs(user: string, upn = user, wishes?: TokenWishes): Promise<ImapFlow> {
    const accessToken = await lab.token(upn, wishes);
    const client = new ImapFlow({
      ...server.imap,
      secure: true,
      tls: { ca: lab.ca },
      auth: { user, accessToken },
      logger: false,
    });
    client.on('error', () => {});
    onTestFinished(() => client.close());
    await client.connect();
    return client;
  }

  /** A mailbox is the tests' own: each starts with an empty inbox. */
  async function emptyInbox(user: string): Promise<ImapFlow> {
    const client = await imapAs(user);
    await client.mailboxOpen('INBOX');
    await client.messageDelete('1:*', { uid: true });
    return client;
  }

  async function conversation(endpoint: MailServer['imap']): Promise<Conversation> {
    const talk = new Conversation(endpoint, lab.ca);
    onTestFinished(() => talk.close());
    await talk.line();
    return talk;
  }

  async function pop3As(user: string, upn = user, wishes?: TokenWishes): Promise<[Conversation, string]> {
    const talk = await conversation(server.pop3);
    expect((await talk.ask('AUTH XOAUTH2')).trim()).toBe('+');
    let answer = await talk.ask(lab.xoauth2(user, await lab.token(upn, wishes)));
    if (answer.startsWith('+ ')) answer = await talk.ask('');
    return [talk, answer];
  }

  async function mailerAs(user: string, wishes?: TokenWishes) {
    const auth = { type: 'OAuth2' as const, user, accessToken: await lab.token(user, wishes) };
    const transport = createTransport({ ...server.smtp, requireTLS: true, tls: { ca: lab.ca }, auth });
    onTestFinished(() => transport.close());
    return transport;
  }

  async function received(client: ImapFlow, subject: string): Promise<string> {
    for (const deadline = Date.now() + 8000; Date.now() < deadline; ) {
      await client.noop();
      const [uid] = (await client.search({ subject }, { uid: true })) || [];
      if (uid !== undefined) {
        const mail = await client.fetchOne(String(uid), { source: true }, { uid: true });
        return mail === false ? '' : String(mail.source?.toString('latin1'));
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`No mail with the subject ${subject} arrived`);
  }

  describe('sign-in', () => {
    test('opens the own mailbox with a token of 2.5 kB and a shared one with a delegate’s token', async () => {
      expect((await lab.token(support)).length).toBeGreaterThan(2400);
      for (const [mailbox, user] of [
        [support, support],
        [info, support],
        [info, sam],
      ] as const) {
        const client = await imapAs(mailbox, user);
        expect(await client.status('INBOX', { messages: true })).toMatchObject({ messages: 0 });
      }
    });

    test.each<[string, string, string, TokenWishes]>([
      ['an expired token', support, support, { lifetime: -60 }],
      ['a token of another issuer', support, support, { iss: 'https://sts.windows.net/somebody-else/' }],
      ['the token of another user', support, sales, {}],
      ['a shared mailbox to who is no delegate', info, sales, {}],
    ])('refuses %s over IMAP and POP3', async (_what, mailbox, user, wishes) => {
      await expect(imapAs(mailbox, user, wishes)).rejects.toMatchObject({ authenticationFailed: true });
      const [, answer] = await pop3As(mailbox, user, wishes);
      expect(answer).toMatch(/^-ERR /);
    });

    test('works with the token in the command and with the token on a line of its own', async () => {
      const sasl = lab.xoauth2(support, await lab.token(support));
      const one = await conversation(server.imap);
      expect((await one.imap(`AUTHENTICATE XOAUTH2 ${sasl}`)).at(-1)).toMatch(/^a1 OK/);
      const two = await conversation(server.imap);
      expect((await two.ask('a1 AUTHENTICATE XOAUTH2')).trim()).toBe('+');
      expect(await two.ask(sasl)).toMatch(/^(a1 OK|\* CAPABILITY)/);
    });

    test('announces what Exchange Online announces, and no more', async () => {
      const talk = await conversation(server.imap);
      const [before = ''] = await talk.imap('CAPABILITY');
      // Dovecot says this of a server without passwords; it takes nothing away.
      const capabilities = before
        .split(' ')
        .slice(2)
        .filter((name) => name !== 'LOGINDISABLED');
      expect(new Set(capabilities)).toEqual(new Set([...exchangeCapabilities, 'AUTH=XOAUTH2']));
      const client = await imapAs(support);
      expect(new Set(client.capabilities.keys())).toEqual(new Set(exchangeCapabilities));
    });
  });

  describe('IMAP', () => {
    test('finds unread mail, and also read mail above a UID', async () => {
      const client = await emptyInbox(support);
      const subjects = ['search one', 'search two', 'search three'];
      await server.deliverMany(
        support,
        subjects.map((subject) => plainMail({ subject })),
      );
      await client.noop();
      const all = (await client.search({ all: true }, { uid: true })) || [];
      expect(all).toHaveLength(3);
      const [first = 0, second = 0, third = 0] = all;
      await client.messageFlagsAdd({ uid: `${first},${third}` }, ['\\Seen'], { uid: true });
      expect(await client.search({ seen: false }, { uid: true })).toEqual([second]);
      const union = { or: [{ seen: false }, { uid: `${third}:*` }] };
      expect(await client.search(union, { uid: true })).toEqual([second, third]);
      expect(await client.search({ header: { Subject: 'search two' } }, { uid: true })).toEqual([second]);
      expect(await client.search({ not: { from: 'kim@' } }, { uid: true })).toEqual([]);
      expect(await client.search({ since: new Date(Date.now() - 86_400_000) }, { uid: true })).toEqual(all);
      expect(await client.search({ before: new Date(Date.now() - 86_400_000) }, { uid: true })).toEqual([]);
    });

    test('streams sources byte for byte in the order of delivery and leaves them unread', async () => {
      const client = await emptyInbox(support);
      const raws = Array.from({ length: 30 }, (_, index) =>
        plainMail({
          subject: `stream ${index}`,
          text: `.dot\r\n..two dots\r\n${'äöü {3}\r\n'.repeat(index * 40)}`,
        }),
      );
      await server.deliverMany(support, raws);
      await client.noop();
      const sources: Buffer[] = [];
      for await (const mail of client.fetch('1:*', { uid: true, source: true, size: true, flags: true })) {
        expect(mail.size).toBe(mail.source?.length);
        expect([...(mail.flags ?? [])].filter((flag) => flag !== '\\Recent')).toEqual([]);
        sources.push(mail.source ?? Buffer.alloc(0));
      }
      expect(sources.map(String)).toEqual(raws.map(String));
      expect(await client.search({ seen: false })).toHaveLength(30);
    });

    test('gives a slice of a mail, its header fields, one part, its envelope and its structure', async () => {
      const client = await emptyInbox(support);
      const raw = twoParts();
      await server.deliver(support, raw);
      await client.noop();
      const mail = await client.fetchOne('*', {
        source: { start: 10, maxLength: 100 },
        headers: ['subject'],
        bodyParts: ['1', '2'],
        envelope: true,
        bodyStructure: true,
      });
      if (mail === false) throw new Error('No mail came');
      expect(mail.source).toEqual(raw.subarray(10, 110));
      expect(mail.headers?.toString()).toBe('Subject: =?utf-8?q?Two_parts=3A_=C3=A4?=\r\n\r\n');
      expect(mail.bodyParts?.get('1')?.toString()).toBe('See the file.');
      expect(mail.bodyParts?.get('2')?.toString()).toBe('aGVsbG8=');
      expect(mail.envelope).toMatchObject({
        subject: 'Two parts: ä',
        messageId: '<two-parts@customer.example>',
        from: [{ name: 'Miller, Kim', address: 'kim@customer.example' }],
        to: [{ address: support }],
      });
      expect(mail.bodyStructure).toMatchObject({
        type: 'multipart/mixed',
        childNodes: [
          { part: '1', type: 'text/plain', encoding: '7bit', size: 13 },
          {
            part: '2',
            type: 'application/pdf',
            encoding: 'base64',
            dispositionParameters: { filename: 'a b.pdf' },
          },
        ],
      });
    });

    test('keeps flags and keywords, and shows another connection’s changes', async () => {
      const client = await emptyInbox(support);
      await server.deliverMany(support, [
        plainMail({ subject: 'flag one' }),
        plainMail({ subject: 'flag two' }),
      ]);
      const other = await imapAs(support);
      await other.mailboxOpen('INBOX');
      await client.noop();
      await client.messageFlagsAdd('1', ['\\Seen', '\\Flagged', 'Postroom']);
      await client.messageFlagsRemove('1', ['\\Flagged']);
      await other.noop();
      const mail = await other.fetchOne('1', { flags: true });
      expect(mail === false ? undefined : mail.flags?.has('\\Seen')).toBe(true);
      expect(mail === false ? undefined : mail.flags?.has('Postroom')).toBe(true);
      expect(mail === false ? undefined : mail.flags?.has('\\Flagged')).toBe(false);
      expect(await other.status('INBOX', { unseen: true })).toMatchObject({ unseen: 1 });
    });

    test('moves and copies with the map of UIDs, and lists folders', async () => {
      const client = await emptyInbox(support);
      await server.deliverMany(support, [
        plainMail({ subject: 'move one' }),
        plainMail({ subject: 'move two' }),
      ]);
      await client.noop();
      await client.mailboxCreate('Postroom/Done');
      const names = (await client.list()).map(({ path }) => path);
      expect(names).toEqual(expect.arrayContaining(['INBOX', ...standardFolders, 'Postroom/Done']));
      const [uid = 0] = (await client.search({ subject: 'move one' }, { uid: true })) || [];
      const moved = await client.messageMove(String(uid), 'Postroom/Done', { uid: true });
      expect(moved === false ? undefined : moved.uidMap?.get(uid)).toBe(1);
      expect(await client.status('Postroom/Done', { messages: true, uidNext: true })).toMatchObject({
        messages: 1,
        uidNext: 2,
      });
      expect(await client.search({ all: true })).toHaveLength(1);
      const copied = await client.messageCopy('1', 'Postroom/Done');
      expect(copied === false ? 0 : copied.uidMap?.size).toBe(1);
      expect(await client.messageMove('1', 'No such folder')).toBe(false);
      expect(await client.search({ all: true })).toHaveLength(1);
    });

    test('appends with its UID, date and flags, and deletes for good', async () => {
      const client = await emptyInbox(support);
      const date = new Date('2026-03-04T05:06:07Z');
      const appended = await client.append('INBOX', plainMail({ subject: 'appended' }), ['\\Seen'], date);
      const uid = appended === false ? 0 : (appended.uid ?? 0);
      const mail = await client.fetchOne(String(uid), { internalDate: true, flags: true }, { uid: true });
      if (mail === false) throw new Error('The appended mail is not there');
      expect(new Date(mail.internalDate ?? 0)).toEqual(date);
      expect(mail.flags?.has('\\Seen')).toBe(true);
      await client.messageDelete(String(uid), { uid: true });
      expect(await client.status('INBOX', { messages: true })).toMatchObject({ messages: 0 });
    });

    test('tells a waiting client at once that mail came', async () => {
      const client = await emptyInbox(support);
      const told = new Promise<number>((resolve) => client.once('exists', ({ count }) => resolve(count)));
      const idling = client.idle();
      await new Promise((resolve) => setTimeout(resolve, 100));
      await server.deliver(support, plainMail({ subject: 'while waiting' }));
      expect(await told).toBe(1);
      await client.noop();
      await idling;
    });

    test('says that a folder is missing, and then has none open', async () => {
      const client = await imapAs(support);
      await expect(client.mailboxOpen('Nowhere')).rejects.toMatchObject({ mailboxMissing: true });
      expect(client.mailbox).toBe(false);
    });
  });

  describe('POP3', () => {
    test('signs in in two lines, lists, fetches with dots doubled, and deletes at QUIT', async () => {
      const inbox = await emptyInbox(sales);
      const raw = plainMail({ subject: 'pop one', to: sales, text: '.a dot\r\n..two\r\nlast line' });
      await server.deliverMany(sales, [raw, plainMail({ subject: 'pop two', to: sales })]);
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
    test('delivers submitted mail to another practice mailbox', async () => {
      const inbox = await emptyInbox(sales);
      const mailer = await mailerAs(support);
      const sent = await mailer.sendMail({ from: support, to: sales, subject: 'submitted', text: '.dot\n' });
      expect(sent.accepted).toEqual([sales]);
      const source = await received(inbox, 'submitted');
      expect(source).toContain('\r\n\r\n.dot\r\n');
      expect(source).toMatch(/^Return-Path: <support@contoso\.example>/m);
    });

    test('refuses an expired token, an unknown recipient and another sender', async () => {
      const expired = await mailerAs(support, { lifetime: -60 });
      const mail = { from: support, to: sales, subject: 'refused', text: 'x' };
      await expect(expired.sendMail(mail)).rejects.toMatchObject({ code: 'EAUTH', responseCode: 535 });
      const mailer = await mailerAs(support);
      const nobody = mailer.sendMail({ ...mail, to: 'nobody@contoso.example' });
      await expect(nobody).rejects.toMatchObject({ code: 'EENVELOPE', responseCode: 550 });
      const disguised = mailer.sendMail({ ...mail, from: sales });
      await expect(disguised).rejects.toMatchObject({ code: 'EENVELOPE', permanent: true });
    });

    test('offers no sign-in but XOAUTH2, and none before TLS', async () => {
      const open = createTransport({ ...server.smtp, ignoreTLS: true });
      onTestFinished(() => open.close());
      await expect(open.sendMail({ from: support, to: sales, text: 'x' })).rejects.toMatchObject({
        permanent: true,
      });
      const auth = { user: support, pass: 'password' };
      const plain = createTransport({ ...server.smtp, requireTLS: true, tls: { ca: lab.ca }, auth });
      onTestFinished(() => plain.close());
      await expect(plain.verify()).rejects.toMatchObject({ code: 'EAUTH' });
    });

    test('answers mail for outside with a bounce', async () => {
      const inbox = await emptyInbox(support);
      const mailer = await mailerAs(support);
      await mailer.sendMail({ from: support, to: 'kim@customer.example', subject: 'to outside', text: 'x' });
      const source = await received(inbox, 'Undelivered');
      expect(source).toMatch(/^Content-Type: multipart\/report; report-type=delivery-status/m);
      expect(source).toMatch(/^Final-Recipient: rfc822; ?kim@customer\.example/m);
      expect(source).toMatch(/^Subject: to outside/m);
    });

    test('takes mail without sign-in at the drop port, for practice mailboxes only', async () => {
      const inbox = await emptyInbox(sales);
      const drop = createTransport({ ...server.drop });
      onTestFinished(() => drop.close());
      const mail = { from: 'Kim <kim@customer.example>', to: sales, subject: 'dropped', text: 'x' };
      expect((await drop.sendMail(mail)).accepted).toEqual([sales]);
      expect(await received(inbox, 'dropped')).toContain('kim@customer.example');
      for (const to of ['nobody@contoso.example', 'kim@customer.example']) {
        await expect(drop.sendMail({ ...mail, to })).rejects.toMatchObject({ permanent: true });
      }
    });
  });

  test('keeps UIDVALIDITY, UIDs and flags over a restart', async () => {
    const before = await emptyInbox(sam);
    await server.deliverMany(sam, [
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
    await server.stop();
    server = await startMailServer(lab.options);
    const after = await imapAs(sam);
    await after.mailboxOpen('INBOX');
    expect(await look(after)).toEqual(seenBefore);
  });
}

function twoParts(): Buffer {
  const lines = [
    'From: "Miller, Kim" <kim@customer.example>',
    `To: ${support}`,
    'Subject: =?utf-8?q?Two_parts=3A_=C3=A4?=',
    'Message-ID: <two-parts@customer.example>',
    'Date: Mon, 23 Nov 2026 09:15:00 +0100',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="b 1"',
    '',
    'preamble',
    '--b 1',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 7bit',
    '',
    'See the file.',
    '--b 1',
    'Content-Type: application/pdf',
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment; filename="a b.pdf"',
    '',
    'aGVsbG8=',
    '--b 1--',
    '',
  ];
  return Buffer.from(lines.join('\r\n'));
}
