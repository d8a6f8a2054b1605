/** What is sent over the relay: as whom, and where its copy is. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { ImapFlow } from 'imapflow';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { createActivityStore } from '../../shared/activity/activity-store.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { openInbox } from '../../shared/mailboxes/open-inbox.ts';
import type { OutboxMessage } from '../../shared/outbox/outbox-message.ts';
import { createOutboxStore, type OutboxJob, type OutboxStore } from '../../shared/outbox/outbox-store.ts';
import { queueDueEmails } from '../../shared/outbox/queue-due-emails.ts';
import { sendEmails } from '../../shared/outbox/send-emails.ts';
import { createSendingUsage } from '../../shared/outbox/sending-usage.ts';
import { openSentFolder } from '../../shared/outbox/sent-folder.ts';
import { wayOutOver } from '../../shared/outbox/way-out.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { email, sendingMailbox } from '../harness/memory/outbox-emails.ts';
import { info, sales, sam, support } from '../harness/stack/mail-lab.ts';
import { emptied, received, useMailServer } from '../harness/stack/mail-under-test.ts';
import { relayAt, tokensOf } from './sending.ts';

const SENT = 'Sent Items';
const kinds: [string, MailServerKind][] = [
  ['the mail server without installation', 'npm'],
  ['Dovecot', 'debian'],
];

describe.each(kinds)('a reply over the relay, of a mailbox at %s', (_name, kind) => {
  const here = kind === 'npm' || mailServerKindHere() === 'debian';
  if (!here) console.warn('SKIPPED: copies in the Sent folder of Dovecot, which is not here.');
  describe.skipIf(!here)('is sent', () => {
    const mail = useMailServer(kind);
    let tables: MemoryTables;
    let queues: MemoryQueues;
    let outbox: OutboxStore;
    beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), mail.lab().ca]));
    beforeEach(() => {
      tables = new MemoryTables(openSeam);
      queues = new MemoryQueues(openSeam);
      outbox = createOutboxStore({ tables, queues, seam: openSeam });
    });

    const mailboxOf = (wish: Partial<Mailbox> = {}): Mailbox => ({
      ...sendingMailbox(mail.server().smtp, mail.server().imap),
      sending: { protocol: 'relay' },
      ...wish,
    });

    async function send(mailbox: Mailbox, message: OutboxMessage): Promise<OutboxMessage | undefined> {
      const { host, port } = mail.server().drop;
      const tokens = tokensOf(await mail.lab().token(mailbox.address === info ? sam : support));
      await outbox.queue(message);
      await queueDueEmails({ outbox, queues });
      for (const { value } of queues.sent.splice(0))
        await sendEmails(
          {
            seam: openSeam,
            outbox,
            usage: createSendingUsage(tables),
            activity: createActivityStore(tables),
            blobs: new MemoryBlobs(openSeam),
            wayOutOf: () => Promise.resolve(wayOutOver(relayAt(`smtp://${host}:${port}`), { kind: 'relay' })),
            openSentFolder: () =>
              openSentFolder(
                {
                  accessTokens: tokens,
                  openInbox: (address, protocol) => openInbox(protocol, address, openSeam, { local: true }),
                },
                mailbox,
              ),
            cannotSend: () => Promise.resolve(),
            sendsAgain: () => Promise.resolve(),
            replyNeedsPerson: () => Promise.resolve(),
          },
          value as OutboxJob,
        );
      return (await outbox.get(message))?.record;
    }

    async function sentItems(address = support): Promise<ImapFlow> {
      const client = await mail.imapAs(address, address === info ? sam : address);
      await client.mailboxOpen(SENT);
      if ((client.mailbox || { exists: 0 }).exists > 0) await client.messageDelete('1:*');
      return client;
    }
    async function copiesIn(client: ImapFlow): Promise<{ source: string; flags: string[] }[]> {
      await client.noop();
      const all: { source: string; flags: string[] }[] = [];
      for await (const { source, flags } of client.fetch('1:*', { source: true, flags: true }))
        all.push({ source: String(source), flags: [...(flags ?? [])] });
      return all;
    }

    test.each([
      ['its own mailbox', support],
      ['a shared mailbox', info],
    ])('as %s, with a copy in its Sent folder that counts as read', async (_what, address) => {
      const [inbox, hidden, sent] = await Promise.all([
        emptied(mail.imapAs(sales)),
        emptied(mail.imapAs(sam)),
        sentItems(address),
      ]);
      const reply = email('reply', {
        from: { address, name: 'Contoso Help' },
        to: [sales],
        bcc: [sam],
        subject: `over the relay as ${address}`,
        references: ['<question@customer.example>'],
      });
      expect((await send(mailboxOf({ address }), reply))?.delivery.status).toMatchObject({ state: 'sent' });
      const arrived = await received(inbox, reply.subject);
      expect(arrived).toContain(`From: Contoso Help <${address}>`);
      expect(arrived, 'bounces come back to the mailbox').toContain(`Return-Path: <${address}>`);
      expect(arrived).toContain(`Message-ID: ${reply.messageId}`);
      expect(arrived).not.toMatch(/^Bcc:/m);
      expect(await received(hidden, reply.subject)).toContain(reply.messageId);
      const [copy, second] = await copiesIn(sent);
      expect(second).toBeUndefined();
      expect(copy?.flags).toContain('\\Seen');
      for (const line of [
        `From: Contoso Help <${address}>`,
        `Message-ID: ${reply.messageId}`,
        'In-Reply-To: <question@customer.example>',
        `Bcc: ${sam}`,
      ])
        expect(copy?.source).toContain(line);
    });

    test.each<[string, Partial<Mailbox>]>([
      ['it is read over POP3', { protocol: 'pop3' }],
      ['its mail server is away', { port: 1 }],
    ])('without a copy, if %s', async (_what, wish) => {
      const sent = await sentItems();
      const reply = email('reply', { to: [sales] });
      expect((await send(mailboxOf(wish), reply))?.delivery).toMatchObject({
        status: { state: 'sent' },
        attempts: 1,
      });
      expect(await copiesIn(sent)).toEqual([]);
    });

    test('without a copy, if it is an acknowledgement', async () => {
      const sent = await sentItems();
      const sentAs = await send(mailboxOf(), email('ack', { kind: 'acknowledgement', to: [sales] }));
      expect(sentAs?.delivery.status).toMatchObject({ state: 'sent' });
      expect(await copiesIn(sent)).toEqual([]);
    });
  });
});
