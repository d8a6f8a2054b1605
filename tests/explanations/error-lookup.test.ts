import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { allRows, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { CLIENT } from '../harness/stack/demo-directory.ts';

const OWN = 'http://localhost:7071/oauth/callback';
const microsoftsPage = (sent: string): string => `Sign in
Sorry, but we’re having trouble signing you in.

AADSTS50011: The redirect URI '${sent}' specified in the request does not match the redirect URIs configured for the application '${CLIENT}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this error.

Troubleshooting details
If you contact your administrator, send this info to them.
Copy info to clipboard

Request Id: 61c5e8c1-3d3f-4d35-8b1a-0f0ffd0f0200
Correlation Id: 7a1c5e8c-1d3f-4d35-8b1a-0f0ffd0f0200
Timestamp: 2026-11-24T01:42:11Z
Message: AADSTS50011: The redirect URI '${sent}' specified in the request does not match …`;

let app: DemoApp;
let visitor: Visitor;
let agent: Visitor;

beforeAll(async () => {
  app = await startDemoApp();
  visitor = new Visitor(app, { id: 'alex', roles: ['admin'] });
  agent = new Visitor(app, { id: 'sam', roles: ['agent'] });
  await visitor.addDemoProvider();
});
afterAll(() => app.stop());

const explained = async (error: string): Promise<string> =>
  (await visitor.post('/explain', { error })).html.replaceAll('&#39;', "'").replaceAll('&amp;', '&');

describe('the error lookup', () => {
  it('is available to admins and agents, from every page', async () => {
    for (const person of [visitor, agent]) {
      expect((await person.get('/explain')).status).toBe(200);
      expect((await person.post('/explain', { error: 'AADSTS50173' })).html).toContain('AADSTS50173');
    }
    expect((await visitor.get('/providers')).html).toContain('href="/explain"');
    const nobody = new Visitor(app, { id: 'eve', roles: [] });
    expect((await nobody.get('/explain')).status).toBe(403);
    expect((await nobody.post('/explain', { error: 'x' })).status).toBe(403);
  });

  it('names both usual causes of a wrong redirect URI and shows where the two differ', async () => {
    const html = await explained(microsoftsPage('http://localhost:7071/oauth/Callback/'));
    expect(html).toContain('no Web platform');
    expect(html).toContain('its redirect URI differs from Postroom’s');
    expect(html).toContain('<code>http://localhost:7071/oauth/<mark>Callback/</mark></code>');
    expect(html).toContain('<code>http://localhost:7071/oauth/<mark>callback</mark></code>');
    expect(html).toContain('They differ from character 29');
    expect(html).toContain('Copy Postroom’s redirect URI: <code>http://localhost:7071/oauth/callback</code>');
    expect(html).toContain(`Authentication/appId/${CLIENT}`);
    expect(html).toContain(
      'AADSTS50011, Correlation ID: 7a1c5e8c-1d3f-4d35-8b1a-0f0ffd0f0200, Trace ID: 61c5e8c1-3d3f-4d35-8b1a-0f0ffd0f0200, Timestamp: 2026-11-24T01:42:11Z',
    );
  });

  it('says that our own redirect URI is missing in the registration', async () => {
    const html = await explained(microsoftsPage(OWN));
    expect(html).toContain(`Postroom sent its own redirect URI, <code>${OWN}</code>`);
    expect(html).not.toContain('<mark>');
  });

  it('explains a mail server’s error with the mailbox that it names', async () => {
    await app.services.mailboxes.save({
      id: 'b'.repeat(26),
      address: 'support@contoso.example',
      protocol: 'imap',
      host: 'localhost',
      port: 1,
      folder: 'INBOX',
      providerId: 'p'.repeat(26),
      accountId: 'a'.repeat(26),
      enabled: true,
      intervalMinutes: 1,
      afterFetch: { kind: 'mark-seen' },
      createdAt: '2026-11-24T00:00:00.000Z',
    });
    const html = await explained(
      '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. (support@contoso.example)',
    );
    expect(html).toContain(
      '<code>Set-CASMailbox -Identity support@contoso.example -SmtpClientAuthenticationDisabled $false</code> (or',
    );
  });

  it('stores nothing, and redacts secrets', async () => {
    const before = allRows(app);
    const secret = 'Q1x8Q~canary-0123456789abcdefghijklmn';
    const html = await explained(
      `AADSTS7000215: Invalid client secret provided. client_secret=${secret} https://desk.example/oauth/callback?code=0.AcanaryCodeThatIsLong&state=canaryState0123456789`,
    );
    expect(html).toContain('AADSTS7000215');
    expect(html).not.toMatch(/canary/i);
    expect(allRows(app)).toEqual(before);
  });

  it('asks again after an empty input, and says so if the error is unknown', async () => {
    const empty = await visitor.post('/explain', { error: '  ' });
    expect(empty.status).toBe(422);
    expect(empty.html).toContain('href="#error"');
    expect((await visitor.post('/explain', { error: 'it does not work' })).title).toBe(
      'This error is not known',
    );
  });

  it('is a complete, accessible page', async () => {
    const html = async (error: string): Promise<string> => (await visitor.post('/explain', { error })).html;
    const drawn = {
      'paste an error': (await visitor.get('/explain')).html,
      'nothing pasted': await html(''),
      'redirect explained': await html(microsoftsPage('http://localhost:7071/oauth/Callback/')),
      'line explained': await html('a3 BAD User is authenticated but not connected.'),
      'unknown error': await html('it does not work'),
    };
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
  });
});
