/** Email to addresses outside of the demo: a catch-all mailbox receives it, and the host's page shows its copies. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { copyMail } from '../../dev/demo/customer-mail.ts';
import { mailServerKindHere, startMailServer } from '../../dev/emulators/mail/mail-server.ts';
import { destinationOf } from '../../dev/emulators/mail/mail-world.ts';
import { readCustomerMail } from '../../dev/host/customer-inbox.ts';
import { makeMailLab, support } from '../harness/stack/mail-lab.ts';

const catchAll = 'everybody@outside.example';

describe.each(['npm', 'debian'] as const)('the mail server of kind %s with a catch-all mailbox', (kind) => {
  const here = kind === 'npm' || mailServerKindHere() === 'debian';
  if (!here) console.warn('SKIPPED: the catch-all mailbox behind Postfix, which is not here.');

  test.skipIf(!here)('delivers there what is sent to other domains, and copies it for the page', async () => {
    const lab = await makeMailLab(kind);
    onTestFinished(() => lab.remove());
    const mailboxes = [...lab.options.mailboxes, { address: catchAll }];
    const server = await startMailServer({ ...lab.options, mailboxes, catchAll });
    onTestFinished(() => server.stop());
    const folder = mkdtempSync(join(tmpdir(), 'postroom-customer-mail-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const inbox = server.mailbox(catchAll);
    if (inbox === undefined) throw new Error('There is no such mailbox.');
    onTestFinished(copyMail(inbox, folder));

    const auth = { type: 'OAuth2' as const, user: support, accessToken: await lab.token(support) };
    const mailer = createTransport({ ...server.smtp, requireTLS: true, tls: { ca: lab.ca }, auth });
    onTestFinished(() => mailer.close());
    const send = (to: string, subject: string) =>
      mailer.sendMail({
        from: support,
        to,
        subject,
        text: 'x',
        attachments: [{ filename: 'a.txt', content: 'a' }],
      });
    await send('Kim <kim@customer.example>', 'to a customer');
    await send('kim@nowhere.example', 'to nobody');
    await expect(send('nobody@contoso.example', 'to a wrong one')).rejects.toMatchObject({
      permanent: true,
    });

    await vi.waitFor(async () => expect(await readCustomerMail(folder)).toHaveLength(1), 60_000);
    expect(await readCustomerMail(folder)).toMatchObject([
      {
        from: support,
        to: { name: 'Kim', address: 'kim@customer.example' },
        replyTo: support,
        subject: 'to a customer',
        attachments: ['a.txt'],
        references: [],
      },
    ]);
    const subjects = async (): Promise<string[]> => {
      const own = server.mailbox(support);
      const emails = (await own?.emails('INBOX')) ?? [];
      const raws = await Promise.all(emails.map((email) => own?.read(email)));
      return raws.map((raw) => /^Subject: (.*?)\r?$/m.exec(String(raw))?.[1] ?? '');
    };
    await vi.waitFor(
      async () => expect(await subjects()).toEqual([expect.stringMatching(/^Undelivered/)]),
      60_000,
    );
  });
});

test.each([
  ['Support+12@Contoso.example', 'support@contoso.example'],
  ['nobody@contoso.example', undefined],
  ['kim@customer.example', catchAll],
  ['kim@sub.contoso.example', catchAll],
  ['kim@nowhere.example', undefined],
])('email to %s goes to %s', (address, destination) => {
  expect(destinationOf(address, { mailboxes: new Set([support, catchAll]), catchAll })).toBe(destination);
});

test('without a catch-all mailbox, email to another domain goes nowhere', () => {
  expect(destinationOf('kim@customer.example', { mailboxes: new Set([support]) })).toBeUndefined();
});
