import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** False if Debian's Chromium is not installed; then whatever needs it reports so and is skipped. */
export const hasChromium: boolean = existsSync(executablePath);
if (!hasChromium)
  process.stderr.write(`SKIPPED: what runs in a browser needs ${executablePath} (apt install chromium)\n`);

/** Debian's Chromium, headless, for tests and for the screenshots of a drill. */
export function openChromium(): Promise<Browser> {
  // Without its own sandbox, which containers and CI runners rarely allow. It opens only our own pages.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
