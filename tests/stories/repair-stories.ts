import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { Reader } from '../harness/browser/reader.ts';
import {
  expectGoodPages,
  goToProvider,
  press,
  readHeading,
  registerDemo,
  saveMailbox,
  signInThere,
  untilHandedOver,
  wordsOf,
} from './steps.ts';
import { addressOf, type Owner, type StoryWorld } from './story-world.ts';

/** What stops working later, or was set up wrong: what a person reads, and how it continues after the fix. */
export function repairStories(world: () => StoryWorld, providerId: () => string): void {
  const atProvider = () => world().postroom.stack.identityProvider;

  it('an expired secret is reported at the sign-in, and a new one is enough to fix it', async () => {
    const reader = await world().visit('secret-expired', 'alex');
    const { page } = reader;
    const { control, clientId } = atProvider();
    const own = await registerDemo(page, 'Expired secret', { push: false });
    await control.expireClientSecrets(clientId);
    await goToProvider(page, own, { address: addressOf('press') });
    await signInThere(page, addressOf('press'));
    await readHeading(page, 'The client secret has expired');
    await reader.lookClosely('secret has expired');
    const words = await wordsOf(page);
    expect(words).toContain('AADSTS7000222');
    expect(words).toContain('Nothing was changed');
    await control.addClientSecret(clientId, { value: 'a~new~secret' });
    await press(page, page.getByRole('link', { name: 'View provider' }));
    await enterSecret(page, 'a~new~secret');
    await reader.look('provider after the change');
    await goToProvider(page, own, { address: addressOf('press') });
    await signInThere(page, addressOf('press'));
    await page.waitForURL(/\/mailboxes\/new/);
    expectGoodPages(reader);
  });

  it('a removed secret stops the account; another one fixes it, without a new sign-in', async () => {
    const reader = await world().visit('secret-replaced', 'alex');
    const { page } = reader;
    const { control, clientId } = atProvider();
    const own = await registerDemo(page, 'Replaced secret', { push: false });
    await connect(page, own, 'returns');
    await control.setApp(clientId, { secrets: [{ value: 'another~secret' }] });
    await askForToken(reader, own, 'returns');
    expect(await page.getByRole('alert').innerText()).toContain('refuses this sign-in');
    await reader.look('secret is wrong');
    const words = await wordsOf(page);
    expect(words).toContain('The client secret is wrong');
    expect(words).toContain('AADSTS7000215');
    await press(page, page.getByRole('link', { name: 'View provider' }));
    await enterSecret(page, 'another~secret');
    await askForToken(reader, own, 'returns');
    expect(await page.getByRole('status').innerText()).toContain('this sign-in works');
    await reader.look('account works again');
    expectGoodPages(reader);
  });

  it('a revoked sign-in is reported on the account and at home, and a new sign-in fixes it', async () => {
    const reader = await world().visit('revoked', 'alex');
    const { page } = reader;
    const events = addressOf('events');
    await connect(page, providerId(), 'events');
    await atProvider().control.revokeUser(events);
    await world().age(events);
    await expect(world().fetch(events)).rejects.toThrow('The fetch did not work');
    await page.goto('/');
    await reader.look('home with a revoked sign-in');
    expect(await wordsOf(page)).toContain(events);
    await openAccount(page, providerId(), 'events');
    await reader.look('account with a revoked sign-in');
    const words = await wordsOf(page);
    expect(words).toContain('The sign-in was revoked');
    expect(words).toContain('AADSTS50173');
    await press(page, page.getByRole('link', { name: 'Sign in again' }));
    expect(await page.getByLabel('Address of the mailbox').inputValue()).toBe(events);
    await press(page, page.getByRole('button', { name: /^Go to/ }));
    await untilHandedOver(page);
    await signInThere(page, events);
    await page.waitForURL(/\/mailboxes\/[a-z2-7]{26}\/connected/);
    await reader.look('connected again');
    await world().fetch(events);
    expectGoodPages(reader);
  });

  it('a second factor that is required later needs the user; a busy provider needs no one', async () => {
    const reader = await world().visit('second-factor', 'alex');
    const { page } = reader;
    const own = await registerDemo(page, 'Second factor', { push: false });
    await connect(page, own, 'office');
    await atProvider().control.addTrouble('throttled', { retryAfterSeconds: 1 });
    await askForToken(reader, own, 'office');
    expect(await page.getByRole('alert').innerText()).toContain('Postroom retries automatically');
    await reader.lookClosely('throttled');
    // No request is sent before the second is over for which the provider requested a pause.
    await page.waitForTimeout(1_100);
    await atProvider().control.addTrouble('second-factor-needed');
    await askForToken(reader, own, 'office');
    expect(await wordsOf(page)).toContain('Multi-factor authentication is now required');
    await reader.lookClosely('second factor');
    expectGoodPages(reader);
  });

  it('an error that stays on Microsoft’s page is pasted and explained: the redirect URI, and what to do', async () => {
    const reader = await world().visit('redirect-mismatch', 'alex');
    const { page } = reader;
    const { control, clientId } = atProvider();
    const right = `${world().host.url}/oauth/callback`;
    await control.setApp(clientId, { redirectUris: [`${right}/`] });
    await goToProvider(page, providerId(), { address: addressOf('sales') });
    await reader.look('error page of the provider');
    const copied = await wordsOf(page);
    expect(copied).toContain('Troubleshooting details');
    await page.goto('/');
    await press(page, page.getByRole('link', { name: 'Error lookup' }));
    await page.getByLabel('The error').fill(copied);
    await press(page, page.getByRole('button', { name: 'Explain' }));
    await readHeading(page, 'The redirect URI is not registered');
    await reader.lookClosely('redirect uri explained');
    const words = await wordsOf(page);
    expect(words).toContain(right);
    expect(words).toMatch(/Web/);
    await control.setApp(clientId, { redirectUris: [right] });
    await goToProvider(page, providerId(), { address: addressOf('sales') });
    await signInThere(page, addressOf('sales'));
    await page.waitForURL(/\/mailboxes\/new/);
    expectGoodPages(reader);
  });
}

async function connect(page: Page, providerId: string, owner: Owner): Promise<void> {
  await goToProvider(page, providerId, { address: addressOf(owner) });
  await signInThere(page, addressOf(owner));
  await saveMailbox(page);
}

/** From the provider's page. */
async function enterSecret(page: Page, secret: string): Promise<void> {
  await press(page, page.getByRole('link', { name: 'Edit or replace the credential' }));
  await page.getByRole('radio', { name: /^A client secret/ }).check();
  await page.getByLabel('New client secret').fill(secret);
  await press(page, page.getByRole('button', { name: 'Save changes' }));
  await page.getByRole('status').waitFor();
}

/** From the list of accounts to one of them. */
async function openAccount(page: Page, providerId: string, owner: Owner): Promise<void> {
  await page.goto('/accounts');
  const link = page.locator(`a[href^="/accounts/${providerId}/"]`, { hasText: addressOf(owner) });
  await press(page, link);
  await readHeading(page, addressOf(owner));
}

async function askForToken(reader: Reader, providerId: string, owner: Owner): Promise<void> {
  const { page } = reader;
  await openAccount(page, providerId, owner);
  await press(page, page.getByRole('button', { name: 'Refresh token now' }));
  await page.waitForURL(/flash=/);
}
