import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { demoMails } from '../../dev/demo/mail/demo-mail.ts';
import { support } from '../harness/stack/mail-lab.ts';

const now = new Date('2026-11-24T10:00:00Z');
const mails = demoMails(now, support);

async function parsed(name: string) {
  const mail = mails.find((one) => one.name === name);
  if (mail === undefined) throw new Error(`No demo mail ${name}`);
  return simpleParser(Buffer.from(mail.raw));
}

describe('the demo emails', () => {
  test('are a dozen, the same each time, oldest first, dated before now', async () => {
    expect(mails.length).toBeGreaterThanOrEqual(12);
    expect(demoMails(now, support)).toEqual(mails);
    const dates = await Promise.all(
      mails.map(async ({ raw }) => (await simpleParser(Buffer.from(raw))).date),
    );
    const times = dates.map((date) => date?.getTime() ?? 0);
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
    expect(times.every((time) => time > now.getTime() - 4 * 86_400_000 && time < now.getTime())).toBe(true);
  });

  test('have CRLF line ends, no line over 998 bytes and no byte over 127', () => {
    for (const { name, raw } of mails) {
      const text = Buffer.from(raw).toString('latin1');
      expect(text.replaceAll('\r\n', ''), name).not.toMatch(/[\r\n\x80-\xff]/);
      expect(Math.max(...text.split('\r\n').map((line) => line.length)), name).toBeLessThanOrEqual(998);
    }
  });

  test('have the intended text in its own script', async () => {
    expect(await parsed('umlauts')).toMatchObject({ subject: 'Gutschrift für die Rückgabe fehlt noch' });
    expect((await parsed('umlauts')).text).toContain('als in eine Zeile von 76 Zeichen passt.');
    const japanese = await parsed('japanese');
    expect(japanese.subject).toBe('取扱説明書について');
    expect(japanese.text).toContain('こんにちは。');
    expect(japanese.text).toContain('ありがとう');
    expect((await parsed('inline-picture')).subject).toBe('My lamp is orange 🧡');
  });

  test('contain a thread of three in which each names its parents', async () => {
    const [first, second, third] = await Promise.all(['thread-1', 'thread-2', 'thread-3'].map(parsed));
    expect(second?.inReplyTo).toBe(first?.messageId);
    expect(third?.references).toEqual([first?.messageId, second?.messageId]);
  });

  test('have their attachments', async () => {
    const [picture] = (await parsed('inline-picture')).attachments;
    expect(picture).toMatchObject({ contentType: 'image/png', related: true, cid: 'lamp@northwind.example' });
    expect(picture?.content.subarray(1, 4).toString()).toBe('PNG');
    const [invoice] = (await parsed('pdf-invoice')).attachments;
    expect(invoice).toMatchObject({ contentType: 'application/pdf', filename: 'invoice-2026-1187.pdf' });
    expect(invoice?.content.toString('latin1')).toMatch(/^%PDF-1\.4[\s\S]*%%EOF\n$/);
    const [log] = (await parsed('odd-file-name')).attachments;
    expect(log?.filename).toContain('Messwerte Küche "Nr. 1" – final.csv');
    expect((await parsed('bounce')).text).toContain('Final-Recipient: rfc822; moved.away@litware.example');
    expect((await parsed('invitation')).attachments.map(({ contentType }) => contentType)).toContain(
      'text/calendar',
    );
  });
});
