import type { Locator, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { Reader } from '../harness/browser/reader.ts';
import { expectGoodPages, readHeading, untilHandedOver } from './steps.ts';
import { addressOf, type StoryWorld } from './story-world.ts';

type Registration = StoryWorld['postroom']['stack']['demo'];

/** What a person may have to do in Postroom for a first ticket, once the app registration exists. */
const MAX_CLICKS = 8;
const MAX_TYPED = 4;

const walks = [
  { preset: 'Demo', hand: 'the mouse', owner: 'hello' },
  { preset: 'Demo', hand: 'the keyboard alone', owner: 'keys' },
  { preset: 'Microsoft 365', hand: 'the mouse', owner: 'welcome' },
] as const;

/** From "new provider" to the first ticket, as a newcomer does it, with counted actions. */
export function guidedPath(world: () => StoryWorld): void {
  it.each(walks)(
    'from a new provider to the first ticket, $preset with $hand',
    async ({ preset, hand, owner }) => {
      const reader = await world().visit(`guided-path-${owner}`, 'alex');
      const { page } = reader;
      const address = addressOf(owner);
      const subject = `A first question for ${owner}`;
      await world().postroom.stack.mail.deliver(address, letter(subject));
      const act = (what: Locator): Promise<void> =>
        hand === 'the mouse' ? reader.click(what) : reader.enter(what);
      await page.goto('/providers');
      const pages = countPages(page);

      await act(page.getByRole('link', { name: 'Add a provider' }));
      await readHeading(page, 'Choose an email provider');
      await reader.look('which provider');
      await act(page.getByRole('link', { name: preset, exact: true }));
      await readHeading(page, `Add ${preset}`);
      await reader.look('provider form');
      if (preset === 'Microsoft 365') await typeRegistration(reader, world().postroom.stack.demo);
      await act(page.getByRole('button', { name: 'Save and continue' }));
      const mailbox = page.getByLabel('Address of the mailbox');
      await mailbox.waitFor();
      await reader.look('which mailbox');
      if (hand === 'the mouse') await reader.type(mailbox, address);
      else await reader.typeAt(mailbox, address);
      await act(page.getByRole('button', { name: /^Go to/ }));
      await untilHandedOver(page);
      const before = reader.clicks;
      await act(page.getByRole('button', { name: 'Sign in' }));
      await readHeading(page, 'Permissions requested');
      await act(page.getByRole('button', { name: 'Accept' }));
      await readHeading(page, 'Add a mailbox');
      const atProvider = reader.clicks - before;
      await reader.look('mailbox form');
      await act(page.getByRole('button', { name: /^Save and open/ }));
      await readHeading(page, `${address} is connected`);
      await reader.look('connected');
      // The timer's part: on Azure it runs automatically within a minute.
      await world().fetch(address);
      await act(page.getByRole('link', { name: 'View tickets' }));
      await act(page.getByRole('link', { name: subject }));
      await page.getByText('Where is my order?').waitFor();

      const own = reader.clicks - atProvider;
      const seen = pages();
      console.log(
        `guided path, ${preset} with ${hand}: ${own} clicks in Postroom and ${atProvider} at the provider, ${seen} pages, ${reader.formData} fields typed`,
      );
      expect(own).toBeLessThanOrEqual(MAX_CLICKS);
      expect(reader.formData).toBeLessThanOrEqual(MAX_TYPED);
      expectGoodPages(reader);
    },
  );
}

/** The values from the app registration's pages; all else is prefilled. */
async function typeRegistration(reader: Reader, registration: Registration): Promise<void> {
  const { page } = reader;
  await reader.type(page.getByLabel('Directory (tenant) ID'), registration.tenant);
  await reader.type(page.getByLabel('Application (client) ID'), registration.clientId);
  await reader.type(page.getByLabel('Client secret', { exact: true }), registration.clientSecret);
}

const letter = (subject: string): Uint8Array =>
  Buffer.from(
    `From: Pat Brook <pat@fabrikam.example>\r\nSubject: ${subject}\r\nDate: Mon, 23 Nov 2026 09:00:00 +0000\r\n\r\nWhere is my order?\r\n`,
  );

/** Counts the documents that a person sees: not the one that redirects to the provider. */
function countPages(page: Page): () => number {
  let seen = 0;
  page.on('framenavigated', (frame) => {
    const { pathname } = new URL(frame.url());
    if (frame === page.mainFrame() && !pathname.startsWith('/connect/')) seen += 1;
  });
  return () => seen;
}
