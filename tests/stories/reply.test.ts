/**
 * The story of a reply in a browser: mail → ticket → reply with an attachment → the customer’s mailbox, where it
 * threads → the customer’s answer in the same ticket. Then the same buttons without a script.
 */
import { join } from 'node:path';
import { type ParsedMail, simpleParser } from 'mailparser';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import type { HostProcess } from '../../dev/host/host-process.ts';
import { Reader } from '../harness/browser/reader.ts';
import { openPostroom, type Postroom, SUPPORT } from '../harness/stack/installation.ts';
import { expectGoodPages, goToProvider, registerDemo, saveMailbox, signInThere } from './steps.ts';
import { signInToPostroom } from './story-world.ts';

const PICTURES = process.env['POSTROOM_PICTURES'] || undefined;
/** Has a mailbox in the demo that Postroom does not fetch. */
const CUSTOMER = 'sales@contoso.example';
const UNDO_SECONDS = 8;
const PATIENCE_MS = 60_000;

describe.skipIf(!hasChromium)('a reply', () => {
  let browser: Browser;
  let postroom: Postroom;
  let host: HostProcess;

  beforeAll(async () => {
    [browser, postroom] = await Promise.all([openChromium(), openPostroom('npm')]);
    const settings = { FETCH_SCHEDULE: '*/3 * * * * *', UNDO_SEND_SECONDS: String(UNDO_SECONDS) };
    host = await postroom.startHost({ port: postroom.stack.ports.web, background: true, settings });
    const { page } = await visit('set-up');
    const providerId = await registerDemo(page, 'Contoso');
    await goToProvider(page, providerId, { address: SUPPORT });
    await signInThere(page, SUPPORT);
    await saveMailbox(page);
  });
  afterAll(async () => {
    await browser?.close();
    await postroom?.[Symbol.asyncDispose]();
  });

  async function visit(name: string, javaScriptEnabled = true): Promise<Reader> {
    const context = await browser.newContext({
      baseURL: host.url,
      viewport: { width: 1280, height: 900 },
      reducedMotion: 'reduce',
      javaScriptEnabled,
    });
    context.setDefaultTimeout(45_000);
    const page = await context.newPage();
    await signInToPostroom(page, 'alex');
    return new Reader(page, PICTURES && join(PICTURES, name));
  }

  /** Delivers an email of the customer, and opens its ticket. */
  async function openTicket(page: Page, subject: string): Promise<void> {
    await deliver(subject, `<${subject.replaceAll(' ', '-')}@customer.example>`);
    await until(async () => {
      await page.goto('/tickets');
      return page.getByRole('link', { name: subject }).isVisible();
    });
    await page.getByRole('link', { name: subject }).click();
    await page.getByRole('heading', { name: 'Reply' }).waitFor();
  }

  async function deliver(subject: string, messageId: string, more = '', text = 'Hello'): Promise<void> {
    const raw = `From: Kim Berg <${CUSTOMER}>\r\nTo: ${SUPPORT}\r\nSubject: ${subject}\r\nMessage-ID: ${messageId}\r\n${more}\r\n${text}\r\n`;
    await postroom.stack.mail.deliver(SUPPORT, Buffer.from(raw));
  }

  /** The emails in the customer's mailbox, oldest first. */
  async function received(): Promise<ParsedMail[]> {
    const mailbox = postroom.stack.mail.mailbox(CUSTOMER);
    const emails = (await mailbox?.emails('INBOX')) ?? [];
    return Promise.all(
      emails.map(async (email) => simpleParser((await mailbox?.read(email)) ?? Buffer.alloc(0))),
    );
  }

  it('with an attachment arrives in the thread of the customer, whose answer joins the ticket', async () => {
    const reader = await visit('reply');
    const { page } = reader;
    await openTicket(page, 'The parcel is wet');
    await reader.lookClosely('reply-form');
    await page
      .getByLabel('Message', { exact: true })
      .fill('Hello Kim,\n\n**sorry.** A new one is on its way:\n\n- today\n- by air');
    await page.getByText(/^Draft saved at/).waitFor();
    await page.reload();
    expect(await page.getByLabel('Message', { exact: true }).inputValue()).toContain(
      'A new one is on its way',
    );
    await page.getByLabel('Quote the message of Kim Berg').check();
    await page
      .getByLabel('Attachments')
      .setInputFiles({ name: 'label.txt', mimeType: 'text/plain', buffer: Buffer.from('To: Kim') });
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByRole('heading', { name: 'Preview' }).waitFor();
    await reader.lookClosely('reply-preview');

    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('button', { name: 'Undo' }).waitFor();
    await reader.picture('reply-queued');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('The reply was not sent.').waitFor();
    expect(await page.getByLabel('Message', { exact: true }).inputValue()).toContain(
      'A new one is on its way',
    );
    await page.getByRole('button', { name: 'Remove label.txt' }).waitFor();
    await reader.lookClosely('reply-undone');
    expect(await received()).toEqual([]);

    await page.getByRole('button', { name: 'Send and wait for the customer' }).click();
    // Without a reload: the state of the email changes by itself.
    await page.getByText('Server message:').waitFor();
    await reader.lookClosely('reply-sent');
    const [email, ...others] = await received();
    expect(others).toEqual([]);
    expect(email).toMatchObject({
      subject: 'Re: The parcel is wet',
      inReplyTo: '<The-parcel-is-wet@customer.example>',
      references: '<The-parcel-is-wet@customer.example>',
      attachments: [{ filename: 'label.txt' }],
    });
    expect(email?.text).toContain('- by air');
    expect(email?.text).toContain('> Hello');
    expect(await page.locator('.ticket-head').innerText()).toContain('Waiting');

    await deliver(
      'Re: The parcel is wet',
      '<answer@customer.example>',
      `In-Reply-To: ${email?.messageId}\r\nReferences: <The-parcel-is-wet@customer.example> ${email?.messageId}\r\n`,
      'It came, and it is dry.',
    );
    await until(async () => {
      await page.reload();
      return page.getByText('It came, and it is dry.').isVisible();
    });
    expect(await page.locator('.ticket-head').innerText()).toContain('Open');
    expectGoodPages(reader);
  });

  it('takes files that are dropped or pasted, and keeps what was typed when the page is left', async () => {
    const { page } = await visit('files');
    await openTicket(page, 'Two pictures');
    await page.getByLabel('Message', { exact: true }).fill('See both.');
    for (const [kind, name] of [
      ['drop', 'first.txt'],
      ['paste', 'second.txt'],
    ] as const) {
      await page.getByLabel('Message', { exact: true }).evaluate(
        (field, [event, file]) => {
          const files = new DataTransfer();
          files.items.add(new File(['content'], file));
          const how = { bubbles: true, cancelable: true };
          field.dispatchEvent(
            event === 'drop'
              ? new DragEvent('drop', { ...how, dataTransfer: files })
              : new ClipboardEvent('paste', { ...how, clipboardData: files }),
          );
        },
        [kind, name] as const,
      );
      await page.getByRole('button', { name: `Remove ${name}` }).waitFor();
    }
    await page.getByLabel('Message', { exact: true }).fill('See both, please.');
    // Before the script saves by itself.
    await page.goto('/tickets');
    await page.getByRole('link', { name: 'Two pictures' }).click();
    expect(await page.getByLabel('Message', { exact: true }).inputValue()).toBe('See both, please.');
  });

  it('needs no script: preview, canned reply, attachment, undo', async () => {
    const admin = await visit('canned');
    await admin.page.goto('/canned-replies');
    await admin.lookClosely('canned-replies-empty');
    await admin.page.getByRole('link', { name: 'Add a canned reply' }).click();
    await admin.page.getByLabel('Name').fill('Greeting');
    await admin.page
      .getByLabel('Text', { exact: true })
      .fill('Hello {{requester name}}, this is ticket {{ticket number}}.');
    await admin.lookClosely('canned-reply');
    await admin.page.getByRole('button', { name: 'Save' }).click();
    await admin.page.getByText('Canned reply added.').waitFor();
    await admin.lookClosely('canned-replies');
    expectGoodPages(admin);

    const { page } = await visit('no-script', false);
    await openTicket(page, 'Where is my bill');
    await page.getByLabel('Canned reply').selectOption('Greeting');
    await page.getByRole('button', { name: 'Insert' }).click();
    expect(await page.getByLabel('Message', { exact: true }).inputValue()).toMatch(
      /^Hello Kim Berg, this is ticket \d+\.$/,
    );
    await page
      .getByLabel('Attachments')
      .setInputFiles({ name: 'bill.txt', mimeType: 'text/plain', buffer: Buffer.from('1 €') });
    await page.getByRole('button', { name: 'Preview' }).click();
    expect(await page.locator('.preview').innerText()).toContain('Hello Kim Berg');
    await page.getByRole('button', { name: 'Send and close' }).click();
    await page.getByRole('button', { name: 'Undo' }).click();
    expect(await page.locator('.flash').innerText()).toContain('The reply was not sent.');
    expect(await page.locator('.ticket-head').innerText()).toContain('Open');
    await page.getByRole('button', { name: 'Remove bill.txt' }).waitFor();
  });
});

async function until(isDone: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await isDone())) {
    if (Date.now() > end) throw new Error('It did not happen in time.');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
