import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openChromium } from '../browser.ts';

export interface PageOfHost {
  /** Such as http://localhost:7071. */
  origin: string;
  path: string;
  /** Object id of one of the demo people. */
  person: string;
  /** The time on the host's clock; the page shows times relative to it. */
  now: Date;
}

export interface Camera extends AsyncDisposable {
  /**
   * Signs a person in at a local host and takes a screenshot of a page, whatever its status.
   * @param name file name without extension
   */
  take(name: string, page: PageOfHost): Promise<void>;
}

/** @throws Error with a readable message if Debian's Chromium is not installed */
export async function openCamera(folder: string): Promise<Camera> {
  await mkdir(folder, { recursive: true });
  const browser = await openChromium().catch((cause: unknown) => {
    throw new Error('Pictures need /usr/bin/chromium (apt install chromium).', { cause });
  });
  return {
    async take(name, { origin, path, person, now }) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      try {
        const form = { person, post_login_redirect_uri: '/' };
        await context.request.post(`${origin}/.auth/login/aad`, {
          form,
          headers: { origin },
          maxRedirects: 0,
        });
        const page = await context.newPage();
        await page.clock.setFixedTime(now);
        await page.goto(`${origin}${path}`);
        await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
      } finally {
        await context.close();
      }
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
