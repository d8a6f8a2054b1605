import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { axeViolations } from '../harness/browser/axe.ts';
import { type Served, serve } from '../harness/browser/serve.ts';
import { connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { headingsInOrder, readPage } from '../harness/pages/read-page.ts';
import { CLIENT } from '../harness/stack/demo-directory.ts';

let app: DemoApp;
let visitor: Visitor;
let providerId: string;

beforeAll(async () => {
  app = await startDemoApp();
  ({ visitor, providerId } = await connectSupport(app));
  // Microsoft itself is not called; the demo provider's metadata is cached by now.
  app.seam.around = (point, effect) =>
    point === 'token.discovery'
      ? Promise.reject(new PostroomError('endpoint-silent', 'No answer came.'))
      : effect();
});
afterAll(() => app.stop());

const GUID = '11111111-2222-3333-4444-555555555555';
const idIn = (location: string | undefined): string => location?.split(/[/?]/)[2] ?? '';
const microsoft = {
  preset: 'microsoft',
  name: 'Contoso',
  tenant: GUID,
  clientId: GUID,
  expiresOn: '2030-01-01',
  expiryConfirmed: 'on',
};

describe('providers', () => {
  it('are for admins only', async () => {
    const agent = new Visitor(app, { id: 'sam', roles: ['agent'] });
    for (const path of [
      '/providers',
      '/providers/new',
      `/providers/${providerId}`,
      `/providers/${providerId}/connect`,
    ])
      expect((await agent.get(path)).status, path).toBe(403);
    expect((await agent.post('/providers/new', microsoft)).status).toBe(403);
    expect((await agent.post(`/providers/${providerId}/delete`, {})).status).toBe(403);
    expect(await app.services.providers.get(providerId)).toBeDefined();
  });

  it('keep the entered values after a mistake, except the secret', async () => {
    const reply = await visitor.post('/providers/new', {
      ...microsoft,
      clientId: 'wrong',
      secret: 'hush~hush',
    });
    expect(reply.status).toBe(422);
    expect(reply.html).toContain('value="Contoso"');
    expect(reply.html).toContain('value="wrong"');
    expect(reply.html).toContain('href="#clientId"');
    expect(reply.html).not.toContain('hush');
  });

  it('store their secret in the vault with its expiry date, and on no page and in no row', async () => {
    const saved = await visitor.post('/providers/new', { ...microsoft, secret: 'hush~hush' });
    const id = idIn(saved.location);
    const entry = await app.vault.get(`provider-${id}`);
    expect(entry?.value.expose()).toBe('hush~hush');
    expect(entry?.expiresOn).toBe('2030-01-01T23:59:59.000Z');
    const shown = await Promise.all(
      ['/providers', `/providers/${id}`, `/providers/${id}/edit`, `/providers/${id}/delete`].map((path) =>
        visitor.get(path),
      ),
    );
    for (const { status, html } of shown) {
      expect(status).toBe(200);
      expect(html).not.toContain('hush');
    }
    expect(JSON.stringify(app.tables.dump('Providers'))).not.toContain('hush');

    const edit = { name: 'Renamed', tenant: GUID, clientId: GUID, secret: '', expiresOn: '' };
    expect((await visitor.post(`/providers/${id}/edit`, edit)).status).toBe(303);
    expect((await app.vault.get(`provider-${id}`))?.value.expose()).toBe('hush~hush');
    expect((await app.services.providers.get(id))?.name).toBe('Renamed');

    expect((await visitor.post(`/providers/${id}/delete`, { name: 'Renamed' })).location).toBe(
      '/providers?flash=deleted',
    );
    expect(await app.services.providers.get(id)).toBeUndefined();
    expect(await app.vault.get(`provider-${id}`)).toBeUndefined();
    expect((await visitor.get(`/providers/${id}`)).status).toBe(404);
  });

  it('show the redirect URI of the settings, whatever host was requested', async () => {
    expect((await visitor.get('/providers/new?preset=microsoft')).html).toContain(
      'value="http://localhost:7071/oauth/callback"',
    );
  });

  it('escape entered text', async () => {
    const name = '<script>alert(1)</script>';
    const saved = await visitor.post('/providers/new', { ...microsoft, name, secret: 'x' });
    const id = idIn(saved.location);
    expect((await visitor.get('/providers')).html).not.toContain(name);
    expect((await visitor.get(`/providers/${id}`)).html).not.toContain(name);
    await visitor.post(`/providers/${id}/delete`, { name });
  });

  it('respond to invalid IDs with a page and no error', async () => {
    for (const id of ['..%2f', 'x', "a'or'1", encodeURIComponent('/\\#?')])
      expect((await visitor.get(`/providers/${id}`)).status, id).toBe(404);
  });
});

describe('every set-up page', () => {
  const pages = async (): Promise<Record<string, string>> => {
    const bare = await startDemoApp();
    const empty = new Visitor(bare);
    const { location } = await visitor.post(`/providers/${providerId}/connect`, {
      address: 'support@contoso.example',
      who: 'self',
    });
    const mismatch = await visitor.leave(
      providerId,
      { address: 'info@contoso.example', choose: 'on' },
      'support@contoso.example',
    );
    const html = async (reply: Promise<{ html: string }>): Promise<string> => (await reply).html;
    const [draft, certified, silent] = await Promise.all(
      [
        { preset: 'microsoft', name: 'Later', intent: 'draft' },
        { ...microsoft, name: 'Certified', credential: 'certificate' },
        { ...microsoft, name: 'Silent', secret: 'x' },
      ].map(async (fields) => idIn((await visitor.post('/providers/new', fields)).location)),
    );
    const second = { name: 'Demo', clientId: CLIENT, secret: 'not-known', expiresOn: '2030-01-01' };
    await visitor.post(`/providers/${providerId}/edit`, second);
    const found = {
      'provider draft': await html(visitor.get(`/providers/${draft}?flash=draft`)),
      'provider with a certificate': await html(visitor.get(`/providers/${certified}?flash=trouble`)),
      'provider that does not answer': await html(visitor.get(`/providers/${silent}?flash=saved`)),
      'edit of a draft': await html(visitor.get(`/providers/${draft}/edit`)),
      'no providers': await html(empty.get('/providers')),
      providers: await html(visitor.get('/providers?flash=changed')),
      'which kind': await html(visitor.get('/providers/new')),
      'new microsoft': await html(visitor.get('/providers/new?preset=microsoft')),
      'new google': await html(visitor.get('/providers/new?preset=google')),
      'new custom': await html(visitor.get(`/providers/new?preset=custom&id=${'c'.repeat(26)}`)),
      'new demo': await html(visitor.get('/providers/new?preset=demo')),
      'new with mistakes': await html(visitor.post('/providers/new', { preset: 'microsoft' })),
      'custom with mistakes': await html(visitor.post('/providers/new', { preset: 'custom' })),
      provider: await html(visitor.get(`/providers/${providerId}`)),
      edit: await html(visitor.get(`/providers/${providerId}/edit`)),
      delete: await html(visitor.get(`/providers/${providerId}/delete`)),
      connect: await html(visitor.get(`/providers/${providerId}/connect?flash=saved`)),
      'connect with mistakes': await html(
        visitor.post(`/providers/${providerId}/connect`, { who: 'shared', ways: 'yes' }),
      ),
      'on the way': await html(visitor.get(location ?? '')),
      over: await html(visitor.get(`/connect/${'a'.repeat(52)}`)),
      'unknown state': await html(visitor.get('/oauth/callback')),
      'other account': await html(visitor.get(mismatch.callback)),
      'used state': await html(visitor.get(mismatch.callback)),
    };
    await bare.stop();
    return found;
  };

  it('has one heading first, a label for every field, no duplicate ID, nothing inline', async () => {
    for (const [name, html] of Object.entries(await pages())) {
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
  });

  describe.skipIf(!hasChromium)('in a browser', () => {
    let browser: Browser;
    let served: Served;
    let drawn: Record<string, string>;
    beforeAll(async () => {
      drawn = await pages();
      browser = await openChromium();
      served = await serve(async (path) => {
        const html = drawn[decodeURIComponent(path.slice(1))];
        // The redirect would leave the page before it is checked.
        if (html !== undefined)
          return new Response(html.replace(/<meta http-equiv="refresh"[^>]*>/, ''), {
            headers: { 'content-type': 'text/html; charset=utf-8' },
          });
        const { assets } = await import('../../shared/ui/assets.ts');
        const asset = assets.find((one) => one.path === path);
        return new Response(asset?.body ?? '', {
          headers: { 'content-type': asset?.contentType ?? 'text/plain' },
        });
      });
    });
    afterAll(async () => {
      await browser?.close();
      await served?.close();
    });

    it.each(['light', 'dark'] as const)(
      'passes axe, and fits 320 pixels, %s',
      async (colorScheme) => {
        const context = await browser.newContext({ colorScheme, viewport: { width: 320, height: 800 } });
        const page = await context.newPage();
        for (const name of Object.keys(drawn)) {
          await page.goto(`${served.url}/${encodeURIComponent(name)}`);
          const found = await axeViolations(page);
          const tooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
          expect({ name, found, tooWide }).toEqual({ name, found: [], tooWide: false });
        }
        await context.close();
      },
      120_000,
    );
  });
});
