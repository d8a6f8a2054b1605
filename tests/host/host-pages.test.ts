import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import type { RunningHost } from '../../dev/host/host.ts';
import { type SampleHost, sampleHost } from '../harness/stack/host-fixture.ts';

interface AxeAnswer {
  violations: { id: string; nodes: { html: string }[] }[];
}

describe.skipIf(!hasChromium)("the host's own pages in a browser", () => {
  let sample: SampleHost;
  let host: RunningHost;
  let browser: Browser;
  let axe: string;

  beforeAll(async () => {
    sample = await sampleHost();
    host = await sample.start({
      demo: {
        mailboxes: ['support@contoso.example', 'sales@contoso.example'],
        dropSmtp: { host: '127.0.0.1', port: 9 },
      },
    });
    browser = await openChromium();
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  });
  afterAll(async () => {
    await browser?.close();
    await sample?.[Symbol.asyncDispose]();
  });

  test.each(['light', 'dark'] as const)(
    'have no accessibility violation in %s colours',
    async (colorScheme) => {
      const page = await browser.newPage({ colorScheme, viewport: { width: 360, height: 800 } });
      for (const path of [
        '/.auth/login/aad?post_login_redirect_uri=%2Ftickets',
        '/.local',
        '/.local?flash=sent',
      ]) {
        await page.goto(host.url + path);
        await page.evaluate(axe);
        const { violations } = (await page.evaluate('axe.run()')) as AxeAnswer;
        expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      }
      await page.close();
    },
  );

  test('sign a person in by keyboard and without a script', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('console', (message) => {
      // The sample app has no icon.
      if (!message.location().url.endsWith('/favicon.ico')) problems.push(message.text());
    });
    await page.goto(`${host.url}/.auth/login/aad?post_login_redirect_uri=%2Fprincipal`);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/principal');
    expect(await page.textContent('body')).toContain('sam@contoso.example');
    expect(problems).toEqual([]);
    await context.close();
  });
});
