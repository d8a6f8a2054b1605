import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import { type Served, serve } from '../harness/browser/serve.ts';
import { principalHeader, samplePostroom } from '../harness/pages/sample-postroom.ts';

describe.skipIf(!hasChromium)('the frame of a message', () => {
  const postroom = samplePostroom();
  const paragraphs = Array.from(
    { length: 120 },
    (_, line) => `<p>Paragraph ${line} of a long letter.</p>`,
  ).join('');
  let browser: Browser;
  let context: BrowserContext | undefined;
  let served: Served;
  beforeAll(async () => {
    served = await serve((path) => postroom.ask(path, { headers: principalHeader('agent') }));
    browser = await openChromium();
  });
  afterEach(() => context?.close());
  afterAll(async () => {
    await browser?.close();
    await served?.close();
    await postroom.services.htmlViewer.close();
  });

  async function opened(html: string, options: { javaScriptEnabled?: boolean } = {}): Promise<Page> {
    const id = await postroom.file({ text: 'fallback', html });
    context = await browser.newContext(options);
    const page = await context.newPage();
    await page.goto(`${served.url}/tickets/${id}`);
    await page.frameLocator('iframe').locator('body').waitFor();
    return page;
  }

  const heightOf = (page: Page): Promise<number> =>
    page.locator('.mail-frame').evaluate((box) => box.getBoundingClientRect().height);
  /** The height once it has been the same for a while; one that grows endlessly never is. */
  const settledHeightOf = async (page: Page): Promise<number> => {
    const heights: number[] = [];
    const isSettled = async (): Promise<boolean> => {
      heights.push(await heightOf(page));
      return heights.length > 3 && new Set(heights.slice(-3)).size === 1;
    };
    await expect.poll(isSettled, { interval: 200 }).toBe(true);
    return heights.at(-1) ?? 0;
  };
  const hiddenIn = (page: Page): Promise<number> =>
    page
      .frameLocator('iframe')
      .locator('html')
      .evaluate((root) => root.scrollHeight - root.clientHeight);

  test('is as tall as a letter of 120 paragraphs, also in a narrower window', async () => {
    const page = await opened(paragraphs);
    // Before the frame has its content, nothing is hidden either.
    await expect.poll(() => heightOf(page)).toBeGreaterThan(4_000);
    await expect.poll(() => hiddenIn(page)).toBe(0);
    await page.setViewportSize({ width: 360, height: 800 });
    await expect.poll(() => hiddenIn(page)).toBe(0);
  });

  test('is as low as one line', async () => {
    const page = await opened('<p>Thanks!</p>');
    await expect.poll(() => heightOf(page)).toBeLessThan(110);
    await expect.poll(() => hiddenIn(page)).toBe(0);
  });

  test('does not grow endlessly with content that is as tall as its window', async () => {
    const page = await opened(
      '<div style="height:100vh">x</div><table height="100%"><tr><td>y</td></tr></table>',
    );
    const before = await settledHeightOf(page);
    await page.setViewportSize({ width: 700, height: 900 });
    expect(await settledHeightOf(page)).toBeLessThan(before + 50);
    expect(before).toBeLessThan(1_000);
  });

  test('without script has a height for the amount of HTML, whatever the text part contains', async () => {
    const long = await opened(paragraphs, { javaScriptEnabled: false });
    expect(await heightOf(long)).toBeGreaterThan(550);
    await context?.close();
    const short = await opened('<p>Thanks!</p>', { javaScriptEnabled: false });
    expect(await heightOf(short)).toBeLessThan(250);
  });

  test('opens links in a new tab without an opener', async () => {
    const page = await opened(`<p><a href="${served.url}/tickets?flash=linked">a link</a></p>`);
    const [tab] = await Promise.all([
      page.waitForEvent('popup'),
      page.frameLocator('iframe').getByText('a link').click(),
    ]);
    await tab.waitForLoadState();
    expect(await tab.evaluate(() => [window.opener, document.referrer])).toEqual([null, '']);
  });

  test('folds a quotation and grows when it is unfolded', async () => {
    const quoted = `<blockquote type="cite">${paragraphs}</blockquote>`;
    const page = await opened(`<p>Thanks!</p><div>On 5 Mar 2024, at 09:14, Ada wrote:</div>${quoted}`);
    await expect.poll(() => heightOf(page)).toBeLessThan(200);
    await page.frameLocator('iframe').getByText('Show quoted text').click();
    await expect.poll(() => heightOf(page)).toBeGreaterThan(4_000);
    await expect.poll(() => hiddenIn(page)).toBe(0);
  });

  test('unfolds a quotation without script', async () => {
    const page = await opened(
      '<p>Thanks!</p><div>Ada wrote:</div><blockquote type="cite">Really?</blockquote>',
      {
        javaScriptEnabled: false,
      },
    );
    const question = page.frameLocator('iframe').getByText('Really?');
    expect(await question.isVisible()).toBe(false);
    await page.frameLocator('iframe').getByText('Show quoted text').click();
    await expect.poll(() => question.isVisible()).toBe(true);
  });
});
