import { expect, test } from 'vitest';
import { IntakeWorld } from '../harness/memory/intake-world.ts';
import { readMail } from '../harness/memory/mail-files.ts';
import type { TinyMail } from '../harness/memory/tiny-mails.ts';

const received = (server: string): string =>
  `Received: from mx.elsewhere.example by ${server}; Tue, 24 Nov 2026 09:00:00 +0000`;
const mail = (name: string, ...headers: string[]): TinyMail => ({
  name,
  raw: Buffer.from(
    [...headers, 'From: Ada <ada@shop.example>', `Subject: ${name}`, '', 'Text.', ''].join('\r\n'),
  ),
  disposition: 'ticket',
});

test('the own server’s verdict about the sender is stored on the message, and no other', async () => {
  const world = new IntakeWorld();
  world.mailbox = { ...world.mailbox, host: 'imap.contoso.example' };
  world.deliver([
    mail(
      'forged',
      'Authentication-Results: mx.contoso.example;\r\n spf=fail smtp.mailfrom=shop.example;\r\n dkim=none;\r\n dmarc=fail header.from=shop.example',
      received('mx.contoso.example'),
      'Authentication-Results: mx.contoso.example; spf=pass; dkim=pass; dmarc=pass',
    ),
    mail(
      'says so itself',
      received('mx.contoso.example'),
      'Authentication-Results: mail.shop.example; dmarc=pass',
    ),
  ]);
  await world.run();
  const rows = world.tables.dump('Tickets').filter(({ rowKey }) => rowKey === 'head');
  const messages = await Promise.all(
    rows.map(async ({ partitionKey }) => (await world.tickets.read(partitionKey))?.messages[0]),
  );
  const bySubject = new Map(messages.map((message) => [message?.subject, message?.authentication]));
  expect(bySubject.get('forged')).toEqual({ spf: 'fail', dkim: 'none', dmarc: 'fail', fails: true });
  expect(bySubject.has('says so itself')).toBe(true);
  expect(bySubject.get('says so itself')).toBeUndefined();
});

test('many other fields do not displace the server’s verdict', async () => {
  const flood = Array.from({ length: 20_000 }, (_, index) => `Keywords: ${index} ${'x'.repeat(60)}\r\n`).join(
    '',
  );
  const { authentication, notes } = await readMail(
    Buffer.from(
      `${received('a')}\r\nAuthentication-Results: mx.contoso.example; dmarc=fail\r\n${flood}From: a@b.example\r\n\r\nx`,
    ),
  );
  expect(notes).toEqual(['header block cut at 1024 KB']);
  expect(authentication).toEqual([{ value: 'mx.contoso.example; dmarc=fail', hop: 1 }]);
});
