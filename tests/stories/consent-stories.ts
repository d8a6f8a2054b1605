import { expect, it } from 'vitest';
import { expectGoodPages, goToProvider, readHeading, saveMailbox, signInThere, wordsOf } from './steps.ts';
import { addressOf, type StoryWorld } from './story-world.ts';

/** How a sign-in can end, and that each end leads on. */
export function consentStories(world: () => StoryWorld, providerId: () => string): void {
  it('another account that signs in saves nothing, is named, and the right one is a click away', async () => {
    const reader = await world().visit('wrong-account', 'alex');
    const { page } = reader;
    const [orders, sales] = [addressOf('orders'), addressOf('sales')];
    await goToProvider(page, providerId(), { address: orders });
    await signInThere(page, sales);
    await readHeading(page, 'Wrong account');
    await reader.lookClosely('another account');
    const words = await wordsOf(page);
    expect(words).toContain(orders);
    expect(words).toContain(sales);
    expect(words).toContain('Nothing was changed');
    expect((await world().accountsOf(sales)).length).toBe(0);
    await page.getByRole('button', { name: 'Use a different account' }).click();
    await page.getByRole('heading', { name: 'Pick an account' }).waitFor();
    await signInThere(page, orders);
    await saveMailbox(page);
    expect((await world().accountsOf(orders)).length).toBe(1);
    expectGoodPages(reader);
  });

  it('a shared mailbox is no wrong account: one click confirms it, and it is opened with the colleague’s permissions', async () => {
    const reader = await world().visit('shared-mailbox', 'alex');
    const { page } = reader;
    await goToProvider(page, providerId(), { address: addressOf('info') });
    await signInThere(page, addressOf('support'));
    await readHeading(page, 'Wrong account');
    await page.getByRole('button', { name: 'This is a shared mailbox' }).click();
    await page.waitForURL(/\/mailboxes\/new/);
    await reader.look('mailbox form');
    expect(await page.getByLabel('Address').first().inputValue()).toBe(addressOf('info'));
    await saveMailbox(page);
    expectGoodPages(reader);
  });

  it('Cancel at the provider is no failure: the page says what was not done, and the form for another attempt is filled in', async () => {
    const reader = await world().visit('declined', 'alex');
    const { page } = reader;
    await goToProvider(page, providerId(), { address: addressOf('returns') });
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Permissions requested' }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await readHeading(page, /cancelled|declined/i);
    await reader.lookClosely('declined');
    expect(await wordsOf(page)).toContain('Nothing was changed');
    await page.getByRole('link', { name: 'Try again' }).click();
    expect(await page.getByLabel('Address of the mailbox').inputValue()).toBe(addressOf('returns'));
    expectGoodPages(reader);
  });

  it('the back button after a sign-in shows that it is over, and links to the mailbox', async () => {
    const reader = await world().visit('back-button', 'alex');
    const { page } = reader;
    await goToProvider(page, providerId(), { address: addressOf('billing') });
    const [callback] = await Promise.all([
      page.waitForRequest((request) => request.url().includes('/oauth/callback')),
      signInThere(page, addressOf('billing')),
    ]);
    await saveMailbox(page);
    await page.goto(callback.url());
    await readHeading(page, 'Sign-in already processed');
    await reader.lookClosely('already over');
    await page
      .getByRole('link', { name: /mailboxes/i })
      .last()
      .click();
    await readHeading(page, 'Mailboxes');
    expect(await wordsOf(page)).toContain(addressOf('billing'));
    expectGoodPages(reader);
  });

  it('two tabs are two sign-ins: both return, each to its own mailbox', async () => {
    const reader = await world().visit('two-tabs', 'alex');
    const { page: first } = reader;
    const second = await first.context().newPage();
    await goToProvider(first, providerId(), { address: addressOf('events') });
    await goToProvider(second, providerId(), { address: addressOf('press') });
    await signInThere(second, addressOf('press'));
    await second.waitForURL(/\/mailboxes\/new/);
    expect(await second.getByLabel('Address').first().inputValue()).toBe(addressOf('press'));
    await signInThere(first, addressOf('events'));
    await first.waitForURL(/\/mailboxes\/new/);
    expect(await first.getByLabel('Address').first().inputValue()).toBe(addressOf('events'));
    expectGoodPages(reader);
  });
}
