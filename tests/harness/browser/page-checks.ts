import type { Page } from 'playwright-core';

/** Tab reaches every control, and shows where the focus is. */
export async function byKeyboard(page: Page): Promise<string[]> {
  const wanted = await page.evaluate(() => {
    const usable = [
      ...document.querySelectorAll<HTMLElement>(
        'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]',
      ),
    ].filter((element) => element.checkVisibility() && !element.matches(':disabled'));
    // Tab reaches one of a group of radio buttons; the arrow keys move within it.
    const stops = usable.filter((element) => {
      if (!(element instanceof HTMLInputElement) || element.type !== 'radio') return true;
      const group = usable.filter(
        (other): other is HTMLInputElement =>
          other instanceof HTMLInputElement && other.name === element.name,
      );
      return element === (group.find(({ checked }) => checked) ?? group[0]);
    });
    for (const [index, element] of stops.entries()) element.dataset['stop'] = String(index);
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    return stops.map((element) => element.outerHTML.slice(0, 90));
  });
  const reached = new Set<number>();
  const unseen = new Set<number>();
  for (let press = 0; press < 2 * wanted.length + 10 && reached.size < wanted.length; press++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (!(element instanceof HTMLElement) || element.dataset['stop'] === undefined) return undefined;
      // A row that is one link has the focus ring itself; a date shows its focus in one of its parts.
      const ringed =
        element.matches('input[type=date]') ||
        [element, element.closest('li')].some((ring) => {
          const { outlineStyle, outlineWidth } = getComputedStyle(ring ?? element);
          return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2;
        });
      const { width, height, bottom, top } = element.getBoundingClientRect();
      return {
        stop: Number(element.dataset['stop']),
        shown: ringed && width > 0 && height > 0 && bottom > 0 && top < innerHeight,
      };
    });
    if (at === undefined) continue;
    reached.add(at.stop);
    if (!at.shown) unseen.add(at.stop);
  }
  return [
    ...wanted.filter((_, stop) => !reached.has(stop)).map((html) => `Tab never comes to ${html}`),
    ...wanted.filter((_, stop) => unseen.has(stop)).map((html) => `no focus to be seen at ${html}`),
  ];
}

/** The same page in a browser without script: the same heading, and no button without an effect. */
export async function withoutItsScript(page: Page, plain: Page): Promise<string[]> {
  const heading = await page.locator('h1').innerText();
  const complaints: string[] = [];
  if ((await plain.locator('h1').innerText()) !== heading) complaints.push('another heading without script');
  const idle = await plain
    .locator('button:visible')
    .evaluateAll((buttons) =>
      buttons.flatMap((button) =>
        button instanceof HTMLButtonElement && button.form === null ? [button.innerText] : [],
      ),
    );
  complaints.push(...idle.map((words) => `a button that needs the script: ${words}`));
  return complaints;
}
