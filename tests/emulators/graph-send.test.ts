import { describe, expect, test } from 'vitest';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { type GraphAnswer, useGraphMail } from '../harness/stack/graph-mail-lab.ts';
import { info, sales, sam, support } from '../harness/stack/mail-lab.ts';

const mime = (lines: readonly string[]): string =>
  Buffer.from([...lines, '', 'Hello', ''].join('\r\n')).toString('base64');
const TEXT = { 'content-type': 'text/plain' };

function describeSending(kind: MailServerKind): void {
  const { ask, token, mailbox, empty } = useGraphMail(kind);

  const send = async (path: string, bearer: string, lines: readonly string[]): Promise<GraphAnswer> =>
    ask(bearer, path, { method: 'POST', body: mime(lines), headers: TEXT });
  async function texts(address: string, folder: string): Promise<string[]> {
    const files = mailbox(address);
    const emails = (await files.emails(folder)) ?? [];
    return Promise.all(emails.map(async (email) => String(await files.read(email))));
  }

  test('delivers MIME and keeps it in Sent Items, with its ids and without X- headers, Date and Bcc', async () => {
    await Promise.all([support, sales, sam].map(empty));
    const answer = await send('me/sendMail', await token(support), [
      `From: "Agent Smith" <${support}>`,
      `To: ${sales}`,
      `Bcc: ${sam}`,
      'Subject: Re: order',
      'Date: Mon, 23 Nov 2020 09:15:00 +0100',
      'Message-ID: <answer-1@desk.example>',
      'In-Reply-To: <question@customer.example>',
      'References: <first@customer.example>',
      ' <question@customer.example>',
      'X-Postroom-Ticket: 42',
    ]);
    expect([answer.status, answer.text]).toEqual([202, '']);
    const [arrived = ''] = await texts(sales, 'INBOX');
    expect(arrived).toContain('Message-ID: <answer-1@desk.example>\r\n');
    expect(arrived).toContain('In-Reply-To: <question@customer.example>\r\n');
    expect(arrived).toContain('References: <first@customer.example>\r\n <question@customer.example>\r\n');
    expect(arrived).toContain(`From: "Name of ${support}" <${support}>\r\n`);
    expect(arrived).not.toMatch(/X-Postroom|Bcc:|2020|Agent Smith/);
    expect(arrived).toMatch(/\r\n\r\nHello\r\n$/);
    expect(await texts(sam, 'INBOX')).toEqual([arrived]);
    expect(await texts(support, 'Sent Items')).toEqual([arrived]);
  });

  test('sends a message given as JSON with up to five X- headers', async () => {
    await Promise.all([support, sales].map(empty));
    const bearer = await token(support);
    const post = (names: readonly string[]): Promise<GraphAnswer> =>
      ask(bearer, 'me/sendMail', {
        method: 'POST',
        body: {
          message: {
            subject: 'as JSON',
            body: { contentType: 'Text', content: 'Hello' },
            toRecipients: [{ emailAddress: { address: sales } }],
            internetMessageHeaders: names.map((name) => ({ name, value: 'yes' })),
          },
          saveToSentItems: false,
        },
      });
    expect((await post(['x-postroom'])).status).toBe(202);
    const [arrived = ''] = await texts(sales, 'INBOX');
    expect(arrived).toMatch(/x-postroom: yes/i);
    expect(await texts(support, 'Sent Items')).toEqual([]);
    expect((await post(['Subject'])).body.error?.code).toBe('InvalidInternetMessageHeader');
    expect((await post(['x-1', 'x-2', 'x-3', 'x-4', 'x-5', 'x-6'])).status).toBe(400);
  });

  test('returns a bounce for an address outside', async () => {
    await empty(support);
    const answer = await send('me/sendMail', await token(support), [
      'To: kim@customer.example',
      'Subject: out',
    ]);
    expect(answer.status).toBe(202);
    const [bounced = ''] = await texts(support, 'INBOX');
    expect(bounced).toContain('Final-Recipient: rfc822; kim@customer.example');
  });

  test('sends as a shared mailbox for its delegates only', async () => {
    await Promise.all([info, sales].map(empty));
    const lines = [`From: ${info}`, `To: ${sales}`, 'Subject: shared'];
    const plain = await send('me/sendMail', await token(support), lines);
    expect([plain.status, plain.body.error?.code]).toEqual([403, 'ErrorSendAsDenied']);
    const shared = await token(support, { scp: 'Mail.Send Mail.Send.Shared' });
    expect((await send('me/sendMail', shared, lines)).status).toBe(202);
    expect((await send(`users/${info}/sendMail`, shared, lines)).status).toBe(202);
    expect(await texts(info, 'Sent Items')).toHaveLength(1);
    const stranger = await token(sales, { scp: 'Mail.Send Mail.Send.Shared' });
    expect((await send(`users/${info}/sendMail`, stranger, lines)).body.error?.code).toBe(
      'ErrorAccessDenied',
    );
    const app = await token('', { roles: ['Mail.Send'] });
    expect((await send(`users/${info}/sendMail`, app, lines)).status).toBe(202);
    expect((await send(`users/${sam}/sendMail`, app, lines)).status).toBe(403);
  });

  test('refuses what is no base64, has no recipient, is too large or comes without Mail.Send', async () => {
    const bearer = await token(support);
    const post = async (body: string, as = bearer): Promise<[number, string | undefined]> => {
      const answer = await ask(as, 'me/sendMail', { method: 'POST', body, headers: TEXT });
      return [answer.status, answer.body.error?.code];
    };
    expect(await post('From: me')).toEqual([400, 'ErrorMimeContentInvalidBase64String']);
    expect(await post(mime(['Subject: to nobody']))).toEqual([400, 'ErrorInvalidRecipients']);
    expect((await post('a'.repeat(4 * 1024 * 1024 + 4)))[0]).toBe(413);
    const reader = await token(support, { scp: 'Mail.ReadWrite' });
    expect(await post(mime([`To: ${sales}`]), reader)).toEqual([403, 'ErrorAccessDenied']);
  });
}

describe('sendMail over the mail server without installation', () => describeSending('npm'));
const absent = mailServerKindHere() !== 'debian';
if (absent) console.warn('SKIPPED: Dovecot and Postfix are not here, or this is not root.');
describe.skipIf(absent)('sendMail over Dovecot and Postfix', () => describeSending('debian'));
