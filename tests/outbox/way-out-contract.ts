/** The promises of every way out. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ImapFlow } from 'imapflow';
import PostalMime from 'postal-mime';
import { expect, test } from 'vitest';
import type { ConnectDeps } from '../../shared/mailboxes/connect-inbox.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { OutgoingMail } from '../../shared/outbox/outgoing-mail.ts';
import { openSentFolder } from '../../shared/outbox/sent-folder.ts';
import type { WayOut } from '../../shared/outbox/way-out.ts';
import { sales, sam, support } from '../harness/stack/mail-lab.ts';
import { received } from '../harness/stack/mail-under-test.ts';
import { injections } from './injections.ts';
import { letter } from './sending.ts';

const MB = 1024 * 1024;

/** A server for outgoing mail, and what a test does to it. */
export interface WayOutLab {
  /** The way out of support@contoso.example. */
  way(place?: { host: string; port: number }): Promise<WayOut>;
  /** One that lacks what it needs to ask a server; `code`: what it is called. */
  unequipped(): Promise<{ way: WayOut; code: string }>;
  /** One that takes no email of this sender, for good; `code`: what it is called. */
  closed(): Promise<{ way: WayOut; code: string }>;
  throttled(): Promise<WayOut>;
  /** One that takes the email, and loses the connection before it says so. */
  answerLost(): Promise<WayOut>;
  emptyInbox(user: string): Promise<ImapFlow>;
  /** Puts an email of support@contoso.example into its Sent folder. */
  keepSent(messageId: string): Promise<void>;
  /** How the mailbox is read. */
  reading(): Promise<{ deps: ConnectDeps; mailbox: Mailbox }>;
}

/** Tests of a way out, in a `describe` named “hands over an email”. */
export function handsOverEmail(lab: () => WayOutLab): void {
  test('as accepted, with text, HTML, attachments, thread and every recipient', async () => {
    const [inSales, inSam, inSupport] = await Promise.all([sales, sam, support].map(lab().emptyInbox));
    const outcome = await (await lab().way()).deliver(
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
    expect(outcome).toMatchObject({ kind: 'accepted', answer: expect.stringMatching(/^2\d\d/), refused: [] });
    for (const inbox of [inSales, inSam, inSupport]) {
      if (inbox === undefined) throw new Error('no inbox');
      const source = await received(inbox, 'a whole email');
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

  test('as refused for every email of this sender until a person acts', async () => {
    const { way, code } = await lab().closed();
    expect(await way.deliver(letter())).toMatchObject({
      kind: 'refused',
      permanent: true,
      isOfWayOut: true,
      why: { code, isVerdict: true },
    });
  });

  test('as refused for now, for every email of this sender, if it sends too much', async () => {
    const outcome = await (await lab().throttled()).deliver(letter());
    expect(outcome).toMatchObject({ kind: 'refused', permanent: false, isOfWayOut: true });
    expect(outcome).toHaveProperty('retryAt', expect.any(String));
  });

  test('as unknown if the server took it and its answer is lost', async () => {
    const inbox = await lab().emptyInbox(sales);
    const outcome = await (await lab().answerLost()).deliver(letter({ subject: 'unanswered' }));
    expect(outcome).toMatchObject({
      kind: 'unknown',
      why: { code: expect.stringMatching(/-answer-lost$/), isVerdict: false },
    });
    expect(await received(inbox, 'unanswered')).toContain('outbox-1@postroom.example');
  });

  test('as not started if nothing listens, and refused by ourselves if it is no valid email', async () => {
    const closed = await lab().way({ host: '127.0.0.1', port: 1 });
    expect(await closed.deliver(letter())).toMatchObject({
      kind: 'not-started',
      permanent: false,
      why: { code: expect.stringMatching(/^(?:smtp-unreachable|graph-unavailable)$/), isVerdict: false },
    });
    expect(await (await lab().way()).deliver(letter({ to: [] }))).toMatchObject({
      kind: 'refused',
      permanent: true,
      why: { code: 'bad-envelope', isVerdict: false },
    });
  });

  test('as not started if there is no token, or no relay', async () => {
    const { way, code } = await lab().unequipped();
    expect(await way.deliver(letter())).toMatchObject({
      kind: 'not-started',
      permanent: true,
      why: { code, isVerdict: false },
    });
  });

  test('whose header and envelope no text from outside can change (60 attempts)', async () => {
    const inbox = await lab().emptyInbox(sales);
    const others = await Promise.all([sam, support].map(lab().emptyInbox));
    const reference = letter({ subject: 'plain', references: ['<a@b.example>'], attachments: [file('x')] });
    const out = await lab().way();
    expect(await out.deliver(reference)).toMatchObject({ kind: 'accepted' });
    const names = namesOf(await received(inbox, 'plain'));
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
    const uids = await arrived(inbox, accepted);
    expect(uids, 'what the server accepted arrived for its recipient').toHaveLength(accepted);
    for await (const { source } of inbox.fetch(uids, { source: true }))
      expect(namesOf(String(source))).toEqual(names);
    for (const other of others) {
      await other.noop();
      expect(await other.search({ all: true }), 'nobody else got anything').toEqual([]);
    }
  });

  test('that is found in the Sent folder by its Message-ID, if the server keeps copies', async () => {
    const messageId = '<ticket.sent@contoso.example>';
    await lab().keepSent(messageId);
    const { deps, mailbox } = await lab().reading();
    const folder = await openSentFolder(deps, mailbox);
    expect(await folder.has(messageId)).toBe(true);
    expect(await folder.has('<ticket.other@contoso.example>')).toBe(false);
    await folder.close();
    const away = await openSentFolder(deps, { ...mailbox, port: 1 });
    expect(await away.has(messageId), 'not known while the server is away').toBeUndefined();
  });
}

/** A promise of every way out that takes 25 MB of attachments, in the same `describe`. */
export function handsOverLargeEmail(lab: () => Pick<WayOutLab, 'way' | 'emptyInbox'>): void {
  test.each([
    ['3 MB', [3 * MB]],
    ['24 MB in all', [18 * MB, 3 * MB + 1, 3 * MB - 1]],
  ])('with attachments of %s, once and unchanged', async (name, sizes) => {
    const subject = `files of ${name}`;
    const files = sizes.map((size, index) => ({
      ...file(`Übersicht ${index}.bin`),
      contentType: 'not a type\r\nX-Evil: 1',
      content: randomBytes(size),
    }));
    const inbox = await lab().emptyInbox(sales);
    const outcome = await (await lab().way()).deliver(
      letter({ subject, attachments: files, references: ['<b@customer.example>'], html: '<p>Grüße</p>' }),
    );
    expect(outcome).toMatchObject({ kind: 'accepted', refused: [] });
    const source = await received(inbox, subject);
    expect(source).not.toMatch(/^X-Evil:/m);
    const email = await PostalMime.parse(Buffer.from(source, 'latin1'));
    expect(email).toMatchObject({
      messageId: '<outbox-1@postroom.example>',
      inReplyTo: '<b@customer.example>',
      text: expect.stringContaining('.a line with a dot'),
      html: expect.stringContaining('Grüße'),
    });
    expect(email.attachments.map(({ filename }) => filename)).toEqual(files.map(({ filename }) => filename));
    for (const [index, { content }] of email.attachments.entries())
      expect(files[index]?.content.equals(new Uint8Array(content as ArrayBuffer))).toBe(true);
    expect(await arrived(inbox, 2, 500), 'once').toHaveLength(1);
  });
}

/** The UIDs in a folder, once there are as many. */
async function arrived(inbox: ImapFlow, count: number, patienceMs = 60_000): Promise<number[]> {
  for (const end = Date.now() + patienceMs; ; await pause(50)) {
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
