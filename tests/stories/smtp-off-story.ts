import { expect } from 'vitest';
import { faults } from '../../dev/emulators/mail/exchange-texts.ts';
import { CUSTOMER, type Hand, letter, type Owner, type ReplyWorld } from './reply-world.ts';
import { expectGoodPages, readHeading, signInThere } from './steps.ts';

/**
 * SMTP AUTH is switched off: the reply waits and says why and who can fix it; after “Send over Microsoft Graph
 * instead” and one consent, it is sent automatically, once, and the alert ends.
 */
export async function smtpOffStory(
  world: ReplyWorld,
  { owner, hand }: { owner: Owner; hand: Hand },
): Promise<void> {
  const mailbox = await world.connect(owner, 'IMAP and SMTP');
  const person = await world.visit(`smtp-off-${owner}`, hand);
  const { page, reader } = person;
  const subject = `A lost parcel for ${owner}`;
  const headers = { From: `Kim Berg <${CUSTOMER}>`, To: mailbox.address, Subject: subject };
  await mailbox.receive(
    letter({ ...headers, 'Message-ID': `<lost.${owner}@customer.example>` }, 'It is lost.'),
  );
  world.smtpFaults.push(faults.smtpAuthDisabled(Number.POSITIVE_INFINITY));
  await person.openTicket(subject);
  const ticket = page.url();
  await person.type(page.getByLabel('Message', { exact: true }), 'We send another one.');
  await person.press(page.getByRole('button', { name: 'Send', exact: true }));
  await person.waitFor(/^Failed$/);
  const reply = page.locator('article.own');
  await person.press(reply.getByText('Sending over SMTP is turned off in the tenant'));
  const words = await reply.innerText();
  expect(words).toContain('535 5.7.139');
  expect(words).toContain('the reply is sent automatically');
  expect(words).toMatch(/Who can fix it\s+A tenant admin/);
  await person.look('waits');

  await page.goto('/alerts');
  const alert = page.locator('.findings').getByText(`Cannot send as ${mailbox.address}`);
  await alert.waitFor();
  await person.look('alert');
  await page.goto(ticket);
  await person.press(reply.getByRole('link', { name: `Test the connection of ${mailbox.address}` }));
  await readHeading(page, `Connection test: ${mailbox.address}`);
  await person.look('offer');
  await person.press(page.getByRole('button', { name: 'Send over Microsoft Graph instead' }));
  await page.getByRole('heading', { name: /Sign in|Pick an account|Permissions requested/ }).waitFor();
  await signInThere(page, mailbox.address);
  await readHeading(page, `${mailbox.address} is connected`);
  await page.getByText('Emails that waited are on their way.').waitFor();
  await person.look('sends over Graph');

  await expect.poll(() => world.received(`Re: ${subject}`), { timeout: 60_000 }).toHaveLength(1);
  await page.goto(ticket);
  await person.waitFor(/^Sent$/);
  const copies = (await mailbox.emails('Sent Items')).filter((email) => email.subject === `Re: ${subject}`);
  expect(copies).toHaveLength(1);
  expect(copies[0]?.messageId).toBe((await world.received(`Re: ${subject}`))[0]?.messageId);
  await page.goto('/alerts');
  expect(await alert.count()).toBe(0);
  await page.getByRole('rowheader', { name: `Cannot send as ${mailbox.address}` }).waitFor();
  world.smtpFaults.length = 0;
  expectGoodPages(reader);
}
