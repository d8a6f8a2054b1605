import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import { assets } from '../../shared/ui/assets.ts';
import { type Served, serve } from '../harness/browser/serve.ts';
import { type DemoApp, ORIGIN, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';

const GUID = '11111111-2222-3333-4444-555555555555';

describe.skipIf(!hasChromium)('the form of a provider, while it is being filled in', () => {
  let app: DemoApp;
  let browser: Browser;
  let served: Served;
  let page: Page;

  beforeAll(async () => {
    app = await startDemoApp();
    const { html } = await new Visitor(app).get('/providers/new?preset=microsoft');
    browser = await openChromium();
    served = await serve(async (path) => {
      const asset = assets.find((one) => one.path === path);
      return new Response(asset?.body ?? html, {
        headers: { 'content-type': asset?.contentType ?? 'text/html; charset=utf-8' },
      });
    });
    page = await browser.newPage();
    await page.goto(`${served.url}/form`);
  });
  afterAll(async () => {
    await browser?.close();
    await served?.close();
    await app?.stop();
  });

  it('shows at once that an ID was pasted in place of the secret, and removes the message after a correction', async () => {
    const secret = page.getByLabel('Client secret', { exact: true });
    await secret.fill(GUID);
    const note = page.getByText('This is the “Secret ID”, not the “Value”.');
    await note.waitFor();
    expect(await secret.getAttribute('aria-invalid')).toBe('true');
    expect(await secret.getAttribute('aria-describedby')).toContain('secret-typed');
    await secret.fill('a~value');
    await note.waitFor({ state: 'detached' });
    expect(await secret.getAttribute('aria-invalid')).toBeNull();
  });

  it('receives a click on the button below although the field before it is invalid', async () => {
    await page.goto(`${served.url}/form`);
    await page.getByLabel('Name', { exact: true }).fill('Fabrikam');
    await page.getByLabel('Client secret', { exact: true }).fill(GUID);
    const sent = page.waitForRequest((request) => request.method() === 'POST');
    // Slower than a program clicks: the field is left while the button is held down.
    await page.getByRole('button', { name: 'Save and continue' }).click({ delay: 150 });
    await sent;
    await page.goto(`${served.url}/form`);
  });

  it('fills in the admin consent link and the app’s own pages once tenant and client ID are valid', async () => {
    const link = page.getByLabel('Admin consent link', { exact: true });
    const app = page.getByRole('link', { name: 'Open API permissions' });
    const general = await app.getAttribute('href');
    await page.getByLabel('Directory (tenant) ID').fill('common');
    await page.getByLabel('Application (client) ID').fill('half-an-id');
    await page.getByLabel('Name', { exact: true }).focus();
    await page.getByText('Postroom reads work mailboxes').waitFor();
    expect(await link.inputValue()).toBe('');
    expect(await app.getAttribute('href')).toBe(general);

    await page.getByLabel('Directory (tenant) ID').fill('contoso.com');
    await page.getByLabel('Application (client) ID').fill(GUID);
    await page.getByLabel('Name', { exact: true }).focus();
    expect(await link.inputValue()).toBe(
      `https://login.microsoftonline.com/contoso.com/adminconsent?client_id=${GUID}&redirect_uri=${encodeURIComponent(`${ORIGIN}/oauth/callback`)}`,
    );
    expect(await app.getAttribute('href')).toContain(`/CallAnAPI/appId/${GUID}`);
  });

  it('changes link and pages to the selected cloud, even before the IDs are known', async () => {
    const link = page.getByLabel('Admin consent link', { exact: true });
    const app = page.getByRole('link', { name: 'Open API permissions' });
    await page.getByText('National cloud (optional)').click();
    await page.getByLabel('Cloud', { exact: true }).selectOption('gcc-high');
    expect(await link.inputValue()).toContain('https://login.microsoftonline.us/contoso.com/adminconsent?');
    expect(await app.getAttribute('href')).toContain('https://portal.azure.us/#view');
    await page.getByLabel('Application (client) ID').fill('');
    await page.getByLabel('Cloud', { exact: true }).selectOption('china');
    expect(await link.inputValue()).toBe('');
    expect(await app.getAttribute('href')).toMatch(/^https:\/\/portal\.azure\.cn\/.*ApplicationsListBlade$/);
    await page.getByLabel('Application (client) ID').fill(GUID);
    await page.getByLabel('Cloud', { exact: true }).selectOption('worldwide');
  });

  it('questions an expiry beyond 24 months, and shows only what the selected credential needs', async () => {
    const question = page.getByLabel(/although it is more than 24 months away/);
    expect(await question.isVisible()).toBe(false);
    await page.getByLabel('Expires on').fill('2099-01-01');
    await page.getByLabel('Name', { exact: true }).focus();
    await question.waitFor();
    await page.getByRole('radio', { name: /^A certificate/ }).check();
    expect(await page.getByLabel('Client secret', { exact: true }).isVisible()).toBe(false);
    expect(await page.getByLabel('Expires on').isVisible()).toBe(true);
    await page.getByRole('radio', { name: /^Managed identity/ }).check();
    expect(await page.getByLabel('Expires on').isVisible()).toBe(false);
  });

  it('has a guide for the selected credential, without a secret to create if there is none', async () => {
    await page.goto(`${served.url}/form`);
    const steps = async (): Promise<string[]> => {
      const headings = await page.getByRole('heading', { level: 3 }).allInnerTexts();
      return headings.filter((heading) => heading.startsWith('4.'));
    };
    expect(await steps()).toEqual(['4. Create the client secret']);
    await page.getByRole('radio', { name: /^A certificate/ }).check();
    expect(await steps()).toEqual(['4. Upload the certificate, after saving']);
    await page.getByRole('radio', { name: /^Managed identity/ }).check();
    expect(await steps()).toEqual(['4. Add the federated credential, after saving']);
  });

  it('opens other sites in a new tab, and keeps the entered values after Back and reload, but no secret', async () => {
    const id = page.getByLabel('Application (client) ID');
    const secret = page.getByLabel('Client secret', { exact: true });
    const typed = async () => [
      await page.getByLabel('Name', { exact: true }).inputValue(),
      await id.inputValue(),
      await page.getByRole('radio', { name: /^A client secret/ }).isChecked(),
      await secret.inputValue(),
    ];
    await page.goto(`${served.url}/form`);
    const link = page.getByRole('link', { name: 'Open API permissions (opens in a new tab)' });
    expect([await link.getAttribute('target'), await link.getAttribute('rel')]).toEqual([
      '_blank',
      'noopener noreferrer',
    ]);
    await page.getByRole('radio', { name: /^A certificate/ }).check();
    await page.getByRole('radio', { name: /^A client secret/ }).check();
    await page.getByLabel('Name', { exact: true }).fill('Fabrikam');
    await id.fill(GUID);
    await secret.fill('a~secret~value');
    await page.reload();
    expect(await typed()).toEqual(['Fabrikam', GUID, true, '']);
    // Dependent fields follow it.
    expect(await link.getAttribute('href')).toContain(GUID);
    await page.goto(`${served.url}/elsewhere`);
    expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain('a~secret~value');
    await page.goBack();
    expect(await typed()).toEqual(['Fabrikam', GUID, true, '']);
    // Another visit is another form.
    await page.goto(`${served.url}/form`);
    expect((await typed()).slice(0, 2)).not.toContain('Fabrikam');
  });
});
