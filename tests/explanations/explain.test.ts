import { describe, expect, test } from 'vitest';
import { entraEntries, lineEntries } from '../../shared/explanations/catalogue.ts';
import { explainText } from '../../shared/explanations/explain.ts';
import type { ExplainContext, Meaning } from '../../shared/explanations/explanation.ts';
import {
  errorWords,
  notRecognised,
  suberrorWords,
  unknownNumber,
} from '../../shared/explanations/oauth-text.ts';

import { clouds } from '../../shared/providers/clouds.ts';
import { processorTime } from '../harness/measure-time.ts';

const clientId = '2f6c1a8e-53b0-4c47-9d1e-0b7a64e5c9d3';
const own = 'https://desk.contoso.com/oauth/callback';
const mismatch = (sent: string): string =>
  `AADSTS50011: The redirect URI '${sent}' specified in the request does not match the redirect URIs configured for the application '${clientId}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal.`;

const everything: readonly Meaning[] = [
  ...entraEntries,
  ...lineEntries,
  ...Object.values(errorWords),
  ...Object.values(suberrorWords),
  unknownNumber,
  notRecognised,
];

describe('the catalogue', () => {
  test('explains each error, its cause and its fix in complete sentences', () => {
    for (const { title, cause, steps } of everything) {
      expect(title).toMatch(/^[A-Z“].{8,90}[^.]$/);
      expect(cause, title).toMatch(/^[A-Z“].{20,330}\.$/);
      expect(steps.length, title).toBeGreaterThan(0);
      for (const step of steps) expect(step, title).toMatch(/^[A-Z].{8,}[.)e]?$/);
    }
  });

  test('requires a person for every error that time does not resolve', () => {
    for (const { who, retry, title } of everything)
      if (who === 'nobody: wait') expect(retry, title).toBe('by-itself');
    for (const { retry, steps, title } of entraEntries)
      if (retry === 'sign-in-again') expect(steps.join(' '), title).toMatch(/sign(?:ed)?[ -]in|start again/i);
  });

  test('uses only known placeholders', () => {
    for (const { steps } of everything)
      for (const [, name] of steps.join(' ').matchAll(/\{(\w+)\}/g))
        expect(['clientId', 'tenant', 'mailbox', 'redirectUri', 'objectId', 'correlationId']).toContain(name);
  });
});

describe('steps and links', () => {
  test('lead to the pages of this app and mailbox', () => {
    const context = { clientId, tenant: 'contoso.com', mailbox: 'help@contoso.com', redirectUri: own };
    const secret = explainText({ text: 'AADSTS7000222', context });
    expect(secret.links[0]?.href).toBe(
      `https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/Credentials/appId/${clientId}`,
    );
    const consent = explainText({ text: 'AADSTS90094', context });
    expect(consent.links[0]?.href).toBe(
      `https://login.microsoftonline.com/contoso.com/adminconsent?client_id=${clientId}&redirect_uri=${encodeURIComponent(own)}`,
    );
    const { redirectUri: _, ...less } = context;
    expect(explainText({ text: 'AADSTS90094', context: less }).links[0]?.href).toBe(
      `https://login.microsoftonline.com/contoso.com/adminconsent?client_id=${clientId}`,
    );
    const smtp = explainText({ text: 'smtp-auth-disabled-mailbox', context });
    expect(smtp.steps.join()).toContain(
      'Set-CASMailbox -Identity help@contoso.com -SmtpClientAuthenticationDisabled $false',
    );
    expect(explainText({ text: 'AADSTS500113', context }).steps.join()).toContain(own);
  });

  test('lead to the list if the app is unknown, and to the app that the error names', () => {
    expect(explainText({ text: 'AADSTS7000222' }).links[0]?.href).toMatch(/ApplicationsListBlade$/);
    const named = `AADSTS7000222: The provided client secret keys for app '${clientId}' are expired.`;
    expect(explainText({ text: named }).links[0]?.href).toMatch(new RegExp(`Credentials/appId/${clientId}$`));
    const enterprise = explainText({
      text: 'AADSTS7000112',
      context: { clientId, objectId: '5e9b6f4c-0a64-4bb2-9a66-2f1f7b2c9f10' },
    });
    expect(enterprise.links[0]?.href).toContain(
      '/Properties/objectId/5e9b6f4c-0a64-4bb2-9a66-2f1f7b2c9f10/appId/',
    );
  });

  test.each(['gcc-high', 'dod', 'china'] as const)(
    'lead to the portals of %s and to none of the global cloud',
    (cloud) => {
      const texts = [
        ...entraEntries.map(({ numbers }) => `AADSTS${numbers[0]}`),
        ...lineEntries.map(({ code }) => code),
      ];
      const hrefs = texts.flatMap((text) =>
        explainText({ text, context: { cloud } }).links.map(({ href }) => href),
      );
      const worldwide =
        /^https:\/\/(?:entra|admin|admin\.exchange|security)\.microsoft\.com|microsoftonline\.com/;
      expect(hrefs.filter((href) => worldwide.test(href))).toEqual([]);
      for (const part of ['portal', 'adminCenter', 'exchangeCenter', 'defender'] as const)
        expect(
          hrefs.some((href) => href.startsWith(clouds[cloud][part])),
          part,
        ).toBe(true);
    },
  );

  test('lead to the user who signs in and to the mailbox itself if their IDs are known', () => {
    const userId = '5e9b6f4c-0a64-4bb2-9a66-2f1f7b2c9f10';
    const of = (context: ExplainContext): string[] =>
      explainText({ text: 'imap-no-access', context }).links.map(({ href }) => href);
    expect(of({ userId, mailboxId: userId })).toEqual([
      `https://admin.microsoft.com/#/users/:/UserDetails/${userId}/Account`,
      `https://admin.exchange.microsoft.com/#/mailboxes/:/MailboxDetails/${userId}`,
    ]);
    expect(of({ userId: 'x/../y' })).toEqual([
      'https://admin.microsoft.com/#/users',
      'https://admin.exchange.microsoft.com/#/mailboxes',
    ]);
  });

  test('name the correlation ID to search for', () => {
    const correlation = '7a1c5e8c-1d3f-4d35-8b1a-0f0ffd0f0200';
    const found = explainText({
      text: `AADSTS53003: Access has been blocked. Correlation ID: ${correlation}`,
    });
    expect(found.steps[0]).toContain(correlation);
  });

  test('contain nothing in a command or URL that could do harm there', () => {
    const context = {
      mailbox: "x@contoso.com'; Remove-Mailbox -Identity boss #",
      tenant: '../evil?x=',
      clientId: 'javascript:alert(1)',
      redirectUri: 'https://desk.contoso.com/<script>',
      objectId: '$(whoami)',
      userId: '$(whoami)',
      mailboxId: 'x@evil',
    };
    for (const { code } of lineEntries) {
      const shown = JSON.stringify(explainText({ text: code, context }));
      expect(shown).not.toMatch(/Remove-Mailbox|evil|alert|script>|whoami/);
    }
    for (const { numbers } of entraEntries) {
      const shown = JSON.stringify(explainText({ text: `AADSTS${numbers[0]}`, context }));
      expect(shown).not.toMatch(/Remove-Mailbox|evil|alert|script>|whoami/);
    }
  });

  test('use https and are complete', () => {
    for (const { numbers } of entraEntries)
      for (const { href, label } of explainText({ text: `AADSTS${numbers[0]}` }).links) {
        expect(href).toMatch(/^https:\/\/[\w.]+\//);
        expect(href).not.toMatch(/[{}]/);
        expect(label.length).toBeGreaterThan(3);
      }
  });
});

describe('a redirect URI that does not match', () => {
  test('has two usual causes, and both are named', () => {
    const found = explainText({ text: mismatch(own) });
    expect(found.cause).toMatch(/no Web platform/);
    expect(found.cause).toMatch(/differs/);
    expect(found.comparison).toBeUndefined();
  });

  test.each([
    ['https://desk.contoso.com/oauth/callback/', 'nothing more', 'They differ only in a trailing slash.'],
    [
      'https://desk.contoso.com/OAuth/callback',
      'oauth/callback',
      'They differ only in uppercase and lowercase letters.',
    ],
    ['http://desk.contoso.com/oauth/callback', 's://desk', 'Only http and https differ.'],
    ['https://desk.azurewebsites.net/oauth/callback', 'contoso.com', ''],
  ])('is compared with Postroom’s own, character by character: %s', (sent, right, reason) => {
    const { comparison, steps } = explainText({ text: mismatch(sent), context: { redirectUri: own } });
    expect(comparison).toMatchObject({ sent, expected: own });
    expect(sent.slice(0, comparison?.same)).toBe(own.slice(0, comparison?.same));
    expect(sent[comparison?.same ?? -1]).not.toBe(own[comparison?.same ?? -1]);
    expect(steps[0]).toContain(`character ${(comparison?.same ?? 0) + 1}`);
    expect(steps[0]).toContain(right);
    expect(steps[0]).toContain(reason);
  });

  test('that is Postroom’s own means that the registration is wrong', () => {
    const { comparison, steps } = explainText({ text: mismatch(own), context: { redirectUri: own } });
    expect(comparison).toBeUndefined();
    expect(steps[0]).toContain('missing from the app registration');
  });

  test('between sign-in and token request is compared without other information', () => {
    const text = `AADSTS500112: The reply address 'http://desk.contoso.com/oauth/callback' does not match the reply address '${own}' provided when requesting Authorization code.`;
    expect(explainText({ text }).comparison).toMatchObject({
      sent: 'http://desk.contoso.com/oauth/callback',
      expected: own,
      same: 4,
    });
    expect(explainText({ text }).steps[0]).toContain('Only http and https differ.');
  });
});

describe('a secret', () => {
  const jwt = `eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.${'eyJhdWQiOiJodHRwczovL291dGxvb2sifQ'}.c2lnbmF0dXJlLWNhbmFyeQ`;
  const secrets = {
    jwt,
    refresh: '1.AWsBCANARYrefreshTOKEN0123456789abcdefghijklmnopqrstuvwxyz-_',
    consumer: 'M.C507_BAY.0.U.-CanaryConsumerRefresh0123456789',
    client: 'abc8Q~CanaryClientSecret_0123456789.-abcdef',
    code: '0.AXoACanaryCode0123456789.AgABAAIAAAD',
    state: 'CanaryState9cT0aVfEoW2mZ8yQ1rB7uN5sLh6',
    password: 'Canary!horse#battery',
  };
  const inside: readonly string[] = [
    `AADSTS50012: Client assertion contains an invalid signature ${secrets.jwt} and ${secrets.refresh}`,
    `AADSTS7000215: Invalid client secret provided: ${secrets.client}. Ensure that it is right. client_secret=${secrets.client}`,
    `AADSTS70000: token ${secrets.consumer}, "refresh_token":"${secrets.refresh}", password: ${secrets.password}`,
    JSON.stringify({
      error: 'invalid_grant',
      error_description: `AADSTS70000: bad ${secrets.refresh}`,
      refresh_token: secrets.refresh,
      client_secret: secrets.client,
    }),
    `${own}?code=${secrets.code}&state=${secrets.state}&error=access_denied&error_description=AADSTS65004%3a+declined+at+${encodeURIComponent(`${own}?code=${secrets.code}`)}`,
    `A1 AUTHENTICATE XOAUTH2 ${Buffer.from(`user=help\u0001auth=Bearer ${secrets.jwt}\u0001\u0001`).toString('base64')} A1 NO AUTHENTICATE failed.`,
    `535 5.7.3 Authentication unsuccessful Authorization: Bearer ${secrets.jwt}`,
    `${mismatch(`${own}?state=${secrets.state}&code=${secrets.code}`)}`,
    `AADSTS987654: something new about ${secrets.client} and ${secrets.jwt}`,
    `{"error":"invalid_grant","error_description":"bad token ${secrets.refresh}"}`,
    `connect ECONNREFUSED https://kv.vault.azure.net/secrets?sig=${secrets.state} ${secrets.client}`,
  ];

  test.each(inside)('is never shown again: %s', (text) => {
    const found = explainText({ text, context: { redirectUri: own } });
    expect(found.code).not.toBe('not-recognised');
    const shown = JSON.stringify(found);
    for (const secret of Object.values(secrets))
      for (let at = 0; at + 12 <= secret.length; at += 4)
        expect(shown).not.toContain(secret.slice(at, at + 12));
  });

  test.each([
    [
      'a client secret in short parts',
      'AADSTS7000215: wrong is xyz8Q~Canary.aa1.bb2.cc3.dd4.ee5-ff',
      'Canary',
    ],
    ['a token of no known kind', 'AADSTS70000: wrong is canary0123456789abcdefghijklmnop', 'canary'],
    [
      'the value of a field that holds one',
      '{"error":"x","password":"535 5.7.3 Authentication unsuccessful Canary"}',
      'Canary',
    ],
  ])('is recognized in other forms, too: %s', (_, text, canary) => {
    expect(JSON.stringify(explainText({ text }))).not.toContain(canary);
  });

  test('is redacted without IDs, hosts and addresses', () => {
    const sentence = `Application with identifier '${clientId}' at https://desk.contoso.com/oauth/callback (AM0PR06CA0042.eurprd06.prod.outlook.com) of help@contoso.com was not found.`;
    expect(explainText({ text: `AADSTS700016: ${sentence}` }).said).toBe(sentence);
  });
});

describe('hostile input', () => {
  const million = 1024 * 1024;
  const inputs: Readonly<Record<string, string>> = {
    spaces: ' '.repeat(million),
    breaks: '\n> '.repeat(million / 3),
    numbers: 'AADSTS50011'.repeat(million / 11),
    colons: 'AADSTS50011: '.repeat(million / 13),
    letters: 'a'.repeat(million),
    underscores: 'client_secret'.repeat(million / 13),
    percent: '%41'.repeat(million / 3),
    brokenPercent: '%e2%28'.repeat(million / 6),
    parameters: '&error_description=%41'.repeat(million / 22),
    brackets: '['.repeat(million),
    braces: `{"a":${'{"a":'.repeat(200_000)}`,
    nested: `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    leaves: JSON.stringify(Array.from({ length: 60_000 }, (_, n) => ({ a: `x${n}` }))),
    tags: '<a '.repeat(million / 3),
    entities: '&#x41;'.repeat(million / 6),
    escapes: '\\u0041'.repeat(million / 6),
    gaps: 'vault.azure.net ECONNREFUSED login.microsoftonline. '.repeat(million / 52),
    no: 'NO '.repeat(million / 3),
    approval: 'Approval required '.repeat(million / 18),
    keys: 'The provided client secret keys '.repeat(million / 32),
    credential: 'ManagedIdentityCredential '.repeat(million / 26),
    quotes: "The redirect URI '".repeat(million / 18),
    guids: 'correlation id: 7a1c5e8c-1d3f-4d35-8b1a-'.repeat(million / 40),
    words: 'error: '.repeat(million / 7),
    addresses: 'https://a.'.repeat(million / 10),
  };

  // Non-linear code takes minutes here, so the limit can be generous.
  test.each(Object.entries(inputs))('of a megabyte gets a fast and short answer: %s', async (_, text) => {
    let found: unknown;
    const ms = await processorTime(() => {
      found = explainText({ text, context: { redirectUri: own } });
    });
    expect(ms).toBeLessThan(10_000);
    expect(JSON.stringify(found).length).toBeLessThan(10_000);
  });

  test('beyond a megabyte is cut, and the part before is still read', () => {
    const found = explainText({ text: `AADSTS53003: blocked\n${'x'.repeat(20 * million)}` });
    expect(found.code).toBe('AADSTS53003');
    expect(JSON.stringify(found).length).toBeLessThan(10_000);
  });

  test.each([
    '__proto__',
    'constructor',
    'toString',
    '{"error":"__proto__","suberror":"constructor"}',
    '{"__proto__":{"error":"x"}}',
    '\u0000\uD800%',
    '{"error":null}',
    '[]',
    '{}',
    'null',
  ])('of an odd kind is not recognized: %j', (text) => {
    expect(explainText({ text }).code).toBe('not-recognised');
  });
});
