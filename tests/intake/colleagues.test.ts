import { expect, test } from 'vitest';
import { areColleagues } from '../../shared/intake/colleagues.ts';

test.each([
  ['kim@contoso.example', 'lee@contoso.example'],
  ['kim@contoso.co.uk', 'lee@sales.contoso.co.uk'],
  ['kim@CONTOSO.example', 'lee@contoso.example'],
  ['kim@localhost', 'lee@localhost'],
])('%s and %s are colleagues', (one, other) => {
  expect(areColleagues(one, other)).toBe(true);
});

test.each([
  ['kim@contoso.example', 'lee@fabrikam.example'],
  ['kim@contoso.co.uk', 'lee@fabrikam.co.uk'],
  ['kim@contoso.com', 'lee@contoso.de'],
  ['kim@contoso.example', 'lee@evil-contoso.example'],
  // Anyone can have a name under a private suffix, too.
  ['kim@one.github.io', 'lee@two.github.io'],
  ['kim@', 'lee@'],
])('%s and %s are not colleagues', (one, other) => {
  expect(areColleagues(one, other)).toBe(false);
});

test.each(
  'gmail.com googlemail.com outlook.com hotmail.co.uk live.com msn.com yahoo.com yahoo.co.jp gmx.de gmx.net web.de t-online.de freenet.de icloud.com aol.com proton.me tuta.com mail.ru qq.com 163.com naver.com orange.fr libero.it comcast.net btinternet.com bluewin.ch wp.pl seznam.cz uol.com.br rediffmail.com privaterelay.appleid.com'.split(
    ' ',
  ),
)('at %s no one is a colleague', (domain) => {
  expect(areColleagues(`kim@${domain}`, `lee@${domain}`)).toBe(false);
});
