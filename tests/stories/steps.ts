/** Actions of several stories. Each step ends when the page it leads to can be read. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Reader } from '../harness/browser/reader.ts';

/** The text of the page without its navigation, as a person reads it. */
export const wordsOf = (page: Page): Promise<string> => page.locator('main').innerText();

export async function readHeading(page: Page, heading: string | RegExp): Promise<void> {
  await page
    .getByRole('heading', { level: 1, name: heading })
    .waitFor()
    .catch(async (error: unknown) => {
      throw new Error(`No heading ${String(heading)}. The page reads:\n${await wordsOf(page)}`, {
        cause: error,
      });
    });
}

/**
 * Registers the demo provider; returns its ID. `way`: the only one to read email, by its label; absent: as proposed.
 * `push`: false where the provider is to fail once, for a button: push asks for tokens, too.
 */
export async function registerDemo(
  page: Page,
  name: string,
  { way, push = true }: { way?: RegExp; push?: boolean } = {},
): Promise<string> {
  await page.goto('/providers/new?preset=demo');
  await page.getByLabel('Name', { exact: true }).fill(name);
  if (way !== undefined || !push) await page.getByText('How email is read and sent').click();
  if (way !== undefined) {
    await page.getByLabel('Read email over IMAP').uncheck();
    await page.getByLabel(way).check();
  }
  if (!push) await page.getByLabel(/push/).uncheck();
  await page.getByRole('button', { name: /^Save/ }).click();
  await page.waitForURL(/\/providers\/[a-z2-7]{26}/);
  return /\/providers\/([a-z2-7]{26})/.exec(page.url())?.[1] ?? '';
}

/** From "which mailbox?" to the provider's first page. `signIn`: who opens a shared mailbox. */
export async function goToProvider(
  page: Page,
  providerId: string,
  { address, signIn, choose = false }: { address: string; signIn?: string; choose?: boolean },
): Promise<void> {
  await page.goto(`/providers/${providerId}/connect`);
  await page.getByLabel('Address of the mailbox').fill(address);
  if (signIn !== undefined) {
    await page.getByLabel('Another user (shared mailbox)').check();
    await page.getByLabel(/^Username/).fill(signIn);
  }
  if (choose) await page.getByLabel('Show the account picker').check();
  await press(page, page.getByRole('button', { name: /^Go to/ }));
  await untilHandedOver(page);
}

/** Waits until the redirect page has passed; a provider that knows the browser may have redirected it back already. */
export async function untilHandedOver(page: Page): Promise<void> {
  await page.waitForURL(({ pathname }) => !/^\/(providers|connect|invite)\//.test(pathname));
}

/** Signs in on the provider's pages and consents, until the browser is back. */
export async function signInThere(page: Page, user: string): Promise<void> {
  while ((await page.title()).endsWith('demo identity provider')) {
    const title = await page.locator('h1').innerText();
    if (title === 'Permissions requested') await page.getByRole('button', { name: 'Accept' }).click();
    else if (title === 'Sign in' && (await page.getByLabel('Account').inputValue()) === user)
      await page.getByRole('button', { name: 'Sign in' }).click();
    else if (title === 'Sign in' || title === 'Pick an account')
      await page.getByRole('button', { name: new RegExp(` ${user}$`) }).click();
    else throw new Error(`The provider shows "${title}": ${await wordsOf(page)}`);
    await page.waitForLoadState();
  }
}

/** Saves the mailbox that the form proposes; it is opened for real. */
export async function saveMailbox(page: Page): Promise<void> {
  await press(page, page.getByRole('button', { name: /^Save and open/ }));
  await readHeading(page, /is connected$/);
  await page.getByRole('status').getByText('Mailbox opened.').waitFor();
}

/** A click; if there is nothing to click, the error contains what the page shows instead. */
export async function press(page: Page, what: Locator): Promise<void> {
  try {
    await what.click();
  } catch (error) {
    throw new Error(`${String(error).split('\n')[0]} The page reads:\n${await wordsOf(page)}`, {
      cause: error,
    });
  }
}

/** The requirements of every page: no axe violation, no wider than a phone. */
export function expectGoodPages(reader: Reader): void {
  expect(reader.findings).toEqual({});
}
