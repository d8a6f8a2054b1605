import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { uidOf } from '../../shared/mailboxes/imap-position.ts';
import type { Inbox } from '../../shared/mailboxes/inbox.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { openImapInbox } from '../../shared/mailboxes/open-imap-inbox.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { mailOfManyParts } from './every-page.ts';
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

const letter = (id: string, subject: string, more = ''): Buffer =>
  Buffer.from(
    `From: Kim Berg <kim@customer.example>\r\nTo: ${addressOf('claims')}\r\nSubject: ${subject}\r\nMessage-ID: <${id}@customer.example>\r\n${more}\r\nHello\r\n`,
  );

/** An email is looked up in each of its dispositions; an unimported one becomes a ticket; a missing one is found. */
export function lostEmailStories(world: () => StoryWorld, providerId: () => string): void {
  it('an email is found in each of its dispositions, and none is lost permanently', async () => {
    const reader = await world().visit('lost-email', 'alex');
    const { page } = reader;
    const { postroom } = world();
    const { mail } = postroom.stack;
    const address = addressOf('claims');
    await goToProvider(page, providerId(), { address });
    await signInThere(page, address);
    await saveMailbox(page);

    await mail.deliver(address, letter('first', 'The parcel is wet'));
    await mail.deliver(
      address,
      letter('reply', 'Re: The parcel is wet', 'In-Reply-To: <first@customer.example>\r\n'),
    );
    await mail.deliver(address, letter('first', 'The parcel is wet'));
    await mail.deliver(address, mailOfManyParts());
    await mail.deliver(address, letter('junk', 'Win a parcel'));
    await asColleague(world(), address, async (inbox) => {
      await inbox.move(await inbox.find({ words: 'win a parcel', messageId: undefined }), 'Junk Email');
    });
    await world().fetch(address);

    await press(page, page.getByRole('link', { name: 'Find email' }));
    await readHeading(page, 'Where is my email?');
    await reader.lookClosely('find email');
    await find(page, '<first@customer.example>');
    expect(await wordsOf(page)).toMatch(/Opened ticket #\d+\./);
    expect(await wordsOf(page)).toMatch(/Skipped: it is a copy of an email in ticket #\d+\./);
    await reader.lookClosely('an email that was found, and its copy');
    await find(page, 're: the parcel');
    expect(await wordsOf(page)).toMatch(/Added to ticket #\d+ as a reply\./);
    await find(page, 'pat@fabrikam.example');
    expect(await wordsOf(page)).toMatch(/Not imported: .*parts/);
    await reader.lookClosely('an email that was not imported');
    await find(page, 'win a parcel', address);
    expect(await wordsOf(page)).toContain('Not found');
    expect(await wordsOf(page)).toContain('INBOX');
    await reader.lookClosely('an email that was not seen');
    await press(page, page.getByRole('button', { name: `Ask the server of ${address}` }));
    expect(await wordsOf(page)).toContain('Found in the Junk folder “Junk Email”.');
    await reader.lookClosely('an email in the Junk folder');

    await find(page, 'pat@fabrikam.example');
    await press(page, page.getByRole('link', { name: 'Try again, make a ticket or dismiss it' }));
    await readHeading(page, 'Unimported email');
    await reader.lookClosely('unimported email that waits');
    await press(page, page.getByRole('button', { name: 'Try again: A thousand notes' }));
    expect(await page.getByRole('alert').innerText()).toContain('still could not be imported');
    await page.goto('/unimported?show=waiting');
    await press(page, page.getByRole('button', { name: 'Make a ticket: A thousand notes' }));
    expect(await page.getByRole('status').innerText()).toMatch(/The email is now in ticket #\d+\./);
    await reader.lookClosely('unimported email that became a ticket');
    await press(page, page.getByRole('link', { name: /^Ticket #\d+$/ }).first());
    await readHeading(page, /^#\d+ A thousand notes$/);
    expect(await wordsOf(page)).toContain('message.eml');
    await reader.look('the ticket of an unimported email');
    await find(page, 'pat@fabrikam.example');
    expect(await wordsOf(page)).toMatch(/Opened ticket #\d+\./);

    await loseEmail(world(), address);
    await world().fetch(address);
    const worker = await postroom.startHost({
      background: true,
      settings: { FETCH_SCHEDULE: '0 0 0 1 1 *' },
    });
    try {
      await page.goto('/mailboxes');
      await press(page, page.getByRole('link', { name: `Check ${address}` }));
      await readHeading(page, `Folder check: ${address}`);
      await press(page, page.getByRole('button', { name: 'Check now' }));
      await untilSaid(page, '5 in the folder, 4 accounted for');
      expect(await wordsOf(page)).toContain('<lost@customer.example>');
      await reader.lookClosely('a check that misses an email');
      await press(page, page.getByRole('button', { name: 'Fetch the missing email' }));
      await untilSaid(page, '5 in the folder, 5 accounted for');
      await reader.lookClosely('a check that misses nothing');
    } finally {
      await worker.stop();
    }
    await find(page, '<lost@customer.example>');
    expect(await wordsOf(page)).toMatch(/Opened ticket #\d+\./);
    await page.goto('/activity');
    expect(await wordsOf(page)).toContain('1 missing email recovered: 1 ticket opened.');
    await page.goto('/mailboxes');
    expect(await wordsOf(page)).toContain('5 in the folder, 5 accounted for');
    await reader.look('mailboxes with their checks');
    expectGoodPages(reader);
  });
}

/** @param address of one mailbox; absent: in all of them */
async function find(page: Page, text: string, address?: string): Promise<void> {
  await page.goto('/find-email');
  if (address !== undefined) await page.getByLabel('Mailbox').selectOption({ label: address });
  await page.getByLabel('Sender, subject or Message-ID').fill(text);
  await press(page, page.getByRole('button', { name: 'Find', exact: true }));
  await page.getByText('Searched mailboxes').waitFor();
}

/** Reloads the page repeatedly, as a person would. */
async function untilSaid(page: Page, text: string): Promise<void> {
  await expect
    .poll(
      async () => {
        await page.goto(page.url().replace(/\?.*/, ''));
        return wordsOf(page);
      },
      { timeout: 60_000, interval: 500 },
    )
    .toContain(text);
}

async function asColleague<T>(
  { postroom }: StoryWorld,
  user: string,
  act: (inbox: Inbox) => Promise<T>,
): Promise<T> {
  const { stack } = postroom;
  setDefaultCACertificates([...getCACertificates('default'), stack.ca]);
  const accessToken = new Secret(await stack.identityProvider.control.mintAccessToken({ upn: user }));
  const inbox = await openImapInbox({ ...stack.demo.imap, folder: 'INBOX', user, accessToken }, openSeam, {
    local: true,
  });
  try {
    return await act(inbox);
  } finally {
    await inbox.close();
  }
}

/** As after a restored backup: an email is below Postroom's position, and has been read. */
async function loseEmail(world: StoryWorld, address: string): Promise<void> {
  await world.postroom.stack.mail.deliver(address, letter('lost', 'The lost parcel'));
  const ref = await asColleague(world, address, async (inbox) => {
    const refs = await inbox.find({ words: 'the lost parcel', messageId: undefined });
    await inbox.markSeen(refs);
    return refs.at(-1);
  });
  const mailboxes = createMailboxStore(world.postroom.tables);
  const mailbox = (await mailboxes.list()).find((one) => one.address === address);
  const cursor = (await mailboxes.fetchState()).cursors.get(mailbox?.id ?? '');
  if (mailbox === undefined || cursor === undefined || ref === undefined)
    throw new Error(`${address} was not fetched.`);
  await mailboxes.saveCursor(mailbox.id, { ...cursor, position: { uid: uidOf(ref) } });
}
