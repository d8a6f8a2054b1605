import { describe, expect, test } from 'vitest';
import { standardFolders } from '../../dev/emulators/mail/mail-world.ts';
import { plainMail, support } from '../harness/stack/mail-lab.ts';
import type { MailServerUnderTest } from '../harness/stack/mail-under-test.ts';

/** What intake requires of IMAP. */
export function describeImap({ server, imapAs, emptyInbox }: MailServerUnderTest): void {
  describe('IMAP', () => {
    test('finds unread email, and also read email above a UID', async () => {
      const client = await emptyInbox(support);
      const subjects = ['search one', 'search two', 'search three'];
      await server().deliverMany(
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

    test('streams raw emails byte for byte in the order of delivery and leaves them unread', async () => {
      const client = await emptyInbox(support);
      const raws = Array.from({ length: 30 }, (_, index) =>
        plainMail({
          subject: `stream ${index}`,
          text: `.dot\r\n..two dots\r\n${'äöü {3}\r\n'.repeat(index * 40)}`,
        }),
      );
      await server().deliverMany(support, raws);
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

    test('returns a range of an email, its header fields, one part, its envelope and its structure', async () => {
      const client = await emptyInbox(support);
      const raw = twoParts();
      await server().deliver(support, raw);
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

    test('keeps flags and keywords, and shows changes of another connection', async () => {
      const client = await emptyInbox(support);
      await server().deliverMany(support, [
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
      await server().deliverMany(support, [
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

    test('appends with its UID, date and flags, and deletes permanently', async () => {
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

    test('notifies an idle client of new email at once', async () => {
      const client = await emptyInbox(support);
      const told = new Promise<number>((resolve) => client.once('exists', ({ count }) => resolve(count)));
      const idling = client.idle();
      await new Promise((resolve) => setTimeout(resolve, 100));
      await server().deliver(support, plainMail({ subject: 'while waiting' }));
      expect(await told).toBe(1);
      await client.noop();
      await idling;
    });

    test('reports that a folder is missing, and then has none open', async () => {
      const client = await imapAs(support);
      await expect(client.mailboxOpen('Nowhere')).rejects.toMatchObject({ mailboxMissing: true });
      expect(client.mailbox).toBe(false);
    });
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
