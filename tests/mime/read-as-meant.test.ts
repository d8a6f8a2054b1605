/** Messages with missing or wrong declarations, read as their senders intended. */
import { describe, expect, it } from 'vitest';
import { failsAuthentication, ownServerResults } from '../../shared/mime/authentication-results.ts';
import { type MailLibrary, parseMessage } from '../../shared/mime/parse-message.ts';
import { defaultParseLimits as limits, type ParsedMessage } from '../../shared/mime/parsed-message.ts';
import { attachmentName } from '../../shared/tickets/attachment-name.ts';
import { mailOf, ownMail } from '../harness/memory/mail-files.ts';

const libraries: MailLibrary[] = ['mailparser', 'postal-mime'];

async function parsed(name: string, parser: MailLibrary = 'mailparser'): Promise<ParsedMessage> {
  return mailOf(await parseMessage(ownMail(name), { parser, limits }));
}

describe.each(libraries)('text read with %s', (parser) => {
  it.each([
    ['body-latin1-without-charset.eml', 'Grüße aus Köln, der Drucker ist gestört.'],
    ['body-latin1-called-ascii.eml', 'Grüße aus Köln, der Drucker ist gestört.'],
    ['body-koi8-r-called-unknown-8bit.eml', 'Здравствуйте, принтер не работает.'],
    ['body-windows-1251-called-utf-8.eml', 'Здравствуйте, принтер не работает.'],
    ['body-utf-8-called-latin1.eml', 'Grüße aus Köln, der Drucker ist gestört.'],
    ['body-utf-8-called-nonsense.eml', 'Grüße aus Köln, der Drucker ist gestört.'],
    ['body-gbk-without-charset.eml', '您好，我的订单还没有收到。'],
    ['body-shift-jis-without-charset.eml', 'お世話になっております。ご注文について'],
    ['body-iso-2022-jp-without-charset.eml', 'ご注文について'],
    // The detector does not know ISO-8859-5, so only the hint in the email can lead to it.
    ['body-charset-of-the-other-part.eml', 'Принтер на втором этаже не работает.'],
    ['body-charset-of-the-subject.eml', 'Принтер на втором этаже не работает.'],
    ['body-windows-1251-called-latin1.eml', 'Здравствуйте, принтер не работает.'],
    ['body-gbk-called-latin1.eml', '您好，我的订单还没有收到。请帮忙查询'],
    ['charset-in-wrong-quotes.eml', 'Здравствуйте, принтер не работает.'],
    ['content-type-without-subtype.eml', 'The printer on the second floor is out of order.'],
    ['utf-7-text.eml', 'Die Frösche kosten 1 + 2 €. <script>alert(1)</script>'],
  ])('of %s is what its author saw', async (name, text) => {
    const mail = await parsed(name, parser);
    expect(mail.text.trim()).toBe(text);
    expect(mail.notes).toEqual([]);
  });

  it.each([
    ['charset-true-latin1.eml', 'Aus "Frösche" wurde "FrÃ¶sche", und so klingen Grüße.'],
    ['charset-true-latin1-quotation-marks.eml', 'Der Drucker „Büro 3“ – seit gestern.'],
    ['charset-true-latin1-capitals.eml', 'ÄÖÜ ÄÖÜß éèàù ÊÎÔÛ - ÇÀÈÙ, déjà été à Orléans'],
    ['charset-true-latin1-ornament.eml', '·´¯`·.¸¸.·´¯`·.¸¸ °°°°°° »»»»»» Grüße'],
    ['charset-true-cp850.eml', 'Grüße aus Köln, der Drucker ist gestört.'],
    ['charset-true-windows-1251.eml', 'Здравствуйте, принтер не работает.'],
  ])('of %s is decoded as declared', async (name, text) => {
    expect((await parsed(name, parser)).text.trim()).toBe(text);
  });

  it('keeps UTF-8 with one broken character, and only that one is broken', async () => {
    const { text } = await parsed('charset-true-but-broken-utf-8.eml', parser);
    expect(text).toContain('Grüße aus Köln');
    expect(text.trim()).toMatch(/abgeschnitten: \ufffd+$/);
  });

  it('uses the last element of a Windows path as the name of an attachment', async () => {
    const [attachment] = (await parsed('attachment-name-with-path.eml', parser)).attachments;
    expect(attachment).toMatchObject({ filename: 'nsmail39.png', size: 24 });
  });

  it('shows a plain footer after a base64 text unchanged', async () => {
    const { text } = await parsed('base64-with-list-footer.eml', parser);
    expect(text).toContain('Grüße aus Köln, der Drucker ist gestört.');
    expect(text).toContain('Office mailing list, office@lists.example');
  });

  it('uses the charset in the head of HTML if the part declares none', async () => {
    expect((await parsed('body-html-meta-charset.eml', parser)).html).toContain(
      '<body>Принтер на втором этаже не работает.</body>',
    );
  });

  it('never creates HTML from UTF-7', async () => {
    expect((await parsed('utf-7-html.eml', parser)).html).toContain('<p>+ADw-script+AD4-alert(1)');
  });

  it.each([
    ['subject-raw-koi8-r.eml', 'Вопрос по счету'],
    ['subject-raw-windows-1251.eml', 'Вопрос по счету'],
    ['body-windows-1251-called-latin1.eml', 'Ошибка принтера'],
    ['encoded-word-with-8-bit.eml', 'Die Hasen und die Frösche'],
    ['encoded-word-of-unknown-charset.eml', 'Grüße aus Köln'],
    ['utf-7-text.eml', 'Frösche'],
  ])('of the subject of %s is what its author saw', async (name, subject) => {
    expect((await parsed(name, parser)).subject).toBe(subject);
  });

  it('is decoded in the names of people, too', async () => {
    expect((await parsed('encoded-word-with-8-bit.eml', parser)).to[0]?.name).toBe('Heinz Müller');
    expect((await parsed('encoded-word-of-unknown-charset.eml', parser)).from?.name).toBe('Иван Петров');
  });

  it.each([
    ['attachment-name-raw-koi8-r.eml', 'Счет за ноябрь.pdf'],
    ['attachment-name-percent-koi8-r.eml', 'Счет за ноябрь.pdf'],
    ['attachment-name-raw-windows-1250.eml', 'Příloha č. 5.pdf'],
  ])('is decoded in the name of the attachment of %s', async (name, filename) => {
    expect((await parsed(name, parser)).attachments).toMatchObject([{ filename, size: 6 }]);
  });

  it('of parts without names is replaced by a name for their type', async () => {
    const { attachments } = await parsed('parts-without-names.eml', parser);
    const names = ['invite.ics', 'message.eml', 'delivery-status.txt', 'image.png'];
    expect(attachments.map(attachmentName)).toEqual(names);
  });

  it('of a delivery report is what the server wrote', async () => {
    expect((await parsed('bounce-report-latin1.eml', parser)).text).toContain('Empfänger unbekannt');
  });

  it('of an attachment keeps its bytes, whatever it is called', async () => {
    const [file] = (await parsed('attachment-text-latin1.eml', parser)).attachments;
    expect(
      Buffer.from(file?.content ?? [])
        .toString('latin1')
        .trim(),
    ).toBe('Größe');
  });

  it('after a header that ends in a line of spaces is the body', async () => {
    const mail = await parsed('header-ends-in-blanks.eml', parser);
    expect(mail).toMatchObject({ subject: 'test', from: { address: 'anna@kunde.example' } });
    expect(mail.text.trim()).toBe('Der Drucker ist gestört.\nKostenstelle: 4711\n\nDanke');
  });

  it('after a header without an empty line is the body', async () => {
    const mail = await parsed('header-without-empty-line.eml', parser);
    expect(mail.subject).toBe('test');
    expect(mail.text.trim()).toBe('The printer is broken.\nPlease help.\n\nThank you');
  });

  it.each([
    ['header-with-blank-folding.eml', 'Drucker'],
    ['header-with-wrapped-subject.eml', 'a subject that a script has'],
  ])('begins after the whole header in %s, which only seems to have ended earlier', async (name, subject) => {
    const mail = await parsed(name, parser);
    expect(mail).toMatchObject({
      subject,
      to: [{ address: 'desk@example.org' }],
      messageId: '<1@kunde.example>',
    });
    expect(mail.text.trim()).toBe('text');
  });

  it('of a part whose header ends in a line of spaces is complete, and so is its attachment', async () => {
    const mail = await parsed('part-header-ends-in-blanks.eml', parser);
    expect(mail.text.trim()).toBe('First paragraph.\n\nSecond paragraph.');
    expect(mail.attachments).toMatchObject([{ filename: 'a.pdf', size: 6 }]);
  });

  it('of parts without an empty line is complete', async () => {
    const { text } = await parsed('part-without-empty-line.eml', parser);
    expect(
      text
        .split(/\n+/)
        .map((line) => line.trim())
        .filter((line) => line !== ''),
    ).toEqual(['First paragraph.', 'Second paragraph.', 'Third paragraph.']);
  });
});

describe.each(libraries)('people and times read with %s', (parser) => {
  it('gives recipients whose address is in brackets after the name', async () => {
    expect(await parsed('to-name-before-address.eml', parser)).toMatchObject({
      to: [
        { name: 'Service Desk', address: 'desk@example.org' },
        { name: 'Jörg', address: 'joerg@example.org' },
      ],
      cc: [{ name: 'Team Ost', address: 'ost@example.org' }],
    });
  });

  it.each([
    ['from-fax-number.eml', undefined, '"Fax 030 1234567"@fax.example'],
    ['from-fax-number-with-reply-to.eml', 'fax@gateway.example', 'FAX:030-1234567@'],
  ])('names the sender of %s by its From field', async (name, address, fromName) => {
    const mail = await parsed(name, parser);
    expect(mail.from?.address).toBe(address);
    expect(mail.fromName).toBe(fromName);
  });

  it.each([
    ['no-from-but-reply-to.eml', 'Caller', 'caller@example.com'],
    ['no-from-but-sender.eml', 'Scanner', 'scanner@kunde.example'],
    ['no-from-but-return-path.eml', undefined, 'anna@kunde.example'],
  ])('finds the sender of %s in the next field that has one', async (name, person, address) => {
    expect((await parsed(name, parser)).from).toEqual({ name: person, address });
  });

  it('trusts the server’s verdict about the sender, and not the one that the sender wrote below it', async () => {
    const { authentication, from } = await parsed('authentication-results-forged-by-sender.eml', parser);
    const results = ownServerResults(authentication, 'imap.example.org');
    expect(results).toMatchObject({ spf: 'fail', dkim: 'none', dmarc: 'fail' });
    expect(results && failsAuthentication(results, from?.address)).toBe(true);
  });

  it.each([
    ['date-in-german.eml', '2026-12-24T09:00:00.000Z'],
    ['date-in-german-raw-latin1.eml', '2026-03-24T08:00:00.000Z'],
  ])('reads the date of %s', async (name, date) => {
    expect((await parsed(name, parser)).date).toBe(date);
  });
});

describe.each(libraries)('a broken multipart read with %s', (parser) => {
  const german = /^Grüße aus Köln: der Drucker ist seit gestern gestört, .* kann drucken\.$/;

  it.each(['boundary-missing-quoted-printable.eml', 'boundary-missing-base64.eml'])(
    'shows the text of %s, decoded',
    async (name) => {
      const mail = await parsed(name, parser);
      expect(mail.text.trim()).toMatch(/^Grüße aus Köln/);
      expect(mail.notes).toEqual(['no part of it could be read: the raw text is shown']);
    },
  );

  it.each(['boundary-of-another-name.eml', 'boundary-not-declared.eml'])(
    'has the parts of %s, found by the existing delimiters',
    async (name) => {
      const mail = await parsed(name, parser);
      expect(mail.text.trim()).toMatch(german);
      expect(mail.attachments).toMatchObject([
        { filename: 'a.pdf', contentType: 'application/pdf', size: 6 },
      ]);
      expect(mail.notes).toEqual(['the declared boundary does not occur in the email: another one was used']);
    },
  );
});
