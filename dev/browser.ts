import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** False where Debian's Chromium is not installed; what needs it says so and is skipped. */
export const hasChromium: boolean = existsSync(executablePath);
if (!hasChromium)
  process.stderr.write(`SKIPPED: what runs in a browser needs ${executablePath} (apt install chromium)\n`);

/** Debian's Chromium without a window, for tests and for the pictures of a drill. */
export function openChromium(): Promise<Browser> {
  // Without its own sandbox: containers and CI runners rarely allow one, and it opens our own pages only.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
