import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readMail as readStored } from '../../shared/intake/read-message.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import { createAttachmentCutter } from '../../shared/mime/attachment-cutter.ts';
import { signedContent } from '../../shared/mime/cms.ts';
import { mimeParts } from '../../shared/mime/mime-parts.ts';
import { openParts } from '../../shared/mime/open-parts.ts';
import { parseMessage } from '../../shared/mime/parse-message.ts';
import { defaultParseLimits as limits, type ParsedMessage } from '../../shared/mime/parsed-message.ts';
import { readTnef } from '../../shared/mime/tnef.ts';
import { takeUuFiles } from '../../shared/mime/uuencode.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { processorTime } from '../harness/measure-time.ts';
import { cutMail, mailOf, ownMail, read, readMail } from '../harness/memory/mail-files.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';

const filesOf = (mail: ParsedMessage): unknown[] =>
  mail.attachments.map(({ filename, contentType, size, content }) => [
    filename,
    contentType,
    size,
    createHash('sha256')
      .update(content ?? '')
      .digest('hex')
      .slice(0, 8),
  ]);
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 8);

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
/** The contents of the test emails. */
const reading = Buffer.concat([everyByte, everyByte, everyByte, Buffer.from('\0end')]);
const pdf = Buffer.concat([Buffer.from('%PDF-1.4\n'), everyByte, Buffer.from('\n%%EOF\n')]);

describe('uuencode', () => {
  it('in the text is an attachment, and the text is the rest', async () => {
    const mail = await readMail(ownMail('uuencode-in-text.eml'));
    expect(filesOf(mail)).toEqual([
      ['counter reading.bin', 'application/octet-stream', reading.length, hashOf(reading)],
    ]);
    expect(mail.text.trim()).toBe(
      'The reading of May is in the file.\n\n\nI begin 644 again tomorrow.\nbegin 644 words\nThis is no file.',
    );
  });

  it('without a name is an attachment, too', async () => {
    const mail = await readMail(ownMail('uuencode-without-name.eml'));
    expect(mail.attachments.map(({ filename, size }) => [filename, size])).toEqual([[undefined, 14]]);
    expect(mail.text).not.toContain('begin 644');
  });

  it.each(['mailparser', 'postal-mime'] as const)(
    'as a transfer encoding is decoded before %s reads the email',
    async (parser) => {
      const raw = ownMail('uuencode-as-transfer-encoding.eml');
      const mail = mailOf(await parseMessage(raw, { parser, limits }));
      const gif = Buffer.from('GIF89a\x01\x00\x01\x00', 'latin1');
      expect(filesOf(mail)).toEqual([
        ['counter reading.bin', 'application/octet-stream', reading.length, hashOf(reading)],
        ['dot.gif', 'image/gif', gif.length, hashOf(gif)],
      ]);
      expect(mail.text.trim()).toBe('The reading of May is in the file.');
    },
  );

  it('that is invalid, or has no end, stays text', () => {
    for (const text of [
      'begin 644 a\n#86)C\n`',
      'begin 644 a\nno uuencode in this line\nend',
      'begin 644 a\n#86)C86)C86)C\nend',
      'begin 9 a\nend',
    ])
      expect(takeUuFiles(text)).toEqual({ text, files: [] });
    const { files } = takeUuFiles('begin 644 a\n#86)C\nend\nbegin 600 b\r\n"86(\r\n`\r\nend\r\n');
    expect(files.map(({ name, content }) => [name, Buffer.from(content).toString()])).toEqual([
      ['a', 'abc'],
      ['b', 'ab'],
    ]);
  });

  it('takes linear time on text designed to be slow', async () => {
    for (const piece of ['begin 644 a\n', 'begin 644 a\n`\n', '#86)C\n', 'begin 644 a\nend\n']) {
      const text = piece.repeat(1_000_000 / piece.length);
      expect(await processorTime(() => takeUuFiles(text)), piece).toBeLessThan(5_000);
    }
  });
});

describe('winmail.dat', () => {
  it('is replaced by the files in it, with their long names and exact bytes', async () => {
    const mail = await readMail(ownMail('winmail-three-files.eml'));
    const csv = Buffer.from('Z\xe4hler;41\n', 'latin1');
    const question = Buffer.from('Die alte Frage von März');
    expect(filesOf(mail)).toEqual([
      ['Contract für Mai.pdf', 'application/pdf', pdf.length, hashOf(pdf)],
      ['Zähler.csv', 'application/octet-stream', csv.length, hashOf(csv)],
      ['Old question.txt', 'text/plain', question.length, hashOf(question)],
      ['old.txt', 'application/octet-stream', 8, hashOf(Buffer.from('old file'))],
    ]);
    expect(mail.text.trim()).toBe('The contract and the meter list are attached.');
  });

  it('gives the message if the email has none, with its pictures', async () => {
    const mail = await readMail(ownMail('winmail-holds-the-message.eml'));
    expect(mail.html).toContain('<p>Схема <img src="cid:plan@fabrikam"></p>');
    expect(mail.text).toBe('Схема');
    expect(mail.attachments).toMatchObject([
      { filename: 'план.png', contentType: 'image/png', contentId: 'plan@fabrikam', inline: true, size: 8 },
    ]);
  });

  it('that is truncated is kept beside what could be read of it', async () => {
    const mail = await readMail(ownMail('winmail-broken-off.eml'));
    expect(mail.attachments.map(({ filename }) => filename)).toEqual([
      'winmail.dat',
      'Contract für Mai.pdf',
      'Zähler.csv',
    ]);
  });

  it('that contains no file is kept', async () => {
    const mail = await readMail(ownMail('winmail.eml'));
    expect(mail.attachments).toMatchObject([{ filename: 'winmail.dat', size: 40 }]);
  });

  it('never throws and never hangs, whichever byte is wrong', async () => {
    const mail = await readMail(ownMail('winmail-broken-off.eml'));
    const whole = Buffer.from(mail.attachments[0]?.content ?? []);
    expect(readTnef(whole)?.files).toHaveLength(2);
    for (let at = 0; at < whole.length; at += 1)
      for (const value of [0x00, 0xff, (whole[at] ?? 0) ^ 0x80]) {
        const broken = Buffer.from(whole);
        broken[at] = value;
        expect(() => readTnef(broken)).not.toThrow();
        expect(() => readTnef(whole.subarray(0, at))).not.toThrow();
      }
  });

  it('is not cut out of an email that is small enough to open it', () => {
    const raw = ownMail('winmail-three-files.eml');
    expect(cutMail(raw, Number.MAX_SAFE_INTEGER, 'n').parts).toEqual([]);
    const cutter = createAttachmentCutter('n', 'cut');
    const events = [...cutter.push(raw), ...cutter.end()];
    expect(events.filter(({ kind }) => kind === 'begin')).toHaveLength(1);
  });
});

describe('S/MIME', () => {
  it.each(['smime-opaque-signed.eml', 'smime-signed-below-footer.eml'])(
    'that is only signed is opened: %s',
    async (name) => {
      const mail = await readMail(ownMail(name));
      expect(mail.text).toContain('The signed order: zwölf Stühle.');
      expect(filesOf(mail)).toEqual([['order.pdf', 'application/pdf', pdf.length, hashOf(pdf)]]);
      expect(mail.from?.address).toBe('ada@fabrikam.example');
      expect(mail.encryption).toBeUndefined();
    },
  );

  it('that is encrypted is marked as such, and its attachment is kept', async () => {
    const mail = await readMail(ownMail('smime-encrypted.eml'));
    expect(mail.encryption).toBe('smime');
    expect(mail.attachments).toMatchObject([{ filename: 'smime.p7m' }]);
    expect(mail.text).toBe('');
  });

  it('stays an attachment for the second parser, which is used when the first one fails', async () => {
    const raw = ownMail('smime-opaque-signed.eml');
    const mail = mailOf(await parseMessage(raw, { parser: 'postal-mime', limits }));
    expect(mail.attachments).toMatchObject([{ filename: 'smime.p7m' }]);
  });

  it('never throws, whatever the file contains', () => {
    const deep = Buffer.from('3080'.repeat(50_000), 'hex');
    for (const bytes of [Buffer.alloc(0), Buffer.from('hello'), deep, Buffer.from('300506032a0304', 'hex')]) {
      expect(signedContent(bytes)).toBeUndefined();
    }
  });
});

describe('an email that is streamed from storage', () => {
  const raw = ownMail('winmail-three-files.eml');
  const filesStored = async (size: number): Promise<unknown[]> => {
    const blobs = new MemoryBlobs(openSeam);
    await blobs.putOnce('raw/1', raw);
    const kept = {
      key: 'k',
      place: 'p',
      ref: uidRef(1),
      receivedAt: '2026-06-01T08:00:00.000Z',
      rawBlob: 'raw/1',
      size,
    };
    const mail = { ...kept, raw: undefined, oversized: false, notes: [] };
    const parser = {
      parse: (bytes: Uint8Array, nonce?: string) => read(bytes, nonce),
      close: async () => {},
    };
    const outcome = await readStored(
      { blobs, parser },
      { id: 'm', host: 'imap.example', address: 'support@contoso.example' },
      mail,
    );
    if (outcome.kind !== 'message') throw new Error(outcome.kind);
    return Promise.all(
      outcome.message.attachments.map(async ({ filename, size: bytes, blob }) => [
        filename,
        bytes,
        hashOf((await blobs.read(blob)) ?? new Uint8Array()),
      ]),
    );
  };

  it('has its winmail.dat opened up to 16 MB, and unchanged beyond', async () => {
    const limit = 16 * 1024 * 1024;
    expect(await filesStored(limit)).toContainEqual(['Contract für Mai.pdf', pdf.length, hashOf(pdf)]);
    const whole = await filesStored(limit + 1);
    expect(whole).toMatchObject([['winmail.dat', expect.any(Number), expect.any(String)]]);
  });
});

describe('a large number', () => {
  it('of files in one text stays text', async () => {
    const flood = (count: number): string => 'begin 644 a\n#86)C\nend\n'.repeat(count);
    const textMail = (count: number): Buffer => Buffer.from(`From: a@b.example\n\n${flood(count)}`);
    expect((await readMail(textMail(1_000))).attachments).toHaveLength(1_000);
    const mail = await readMail(textMail(1_001));
    expect(mail.attachments).toEqual([]);
    expect(mail.text).toContain('begin 644 a');
  });

  it.each(['--\n', '--b\n\n', '--bb\n', '--b--\n'])(
    'of lines %j does not cause each part to be searched',
    async (line) => {
      const header = 'From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n';
      const raw = Buffer.from(header + line.repeat(4_000_000 / line.length));
      expect(await processorTime(() => openParts(raw, limits, true))).toBeLessThan(5_000);
    },
  );
});

describe('the parts of an email', () => {
  const inline = 'Content-Type: message/rfc822\nContent-Disposition: inline\n\n';
  const multipart = 'Content-Type: multipart/mixed; boundary=b\n\n';
  const partsOf = (mail: string) => mimeParts(Buffer.from(mail), limits);

  it('are in their containers, each with the place of its body', () => {
    const mail = `${multipart}preamble\n--b\nContent-Type: TEXT/html\n\n<p>\n--b\n${inline}Subject: x\n\nhi\n\n--b--\nend`;
    expect(
      partsOf(mail).map(({ type, inside, bodyStart, end }) => [
        type,
        inside.length,
        mail.slice(bodyStart, end).slice(0, 8),
      ]),
    ).toEqual([
      ['multipart/mixed', 0, 'preamble'],
      ['text/html', 1, '<p>'],
      ['message/rfc822', 1, 'Subject:'],
      ['text/plain', 2, 'hi\n'],
    ]);
  });

  it('are counted up to the limits of parts and of depth, and none are returned beyond', () => {
    const parts = (count: number): string => `${multipart}${'--b\n\nx\n'.repeat(count)}--b--\n`;
    expect(partsOf(parts(limits.parts))).toHaveLength(limits.parts + 1);
    expect(partsOf(parts(limits.parts + 1))).toEqual([]);
    const nested = (depth: number): string => `${inline.repeat(depth)}Subject: x\n\n--\n\n--\n`;
    expect(partsOf(nested(limits.depth))).toHaveLength(limits.depth + 1);
    expect(partsOf(nested(limits.depth + 1))).toEqual([]);
    expect(partsOf(nested(100_000))).toEqual([]);
  });
});

describe('encryption', () => {
  it.each([
    ['pgp-mime-encrypted.eml', 'pgp'],
    ['pgp-in-text.eml', 'pgp'],
    ['rights-protected.eml', 'rights'],
    ['inline-named-text.eml', undefined],
  ])('of %s is %s', async (name, encryption) => {
    expect((await readMail(ownMail(name))).encryption).toBe(encryption);
  });
});
