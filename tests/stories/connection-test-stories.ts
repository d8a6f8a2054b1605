import { expect, it } from 'vitest';
import { type ConnectionTest, isWaiting } from '../../shared/connection-test/connection-test.ts';
import { createConnectionTestStore } from '../../shared/connection-test/connection-test-store.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import {
  expectGoodPages,
  goToProvider,
  press,
  readHeading,
  saveMailbox,
  signInThere,
  wordsOf,
} from './steps.ts';
import { addressOf, type StoryWorld } from './story-world.ts';

/** "Test connection": successful steps are shown one by one, and a failed one with its reason. */
export function connectionTestStories(world: () => StoryWorld, providerId: () => string): void {
  it('a mailbox is tested step by step, an email to itself arrives, and an ended sign-in is named', async () => {
    const reader = await world().visit('test-connection', 'alex');
    const { page } = reader;
    const address = addressOf('tests');
    await goToProvider(page, providerId(), { address });
    await signInThere(page, address);
    await readHeading(page, 'Add a mailbox');
    await press(page, page.getByRole('button', { name: 'Test without saving' }));
    await page.getByText('Nothing is saved yet').waitFor();
    await reader.lookClosely('tested before it is saved');
    await saveMailbox(page);
    await page.goto('/mailboxes');
    await press(page, page.getByRole('link', { name: `Test ${address}`, exact: true }));
    await reader.look('not tested yet');
    await press(page, page.getByRole('button', { name: 'Test now' }));
    await reader.look('test on its way');
    await expect
      .poll(
        async () => {
          await page.reload();
          return wordsOf(page);
        },
        { timeout: 60_000, interval: 500 },
      )
      .toContain('IMAP and SMTP work.');
    await reader.lookClosely('test passed');
    for (const step of ['Find the server', 'Encrypt', 'Sign in', 'Count messages', 'Receive the test email'])
      expect(await wordsOf(page)).toContain(step.replaceAll(' ', '\u00a0'));
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      press(page, page.getByRole('link', { name: 'Download the transcript' })),
    ]);
    expect(download.suggestedFilename()).toBe('connection-test.txt');

    const mailboxes = createMailboxStore(world().postroom.tables);
    const mailbox = (await mailboxes.list()).find((one) => one.address === address);
    if (mailbox === undefined) throw new Error(`${address} is not connected.`);
    await mailboxes.save({ ...mailbox, folder: 'No such folder' });
    await press(page, page.getByRole('button', { name: 'Test again' }));
    await page.getByText('IMAP failed at').waitFor();
    await reader.lookClosely('test failed');
    await press(page, page.getByRole('link', { name: 'Edit settings' }));
    await readHeading(page, `Edit ${address}`);
    await page.getByLabel('Folder', { exact: true }).fill('INBOX');
    await press(page, page.getByRole('button', { name: 'Save and open the mailbox' }));
    await page.getByRole('status').waitFor();
    expectGoodPages(reader);

    // The page is not opened again: the monitor resolves the pending test.
    const tests = createConnectionTestStore(world().postroom.tables);
    await tests.save(mailbox.id, [waitingSince(Date.now() - 180_000)]);
    await fetch(`${world().host.url}/admin/functions/monitor`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input: '' }),
    });
    await expect
      .poll(async () => (await tests.of(mailbox.id)).some(isWaiting), { timeout: 60_000, interval: 500 })
      .toBe(false);
  });
}

/** A test whose email never arrives. */
function waitingSince(time: number): ConnectionTest {
  const sentAt = new Date(time).toISOString();
  return {
    protocol: 'smtp',
    server: 'localhost:587',
    startedAt: sentAt,
    steps: [{ name: 'arrival', state: 'waiting', ms: 0, found: '' }],
    transcript: [],
    expected: { mark: 'postroom-lost', sentAt, until: new Date(time + 120_000).toISOString() },
  };
}
