import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import { foldQuotation } from '../../shared/tickets/fold-html.ts';
import { FRAME_SANDBOX, mailDocument, mailDocumentHeaders } from '../../shared/tickets/mail-document.ts';
import { sanitiseMailHtml } from '../../shared/tickets/mail-html.ts';
import { type Served, serve } from '../harness/browser/serve.ts';
import { leakVectors, scriptVectors } from './hostile-html.ts';

type Walls = 'none' | 'sanitiser' | 'policy' | 'both';

describe.skipIf(!hasChromium)('hostile email in a browser', () => {
  let browser: Browser;
  let leak: Served;
  let mail: Served;
  let walls: Walls = 'both';
  let framed = false;
  const frames: readonly string[] = [...scriptVectors, ...leakVectors];

  beforeAll(async () => {
    leak = await serve(
      async () => new Response('ran()', { headers: { 'access-control-allow-origin': '*' } }),
    );
    mail = await serve(async (path) => {
      const [, around, place = ''] = /^\/(mail|page)\/(\d+)/.exec(path) ?? [];
      if (around === 'page') return pageAround(place);
      const hostile = armed(frames[Number(place)] ?? '');
      return answered(hostile);
    });
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([leak?.close(), mail?.close()]);
  });
  beforeEach(() => {
    leak.asked.length = 0;
  });

  /** A line in the console proves that a script ran, under any policy and without any preparation. */
  const armed = (vector: string): string =>
    vector
      .replaceAll('ran()', 'console.log(7331)')
      .replaceAll('{leak}', leak.url)
      .replaceAll('{leakhost}', new URL(leak.url).host);

  async function answered(hostile: string): Promise<Response> {
    const safe = await sanitiseMailHtml(hostile, { remoteImages: 'blocked', inlineImage: () => undefined });
    const sanitised = walls === 'sanitiser' || walls === 'both';
    const guarded = walls === 'policy' || walls === 'both';
    const headers = guarded ? mailDocumentHeaders('blocked') : { 'content-type': 'text/html; charset=utf-8' };
    const body = sanitised && safe !== 'too-deep' ? foldQuotation(safe.html, '') : hostile;
    return new Response(mailDocument(body), { headers });
  }

  /** As on our pages: the email in a frame that the page's own script reads. */
  function pageAround(place: string): Response {
    const script = `const frame = document.querySelector('iframe');
      frame.onload = () => { document.title = frame.contentDocument.documentElement.scrollHeight; };`;
    return new Response(
      `<!doctype html><title>x</title><iframe src="/mail/${place}" sandbox="${FRAME_SANDBOX}"></iframe><script>${script}</script>`,
      { headers: { 'content-type': 'text/html; charset=utf-8' } },
    );
  }

  /** Opens each email and clicks what can be clicked; returns the vectors that ran a script. */
  async function open(vectors: readonly string[]): Promise<string[]> {
    const context = await browser.newContext();
    const ran = new Set<string>();
    const left = vectors.map((vector) => frames.indexOf(vector));
    const work = async (): Promise<void> => {
      const page = await context.newPage();
      let current = '';
      page.on('console', (message) => {
        if (message.text() === '7331') ran.add(current);
      });
      for (let place = left.shift(); place !== undefined; place = left.shift()) {
        current = frames[place] ?? '';
        await page.goto(`${mail.url}/${framed ? 'page' : 'mail'}/${place}`).catch(() => undefined);
        const within = framed ? page.frameLocator('iframe') : page;
        const clickable = within.locator('a, button, area, text').first();
        if (/>click<|<text/.test(current) && (await clickable.count()) > 0)
          await clickable.click({ timeout: 200, noWaitAfter: true }).catch(() => undefined);
        // A round trip through the page: everything logged before it has arrived here afterwards.
        await page.title().catch(() => undefined);
      }
      await page.waitForTimeout(200);
    };
    await Promise.all([work(), work(), work()]);
    await context.close();
    return [...ran];
  }

  test('the vectors work: without any protection, many run and many leak', async () => {
    walls = 'none';
    const ran = await open(scriptVectors);
    expect(ran.length).toBeGreaterThan(25);
    await open(leakVectors);
    await expect.poll(() => new Set(leak.asked).size).toBeGreaterThan(15);
  });

  test('the sanitizer alone lets nothing run and nothing leak', async () => {
    walls = 'sanitiser';
    expect(await open(frames)).toEqual([]);
    expect(leak.asked).toEqual([]);
  });

  test('the policy alone lets nothing run and nothing leak', async () => {
    walls = 'policy';
    expect(await open(frames)).toEqual([]);
    expect(leak.asked).toEqual([]);
  });

  test('both together, as served, let nothing run and nothing leak', async () => {
    walls = 'both';
    expect(await open(frames)).toEqual([]);
    expect(leak.asked).toEqual([]);
  });

  describe('in a frame that the page measures', () => {
    beforeAll(() => {
      framed = true;
    });
    afterAll(() => {
      framed = false;
    });

    test.each(['policy', 'both'] as const)(
      '%s: nothing runs and nothing leaks',
      async (wall) => {
        walls = wall;
        expect(await open(frames)).toEqual([]);
        expect(leak.asked).toEqual([]);
      },
      180_000,
    );

    test('the page can measure it', async () => {
      walls = 'both';
      const page = await browser.newPage();
      await page.goto(
        `${mail.url}/page/${frames.indexOf('<b title="&lt;img src=x onerror=ran()&gt;">x</b>')}`,
      );
      await expect.poll(async () => Number(await page.title())).toBeGreaterThan(20);
      await page.close();
    });
  });
});
