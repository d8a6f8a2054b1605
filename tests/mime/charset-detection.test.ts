/** Text without a declared charset: how it is decoded, and the cost of hostile email. */
import iconv from 'iconv-lite';
import { describe, expect, test } from 'vitest';
import { createGuesser, detectCharset } from '../../shared/mime/charset-detection.ts';
import { decodeAs, decodeUtf7, isUtf7 } from '../../shared/mime/charsets.ts';
import { parseMessage } from '../../shared/mime/parse-message.ts';
import { defaultParseLimits as limits } from '../../shared/mime/parsed-message.ts';
import { processorTime } from '../harness/measure-time.ts';

const koi8 = (text: string): Buffer => iconv.encode(text, 'koi8-r');

describe('undeclared text in many languages', () => {
  test.each([
    ['windows-1251', 'Здравствуйте, не работает принтер'],
    ['windows-1251', 'Заказ'],
    ['windows-1251', 'Ошибка 404'],
    ['koi8-r', 'Отчет за май 2026'],
    ['koi8-r', 'Заказ'],
    ['koi8-u', 'Доброго дня, не працює принтер'],
    ['gb2312', '关于订单的问题'],
    ['gb2312', '您好，我的订单还没有收到'],
    ['big5', '關於訂單的問題'],
    ['shift_jis', 'ご注文について'],
    ['shift_jis', '会議の件'],
    ['euc-jp', 'ご注文について'],
    ['euc-kr', '안녕하세요 주문 관련 문의드립니다'],
    ['windows-1252', 'Grüße aus Köln'],
    ['windows-1252', 'Größe'],
    ['windows-1252', 'Überweisung – 20 €'],
    ['windows-1252', 'Préparation été, déjà vu à Orléans'],
    ['windows-1252', '¿Dónde está mi pedido?'],
    ['windows-1252', 'Förfrågan om beställning'],
    ['windows-1250', 'Proszę o pomoc z drukarką, nie działa'],
    ['iso-8859-2', 'Žádost o opravu tiskárny'],
    ['windows-1253', 'Καλημέρα, έχω ένα πρόβλημα'],
    ['windows-1254', 'Merhaba, siparişim gelmedi'],
    ['windows-1255', 'שלום, יש לי בעיה'],
    ['windows-1256', 'مرحبا لدي مشكلة'],
    ['windows-874', 'สวัสดีครับ มีปัญหา'],
  ])('in %s is read as it was written: %s', async (charset, text) => {
    expect(await createGuesser([]).decode(iconv.encode(text, charset))).toBe(text);
  });

  test('is UTF-8 if it is valid, whatever charsets the email names', async () => {
    expect(await createGuesser(['koi8-r']).decode(Buffer.from('Grüße'), 'gbk')).toBe('Grüße');
  });

  test('uses the first charset that fits, starting with that of its own document', async () => {
    const text = koi8('Да');
    expect(await createGuesser(['us-ascii', 'x-unknown', 'koi8-r', 'windows-1251']).decode(text)).toBe('Да');
    expect(await createGuesser(['windows-1251']).decode(text, 'koi8-r')).toBe('Да');
    expect(await createGuesser(['windows-1251']).decode(text)).toBe('дБ');
  });

  test('of many kilobytes is detected by its non-ASCII lines', async () => {
    const long = Buffer.concat([Buffer.from('plain text\n'.repeat(10_000)), koi8('Принтер не работает\n')]);
    expect(await detectCharset(long)).toMatch(/^koi8-[ru]$/i);
  });
});

describe('a declared charset', () => {
  test.each([
    '',
    'us-ascii',
    'ANSI_X3.4-1968',
    'utf-8',
    'UTF8',
    'unknown-8bit',
    'x-unknown',
    'utf-7',
    'x',
    'base64',
    'hex',
    'utf-16le',
  ])('%j says nothing about 8-bit text', (charset) => {
    expect(decodeAs(Buffer.from([0xe4]), charset)).toBeUndefined();
  });

  test.each([
    ['ISO-8859-1', [0x93, 0xe4], '“ä'],
    [' Windows-1252 ', [0x80], '€'],
    ['iso-8859-15', [0xa4], '€'],
    ['cp850', [0x81], 'ü'],
    ['CP437', [0x81], 'ü'],
    ['ks_c_5601-1987', [0xb0, 0xa1], '가'],
    ['cp936', [0xc4, 0xe3], '你'],
    ['cp932', [0x82, 0xa0], 'あ'],
  ])('%s is known', (charset, codes, text) => {
    expect(decodeAs(Buffer.from(codes), charset)).toBe(text);
  });

  test.each([
    ['gbk', [0xc4]],
    ['shift_jis', [0xa0]],
    ['windows-1253', [0xd2]],
  ])('%s does not decode invalid bytes', (charset, codes) => {
    expect(decodeAs(Buffer.from(codes), charset)).toBeUndefined();
  });
});

test.each([
  ['utf-7', true],
  ['UTF7', true],
  ['x-unicode-1-1-utf-7', true],
  ['unicode-1-1-utf-7', true],
  ['utf-8', false],
  ['utf-77', false],
])('%s is UTF-7: %s', (charset, is) => {
  expect(isUtf7(charset)).toBe(is);
});

test.each([
  ['Fr+APY-sche', 'Frösche'],
  ['A+ImIDkQ.', 'A≢Α.'],
  ['1 +- 1', '1 + 1'],
  ['+2D3eAA-', '😀'],
  ['+2D0-', '\ufffd'],
  ['+A-', ''],
  ['no shift', 'no shift'],
])('UTF-7 %s is %s', (encoded, text) => {
  expect(decodeUtf7(encoded)).toBe(text);
});

test('email with thousands of undeclared texts is read in seconds', async () => {
  const words = Array.from({ length: 3_000 }, (_, index) => `=?x${index}?Q?=C4=C1${index}?=`).join(' ');
  const parts = Array.from(
    { length: 900 },
    (_, index) => `--b\r\nContent-Type: text/plain; name="\xc4\xc1${index}"\r\n\r\n\xc4\xc1 ${index}\r\n`,
  ).join('');
  const mail = `From: a@b.example\r\nSubject: ${words}\r\n${`Keywords: ${words}\r\n`.repeat(10)}Content-Type: multipart/mixed; boundary=b\r\n\r\n${parts}--b--\r\n`;
  await detectCharset(koi8('Заказ'));
  const ms = await processorTime(async () => {
    const outcome = await parseMessage(Buffer.from(mail, 'latin1'), { parser: 'mailparser', limits });
    expect(outcome.kind).toBe('mail');
  });
  // Without limits it would take forty seconds.
  expect(ms).toBeLessThan(6_000);
});
