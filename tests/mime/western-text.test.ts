/** Whether text that is declared as Western can be valid. */
import iconv from 'iconv-lite';
import { expect, test } from 'vitest';
import { isLatinName, isNonWesternText, isWesternName } from '../../shared/mime/western-text.ts';

test.each([
  ['windows-1251', 'Здравствуйте'],
  ['koi8-r', 'Ваш заказ номер 12345 готов'],
  ['windows-1253', 'Καλημέρα, έχω ένα πρόβλημα'],
  ['gbk', '您好，我的订单还没有收到。请帮忙查询'],
])('text in %s is not: %s', (charset, text) => {
  expect(isNonWesternText(iconv.encode(text, charset))).toBe(true);
});

test.each([
  'Grüße aus Köln',
  'Préparation été, déjà vu à Orléans, où est-il ?',
  'RÉFÉRENCE À RÉGLER, ÇA ÉTÉ FÊTÉ',
  '·´¯`·.¸¸.·´¯`·.¸¸ °°°°°° »»»»»»',
  '««««« ¡¡¡¡¡ ÀÀÀÀÀÀÀÀ',
  '',
])('%j is', (text) => {
  expect(isNonWesternText(Buffer.from(text, 'latin1'))).toBe(false);
});

test('seven letters are too few to decide, and eight are enough', () => {
  expect(isNonWesternText(iconv.encode('привета', 'windows-1251'))).toBe(false);
  expect(isNonWesternText(iconv.encode('приветам', 'windows-1251'))).toBe(true);
});

test.each([
  ['iso-8859-1', true, true],
  ['iso-8859-15', true, true],
  ['latin1', true, false],
  ['windows-1252', true, true],
  ['iso-8859-2', false, true],
  ['windows-1250', false, true],
  ['windows-1251', false, false],
  ['koi8-r', false, false],
  ['gb18030', false, false],
])('%s is a common default of programs: %s; is a charset of Latin letters: %s', (name, western, latin) => {
  expect(isWesternName(name)).toBe(western);
  expect(isLatinName(name)).toBe(latin);
});
