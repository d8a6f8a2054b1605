import { describe, expect, it } from 'vitest';
import { type MailLibrary, parseMessage } from '../../shared/mime/parse-message.ts';
import { defaultParseLimits as limits, type ParseOutcome } from '../../shared/mime/parsed-message.ts';
import { processorTime } from '../harness/measure-time.ts';
import { mailOf, ownMail, readMail } from '../harness/memory/mail-files.ts';

const libraries: MailLibrary[] = ['mailparser', 'postal-mime'];

function parse(mail: string | Uint8Array, parser: MailLibrary = 'mailparser'): Promise<ParseOutcome> {
  return parseMessage(typeof mail === 'string' ? Buffer.from(mail, 'latin1') : mail, { parser, limits });
}

describe.each(libraries)('an email read with %s', (parser) => {
  it('gives sender, people, subject, thread, time, text and attachments', async () => {
    const mail = mailOf(await parse(ownMail('outlook-two-attachments.eml'), parser));
    expect(mail).toMatchObject({
      from: { name: 'Weber, Anna', address: 'Anna.Weber@kunde.example' },
      fromSource: 'from',
      to: [{ name: 'Service Desk', address: 'desk@example.org' }],
      cc: [
        { name: 'Team: Nord', address: 'nord@example.org' },
        { name: undefined, address: 'ost@example.org' },
      ],
      subject: 'Rechnung für Mai',
      messageId: '<AM0PR01MB1234@eurprd01.prod.example>',
      inReplyTo: ['<ticket-7@example.org>'],
      references: ['<first@kunde.example>', '<ticket-7@example.org>'],
      date: '2026-06-01T08:00:00.000Z',
      notes: [],
    });
    expect(mail.text.trim()).toBe('Guten Tag,\n\nanbei die Rechnung für Mai.');
    expect(mail.html).toContain('<p>anbei die Rechnung für Mai.</p>');
    expect(mail.attachments.map(({ content: _bytes, ...rest }) => rest)).toEqual([
      {
        index: 0,
        filename: 'Rechnung Mai.pdf',
        contentType: 'application/pdf',
        contentId: undefined,
        inline: false,
        size: 5_129,
        cut: undefined,
      },
      {
        index: 1,
        filename: 'logo.png',
        contentType: 'image/png',
        contentId: 'logo@kunde.example',
        inline: true,
        size: 304,
        cut: undefined,
      },
    ]);
  });

  it('shows the text of a delivery report, and keeps its parts', async () => {
    const mail = mailOf(await parse(ownMail('bounce-status-only.eml'), parser));
    expect(mail.text).toContain('Status: 5.1.1');
    expect(mail.attachments.map((attachment) => attachment.contentType)).toEqual([
      'message/delivery-status',
      'message/rfc822',
    ]);
    expect(mail.automatic).toEqual({
      autoSubmitted: 'auto-replied',
      returnPathEmpty: true,
      isReport: true,
      report: {
        kind: 'delivery',
        isSuccess: false,
        messageIds: [],
        recipients: ['gone@example.net'],
        deliveries: [{ recipient: 'gone@example.net', action: 'failed', status: '5.1.1' }],
      },
    });
    expect(mail.from).toBeUndefined();
    expect(mail.fromName).toBe('Mail Delivery Subsystem');
  });

  it('lists a TNEF file as an attachment', async () => {
    const mail = mailOf(await parse(ownMail('winmail.eml'), parser));
    expect(mail.attachments).toMatchObject([
      { filename: 'winmail.dat', contentType: 'application/ms-tnef', size: 40 },
    ]);
  });

  it('accepts lines that end in CR only, and reports it', async () => {
    const mail = mailOf(await parse(ownMail('bare-cr.eml'), parser));
    expect(mail.subject).toBe('old Mac');
    expect(mail.text.trim()).toBe('first\nsecond');
    expect(mail.notes).toEqual(['lone carriage returns were read as line ends']);
  });

  it.each([
    ['has no boundary', 'Content-Type: multipart/mixed;\r\nboundary=b', '--b\r\n\r\nHelp me\r\n--b--\r\n'],
    [
      'has another one than its delimiters',
      'Content-Type: multipart/mixed; boundary=c',
      '--b\r\n\r\nHelp me\r\n--b--\r\n',
    ],
  ])('shows the raw text of a multipart that %s, instead of nothing', async (_what, header, body) => {
    const mail = mailOf(await parse(`From: a@b.example\r\n${header}\r\n\r\n${body}`, parser));
    expect(mail.text).toContain('Help me');
    expect(mail.notes).toEqual(['no part of it could be read: the raw text is shown']);
    const empty = await parse(
      'From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--b--\r\n',
    );
    expect(mailOf(empty)).toMatchObject({ text: '', notes: [] });
  });

  it('skips the envelope line of an mbox file and returns no date if none is valid', async () => {
    const mail = mailOf(await parse(ownMail('mbox-envelope.eml'), parser));
    expect(mail).toMatchObject({
      from: { address: 'anna@example.com' },
      subject: 'from an mbox',
      date: undefined,
    });
    expect(mail.text.trim()).toBe('body');
  });

  it.each([
    ['subject-raw-latin1.eml', 'Grüße aus Köln'],
    ['subject-raw-gb2312.eml', '关于订单的问题'],
    ['subject-raw-shift-jis.eml', 'ご注文について'],
  ])('reads the subject of %s with an undeclared charset', async (name, subject) => {
    expect(mailOf(await parse(ownMail(name), parser)).subject).toBe(subject);
  });

  it('rejects more than 1,000 parts and accepts 1,000', async () => {
    const of = (count: number): string =>
      `From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(count)}--b--\r\n`;
    expect(await parse(of(1_001), parser)).toEqual({
      kind: 'unreadable',
      reason: 'The email cannot be read: it has more than 1,000 parts.',
    });
    expect((await parse(of(1_000), parser)).kind).toBe('mail');
  });

  it('rejects parts more than 50 deep and accepts 50', async () => {
    const of = (depth: number): string => {
      let mail = 'From: a@b.example\r\n';
      for (let level = 0; level < depth; level += 1) {
        mail += `Content-Type: multipart/mixed; boundary=b${level}x\r\n\r\n--b${level}x\r\n`;
      }
      return `${mail}\r\ndeep\r\n`;
    };
    expect(await parse(of(51), parser)).toEqual({
      kind: 'unreadable',
      reason: 'The email cannot be read: its parts are nested more than 50 deep.',
    });
    expect(mailOf(await parse(of(50), parser)).text.trim()).toBe('deep');
  });

  it('does not count parallel parts as depth', async () => {
    const sibling = '--a\r\nContent-Type: multipart/mixed; boundary=inner\r\n\r\n--inner\r\n\r\nx\r\n';
    const mail = `From: a@b.example\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n${sibling.repeat(60)}--a--\r\n`;
    expect((await parse(mail, parser)).kind).toBe('mail');
  });

  it('cuts a header of more than 64 KB with a note and reads the rest', async () => {
    const mail = mailOf(
      await parse(`Subject: ${'s'.repeat(100_000)}\r\nFrom: a@b.example\r\n\r\nbody`, parser),
    );
    expect(mail.notes).toEqual(['header cut at 64 KB', 'subject cut at 1000 characters']);
    expect(mail.from?.address).toBe('a@b.example');
    expect(mail.text.trim()).toBe('body');
  });

  it('cuts a header block of more than 1 MB with a note, and keeps the essential fields wherever they are', async () => {
    const flood = 'X-Flood: 0123456789\r\n'.repeat(60_000);
    const mail = mailOf(await parse(`${flood}From: a@b.example\r\nSubject: s\r\n\r\nbody`, parser));
    expect(mail).toMatchObject({
      from: { address: 'a@b.example' },
      subject: 's',
      notes: ['header block cut at 1024 KB'],
    });
    expect(mail.text.trim()).toBe('body');
  });

  it('cuts a header of half a million lines, too', async () => {
    const mail = mailOf(await parse(`From: a@b.example\r\nX-Y: z\n${' \n'.repeat(500_000)}\r\nbody`, parser));
    expect(mail.from?.address).toBe('a@b.example');
    expect(mail.text.trim()).toBe('body');
  });
});

describe('a file that is not an email', () => {
  it.each([
    ['nothing', ''],
    ['blank lines', '\r\n\r\n\r\n'],
    ['other bytes', '\x19\xf1B\xb0\x18\xf3\x07\xbf: \x00\n\n\x01'],
    ['a text', 'This is a text.\r\nIt has no header.\r\n'],
    [
      'marks of relays alone',
      'Received: by x\r\nDelivered-To: a@b\r\nReturn-Path: <c@d>\r\nX-Y: z\r\nARC-Seal: 1\r\n\r\nhello',
    ],
  ])('is reported with a reason: %s', async (_what, raw) => {
    expect(await parse(raw)).toMatchObject({
      kind: 'not-a-mail',
      reason: expect.stringMatching(/^not an email: /),
    });
  });

  it.each([
    ['From', 'From: a@b.example'],
    ['Subject', 'Subject: s'],
    ['To', 'To: a@b.example'],
    ['a date', 'Date: x'],
    ['a Message-ID', 'Message-ID: <1@x>'],
    ['a content type', 'Content-Type: text/html'],
    ['a list', 'List-Id: x'],
    ['a name in capitals after blank lines', '\r\n\r\nFROM: a@b.example'],
  ])('does not include an email with one real header field: %s', async (_what, header) => {
    expect((await parse(`Received: by x\r\n${header}\r\n\r\nhelp`)).kind).not.toBe('unreadable');
    expect((await parse(`${header}\r\n\r\nhelp`)).kind).toBe('mail');
  });
});

describe('the parser', () => {
  it('does not decode UTF-7, which could carry markup past a filter', async () => {
    const mail = await readMail(
      Buffer.from('From: a@b.example\r\nContent-Type: text/html; charset=utf-7\r\n\r\n+ADw-script+AD4-'),
    );
    expect(mail.html).toBe('+ADw-script+AD4-');
  });

  it('never derives a type from a file name', async () => {
    const mail = await readMail(
      Buffer.from(
        'From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/octet-stream; name=x.jpg\r\n\r\n1\r\n--b\r\nContent-Disposition: attachment; filename=y.html\r\n\r\n2\r\n--b\r\nContent-Type: a b/c\r\nContent-Disposition: attachment\r\n\r\n3\r\n--b--\r\n',
      ),
    );
    expect(mail.attachments.map((attachment) => attachment.contentType)).toEqual(
      Array(3).fill('application/octet-stream'),
    );
  });

  it('needs less than a second for a megabyte of text that slows others down', async () => {
    await readMail(Buffer.from('From: a@b.example\r\n\r\nwarm'));
    for (const piece of ['(', '<', '"\\', ' ', '@', 'a.', '=?utf-8?Q?', ',', ':;', '<a@b>,']) {
      const value = piece.repeat(Math.ceil(1_000_000 / piece.length));
      for (const name of ['From', 'Subject', 'References', 'Content-Type', 'Date']) {
        const ms = await processorTime(() => parse(`${name}: ${value}\r\nTo: c@d.example\r\n\r\nx`));
        expect(ms, `${name}: ${piece}`).toBeLessThan(1_000);
      }
    }
  });
});
