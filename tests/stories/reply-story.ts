import { expect } from 'vitest';
import { CUSTOMER, type Hand, letter, type Owner, type Protocols, type ReplyWorld } from './reply-world.ts';
import { expectGoodPages } from './steps.ts';

/**
 * Mail → ticket → reply with an attachment → the customer's mailbox, where it threads → the customer's answer in the
 * same ticket, then one from an address that nobody knew, and a forged one, which opens a ticket of its own.
 */
export async function replyStory(
  world: ReplyWorld,
  { owner, over, hand }: { owner: Owner; over: Protocols; hand: Hand },
): Promise<void> {
  const mailbox = await world.connect(owner, over);
  const person = await world.visit(`reply-${owner}`, hand);
  const { page, reader } = person;
  const subject = `A wet parcel for ${owner}`;
  const first = `<parcel.${owner}@customer.example>`;
  const from = (From: string, id: string, more: Readonly<Record<string, string>> = {}) => ({
    From,
    To: mailbox.address,
    Subject: Object.keys(more).length === 0 ? subject : `Re: ${subject}`,
    'Message-ID': id,
    ...more,
  });
  await mailbox.receive(letter(from(`Kim Berg <${CUSTOMER}>`, first), 'It is wet.'));
  await person.openTicket(subject);
  await person.type(page.getByLabel('Message', { exact: true }), 'A **new one** is on its way.');
  await page
    .getByLabel('Attachments')
    .setInputFiles({ name: 'label.txt', mimeType: 'text/plain', buffer: Buffer.from('To: Kim') });
  await person.press(page.getByRole('button', { name: 'Send and wait for the customer' }));
  await person.waitFor(/^Sent$/);
  // Postfix hands it over a moment later.
  await expect.poll(() => world.received(`Re: ${subject}`), { timeout: 60_000 }).toHaveLength(1);
  const [email] = await world.received(`Re: ${subject}`);
  expect(email).toMatchObject({
    inReplyTo: first,
    references: first,
    from: { value: [{ address: mailbox.address }] },
    attachments: [{ filename: 'label.txt' }],
  });
  expect(email?.text).toContain('on its way');
  expect(await page.locator('.ticket-head').innerText()).toContain('Waiting');

  const ours = email?.messageId ?? '';
  const answer = (name: string, address: string, id: string) =>
    letter(
      from(`${name} <${address}>`, `<${name}.${owner}@customer.example>`, { 'In-Reply-To': id }),
      `${name} answers.`,
    );
  await mailbox.receive(answer('Kim', CUSTOMER, ours));
  await page.reload();
  await person.waitFor('Kim answers.');
  expect(await page.locator('.ticket-head').innerText()).toContain('Open');
  await mailbox.receive(answer('Lee', 'lee@elsewhere.example', ours));
  await mailbox.receive(answer('Mallory', 'mallory@elsewhere.example', forged(ours)));
  await page.reload();
  await person.look('answered');
  expect(await page.getByText('Lee answers.').count()).toBe(1);
  expect(await page.getByText('Mallory answers.').count()).toBe(0);
  await person.openTicket(`Re: ${subject}`);
  expect(await page.getByText('Mallory answers.').count()).toBe(1);
  expectGoodPages(reader);
}

/** The same Message-ID with another signature. */
const forged = (messageId: string): string =>
  messageId.replace(/[0-9a-f]{4}@/, (end) => (end === '0000@' ? '1111@' : '0000@'));
