import { expect } from 'vitest';
import { CUSTOMER, type Hand, letter, type Owner, type Protocols, type ReplyWorld } from './reply-world.ts';
import { expectGoodPages } from './steps.ts';

/** A typing error: no server knows this domain, so that the mail server sends a bounce. */
const MISTYPED = 'sales@contosso.example';

/**
 * A reply to an address that does not exist: the bounce opens no ticket, the reply shows that it did not arrive, with
 * status and explanation; the agent corrects the address and sends it again, and it arrives in the customer's thread.
 */
export async function bounceStory(
  world: ReplyWorld,
  { owner, over, hand }: { owner: Owner; over: Protocols; hand: Hand },
): Promise<void> {
  const mailbox = await world.connect(owner, over);
  const person = await world.visit(`bounce-${owner}`, hand);
  const { page, reader } = person;
  const subject = `A late parcel for ${owner}`;
  const headers = { From: `Kim Berg <${CUSTOMER}>`, To: mailbox.address, Subject: subject };
  const first = `<late.${owner}@customer.example>`;
  await mailbox.receive(letter({ ...headers, 'Message-ID': first }, 'Where is it?'));
  await person.openTicket(subject);
  await person.type(page.getByLabel('To', { exact: true }), MISTYPED);
  await person.type(page.getByLabel('Message', { exact: true }), 'It comes today.');
  await person.press(page.getByRole('button', { name: 'Send', exact: true }));
  // The mail server takes it, and then sends the bounce.
  await mailbox.receive();

  await page.reload();
  const reply = page.locator('article.own');
  await reply.getByText('Bounced').waitFor();
  const words = await reply.innerText();
  expect(words).toContain(`The message to ${MISTYPED} was not delivered (5.1.`);
  expect(words).toContain('The address does not exist at the recipient’s mail server.');
  expect(words).toContain('Check the address for typing errors');
  await person.look('bounced');
  await page.goto('/tickets');
  expect(await page.getByRole('link', { name: /Undeliver|Returned/ }).count()).toBe(0);

  await person.openTicket(subject);
  await person.press(page.getByRole('button', { name: 'Edit and send again' }));
  await page.getByText('The reply was copied into the form below.').waitFor();
  await person.look('copied');
  expect(await page.getByLabel('Message', { exact: true }).inputValue()).toBe('It comes today.');
  await person.type(page.getByLabel('To', { exact: true }), CUSTOMER);
  await person.press(page.getByRole('button', { name: 'Send', exact: true }));
  await expect.poll(() => world.received(`Re: ${subject}`), { timeout: 60_000 }).toHaveLength(1);
  const [email] = await world.received(`Re: ${subject}`);
  expect(email?.references).toContain(first);
  expect(email?.text).toContain('It comes today.');
  expectGoodPages(reader);
}
