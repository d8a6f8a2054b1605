/** The ways to read a mailbox in a browser, each from a new provider to a ticket, and from one way to another. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium } from '../../dev/browser.ts';
import { faults } from '../../dev/emulators/mail/exchange-texts.ts';
import type { HostProcess } from '../../dev/host/host-process.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import {
  expectGoodPages,
  goToProvider,
  press,
  readHeading,
  registerDemo,
  saveMailbox,
  signInThere,
  wordsOf,
} from './steps.ts';
import { addressOf, openStoryWorld, type StoryWorld } from './story-world.ts';

describe.skipIf(!hasChromium)('a mailbox is read in a browser', () => {
  let world: StoryWorld;

  beforeAll(async () => {
    world = await openStoryWorld({ asExchange: true });
  });
  beforeEach(() => world.reset());
  afterAll(() => world?.[Symbol.asyncDispose]());

  const mailboxOf = async (address: string): Promise<Mailbox | undefined> =>
    (await createMailboxStore(world.postroom.tables).list()).find((one) => one.address === address);

  /** An email is delivered and fetched, and its ticket is in the list once. */
  async function expectTicket(page: Page, address: string, subject: string): Promise<void> {
    await world.postroom.stack.mail.deliver(address, letter(subject));
    await world.fetch(address);
    await page.goto('/tickets');
    expect(await page.getByRole('link', { name: subject }).count()).toBe(1);
  }

  it.each([
    ['POP3', 'pop3', 'orders', /^Read email over POP3/],
    ['Microsoft Graph', 'graph', 'returns', /^Read email over Microsoft Graph/],
  ] as const)('over %s, from a new provider to a ticket', async (name, protocol, owner, way) => {
    const reader = await world.visit(`over-${protocol}`, 'alex');
    const { page } = reader;
    const address = addressOf(owner);
    const providerId = await registerDemo(page, `Contoso over ${name}`, { way });
    await goToProvider(page, providerId, { address });
    await signInThere(page, address);
    await readHeading(page, 'Add a mailbox');
    await reader.look('mailbox form');
    await saveMailbox(page);
    expect(await mailboxOf(address)).toMatchObject({ protocol });
    await expectTicket(page, address, `A question over ${name}`);
    const mailbox = await mailboxOf(address);
    await page.goto(`/mailboxes/${mailbox?.id}/test`);
    await press(page, page.getByRole('button', { name: 'Test now' }));
    await expect
      .poll(() => wordsAfterReload(page), { timeout: 60_000, interval: 500 })
      .toContain(`${name} and SMTP work.`);
    await reader.lookClosely('test passed');
    expectGoodPages(reader);
  });

  it('shared, over Microsoft Graph without a user, from a new provider to a ticket', async () => {
    const reader = await world.visit('over-graph-as-app', 'alex');
    const { page } = reader;
    const address = addressOf('info');
    const providerId = await registerDemo(page, 'Contoso as an app', {
      way: /^Read email over Microsoft Graph/,
    });
    await page.goto(`/providers/${providerId}/app-access`);
    await page.getByLabel('Address of the mailbox').fill(address);
    expect(await page.getByLabel('Microsoft Graph').isChecked()).toBe(true);
    await reader.look('app access');
    await press(page, page.getByRole('button', { name: 'Open the mailbox' }));
    await readHeading(page, 'Add a mailbox');
    await saveMailbox(page);
    expect(await mailboxOf(address)).toMatchObject({ protocol: 'graph' });
    await expectTicket(page, address, 'A question to the shared mailbox');
    expectGoodPages(reader);
  });

  it('with push: an email dropped in is a ticket within seconds, although no timer runs', async () => {
    const reader = await world.visit('push', 'alex');
    const { page } = reader;
    const address = addressOf('alerts');
    const providerId = await registerDemo(page, 'Contoso with push');
    await goToProvider(page, providerId, { address });
    await signInThere(page, address);
    await readHeading(page, 'Add a mailbox');
    await saveMailbox(page);
    const worker = await world.startWorker();
    try {
      await runMonitor(worker);
      const id = (await mailboxOf(address))?.id;
      await page.goto(`/mailboxes/${id}/edit`);
      await expect.poll(() => wordsAfterReload(page), { timeout: 60_000 }).toContain('Push: on since');
      await reader.lookClosely('push is on');
      // It is looked at once when it is subscribed; then only the event of an email can cause a fetch.
      const { fetchState } = createMailboxStore(world.postroom.tables);
      const isFetched = async () =>
        [...(await fetchState()).shards.values()].some((shard) => shard.has(id ?? ''));
      await expect.poll(isFetched, { timeout: 60_000 }).toBe(true);
      const began = performance.now();
      await world.postroom.stack.mail.deliver(address, letter('An urgent question'));
      await page.goto('/tickets');
      const tickets = page.getByRole('link', { name: 'An urgent question' });
      await expect
        .poll(
          async () => {
            await page.reload();
            return tickets.count();
          },
          { timeout: 60_000, interval: 200 },
        )
        .toBe(1);
      console.log(`push: a ticket after ${Math.round(performance.now() - began)} ms`);
      expect(world.postroom.log(), 'what the timer logs').not.toContain('mailboxes queued');
    } finally {
      await worker.stop();
    }
    expectGoodPages(reader);
  });

  it('where IMAP is switched off, Microsoft Graph is offered, and after one sign-in it works', async () => {
    const reader = await world.visit('imap-off', 'alex');
    const { page } = reader;
    const address = addressOf('claims');
    const providerId = await registerDemo(page, 'Contoso before');
    await goToProvider(page, providerId, { address });
    await signInThere(page, address);
    await readHeading(page, 'Add a mailbox');
    await saveMailbox(page);
    await expectTicket(page, address, 'A question over IMAP');

    world.imapFaults.push(faults.imapOff(address));
    await expect(world.fetch(address)).rejects.toThrow('The fetch did not work');
    await page.goto('/mailboxes');
    await page.getByRole('button', { name: 'Read over Microsoft Graph instead' }).waitFor();
    await reader.lookClosely('offered in the list');
    await press(page, page.getByRole('link', { name: `Test the connection of ${address}` }));
    await page.getByRole('button', { name: 'Read over Microsoft Graph instead' }).waitFor();
    await reader.lookClosely('offered before a test');
    await press(page, page.getByRole('button', { name: 'Test now' }));
    // The page reloads itself while the test email is awaited, so it is looked at elsewhere.
    await page.getByText('IMAP failed at').waitFor();
    await press(page, page.getByRole('button', { name: 'Read over Microsoft Graph instead' }));
    await page.getByRole('heading', { name: 'Permissions requested' }).waitFor();
    await signInThere(page, address);
    await readHeading(page, `${address} is connected`);
    await page.getByText('The mailbox is read over Microsoft Graph from now on.').waitFor();
    await reader.look('read over Graph');
    await expectTicket(page, address, 'A question over Graph');
    expect(await page.getByRole('link', { name: 'A question over IMAP' }).count()).toBe(1);
    expectGoodPages(reader);
  });
});

/** As the host's operator may: the monitor subscribes. */
async function runMonitor({ url }: HostProcess): Promise<void> {
  const response = await fetch(`${url}/admin/functions/monitor`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input: '' }),
  });
  expect(response.status).toBe(202);
}

async function wordsAfterReload(page: Page): Promise<string> {
  await page.reload();
  return wordsOf(page);
}

const letter = (subject: string): Uint8Array =>
  Buffer.from(
    `From: Pat Brook <pat@fabrikam.example>\r\nSubject: ${subject}\r\nDate: Mon, 23 Nov 2026 09:00:00 +0000\r\n\r\nWhere is my order?\r\n`,
  );
