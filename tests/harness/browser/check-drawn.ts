import { join } from 'node:path';
import { expect } from 'vitest';
import { hasChromium, openChromium } from '../../../dev/browser.ts';
import { assets } from '../../../shared/ui/assets.ts';
import { headingsInOrder, readPage } from '../pages/read-page.ts';
import { axeViolations } from './axe.ts';
import { serve } from './serve.ts';

/** The app's rendered pages, by a readable name. */
export type Drawn = Readonly<Record<string, string>>;

/** One heading first, a label for every field, no duplicate ID, nothing inline. */
export function expectWhole(drawn: Drawn): void {
  for (const [name, html] of Object.entries(drawn)) {
    const { headings, ...faults } = readPage(html);
    const unlabelled = faults.unlabelled.filter((tag) => !tag.includes('type="hidden"'));
    expect({ name, ...faults, unlabelled }).toEqual({
      name,
      repeatedIds: [],
      unlabelled: [],
      danglingIds: [],
      inline: [],
    });
    expect(headingsInOrder(headings), name).toBe(true);
  }
}

/**
 * No axe violation in light and dark mode, and nothing wider than a phone of 320 pixels. Skipped without Chromium.
 * With `SCREENSHOTS=folder` in the environment, a picture of each page is saved there.
 */
export async function expectUsableInBrowser(drawn: Drawn): Promise<void> {
  if (!hasChromium) return;
  const pictures = process.env['SCREENSHOTS'];
  const browser = await openChromium();
  const served = await serve(async (path) => {
    const html = drawn[decodeURIComponent(path.slice(1))];
    const asset = assets.find((one) => one.path === path);
    const type = html === undefined ? (asset?.contentType ?? 'text/plain') : 'text/html; charset=utf-8';
    // A redirect page would leave before it is checked.
    const body = html?.replace(/<meta http-equiv="refresh"[^>]*>/, '') ?? asset?.body ?? '';
    return new Response(body, { headers: { 'content-type': type } });
  });
  try {
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of pictures === undefined ? [320] : [320, 1280]) {
        const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
        const page = await context.newPage();
        for (const name of Object.keys(drawn)) {
          await page.goto(`${served.url}/${encodeURIComponent(name)}`);
          // The scheme changes only colors.
          const found = await axeViolations(
            page,
            colorScheme === 'dark' ? { runOnly: ['color-contrast'] } : {},
          );
          const tooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
          expect({ name, width, found, tooWide }).toEqual({ name, width, found: [], tooWide: false });
          if (pictures === undefined) continue;
          const file = `${name.replaceAll(/\W+/g, '-')}-${colorScheme}-${width}.png`;
          await page.screenshot({ path: join(pictures, file), fullPage: true });
        }
        await context.close();
      }
  } finally {
    await browser.close();
    await served.close();
  }
}
