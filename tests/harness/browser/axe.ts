import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';

// Every checked page has to receive and compile it; minified, it is less than half as long.
const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * The rules of axe that the current page breaks, each with the selector of an element that breaks it.
 * @param options `except`: selectors of what is not checked; `runOnly`: the only rules, by ID
 */
export async function axeViolations(
  page: Page,
  { except = [], ...rules }: { except?: string[]; runOnly?: string[] } = {},
): Promise<string[]> {
  // The page policy blocks added script tags, as it should, so the checks are injected from outside.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(source);
  // Nothing is written about what passed.
  const options: RunOptions = { ...rules, resultTypes: ['violations'] };
  return page.evaluate(
    async ({ exclude, how }) => {
      const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
      const { violations } = await axe.run({ exclude }, how);
      return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} at ${String(target)}`));
    },
    { exclude: except, how: options },
  );
}
