import { expect, it } from 'vitest';
import { expectGoodPages, press, readHeading, wordsOf } from './steps.ts';
import type { StoryWorld } from './story-world.ts';

/** The detour to Microsoft's portal, and typical input errors. */
export function providerStories(world: () => StoryWorld): void {
  it('a provider is saved as a draft with only a name, and continued after the detour to the portal', async () => {
    const reader = await world().visit('draft', 'alex');
    const { page } = reader;
    await page.goto('/providers/new?preset=microsoft');
    await reader.look('microsoft form');
    expect(await page.getByLabel('Redirect URI').first().inputValue()).toBe(
      `${world().host.url}/oauth/callback`,
    );
    await page.getByLabel('Name', { exact: true }).fill('Fabrikam');
    await press(page, page.getByRole('button', { name: 'Save as a draft' }));
    await readHeading(page, 'Fabrikam');
    await reader.lookClosely('draft');
    expect(await wordsOf(page)).toContain('Draft saved');
    await page.goto('/providers');
    await reader.look('providers with a draft');
    await press(page, page.getByRole('link', { name: 'Fabrikam', exact: true }));
    await press(page, page.getByRole('link', { name: 'Continue setup' }));
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Fabrikam');

    await page.getByLabel('Directory (tenant) ID').fill('11111111-2222-4333-8444-555555555555');
    await page.getByLabel('Application (client) ID').fill('11111111-2222-4333-8444-555555555555');
    await page.getByLabel('Client secret', { exact: true }).fill('99999999-2222-4333-8444-555555555555');
    await press(page, page.getByRole('button', { name: 'Save and continue' }));
    await reader.lookClosely('secret id instead of the value');
    expect(await page.getByRole('alert').first().innerText()).toMatch(/\bID\b/);
    expect(await page.getByLabel('Client secret', { exact: true }).inputValue()).toBe('');
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Fabrikam');
    expectGoodPages(reader);
  });
}
