import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hasChromium, openChromium } from '../../dev/browser.ts';
import { servicesOn } from '../../functions/services.ts';
import { createWeb } from '../../functions/web.ts';
import { serve } from '../harness/browser/serve.ts';
import { FaultySeam } from '../harness/memory/faulty-seam.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryQueues } from '../harness/memory/memory-queues.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { secret, silent } from '../harness/memory/sample-findings.ts';
import { NOW, origin, principalHeader, samplePostroom } from '../harness/pages/sample-postroom.ts';

const everyday = ['Home', 'Tickets', 'Find email', 'Unimported email', 'Alerts', 'Activity'];
const forAdmins = ['Mailboxes', 'Providers', 'Secrets', 'Health', 'Audit log'];

/** The labels of the main navigation, each with its badge. */
const placesIn = (html: string): string[] => {
  const nav = /<nav aria-label="Main">([\s\S]*?)<\/nav>/.exec(html)?.[1] ?? '';
  return [...nav.matchAll(/<a [^>]*>([\s\S]*?)<\/a>/g)].map(([, label = '']) =>
    label.replace(/<[^>]+>/g, ''),
  );
};

describe('the main navigation', () => {
  test('shows an admin every page, and an agent the pages that the role may open', async () => {
    const postroom = samplePostroom();
    const nav = async (role: 'admin' | 'agent'): Promise<string[]> =>
      placesIn(await (await postroom.ask('/tickets', { role })).text());
    expect(await nav('admin')).toEqual([...everyday, ...forAdmins]);
    expect(await nav('agent')).toEqual(everyday);
  });

  test.each([
    ['/alerts', 'Alerts'],
    ['/activity', 'Activity'],
    ['/health', 'Health'],
    ['/audit', 'Audit log'],
  ])('%s is marked as the page %s, in the navigation and in its title', async (path, label) => {
    const html = await (await samplePostroom().ask(path, { role: 'admin' })).text();
    expect(html).toMatch(new RegExp(`aria-current="page">${label}`));
    expect(html).toContain(`<h1>${label}</h1>`);
  });

  test('has a badge with the number of open alerts, and none if no alert is open', async () => {
    const postroom = samplePostroom();
    await postroom.services.alerts.observe({
      source: 'review',
      findings: [silent('support'), secret('30 days')],
    });
    const busy = await (await postroom.ask('/tickets')).text();
    expect(placesIn(busy)).toContain('Alerts 2 open');
    await postroom.services.alerts.observe({ source: 'review', findings: [] });
    // The alerts page reads them anyway, and the badge agrees with it.
    const calm = await (await postroom.ask('/alerts')).text();
    expect(calm).toContain('No active alerts.');
    expect(placesIn(calm)).toContain('Alerts');
    expect(calm).not.toContain('class="badge"');
  });

  test('reads the badge with one query a minute, however many pages are opened, and works without it', async () => {
    let now = NOW;
    const seam = new FaultySeam({ now: () => now });
    const tables = new MemoryTables(seam);
    const services = servicesOn({
      ...samplePostroom().services,
      seam,
      tables,
      blobs: new MemoryBlobs(seam),
      queues: new MemoryQueues(seam),
      vault: new MemoryVault(seam),
    });
    const web = createWeb(() => services);
    const open = async (path: string): Promise<number> => {
      const before = seam.calls.length;
      await web.request(origin + path, { headers: principalHeader('admin') });
      return seam.calls.length - before;
    };
    const first = await open('/tickets');
    expect(await open('/tickets')).toBe(first - 1);
    expect(await open('/tickets')).toBe(first - 1);
    now += 60_000;
    expect(await open('/tickets')).toBe(first);
  });
});

describe.skipIf(!hasChromium)('in a browser', () => {
  test.each([320, 400, 1280])(
    'in a window of %i pixels shows every link, large enough to hit, and reachable with Tab, without script',
    async (width) => {
      const postroom = samplePostroom();
      await postroom.services.alerts.observe({ source: 'review', findings: [silent('support')] });
      const served = await serve((path) => postroom.ask(path, { role: 'admin' }));
      const browser = await openChromium();
      try {
        for (const colorScheme of ['light', 'dark'] as const) {
          const context = await browser.newContext({
            javaScriptEnabled: false,
            colorScheme,
            viewport: { width, height: 800 },
          });
          const page = await context.newPage();
          await page.goto(`${served.url}/tickets`);
          const links = page.getByRole('navigation', { name: 'Main' }).getByRole('link');
          const boxes = await Promise.all((await links.all()).map((link) => link.boundingBox()));
          expect(boxes).toHaveLength(everyday.length + forAdmins.length);
          for (const box of boxes) {
            expect(box?.x).toBeGreaterThanOrEqual(0);
            expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
            expect(box?.height).toBeGreaterThanOrEqual(24);
          }
          await page.getByRole('link', { name: 'Sign out' }).focus();
          for (const label of [...everyday, ...forAdmins]) {
            await page.keyboard.press('Tab');
            expect(await page.locator(':focus').innerText()).toContain(label);
          }
          const pictures = process.env['SCREENSHOTS'];
          if (pictures !== undefined)
            await page.screenshot({ path: join(pictures, `navigation-${colorScheme}-${width}.png`) });
          await context.close();
        }
      } finally {
        await browser.close();
        await served.close();
      }
    },
  );
});
