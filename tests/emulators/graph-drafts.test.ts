import { randomBytes } from 'node:crypto';
import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { type GraphAnswer, useGraphMail } from '../harness/stack/graph-mail-lab.ts';
import { info, sales, sam, support } from '../harness/stack/mail-lab.ts';

const MB = 1024 * 1024;
const TEXT = { 'content-type': 'text/plain' };
const draftLines = [
  `From: ${support}`,
  `To: ${sales}`,
  `Bcc: ${sam}`,
  'Subject: with files',
  'Message-ID: <draft-1@desk.example>',
  'In-Reply-To: <question@customer.example>',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
  'X-Postroom: 1',
];

function describeDrafts(kind: MailServerKind): void {
  const { ask, token, mailbox, empty, graph } = useGraphMail(kind);

  const post = (bearer: string, path: string, body?: unknown): Promise<GraphAnswer> =>
    ask(bearer, path, { method: 'POST', ...(body !== undefined && { body }) });
  const create = (bearer: string, lines = draftLines, root = 'me'): Promise<GraphAnswer> =>
    ask(bearer, `${root}/messages`, {
      method: 'POST',
      body: Buffer.from([...lines, '', 'Grüße', ''].join('\r\n')).toString('base64'),
      headers: TEXT,
    });
  async function drafted(bearer: string): Promise<string> {
    await Promise.all([support, sales, sam].map(empty));
    return `me/messages/${String((await create(bearer)).body['id'])}`;
  }
  const session = (bearer: string, draft: string, size: number): Promise<GraphAnswer> =>
    post(bearer, `${draft}/attachments/createUploadSession`, {
      AttachmentItem: { attachmentType: 'file', name: 'Prüfung.pdf', size, contentType: 'application/pdf' },
    });
  const put = (url: string, bytes: Buffer, range: string, headers: Record<string, string> = {}) =>
    fetch(url, {
      method: 'PUT',
      body: new Uint8Array(bytes),
      headers: { connection: 'close', 'content-range': `bytes ${range}`, ...headers },
    });
  async function emailsIn(address: string, folder: string) {
    const files = mailbox(address);
    const emails = (await files.emails(folder)) ?? [];
    return Promise.all(emails.map(async (email) => (await files.read(email)) ?? Buffer.alloc(0)));
  }

  test('keeps a draft in Drafts until it is sent, with the files that were attached', async () => {
    const bearer = await token(support);
    const draft = await drafted(bearer);
    expect((await ask(bearer, draft)).body).toMatchObject({ isDraft: true, subject: 'with files' });
    const [large, small] = [randomBytes(3 * MB + 5), randomBytes(100)];
    const { status, body } = await session(bearer, draft, large.length);
    expect([status, body['nextExpectedRanges']]).toEqual([201, ['0-']]);
    const url = String(body['uploadUrl']);
    const first = await put(url, large.subarray(0, 2 * MB), `0-${2 * MB - 1}/${large.length}`);
    expect([first.status, await first.json()]).toMatchObject([200, { nextExpectedRanges: [String(2 * MB)] }]);
    const state = await fetch(url);
    expect(await state.json()).toMatchObject({ nextExpectedRanges: [String(2 * MB)] });
    const last = await put(url, large.subarray(2 * MB), `${2 * MB}-${large.length - 1}/${large.length}`);
    expect([last.status, last.headers.get('location')]).toEqual([
      201,
      expect.stringContaining('/Attachments('),
    ]);
    const file = {
      '@odata.type': '#microsoft.graph.fileAttachment',
      name: 'a.bin',
      contentBytes: small.toString('base64'),
    };
    expect((await post(bearer, `${draft}/attachments`, file)).status).toBe(201);
    expect(await emailsIn(sales, 'INBOX')).toEqual([]);

    expect((await post(bearer, `${draft}/send`)).status).toBe(202);
    const [arrived = Buffer.alloc(0)] = await emailsIn(sales, 'INBOX');
    const email = await PostalMime.parse(arrived);
    expect(email).toMatchObject({
      messageId: '<draft-1@desk.example>',
      text: expect.stringMatching(/^Grüße\s+$/),
    });
    expect(email.inReplyTo).toBe('<question@customer.example>');
    expect(email.attachments.map(({ filename, mimeType }) => [filename, mimeType])).toEqual([
      ['Prüfung.pdf', 'application/pdf'],
      ['a.bin', 'application/octet-stream'],
    ]);
    expect(email.attachments.map(({ content }) => Buffer.from(content as ArrayBuffer).equals(large))).toEqual(
      [true, false],
    );
    expect(arrived.toString('latin1')).not.toMatch(/^(?:Bcc|X-Postroom):/im);
    expect(await emailsIn(sam, 'INBOX')).toEqual([arrived]);
    expect(await emailsIn(support, 'Sent Items')).toEqual([arrived]);
    expect(await emailsIn(support, 'Drafts')).toEqual([]);
    expect((await post(bearer, `${draft}/send`)).status, 'there is no draft any more').toBe(404);
  });

  test('takes the ranges of a file in order, within their session, and never with a token', async () => {
    const bearer = await token(support);
    const draft = await drafted(bearer);
    const size = 3 * MB;
    const url = String((await session(bearer, draft, size)).body['uploadUrl']);
    const chunk = Buffer.alloc(MB);
    const statusOf = async (range: string, headers?: Record<string, string>, at = url) =>
      (await put(at, chunk, range, headers)).status;
    expect(await statusOf(`0-${MB - 1}/${size}`, { authorization: `Bearer ${bearer}` })).toBe(401);
    expect(await statusOf(`0-${MB - 1}/${size}`, {}, url.replace(/authtoken=.*/, 'authtoken=x'))).toBe(401);
    expect(await statusOf(`${MB}-${2 * MB - 1}/${size}`), 'the first one is missing').toBe(416);
    expect(await statusOf(`0-${MB}/${size}`), 'the body is shorter').toBe(400);
    expect(await statusOf(`0-${MB - 1}/${size + 1}`), 'another size').toBe(416);
    expect(await statusOf(`0-${MB - 1}/${size}`)).toBe(200);
    expect(await statusOf(`0-${MB - 1}/${size}`), 'the same again').toBe(416);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(204);
    expect(await statusOf(`${MB}-${2 * MB - 1}/${size}`)).toBe(404);
    expect((await post(bearer, `${draft}/send`)).status).toBe(202);
    const [arrived] = await emailsIn(sales, 'INBOX');
    expect((await PostalMime.parse(arrived ?? '')).attachments).toEqual([]);
  });

  test('refuses a session below 3 MB, one request for more, an email over 35 MB, JSON, and MIME over 4 MB', async () => {
    const bearer = await token(support);
    const draft = await drafted(bearer);
    const codeOf = async (size: number) => (await session(bearer, draft, size)).body.error?.code;
    expect(await codeOf(3 * MB - 1)).toBe('ErrorAttachmentSizeShouldNotBeLessThanMinimumSize');
    expect(await codeOf(27 * MB)).toBe('ErrorMessageSizeExceeded');
    expect(await codeOf(25 * MB)).toBeUndefined();
    const content = Buffer.alloc(3 * MB).toString('base64');
    const file = { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.bin', contentBytes: content };
    expect((await post(bearer, `${draft}/attachments`, file)).status).toBe(413);
    expect((await post(bearer, 'me/messages', { subject: 'as JSON' })).status).toBe(400);
    const body = 'a'.repeat(4 * MB + 4);
    expect((await ask(bearer, 'me/messages', { method: 'POST', body, headers: TEXT })).status).toBe(413);
  });

  test('needs Mail.ReadWrite for the draft and Mail.Send to send it, for a shared mailbox both as .Shared', async () => {
    await Promise.all([support, info].map(empty));
    const [sender, writer] = await Promise.all(
      ['Mail.Send Mail.Read', 'Mail.ReadWrite'].map((scp) => token(support, { scp })),
    );
    expect((await create(sender ?? '')).body.error?.code).toBe('ErrorAccessDenied');
    const made = await create(writer ?? '');
    const draft = `me/messages/${String(made.body['id'])}`;
    expect([made.status, (await post(writer ?? '', `${draft}/send`)).status]).toEqual([201, 403]);
    expect((await session(sender ?? '', draft, 3 * MB)).status).toBe(403);
    expect((await ask(writer ?? '', draft, { method: 'DELETE' })).status).toBe(204);
    expect(await emailsIn(support, 'Drafts')).toEqual([]);

    const shared = draftLines.with(0, `From: ${info}`);
    const own = await token(support);
    expect((await create(own, shared, `users/${info}`)).status).toBe(403);
    const delegate = await token(support, { scp: 'Mail.ReadWrite.Shared Mail.Send.Shared' });
    const app = await token('', { roles: ['Mail.ReadWrite', 'Mail.Send'] });
    for (const bearer of [delegate, app]) {
      const id = String((await create(bearer, shared, `users/${info}`)).body['id']);
      expect((await post(bearer, `users/${info}/messages/${id}/send`)).status).toBe(202);
    }
    expect(await emailsIn(info, 'Sent Items')).toHaveLength(2);
  });

  test('throttles a range on demand, as any request', async () => {
    const bearer = await token(support);
    const url = String((await session(bearer, await drafted(bearer), 3 * MB)).body['uploadUrl']);
    graph().faults.push({ match: { method: 'PUT', path: 'AttachmentSessions' }, status: 429 });
    const throttled = await put(url, Buffer.alloc(MB), `0-${MB - 1}/${3 * MB}`);
    expect([throttled.status, throttled.headers.get('retry-after')]).toEqual([429, '1']);
    expect((await put(url, Buffer.alloc(MB), `0-${MB - 1}/${3 * MB}`)).status).toBe(200);
  });
}

describe('drafts over the mail server without installation', () => describeDrafts('npm'));
const absent = mailServerKindHere() !== 'debian';
if (absent) console.warn('SKIPPED: Dovecot and Postfix are not here, or this is not root.');
describe.skipIf(absent)('drafts over Dovecot and Postfix', () => describeDrafts('debian'));
