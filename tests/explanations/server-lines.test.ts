import { describe, expect, test } from 'vitest';
import { entraEntries, lineEntries } from '../../shared/explanations/catalogue.ts';
import { explainText } from '../../shared/explanations/explain.ts';
import { serverLines } from './server-lines.ts';

describe('lines of servers and libraries', () => {
  test('in the catalogue each have a line in this test, and vice versa', () => {
    const explained = lineEntries.map(({ code }) => code);
    expect(new Set(explained).size).toBe(explained.length);
    expect([...new Set(serverLines.map(([code]) => code))].sort()).toEqual([...explained].sort());
    expect(explained.length + entraEntries.length).toBeGreaterThanOrEqual(110);
  });

  test.each(serverLines)('%s (%s) is explained from %s', (code, retry, text) => {
    for (const shown of [
      text,
      `2026-11-24T01:42:11.337Z [Error] mailbox help@contoso.com: ${text}`,
      `${text}\r\n    at Connection._onError (file:///home/site/wwwroot/chunk-7F3.mjs:201:13)`,
      `\r\n\r\n> ${text.replaceAll('\n', '\n> ')}\r\n`,
    ]) {
      const found = explainText({ text: shown });
      expect(found, shown).toMatchObject({ code, retry });
      expect(found.steps.length).toBeGreaterThan(0);
      expect(found.steps.join()).not.toMatch(/[{}]/);
    }
  });

  test('are found by the code alone, which is what Postroom stores', () => {
    for (const { code, title } of lineEntries)
      expect(explainText({ text: code })).toMatchObject({ code, title });
  });

  test.each(['http-500', 'http-503'])('are found by the status that Postroom stores: %s', (text) => {
    expect(explainText({ text })).toMatchObject({ code: 'http-5xx', retry: 'by-itself' });
  });

  test('are quoted as the server wrote them', () => {
    const text =
      'A1 OK AUTHENTICATE completed.\r\nA2 SELECT INBOX\r\nA2 BAD User is authenticated but not connected.\r\n* BYE';
    expect(explainText({ text }).said).toBe('A2 BAD User is authenticated but not connected.');
  });

  test('distinguish a refused token from a disabled protocol, although both begin with 535', () => {
    const trail = '[host 2026-11-24T01:42:11.337Z]';
    const token = explainText({ text: `535 5.7.3 Authentication unsuccessful ${trail}` });
    const tenant = explainText({
      text: `535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. ${trail}`,
    });
    expect([token.retry, tenant.retry]).toEqual(['sign-in-again', 'after-fix']);
    expect([token.who, tenant.who]).toEqual(['mailbox-owner', 'tenant-admin']);
  });
});

/** Texts that resemble errors: prose about them, other numbers, successes. */
const nearMisses: readonly string[] = [
  '',
  ' \n\t',
  'Hello, my invoice is wrong. Kind regards, Anna',
  'AADSTS',
  'AADSTS: ',
  'AADSTS0: none',
  'AADSTS12: too short',
  'AADSTS1234567890123: too long',
  'XAADSTS50011 is not a code of Microsoft',
  'MSAADSTS50011',
  '50011 tickets were imported',
  'Order 7000222 was shipped',
  'error 700016 of the printer',
  '99999',
  'A1 OK LOGIN completed.',
  'A2 OK [READ-WRITE] SELECT completed.',
  'A2 OK FETCH completed.',
  'User is authenticated and connected.',
  'The user is not authenticated',
  '* OK The Microsoft Exchange IMAP4 service is ready.',
  '* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT IDLE NAMESPACE LITERAL+',
  'Requests are throttled in the engine room',
  'The server is unavailable in our canteen, please bring lunch',
  'A9 BAD Command Error. 99',
  '[UNAVAILABLE] for lunch on Monday',
  'I know that the folder exists',
  '+OK',
  '+OK The Microsoft Exchange POP3 service is ready.',
  '-ERR',
  '250 2.1.0 Sender OK',
  '354 Start mail input; end with <CRLF>.<CRLF>',
  '250 2.0.0 OK <5.7.3@contoso.com> [Hostname=AM0PR06MB1.eurprd06.prod.outlook.com]',
  '1535 5.7.3 is the number of the part',
  '535 5.7.33 of nothing',
  '550 5.1.11 of nothing',
  '550 5.7.7051',
  'Version 5.7.139 of the kernel was released',
  'See chapter 5.7.60 about senders',
  'SMTP client authentication is enabled for the tenant',
  'Our organization has a security defaults policy',
  'The secret was found in this key vault',
  'The vault at the bank is closed to the public',
  'The caller is authorized to perform the action on the resource',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 204 No Content',
  '{"status":200,"value":[]}',
  '{"token_type":"Bearer","expires_in":3599,"scope":"https://outlook.office.com/IMAP.AccessAsUser.All"}',
  '{"odata.error":null}',
  'https://desk.contoso.com/oauth/callback?code=1.AWsBxyz&state=wKx3',
  'The meeting on invalid grants, and on requests that are invalid, is on Monday',
  'ECONNREFUSEDX',
  'Tickets with status 5 and more',
];

describe('near misses', () => {
  test('are many, and all different', () => {
    expect(new Set(nearMisses).size).toBe(nearMisses.length);
    expect(nearMisses.length).toBeGreaterThanOrEqual(40);
  });

  test.each(nearMisses)('are not recognized as an error: %s', (text) => {
    const found = explainText({ text });
    expect(found.code).toBe('not-recognised');
    expect(found.steps.join(' ')).toContain('Troubleshooting details');
    expect(found.said).toBe('');
  });
});
