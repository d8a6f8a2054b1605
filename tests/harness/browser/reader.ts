import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page, Response } from 'playwright-core';
import { axeViolations } from './axe.ts';
import { byKeyboard, withoutItsScript } from './page-checks.ts';

/** A person at the browser: counts their actions and checks every page critically. */
export class Reader {
  readonly page: Page;
  clicks = 0;
  formData = 0;
  /** Milliseconds that the checks took, which a person would not have spent. */
  lookedMs = 0;
  /** Axe violations, and pages wider than a phone, by page. */
  readonly findings: Record<string, string[]> = {};
  readonly #folder: string | undefined;
  #looks = 0;
  /** The document that the page shows. */
  #answer: Response | undefined;

  /** @param folder where a picture of each page is saved; undefined: nowhere. */
  constructor(page: Page, folder: string | undefined) {
    this.page = page;
    this.#folder = folder;
    if (folder !== undefined) mkdirSync(folder, { recursive: true });
    page.on('response', (response) => {
      const request = response.request();
      if (request.isNavigationRequest() && request.frame() === page.mainFrame()) this.#answer = response;
    });
  }

  async click(what: Locator): Promise<void> {
    this.clicks += 1;
    await what.click();
  }

  /** The same without a mouse: Tab until it has the focus, then Enter. */
  async enter(what: Locator): Promise<void> {
    this.clicks += 1;
    await this.tabTo(what);
    await this.page.keyboard.press('Enter');
  }

  /** Typed key by key into the field that Tab has reached. */
  async typeAt(what: Locator, text: string): Promise<void> {
    this.formData += 1;
    await this.tabTo(what);
    await this.page.keyboard.type(text);
  }

  /** @throws Error when Tab never reaches it */
  async tabTo(what: Locator): Promise<void> {
    for (let press = 0; press < MAX_STOPS; press++) {
      if (await what.evaluate((element) => element === document.activeElement)) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`Tab never comes to ${String(what)}`);
  }

  async type(into: Locator, text: string): Promise<void> {
    this.formData += 1;
    await into.fill(text);
  }

  /** Checks the current page: accessible in light and dark mode, and no wider than a phone. */
  async look(name: string): Promise<void> {
    const { page } = this;
    const found = new Set<string>();
    const began = Date.now();
    this.#looks += 1;
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const complaint of await axeComplaints(page, colorScheme))
        found.add(`${colorScheme}: ${complaint}`);
      await this.#shoot(name, colorScheme);
    }
    await page.emulateMedia({ colorScheme: 'light' });
    const usual = page.viewportSize();
    await page.setViewportSize(PHONE);
    const over = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    if (over > 0) found.add(`${over} px wider than a phone`);
    await this.#shoot(name, 'phone');
    if (usual !== null) await page.setViewportSize(usual);
    if (found.size > 0) this.findings[name] = [...found];
    this.lookedMs += Date.now() - began;
  }

  /**
   * The same, and whether it works without a mouse and without its script: for pages that appear once, as the response to
   * a form or to a redirect.
   */
  async lookClosely(name: string): Promise<void> {
    const { page } = this;
    await this.look(name);
    const complaints = [...(await byKeyboard(page)), ...(await this.#plainly())];
    if (complaints.length > 0) this.findings[name] = [...(this.findings[name] ?? []), ...complaints];
  }

  /** The server's response, shown without script: a second request would return another page. */
  async #plainly(): Promise<string[]> {
    const { page } = this;
    const context = await page.context().browser()?.newContext({ javaScriptEnabled: false });
    if (context === undefined) throw new Error('The browser has gone.');
    const plain = await context.newPage();
    // A request has no fragment.
    const url = page.url().replace(/#.*$/, '');
    const body = await this.#answer?.text();
    if (body === undefined) throw new Error(`${url} did not come from the server.`);
    await plain.route('**/*', (route) =>
      route.request().url() === url
        ? route.fulfill({ body, contentType: 'text/html; charset=utf-8' })
        : route.continue(),
    );
    await plain.goto(url);
    const complaints = await withoutItsScript(page, plain);
    await context.close();
    return complaints;
  }

  /** Only pictures, wide in light and dark mode and as on a phone, if a folder for them was given. */
  async picture(name: string): Promise<void> {
    if (this.#folder === undefined) return;
    const { page } = this;
    this.#looks += 1;
    await this.#shoot(name, 'light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await this.#shoot(name, 'dark');
    await page.emulateMedia({ colorScheme: 'light' });
    const usual = page.viewportSize();
    await page.setViewportSize(PHONE);
    await this.#shoot(name, 'phone');
    if (usual !== null) await page.setViewportSize(usual);
  }

  async #shoot(name: string, kind: string): Promise<void> {
    if (this.#folder === undefined) return;
    const file = `${String(this.#looks).padStart(2, '0')}-${name.replaceAll(/\W+/g, '-')}-${kind}.png`;
    await this.page.screenshot({ path: join(this.#folder, file), fullPage: true });
  }
}

const MAX_STOPS = 120;
const PHONE = { width: 360, height: 800 };

/** Axe violations of the current page, and headings whose content is cut off. */
export async function axeComplaints(page: Page, colorScheme: 'light' | 'dark'): Promise<string[]> {
  // Dark mode changes only colors.
  const rules = colorScheme === 'dark' ? { runOnly: ['color-contrast'] } : {};
  const violations = await axeViolations(page, { except: ['iframe'], ...rules });
  const cut = await page.evaluate(() =>
    [...document.querySelectorAll('h2, h3')]
      .filter((heading) => {
        for (let around = heading.parentElement; around !== null; around = around.parentElement)
          if (getComputedStyle(around).clipPath !== 'none') return true;
        return false;
      })
      .map(({ textContent }) => `nobody sees what stands under ${textContent}`),
  );
  return [...violations, ...cut];
}
