import type { IncomingMessage } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import { createWeb } from '../../functions/web.ts';
import { type Served, serve } from '../harness/browser/serve.ts';
import { type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';

const SUPPORT = 'support@contoso.example';

let app: DemoApp;
let served: Served;
let browser: Browser;
let providerId: string;

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const piece of request) body += String(piece);
  return body;
}

describe.skipIf(!hasChromium)('the link of an invitation in a browser', () => {
  beforeAll(async () => {
    app = await startDemoApp();
    providerId = await new Visitor(app).addDemoProvider();
    const web = createWeb(() => app.services);
    served = await serve(async (path, request) => {
      const { method = 'GET', headers } = request;
      const own = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
      const body = method === 'POST' ? { body: await bodyOf(request) } : {};
      return web.fetch(new Request(new URL(path, served.url), { method, headers: own, ...body }));
    });
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser.close();
    await served.close();
    await app.stop();
  });

  async function invited(): Promise<{ link: string; token: string }> {
    const path = await new Visitor(app).invite(providerId, { address: SUPPORT });
    return { link: served.url + path, token: path.split('#')[1] ?? '' };
  }
  const heading = (page: Page): Promise<string> => page.locator('h1').innerText();

  it('is opened by the script of the page, and no requested or remaining URL contains its token', async () => {
    const { link, token } = await invited();
    const page = await (await browser.newContext()).newPage();
    await page.goto(link);
    await page.getByRole('heading', { name: `Connect ${SUPPORT}` }).waitFor();
    expect(page.url()).not.toContain(token);
    expect(page.url()).not.toContain('#');
    await page.reload();
    expect(await heading(page)).toBe(`Connect ${SUPPORT}`);
    await page.goBack();
    expect(page.url()).not.toContain(token);
    expect(served.asked.filter((path) => path.includes(token))).toEqual([]);
  });

  it('is opened without script by pasting it', async () => {
    const { link, token } = await invited();
    const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
    await page.goto(link);
    expect(await heading(page)).toBe('Open your invitation');
    await page.getByLabel('Your invitation link').fill(link);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: `Connect ${SUPPORT}` }).waitFor();
    expect(served.asked.filter((path) => path.includes(token))).toEqual([]);
  });

  it('is opened again if another one was opened before', async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${served.url}/invite#${'A'.repeat(43)}`);
    await page.getByRole('heading', { name: 'Unknown invitation' }).waitFor();
    const { link } = await invited();
    // The same URL except for the part after `#`: the browser loads nothing again.
    await page.evaluate((to) => {
      location.href = to;
    }, link);
    await page.getByRole('heading', { name: `Connect ${SUPPORT}` }).waitFor();
  });
});
