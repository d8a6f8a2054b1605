import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** False where Debian's Chromium is not installed; what needs it says so and is skipped. */
export const hasChromium: boolean = existsSync(executablePath);
if (!hasChromium) console.warn(`SKIPPED: tests in a browser need ${executablePath} (apt install chromium)`);

export function openChromium(): Promise<Browser> {
  // Without its own sandbox: containers and CI runners rarely allow one, and it opens our own pages only.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
