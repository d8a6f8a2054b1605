import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { cutMarker } from '../../shared/mime/attachment-cutter.ts';
import { createBase64Decoder } from '../../shared/mime/base64-decoder.ts';
import type { ParsedMessage } from '../../shared/mime/parsed-message.ts';
import {
  corpusFiles,
  corpusMail,
  cutMail,
  isFullCorpus,
  mailOf,
  ownMail,
  ownMailNames,
  read,
  readMail,
} from '../harness/memory/mail-files.ts';

const whole = Number.MAX_SAFE_INTEGER;
const nonce = 'a1b2c3';

/** An email in comparable form, with the bytes of cut parts restored. */
function withParts(mail: ParsedMessage, parts: readonly Uint8Array[]): unknown {
  const attachments = mail.attachments.map((attachment) => {
    const content = attachment.cut === undefined ? attachment.content : parts[attachment.cut];
    if (content === undefined) throw new Error(`attachment ${attachment.index} has no bytes`);
    const hash = createHash('sha256').update(content).digest('hex');
    return { ...attachment, cut: undefined, size: content.length, content: hash };
  });
  return { ...mail, attachments };
}

function mixed(part: string, root = 'multipart/mixed; boundary=b'): Buffer {
  return Buffer.from(
    `From: a@example.com\r\nContent-Type: ${root}\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\n${part}`,
    'latin1',
  );
}

const pdf = 'Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n';

describe('the attachment cutter', () => {
  it('removes the attachments of an Outlook email and keeps everything the parser reports about them', async () => {
    const raw = ownMail('outlook-two-attachments.eml');
    const cut = cutMail(raw, whole, nonce);
    expect(cut.parts.map((part) => part.length)).toEqual([5_129, 304]);
    expect(cut.parts[0]?.subarray(0, 8).toString()).toBe('%PDF-1.4');
    expect(cut.kept.length).toBeLessThan(2_300);
    const mail = await readMail(cut.kept, nonce);
    expect(mail.attachments.map(({ filename, cut: number, content }) => [filename, number, content])).toEqual(
      [
        ['Rechnung Mai.pdf', 0, undefined],
        ['logo.png', 1, undefined],
      ],
    );
    expect(withParts(mail, cut.parts)).toEqual(withParts(await readMail(raw), []));
  });

  it('accepts a marker only with the nonce of this email', async () => {
    const forged = Buffer.from(cutMarker('guess', 0)).toString('base64');
    const mail = await readMail(mixed(`${pdf}${forged}\r\n--b--\r\n`), nonce);
    expect(mail.attachments[0]?.cut).toBeUndefined();
    expect(Buffer.from(mail.attachments[0]?.content ?? []).toString()).toBe('postroom-cut:guess:0');
  });

  it.each([
    ['a text', mixed('Content-Type: text/csv\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--b--\r\n')],
    [
      'a message',
      mixed('Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--b--\r\n'),
    ],
    ['a part of unknown type', mixed('Content-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--b--\r\n')],
    ['a part with two types', mixed(`Content-Type: image/png\r\n${pdf}YQ==\r\n--b--\r\n`)],
    ['a part that is not base64', mixed('Content-Type: application/pdf\r\n\r\nYQ==\r\n--b--\r\n')],
    ['a part with a boundary of its own', mixed(`${pdf.replace('pdf', 'pdf; boundary=c')}YQ==\r\n--b--\r\n`)],
    ['mail with an odd boundary', mixed(`${pdf}YQ==\r\n--b--\r\n`, 'multipart/mixed; boundary="b ("')],
    ['mail with two boundaries', mixed(`${pdf}YQ==\r\n--b--\r\n`, 'multipart/mixed; boundary=b; boundary=c')],
    [
      'mail whose multipart is itself encoded',
      mixed(`${pdf}YQ==\r\n--b--\r\n`, 'multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64'),
    ],
    [
      'mail without a line feed',
      Buffer.from(mixed(`${pdf}YQ==\r\n--b--\r\n`).toString().replaceAll('\r\n', '\r')),
    ],
    ['what follows the closing delimiter', mixed(`\r\nx\r\n--b--\r\n--b\r\n${pdf}YQ==\r\n--b--\r\n`)],
  ])('leaves %s unchanged', (_what, raw) => {
    const cut = cutMail(raw, whole, nonce);
    expect(cut.parts).toEqual([]);
    expect(cut.kept.equals(raw)).toBe(true);
  });

  it.each([
    ['the mail ends within the attachment', `${pdf}QUJDREVG`, 'ABCDEF'],
    ['the closing delimiter has no line end', `${pdf}QUJD\r\n--b--`, 'ABC'],
    ['the delimiter carries blanks', `${pdf}QUJD\r\n--b-- \t\r\n`, 'ABC'],
    ['a longer boundary begins alike', `${pdf}QUJD\r\n--bc\r\nREVG\r\n--b--\r\n`, 'ABC…DEF'],
    ['a delimiter follows a lone CR', `${pdf}QUJD\r--b\r\nREVG\r\n--b--\r\n`, 'ABC…DEF'],
    ['a delimiter is within a line', `${pdf}QUJD--b\r\nREVG\r\n--b--\r\n`, 'ABC…DEF'],
    ['a lone CR precedes the delimiter', `${pdf}QUJD\r\n\r--b--\r\n`, 'ABC'],
    ['every line is padded', `${pdf}QQ==\r\nQg==\r\nQw==\r\n--b--\r\n`, 'ABC'],
    ['foreign characters are in between', `${pdf}Q U\tJ\xe9D*\r\n--b--\r\n`, 'ABC'],
    ['the body is empty', `${pdf}\r\n--b--\r\n`, ''],
    ['the delimiter follows its header at once', `${pdf}--b--\r\n`, ''],
  ])('gives the same result as mailparser when %s', async (_what, part, _roughly) => {
    const raw = mixed(part);
    const cut = cutMail(raw, whole, nonce);
    expect(cut.parts).toHaveLength(1);
    for (const size of [1, 2, 3, 7]) expect(cutMail(raw, size, nonce)).toEqual(cut);
    expect(withParts(await readMail(cut.kept, nonce), cut.parts)).toEqual(withParts(await readMail(raw), []));
  });

  it.each(ownMailNames())('cuts %s the same way in chunks of every size', (name) => {
    const raw = ownMail(name);
    const cut = cutMail(raw, whole, nonce);
    for (const size of [1, 7, 64 * 1024]) expect(cutMail(raw, size, nonce)).toEqual(cut);
  });

  it('keeps a part whose header may end earlier than at its empty line', async () => {
    const raw = ownMail('part-header-ends-in-blanks.eml');
    const { kept, parts } = cutMail(raw, whole, nonce);
    expect(parts).toEqual([]);
    expect(kept.equals(raw)).toBe(true);
    expect((await readMail(kept, nonce)).attachments).toMatchObject([{ filename: 'a.pdf', size: 6 }]);
  });

  it('buffers little however long the email is', () => {
    const body = `${'QUJD'.repeat(19)}\r\n`.repeat(50_000);
    const raw = mixed(`${pdf}${body}--b--\r\n`);
    const cut = cutMail(raw, 64 * 1024, nonce);
    expect(cut.parts[0]?.length).toBe(50_000 * 57);
    expect(cut.kept.length).toBeLessThan(300);
  });
});

describe('the base64 decoder', () => {
  it('gives the same bytes as Node for every length and every split, also around the edge of a slice', () => {
    for (const length of [0, 1, 2, 3, 4, 5, 6, 7, 49_151, 49_152, 49_153, 100_000]) {
      const bytes = Buffer.alloc(length, length % 251);
      const text = Buffer.from(bytes.toString('base64').replace(/(.{76})/g, '$1\r\n'), 'latin1');
      for (const size of [5, 65_536, 65_537, whole]) {
        const decoder = createBase64Decoder();
        const decoded: Uint8Array[] = [];
        for (let at = 0; at < text.length; at += size)
          decoded.push(...decoder.push(text.subarray(at, at + size)));
        expect(Buffer.concat([...decoded, ...decoder.end()]).equals(bytes)).toBe(true);
      }
    }
  });
});

describe('the attachment cutter on email of many sources', () => {
  it('changes nothing that is read from any of them', async () => {
    let cuts = 0;
    for (const path of corpusFiles()) {
      // The parser must not read this one in this thread, because it never returns.
      if (path.includes('poison')) continue;
      const raw = corpusMail(path);
      const cut = cutMail(raw, whole, nonce);
      cuts += cut.parts.length;
      if (cut.parts.length === 0) {
        expect(cut.kept.equals(raw), path).toBe(true);
        continue;
      }
      for (const size of [1, 7, 64 * 1024])
        expect(cutMail(raw, size, nonce).kept.equals(cut.kept), path).toBe(true);
      const mail = mailOf(await read(cut.kept, nonce));
      const numbers = mail.attachments.flatMap((attachment) => attachment.cut ?? []);
      expect(numbers, path).toEqual(cut.parts.map((_part, index) => index));
      expect(withParts(mail, cut.parts), path).toEqual(withParts(await readMail(raw), []));
    }
    expect(cuts).toBeGreaterThan(isFullCorpus ? 100 : 30);
  });
});
