import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aadstsBody } from '../../dev/emulators/entra/error-bodies.ts';
import type { Account } from '../../shared/accounts/account.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import {
  ALEX,
  AT_MAIL,
  connectSupport,
  type DemoApp,
  startDemoApp,
  Visitor,
} from '../harness/pages/demo-app.ts';

const HOUR = 3_600_000;
let app: DemoApp;
let account: Account;
let alex: Visitor;
let path: string;
beforeEach(async () => {
  app = await startDemoApp();
  ({ account } = await connectSupport(app));
  alex = new Visitor(app, ALEX);
  path = `/accounts/${account.providerId}/${account.accountId}`;
});
afterEach(() => app.stop());

const wordsOf = (html: string): string => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
const page = async (): Promise<string> => wordsOf((await alex.get(path)).html);

/** A mailbox whose account fails at the provider with this response body. */
async function failOnce(status: number, body: object): Promise<void> {
  app.idp.addFault({ match: { path: 'token' }, status, body });
  await app.services.accessTokens.renew(account, { again: true });
}

describe('the page of an account', () => {
  test('shows since when it works, with which permissions, and when it is refreshed next', async () => {
    const words = await page();
    expect(words).toContain('support@contoso.example');
    expect(words).toMatch(/OK since/);
    expect(words).toContain('IMAP.AccessAsUser.All');
    expect(words).toContain('Connected by Postroom admin');
    await app.services.accounts.save({ ...account, consentedBy: 'invitation' });
    expect(await page()).toContain('Connected by Mailbox owner (invitation)');
    expect(words).toMatch(/Next token refresh \d[^,]*, \d\d:\d\d UTC ?, with the next fetch/);
    expect(words).toMatch(/Sign-ins and token refreshes, newest first .* Signed in/);
    expect((await alex.get(path)).html).toContain(
      `href="/providers/${account.providerId}/connect?address=support%40contoso.example"`,
    );
  });

  test('lists each refresh with its result and the IDs that Microsoft’s support asks for', async () => {
    const body = aadstsBody(90033, 'temporarily_unavailable', 'A transient error has occurred.');
    await failOnce(503, body);
    await failOnce(503, body);
    app.seam.skewMs = 2 * HOUR + 2 * 60_000;
    await app.services.accessTokens.get(account, AT_MAIL);
    const history = (await page()).split('Sign-ins and token refreshes, newest first')[1] ?? '';
    expect(history).toMatch(/Refreshed .* Retrying AADSTS90033 .* Signed in/);
    expect(history).toContain(', 2 times until');
    expect(history).toContain(`Trace ${body.trace_id}`);
    expect(history).toContain(`Correlation ${body.correlation_id}`);
  });

  test('of a revoked sign-in explains it and links to a new sign-in', async () => {
    app.idp.revokeUser('support@contoso.example');
    app.seam.skewMs = 2 * HOUR;
    await app.services.accessTokens.get(account, AT_MAIL);
    const words = await page();
    expect(words).toMatch(/Action required since/);
    expect(words).toContain('The sign-in was revoked');
    expect(words).toContain('The mailbox owner');
    expect(words).toContain('No mail is lost');
  });

  test('requests a fresh token on “Check now” and shows the result', async () => {
    const before = app.idp.tokenRequests().length;
    const works = await alex.post(`${path}/check`, {});
    expect(works.location).toBe(`${path}?flash=ok`);
    const [entry] = (await app.services.audit.page({ kind: 'account', limit: 1 })).entries;
    expect(entry).toMatchObject({ action: 'checked', principal: { id: 'alex' } });
    expect(app.idp.tokenRequests()).toHaveLength(before + 1);
    app.idp.revokeUser('support@contoso.example');
    expect((await alex.post(`${path}/check`, {})).location).toBe(`${path}?flash=action-required`);
    // Retried although only a new sign-in helps: a person asked for it.
    expect((await alex.post(`${path}/check`, {})).location).toBe(`${path}?flash=action-required`);
    expect(wordsOf((await alex.get(`${path}?flash=action-required`)).html)).toContain('refuses this sign-in');
  });

  test('links to the sign-in of the mailbox that uses it', async () => {
    const id = 'm'.repeat(26);
    await app.services.mailboxes.save({
      id,
      address: 'support@contoso.example',
      protocol: 'imap',
      host: 'localhost',
      port: 993,
      folder: 'INBOX',
      providerId: account.providerId,
      accountId: account.accountId,
      enabled: true,
      intervalMinutes: 1,
      afterFetch: { kind: 'mark-seen' },
      createdAt: account.consentedAt,
    });
    expect((await alex.get(path)).html).toContain(`/providers/${account.providerId}/connect?mailbox=${id}`);
  });

  test('is for admins only, and responds 404 for an unknown account', async () => {
    const agent = new Visitor(app, { id: 'pat', roles: ['agent'] });
    for (const one of ['/accounts', path]) expect((await agent.get(one)).status).toBe(403);
    expect((await agent.post(`${path}/check`, {})).status).toBe(403);
    expect((await alex.get(`/accounts/${account.providerId}/${'a'.repeat(26)}`)).status).toBe(404);
    expect((await alex.get('/accounts/x/y')).status).toBe(404);
    expect((await alex.post('/accounts/x/y/check', {})).status).toBe(404);
  });

  test('shows no token', async () => {
    await app.services.accessTokens.renew(account, { again: true });
    const { html } = await alex.get(path);
    const row = (await app.services.accounts.get(account))?.account;
    for (const token of [row?.tokens.access, row?.tokens.refresh]) expect(html).not.toContain(token);
  });
});

test('the list links to each account with its state', async () => {
  const { html } = await alex.get('/accounts');
  expect(html).toContain(`href="${path}"`);
  expect(wordsOf(html)).toMatch(/support@contoso.example OK Demo None yet/);
});

test('the pages are usable in a browser in each state', async () => {
  const drawn: Record<string, string> = { 'an account': (await alex.get(path)).html };
  await failOnce(503, aadstsBody(90033, 'temporarily_unavailable', 'A transient error has occurred.'));
  drawn['an account that waits'] = (await alex.get(path)).html;
  app.idp.revokeUser('support@contoso.example');
  await alex.post(`${path}/check`, {});
  drawn['an account that was revoked'] = (await alex.get(`${path}?flash=action-required`)).html;
  drawn['accounts'] = (await alex.get('/accounts')).html;
  await app.services.accounts.remove(account);
  drawn['no accounts'] = (await alex.get('/accounts')).html;
  expectWhole(drawn);
  await expectUsableInBrowser(drawn);
});
