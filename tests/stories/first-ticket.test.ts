/**
 * The whole story in a browser, on a fresh demo: from an empty installation through provider, consent and mailbox to
 * tickets that are read, closed and reopened by the next email.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import { demoMails } from '../../dev/demo/mail/demo-mail.ts';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { HostProcess } from '../../dev/host/host-process.ts';
import { Reader } from '../harness/browser/reader.ts';
import { openPostroom, type Postroom, SUPPORT } from '../harness/stack/installation.ts';

const FETCH_LIMIT_MS = 40_000;
/** The time for a newcomer from the first page to the first ticket. */
const PATIENCE_S = 120;
/** Folder for pictures of all pages, for people who want to see them. */
const PICTURES = process.env['POSTROOM_PICTURES'];
if (mailServerKindHere() !== 'debian')
  console.warn('SKIPPED: the story on Dovecot and Postfix (apt install dovecot-imapd dovecot-lmtpd postfix)');

const servers = [
  { mail: 'npm', name: 'the small mail server', here: true },
  { mail: 'debian', name: 'Dovecot and Postfix', here: mailServerKindHere() === 'debian' },
] as const;

describe.each(servers)('the first ticket, with $name', ({ mail, here }) => {
  describe.skipIf(!hasChromium || !here)('in a browser', () => {
    let browser: Browser;
    let postroom: Postroom;
    let host: HostProcess;
    const mails = demoMails(new Date(), SUPPORT);

    beforeAll(async () => {
      [browser, postroom] = await Promise.all([openChromium(), openPostroom(mail)]);
      host = await postroom.startHost({ port: postroom.stack.ports.web, background: true });
      for (const { raw, receivedAt } of mails) await postroom.stack.mail.deliver(SUPPORT, raw, receivedAt);
    });
    afterAll(async () => {
      await browser?.close();
      await postroom?.[Symbol.asyncDispose]();
    });

    it('is reached from an empty installation in a few clicks, on accessible pages', async () => {
      const context = await browser.newContext({
        baseURL: host.url,
        viewport: { width: 1200, height: 900 },
        // Colors in transition from light to dark have the contrast of neither.
        reducedMotion: 'reduce',
      });
      const page = await context.newPage();
      const complaints = complaintsOf(page);
      const reader = new Reader(page, PICTURES && join(PICTURES, mail));
      const began = Date.now();

      await signIn(reader);
      await registerProvider(reader);
      await consent(reader);
      await addMailbox(reader, mails.length);
      const until = (text: string): Promise<void> => untilShown(page, text);
      await fetchNow(reader, 'home-after-fetch');
      await until('Can I change the delivery address');
      const secondsToFirstTicket = Math.round((Date.now() - began - reader.lookedMs) / 1000);
      const effort = `${reader.clicks} clicks, ${reader.formData} typed fields, ${secondsToFirstTicket} s without the checks`;
      console.log(`first ticket on ${mail}: ${effort}`);
      expect(secondsToFirstTicket).toBeLessThan(PATIENCE_S);

      await page.goto('/');
      await reader.look('home-flowing');
      expect(await page.locator('h1').innerText()).toBe('Mail is flowing');
      await readTickets(reader);
      await readPicture(reader);
      await downloadInvoice(reader, mails.find(({ name }) => name === 'pdf-invoice')?.raw);
      await closeAndReopen(reader);
      await writeAsCustomer(reader);
      await reader.click(page.getByRole('link', { name: 'Unimported email' }));
      await reader.look('unimported email');
      expect(await page.locator('h1').innerText()).toBe('Unimported email');
      await page.goto('/mailboxes');
      await reader.look('mailboxes-working');
      expect(await page.getByRole('row', { name: SUPPORT }).innerText()).toContain('OK');
      await page.goto('/providers');
      await reader.look('providers');

      expect(reader.findings).toEqual({});
      expect(complaints).toEqual([]);
      expect(reader.clicks).toBeLessThan(40);
      await context.close();
    });

    it('is followed by the next one with the timer only, without a click', async () => {
      await host.stop();
      const settings = { FETCH_SCHEDULE: '*/3 * * * * *' };
      host = await postroom.startHost({ port: postroom.stack.ports.web, background: true, settings });
      const text = 'Dropped in while nobody looked';
      const raw = `From: Kim <kim@customer.example>\r\nTo: ${SUPPORT}\r\nSubject: ${text}\r\n\r\nHello\r\n`;
      await postroom.stack.mail.deliver(SUPPORT, Buffer.from(raw));
      const context = await browser.newContext({ baseURL: host.url });
      const page = await context.newPage();
      await page.goto('/');
      await page.getByRole('button', { name: /Alex Admin/ }).click();
      await untilShown(page, text);
      await context.close();
    });

    it('needs no script from provider to mailbox', async () => {
      const context = await browser.newContext({ baseURL: host.url, javaScriptEnabled: false });
      const page = await context.newPage();
      await page.goto('/');
      await page.getByRole('button', { name: /Alex Admin/ }).click();
      await page.goto('/providers/new');
      await page.getByRole('link', { name: 'Demo', exact: true }).click();
      await page.getByLabel('Name', { exact: true }).fill('Demo without script');
      await page.getByRole('button', { name: 'Save and continue' }).click();
      await page.getByLabel('Address of the mailbox').fill('sales@contoso.example');
      await page.getByRole('button', { name: /^Go to/ }).click();
      await page.waitForURL((url) => url.origin === postroom.stack.identityProvider.origin);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('button', { name: 'Accept' }).click();
      await page.waitForURL(/\/mailboxes\/new/);
      await page.getByRole('button', { name: 'Save and open the mailbox' }).click();
      expect(await page.getByRole('status').innerText()).toContain('Mailbox opened. 0 unread of ');
      await context.close();
    });
  });
});

/** Errors of the browser itself: blocked scripts, broken pictures, failed requests. */
function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return complaints;
}

async function signIn(reader: Reader): Promise<void> {
  const { page } = reader;
  await page.goto('/');
  await reader.look('sign-in');
  await reader.click(page.getByRole('button', { name: /Alex Admin/ }));
  expect(await page.locator('h1').innerText()).toBe('Welcome to Postroom');
  await reader.look('home-empty');
}

async function registerProvider(reader: Reader): Promise<void> {
  const { page } = reader;
  await reader.click(page.getByRole('link', { name: 'Register a provider' }));
  await reader.look('provider-choice');
  await reader.click(page.getByRole('link', { name: 'Demo', exact: true }));
  await reader.look('provider-form');
  await reader.click(page.getByRole('button', { name: 'Save and continue' }));
  expect(await page.getByRole('status').innerText()).toContain('Provider saved');
}

async function consent(reader: Reader): Promise<void> {
  const { page } = reader;
  await reader.look('which-mailbox');
  await reader.type(page.getByLabel('Address of the mailbox'), SUPPORT);
  await reader.click(page.getByRole('button', { name: /^Go to/ }));
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await page.getByLabel('Account').inputValue()).toBe(SUPPORT);
  await reader.look('identity-provider-sign-in');
  await reader.click(page.getByRole('button', { name: 'Sign in' }));
  await page.getByRole('heading', { name: 'Permissions requested' }).waitFor();
  await reader.look('identity-provider-permissions');
  await reader.click(page.getByRole('button', { name: 'Accept' }));
  await page.waitForURL(/\/mailboxes\/new/);
  expect(await page.getByRole('status').innerText()).toContain('Signed in');
}

async function addMailbox(reader: Reader, waiting: number): Promise<void> {
  const { page } = reader;
  await reader.look('mailbox-form');
  await reader.click(page.getByRole('button', { name: 'Save and open the mailbox' }));
  expect(await page.getByRole('status').innerText()).toContain(`Mailbox opened. ${waiting} unread of `);
  await reader.look('mailboxes');
  await page.goto('/');
  await reader.look('home-starting');
}

/** With the button of the local host's own page. */
async function fetchNow(reader: Reader, name: string): Promise<void> {
  const { page } = reader;
  await page.goto('/.local');
  await reader.click(page.getByRole('button', { name: 'Fetch now' }));
  await reader.look(name);
}

/** Reloads the ticket list repeatedly, as a person would. */
async function untilShown(page: Page, text: string): Promise<void> {
  await expect
    .poll(
      async () => {
        await page.goto('/tickets');
        return page.locator('main').innerText();
      },
      { timeout: FETCH_LIMIT_MS, interval: 300 },
    )
    .toContain(text);
}

async function readTickets(reader: Reader): Promise<void> {
  const { page } = reader;
  await reader.click(page.getByRole('link', { name: 'Tickets', exact: true }));
  await reader.look('tickets');
  const list = await page.getByRole('list', { name: 'Open tickets' }).innerText();
  expect(list.indexOf('Can I change the delivery')).toBeLessThan(list.indexOf('The web shop is slow'));
  for (const subject of ['取扱説明書について', 'Gutschrift für die Rückgabe', 'My lamp is orange 🧡'])
    expect(list).toContain(subject);
  // Three emails of one conversation are one ticket.
  expect(list.match(/The web shop is slow in the evening/g)).toHaveLength(1);
  await reader.click(page.getByRole('link', { name: '取扱説明書について' }));
  expect(await page.locator('h1').innerText()).toMatch(/^#\d+ 取扱説明書について$/);
  expect(await page.locator('.mail-text').first().innerText()).toContain('こんにちは。');
  await reader.look('ticket-japanese');
  await page.goto('/tickets');
  await reader.click(page.getByRole('link', { name: /The web shop is slow/ }));
  const written = await page.getByRole('article').locator('.mail-text:not(.quoted)').allInnerTexts();
  expect(written.map((text) => /each page|One more detail|Thanks, Lee/.exec(text)?.[0])).toEqual([
    'each page',
    'One more detail',
    'Thanks, Lee',
  ]);
  await reader.look('ticket-conversation');
  await page.goto('/tickets');
  await reader.click(page.getByRole('link', { name: /Five ideas for a brighter desk/ }));
  await page.frameLocator('iframe').getByText('The days grow shorter').waitFor();
  await reader.look('ticket-newsletter');
  // No script of the sender has run.
  expect(await page.title()).toContain('Five ideas');
}

async function readPicture(reader: Reader): Promise<void> {
  const { page } = reader;
  await page.goto('/tickets');
  await reader.click(page.getByRole('link', { name: 'My lamp is orange 🧡' }));
  const picture = page.frameLocator('iframe').locator('img');
  await expect
    .poll(() => picture.evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth), {
      timeout: 60_000,
    })
    .toBe(160);
  await reader.look('ticket-formatted');
}

async function downloadInvoice(reader: Reader, raw: Uint8Array | undefined): Promise<void> {
  const { page } = reader;
  await page.goto('/tickets');
  await reader.click(page.getByRole('link', { name: /Invoice 2026-1187/ }));
  await reader.look('ticket-attachment');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    reader.click(page.getByRole('link', { name: /invoice-2026-1187\.pdf/ })),
  ]);
  expect(download.suggestedFilename()).toBe('invoice-2026-1187.pdf');
  expect(hashOf(await readFile(await download.path()))).toBe(hashOf(pdfIn(raw)));
}

async function closeAndReopen(reader: Reader): Promise<void> {
  const { page } = reader;
  await reader.click(page.getByRole('button', { name: 'Close ticket' }));
  expect(await page.getByRole('status').innerText()).toContain('Ticket closed');
  await reader.look('ticket-closed');
  await page.goto('/tickets?status=closed');
  await reader.look('tickets-closed');
  await reader.click(page.getByRole('link', { name: /Invoice 2026-1187/ }));
  await reader.click(page.getByRole('button', { name: 'Reopen ticket' }));
  expect(await page.getByRole('status').innerText()).toContain('Ticket reopened');
}

/** An email sent with the local host's form is a ticket after the next fetch. */
async function writeAsCustomer(reader: Reader): Promise<void> {
  const { page } = reader;
  await page.goto('/.local');
  await reader.look('demo-mail');
  await reader.type(page.getByLabel('Subject'), 'Grüße vom Brieföffner ✉');
  await reader.type(page.getByLabel('Text'), 'He opens no letters any more.');
  await reader.click(page.getByRole('button', { name: 'Send' }));
  expect(await page.getByRole('status').innerText()).toContain('The mail is in the mailbox');
  await reader.click(page.getByRole('button', { name: 'Fetch now' }));
  await untilShown(page, 'Grüße vom Brieföffner ✉');
  await reader.click(page.getByRole('link', { name: 'Grüße vom Brieföffner ✉' }));
  expect(await page.locator('.mail-text').innerText()).toContain('He opens no letters any more.');
  await reader.look('ticket-of-the-form');
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The file as contained in the email, extracted without the product's own parser. */
function pdfIn(raw: Uint8Array | undefined): Buffer {
  const text = Buffer.from(raw ?? []).toString('latin1');
  const part = /filename="invoice[^\r]*\r\n\r\n([\w+/=\r\n]+)/.exec(
    text.slice(text.indexOf('application/pdf')),
  );
  return Buffer.from(part?.[1] ?? '', 'base64');
}
