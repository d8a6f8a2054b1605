import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createDemoPage } from '../../dev/host/demo-page.ts';
import type { RunningHost } from '../../dev/host/host.ts';
import { type SampleHost, sampleHost } from '../harness/stack/host-fixture.ts';

let sample: SampleHost;
let host: RunningHost;
let smtp: SMTPServer;
let received: { to: string[]; source: string }[] = [];

beforeAll(async () => {
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, session, done) {
      let source = '';
      stream.on('data', (data: Buffer) => {
        source += data.toString();
      });
      stream.on('end', () => {
        received.push({ to: session.envelope.rcptTo.map(({ address }) => address), source });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  const { port } = smtp.server.address() as AddressInfo;
  sample = await sampleHost();
  host = await sample.start({
    demo: { mailboxes: ['support@contoso.example'], dropSmtp: { host: '127.0.0.1', port } },
  });
});
beforeEach(() => {
  received = [];
});
afterAll(async () => {
  await sample[Symbol.asyncDispose]();
  await new Promise<void>((resolve) => smtp.close(resolve));
});

const mail = {
  to: 'support@contoso.example',
  name: 'Dána',
  from: 'dana@customer.example',
  subject: 'Grüße\r\nBcc: other@contoso.example',
  text: 'Hello',
};
const post = (path: string, form: Record<string, string>, origin = host.url): Promise<Response> =>
  fetch(host.url + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin },
    body: new URLSearchParams(form),
  });

describe('the demo page', () => {
  test('sends an email to a demo mailbox and confirms it', async () => {
    const answer = await post('/.local/mail', mail);
    expect(answer.headers.get('location')).toBe('/.local?flash=sent');
    expect(received).toHaveLength(1);
    expect(received[0]?.to).toEqual(['support@contoso.example']);
    expect(received[0]?.source).toContain('Hello');
    expect(received[0]?.source).not.toMatch(/^Bcc:/m);
    expect(await (await fetch(`${host.url}/.local?flash=sent`)).text()).toContain(
      'The mail is in the mailbox.',
    );
    expect(await (await fetch(`${host.url}/.local?flash=<b>`)).text()).not.toContain('<b>');
  });

  test('keeps the entered values after an error, and sends nothing', async () => {
    const wrong = { ...mail, from: 'not an address', subject: '"><script>' };
    const answer = await post('/.local/mail', wrong);
    const page = await answer.text();
    expect(answer.status).toBe(422);
    expect(page).toContain('Enter the address of the sender');
    expect(page).toContain('&#34;&#62;&#60;script&#62;');
    expect((await post('/.local/mail', { ...mail, to: 'ceo@elsewhere.example' })).status).toBe(422);
    expect(received).toEqual([]);
  });

  test('rejects a form of another site', async () => {
    expect((await post('/.local/mail', mail, 'http://localhost:1')).status).toBe(403);
    expect((await post('/.local/fetch', {}, 'https://evil.example')).status).toBe(403);
    expect(received).toEqual([]);
  });

  test('shows what customers received, and answers it in its thread', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postroom-customer-mail-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const reply = [
      'From: Contoso <support@contoso.example>',
      'Reply-To: support+7@contoso.example',
      'To: dana@customer.example',
      'Subject: Re: The <printer>',
      'Message-ID: <reply@contoso.example>',
      'References: <first@customer.example>',
    ];
    await writeFile(join(folder, '1700000000000-key_1.eml'), `${reply.join('\r\n')}\r\n\r\nThank you.\r\n`);
    await writeFile(join(folder, 'notes.txt'), 'no email');
    const { port } = smtp.server.address() as AddressInfo;
    const demo = {
      mailboxes: ['sales@contoso.example', 'support@contoso.example'],
      dropSmtp: { host: '127.0.0.1', port },
      customerMail: folder,
    };
    const page = createDemoPage(demo, () => {});
    const html = async (query: string): Promise<string> =>
      String((await page.answer('/.local', new URLSearchParams(query), undefined)).body);
    const list = await html('');
    expect(list).toContain('<h3>Re: The &#60;printer&#62;</h3>');
    expect(list).toContain('Thank you.');
    const [, query = ''] = /href="\/\.local\?([^"#]+)#write"/.exec(list) ?? [];
    const form = await html(query);
    expect(form).toContain('<option selected>support@contoso.example</option>');
    expect(form).toContain('value="dana@customer.example"');
    expect(form, 'a name, which the form requires').toContain('value="dana"');
    const [, references = ''] = /name="references" value="([^"]*)"/.exec(form) ?? [];
    const typed = { ...mail, references: references.replaceAll('&#60;', '<').replaceAll('&#62;', '>') };
    await page.answer('/.local/mail', new URLSearchParams(), new URLSearchParams(typed));
    expect(received[0]?.source).toMatch(/^In-Reply-To: <reply@contoso\.example>\r?$/m);
    expect(received[0]?.source).toMatch(
      /^References: <first@customer\.example> <reply@contoso\.example>\r?$/m,
    );
    expect(await html('answer=../../etc/passwd')).toContain('Write to a mailbox as a customer would');
  });

  test('starts a fetch by hand', async () => {
    const fetchNow = vi.fn();
    const page = createDemoPage(undefined, fetchNow);
    const answer = await page.answer('/.local/fetch', new URLSearchParams(), new URLSearchParams());
    expect(answer.headers['location']).toBe('/.local?flash=fetching');
    expect(fetchNow).toHaveBeenCalledOnce();
    await page.answer('/.local/fetch', new URLSearchParams(), undefined);
    expect(fetchNow).toHaveBeenCalledOnce();
  });

  test('allows no script and no other origin', async () => {
    const { headers } = await fetch(`${host.url}/.local`);
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    );
    expect(await readFile(new URL('../../dev/host/html.ts', import.meta.url), 'utf8')).not.toContain(
      '<script',
    );
  });
});
