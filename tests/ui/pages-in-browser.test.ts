import { text } from 'node:stream/consumers';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { axeViolations } from '../harness/browser/axe.ts';
import { type Served, serve } from '../harness/browser/serve.ts';
import { fillPostroom } from '../harness/memory/sample-mail.ts';
import { ago, type SamplePostroom, samplePostroom } from '../harness/pages/sample-postroom.ts';

const IMPORTED = 'm'.repeat(26);

/** A bounce whose sender is blocked, an absence note, and a mailbox whose first import waits. @returns the bounce's ticket */
async function fillWithMachines(postroom: SamplePostroom): Promise<string> {
  const daemon = { name: 'Mail Delivery System', address: 'mailer-daemon@fabrikam.example' };
  const bounce = await postroom.file(
    { from: daemon, subject: 'Undelivered Mail Returned to Sender', messageClass: 'bounce', minutesAgo: 9 },
    { messageClass: 'out-of-office', folded: 'Out of office.', minutesAgo: 5 },
  );
  for (const [sender, kind] of [
    [daemon.address, 'blocked'],
    ['partner.example', 'allowed'],
  ] as const)
    await postroom.services.senderRules.save({ sender, kind, addedAt: ago(5), addedBy: 'Alex Admin' });
  const mailbox = {
    id: IMPORTED,
    address: 'orders@contoso.example',
    enabled: false,
    classes: { list: 'skip' },
  } as const;
  await postroom.mailbox(mailbox);
  const first = {
    since: '2026-10-01T00:00:00.000Z',
    upTo: { uid: 9000 },
    at: undefined,
    total: 3112,
    done: 0,
    startedAt: ago(1),
  };
  const cursor = {
    validity: '1',
    position: { uid: 9000 },
    left: [],
    waiting: [],
    lastMailAt: undefined,
    first,
  };
  await postroom.mailboxes.saveCursor(IMPORTED, cursor);
  return bounce;
}

describe.skipIf(!hasChromium)('in a browser', () => {
  let browser: Browser;
  let full: Served;
  let empty: Served;
  let troubled: Served;
  let ids: { conversation: string; newsletter: string; bounce: string };

  const served = (postroom: SamplePostroom): Promise<Served> =>
    serve(async (path, request) => {
      const role = 'admin';
      if (request.method !== 'POST') return postroom.ask(path, { role, method: request.method ?? 'GET' });
      return postroom.ask(path, { role, method: 'POST', body: new URLSearchParams(await text(request)) });
    });

  beforeAll(async () => {
    const [postroom, bare, broken] = [samplePostroom(), samplePostroom(), samplePostroom()];
    ids = { ...(await fillPostroom(postroom)), bounce: await fillWithMachines(postroom) };
    await fillPostroom(broken);
    const trouble = {
      code: codeFrom('x'),
      problem: 'The sign-in was revoked',
      since: ago(9),
      failures: 2,
      triedAt: ago(1),
      nextTryAt: ago(0),
    };
    await broken.mailboxes.setFailure('support', { ...trouble, state: 'retrying' });
    await broken.mailboxes.setFailure('billing', { ...trouble, state: 'action-required' });
    [browser, full, empty, troubled] = await Promise.all([
      openChromium(),
      served(postroom),
      served(bare),
      served(broken),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([full, empty, troubled].map((one) => one?.close()));
  });

  const addresses = (): Record<string, string> => ({
    home: `${full.url}/`,
    'home before the first mailbox': `${empty.url}/`,
    'home in trouble': `${troubled.url}/`,
    tickets: `${full.url}/tickets`,
    'closed tickets': `${full.url}/tickets?status=closed&flash=closed`,
    'no tickets': `${empty.url}/tickets`,
    'a ticket as text': `${full.url}/tickets/${ids.conversation}`,
    'a ticket formatted': `${full.url}/tickets/${ids.newsletter}`,
    'unimported email': `${full.url}/unimported`,
    'no unimported email': `${empty.url}/unimported`,
    'find email': `${full.url}/find-email`,
    'the check of a folder': `${full.url}/mailboxes/support/check`,
    'an email that was found': `${full.url}/find-email#fabrikam`,
    'an email that was not seen': `${troubled.url}/find-email#nothing`,
    'tickets that bounces opened': `${full.url}/tickets?class=bounce`,
    'a bounce of a blocked sender': `${full.url}/tickets/${ids.bounce}`,
    senders: `${full.url}/senders`,
    'no senders': `${empty.url}/senders`,
    'a mailbox about to be imported': `${full.url}/mailboxes/${IMPORTED}/edit`,
    'mailboxes, one about to be imported': `${full.url}/mailboxes`,
    'a page that is not there': `${full.url}/nowhere`,
  });

  test.each(['light', 'dark'] as const)(
    'axe finds nothing on any page, %s',
    async (colorScheme) => {
      const context = await browser.newContext({ colorScheme });
      const page = await context.newPage();
      const found: Record<string, string[]> = {};
      for (const [name, address] of Object.entries(addresses())) {
        await open(page, address);
        const findings = await axeViolations(page, { except: ['iframe'] });
        if (findings.length > 0) found[name] = findings;
      }
      await context.close();
      expect(found).toEqual({});
    },
    120_000,
  );

  test.each([320, 768, 1600])(
    'no page is wider than a window of %i pixels',
    async (width) => {
      const context = await browser.newContext({ viewport: { width, height: 800 } });
      const page = await context.newPage();
      const wide: string[] = [];
      for (const [name, address] of Object.entries(addresses())) {
        await open(page, address);
        const over = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        if (over > 0) wide.push(`${name}: ${over} px`);
      }
      await context.close();
      expect(wide).toEqual([]);
    },
    60_000,
  );

  test('the email is shown in its frame, with its own picture, under both policies', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(`${full.url}/tickets/${ids.conversation}`);
    const frame = page.frameLocator('iframe');
    await expect
      .poll(
        () =>
          frame.locator('img').evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth),
        { timeout: 60_000 },
      )
      .toBe(1);
    expect(await frame.locator('b').innerText()).toBe('red');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('the pages work without script: close, find the ticket again, reopen', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${full.url}/tickets/${ids.newsletter}`);
    await page.getByRole('button', { name: 'Close ticket' }).click();
    expect(await page.getByRole('status').innerText()).toContain('Ticket closed');
    await page.getByRole('link', { name: 'Tickets' }).click();
    await page.getByLabel('Ticket number').fill('2');
    await page.getByRole('button', { name: 'Go' }).click();
    await page.getByRole('button', { name: 'Reopen ticket' }).click();
    expect(await page.getByRole('status').innerText()).toContain('Ticket reopened');
    await context.close();
  });

  test('the script shows recent times as relative and keeps the exact one available', async () => {
    const context = await browser.newContext({ timezoneId: 'Asia/Tokyo' });
    const page = await context.newPage();
    await page.clock.install({ time: '2026-11-24T10:00:00Z' });
    await page.goto(`${full.url}/tickets`);
    const time = page.locator('.ticket-list time').first();
    await expect.poll(() => time.innerText(), { timeout: 60_000 }).toBe('4 minutes ago');
    expect(await time.getAttribute('title')).toBe('24 Nov 2026, 09:56 UTC');
    await context.close();
  });
});

/** The part after `#` is entered into the page's form. */
async function open(page: Page, address: string): Promise<void> {
  const [path = '', typed] = address.split('#');
  await page.goto(path);
  if (typed === undefined) return;
  await page.getByLabel('Sender, subject or Message-ID').fill(typed);
  await page.getByRole('button', { name: 'Find', exact: true }).click();
  await page.getByText('Searched mailboxes').waitFor();
}
