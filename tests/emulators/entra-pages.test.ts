import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import { type RunningEntra, startEntra } from '../../dev/emulators/entra/entra.ts';
import { authorizeUrl, CLIENT, REDIRECT, SCOPE, tenant } from '../harness/stack/demo-directory.ts';

describe.skipIf(!hasChromium)('the demo sign-in pages in a browser', () => {
  let browser: Browser;
  let idp: RunningEntra;
  beforeAll(async () => {
    idp = await startEntra({ tenants: [tenant()] });
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await idp?.stop();
  });

  const address = (): (typeof idp.tenants)[number] => {
    const [first] = idp.tenants;
    if (first === undefined) throw new Error('no tenant');
    return first;
  };

  async function complaints(page: Page): Promise<string[]> {
    await page.evaluate(axe.source);
    const found: { id: string; nodes: { html: string }[] }[] = await page.evaluate(
      'axe.run().then(({ violations }) => violations)',
    );
    return found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
  }

  for (const colorScheme of ['light', 'dark'] as const)
    it(`have no accessibility violation from the picker to the callback (${colorScheme})`, async () => {
      const context = await browser.newContext({ colorScheme, viewport: { width: 360, height: 640 } });
      const page = await context.newPage();
      await page.route(`${REDIRECT}**`, (route) => route.fulfill({ body: 'back at the app' }));
      await page.goto(authorizeUrl(address(), { prompt: 'select_account consent' }));
      expect(await page.getByText('demo identity provider', { exact: true }).isVisible()).toBe(true);
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Pick an account');
      expect(await complaints(page)).toEqual([]);

      await page.getByRole('button', { name: 'Lena Locked' }).click();
      await page.getByLabel('Password').fill('wrong');
      await page.getByRole('button', { name: 'Sign in' }).click();
      expect(await page.getByRole('alert').textContent()).toContain('AADSTS50126');
      expect(await complaints(page)).toEqual([]);

      await page.getByLabel('Password').fill('open-sesame');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { level: 1, name: 'Permissions requested' }).waitFor();
      expect(await complaints(page)).toEqual([]);
      expect(
        await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'),
      ).toBe(true);

      await page.getByRole('button', { name: 'Accept' }).click();
      await page.waitForURL(`${REDIRECT}?*`);
      expect(new URL(page.url()).searchParams.has('code')).toBe(true);
      await context.close();
    });

  it('have no violation on the error and the admin consent page', async () => {
    const page = await browser.newPage();
    await page.goto(authorizeUrl(address(), { redirect_uri: 'http://localhost:1/wrong' }));
    expect(await page.getByRole('alert').textContent()).toContain('AADSTS50011');
    expect(await complaints(page)).toEqual([]);
    const query = new URLSearchParams({ client_id: CLIENT, redirect_uri: REDIRECT, scope: SCOPE });
    await page.goto(`${idp.origin}/${address().id}/v2.0/adminconsent?${query}`);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain(
      'Accept for your organization',
    );
    expect(await complaints(page)).toEqual([]);
    await page.close();
  });
});
