import type { BrowserContext, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { demoMails } from '../../dev/demo/mail/demo-mail.ts';
import { byKeyboard, withoutItsScript } from '../harness/browser/page-checks.ts';
import { axeComplaints } from '../harness/browser/reader.ts';
import { goToProvider, saveMailbox, signInThere } from './steps.ts';
import { addressOf, type StoryWorld } from './story-world.ts';

/** Responses without a link: for a wrong URL, an old one, or one from outside. */
const UNLINKED = [
  '/nowhere',
  `/connect/${'a'.repeat(52)}`,
  '/oauth/callback',
  '/oauth/callback?state=x&error=y',
];
/** The pages of every installation; more are found by following the links. */
const LANDMARKS = [
  '/',
  '/tickets',
  '/tickets/:id',
  '/unimported',
  '/mailboxes',
  '/mailboxes/new',
  '/mailboxes/:id/edit',
  '/mailboxes/:id/delete',
  '/providers',
  '/providers/new',
  '/providers/:id',
  '/providers/:id/edit',
  '/providers/:id/delete',
  '/providers/:id/connect',
  '/explain',
  '/audit',
  '/accounts',
  '/accounts/:id/:id',
  '/invitations',
  '/mailboxes/:id/test',
  '/mailboxes/:id/check',
  '/mailboxes/:id/answers',
  '/find-email',
  '/alerts',
  '/activity',
  '/health',
  '/secrets',
  '/senders',
  '/canned-replies',
  '/canned-replies/new',
  '/canned-replies/:id',
  '/canned-replies/:id/delete',
  '/mailboxes/:id/answers',
];
const MAX_PAGES = 80;
const SIZES = [
  { width: 1280, height: 900 },
  { width: 360, height: 780 },
];

/** All pages that an admin can reach, each by its own kind of URL, on an installation with content for each. */
export function everyPage(world: () => StoryWorld, providerId: () => string): void {
  describe('on an installation with content for each page', () => {
    beforeAll(() => fillPostroom(world(), providerId()), 60_000);

    it('every page is accessible: axe in light and dark, wide and narrow, by keyboard, without a script', async () => {
      const reader = await world().visit('every-page', 'alex', { acceptDownloads: false });
      const { page } = reader;
      const plain = await withoutScript(page.context());
      const found: Record<string, string[]> = {};
      const seen = new Set<string>();
      const waiting = ['/', ...UNLINKED];
      for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
        const kind = kindOf(address);
        if (seen.has(kind)) continue;
        seen.add(kind);
        const status = await statusOfPage(page, address);
        if (status === undefined) continue;
        if (status === 404 && !UNLINKED.includes(address))
          found[kind] = ['a link to a page that does not exist'];
        if (status >= 500) found[kind] = [`answers ${status}`];
        expect(seen.size, 'pages that link to ever new ones').toBeLessThan(MAX_PAGES);
        await page.goto(address);
        waiting.push(...(await linksOf(page)));
        await reader.picture(kind);
        const complaints = [
          ...(await looks(page)),
          ...(await byKeyboard(page)),
          ...(await inPlain(page, plain, address)),
        ];
        if (complaints.length > 0) found[kind] = [...(found[kind] ?? []), ...complaints];
      }
      console.log(`looked at ${seen.size} pages: ${[...seen].sort().join(' ')}`);
      expect(found).toEqual({});
      expect(LANDMARKS.filter((landmark) => !seen.has(landmark))).toEqual([]);
    }, 400_000);

    it('the link at the top skips to the content with Enter', async () => {
      const { page } = await world().visit('skip', 'alex');
      await page.goto('/mailboxes');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
    });
  });
}

/** Tickets, an unimported email, and a mailbox that requires a person. */
async function fillPostroom(world: StoryWorld, providerId: string): Promise<void> {
  const [support, lost] = [addressOf('support'), addressOf('jobs')];
  const { page } = await world.visit('fill', 'alex');
  for (const address of [support, lost]) {
    await goToProvider(page, providerId, { address });
    await signInThere(page, address);
    await saveMailbox(page);
  }
  const { mail, identityProvider } = world.postroom.stack;
  for (const { raw, receivedAt } of demoMails(new Date(), support))
    await mail.deliver(support, raw, receivedAt);
  await mail.deliver(support, mailOfManyParts());
  await world.fetch(support);
  await world.age(lost);
  await identityProvider.control.revokeUser(lost);
  await world.fetch(lost).catch(() => undefined);
  await page.goto('/canned-replies/new');
  await page.getByLabel('Name').fill('Greeting');
  await page.getByLabel('Text', { exact: true }).fill('Hello {{requester name}},');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Canned reply added.').waitFor();
}

/** More parts than Postroom parses: it is not imported. */
export function mailOfManyParts(): Uint8Array {
  const part = '--x\r\nContent-Type: text/plain\r\n\r\nOne of many.\r\n';
  return Buffer.from(
    `From: Pat <pat@fabrikam.example>\r\nSubject: A thousand notes\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n${part.repeat(1200)}--x--\r\n`,
  );
}

/** Two URLs of one kind show the same page with other content. */
function kindOf(address: string): string {
  const { pathname, searchParams } = new URL(address, 'http://postroom');
  const path = pathname.replaceAll(/\/(?:[a-z2-7]{20,}|[0-9a-f]{16,}|\d+|[\w-]+~[\w-]+)(?=\/|$)/g, '/:id');
  const names = [...new Set(searchParams.keys())].sort();
  // The kind of provider decides the fields of its form.
  const preset = searchParams.get('preset');
  return `${path}${names.length === 0 ? '' : `?${names.join('&')}`}${preset === null ? '' : `=${preset}`}`;
}

/** Undefined for a response that is no page: a redirect, a download. */
async function statusOfPage(page: Page, address: string): Promise<number | undefined> {
  const answer = await page.request.get(address, { maxRedirects: 0 });
  const isPage = (answer.headers()['content-type'] ?? '').includes('text/html');
  return isPage && answer.status() !== 302 ? answer.status() : undefined;
}

async function linksOf(page: Page): Promise<string[]> {
  const links = await page.evaluate(() =>
    [...document.querySelectorAll('a')]
      .filter(({ href, origin }) => href !== '' && origin === location.origin)
      .map(({ pathname, search }) => pathname + search),
  );
  const choices = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLInputElement>('form[method=get] input[type=radio]')].map(
      ({ form, name, value }) => `${new URL(form?.action ?? '').pathname}?${name}=${value}`,
    ),
  );
  return [...links, ...choices].filter((link) => !link.startsWith('/.'));
}

async function looks(page: Page): Promise<string[]> {
  const complaints: string[] = [];
  for (const size of SIZES) {
    await page.setViewportSize(size);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const complaint of await axeComplaints(page, colorScheme))
        complaints.push(`${size.width} ${colorScheme}: ${complaint}`);
    }
    const over = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    if (over > 0) complaints.push(`${over} px wider than ${size.width}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(SIZES[0] ?? { width: 1280, height: 900 });
  return complaints;
}

async function withoutScript(from: BrowserContext): Promise<Page> {
  const browser = from.browser();
  if (browser === null) throw new Error('The browser has gone.');
  const context = await browser.newContext({
    javaScriptEnabled: false,
    storageState: await from.storageState(),
    baseURL: new URL(from.pages()[0]?.url() ?? '').origin,
  });
  return context.newPage();
}

async function inPlain(page: Page, plain: Page, address: string): Promise<string[]> {
  await plain.goto(address);
  return withoutItsScript(page, plain);
}
