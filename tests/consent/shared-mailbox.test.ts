import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { choiceOf } from '../../functions/pages/mailboxes/mailbox-accounts.ts';
import { mailboxOfAccount } from '../../functions/pages/mailboxes/preview-mailbox.ts';
import { delegateAccessScript } from '../../shared/accounts/delegate-access-script.ts';
import { InboxError } from '../../shared/mailboxes/inbox.ts';
import { readRefusal } from '../../shared/outbox/smtp-refusal.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { openMemoryInbox } from '../harness/memory/memory-inbox.ts';
import {
  AT_MAIL,
  allRows,
  connectSupport,
  type DemoApp,
  startDemoApp,
  Visitor,
} from '../harness/pages/demo-app.ts';
import { fillInbox } from '../harness/pages/sample-mailbox.ts';

const INFO = 'info@contoso.example';
const SUPPORT = 'support@contoso.example';

let app: DemoApp;
let visitor: Visitor;
let providerId: string;
let accountId: string;

/** The response of the SMTP server; undefined: it accepts. */
let refusal: string | undefined;
let sent: string[];

beforeAll(async () => {
  app = await startDemoApp({}, { graph: 'http://localhost:7443' });
  const answer = async (said = refusal) =>
    said === undefined
      ? ({ kind: 'accepted', answer: '235 welcome' } as const)
      : ({ kind: 'refused', ...readRefusal(said, 0) } as const);
  app.services.mailSender = {
    signIn: () => answer(undefined),
    send: async (route, mail) => {
      const outcome = await answer();
      if (outcome.kind === 'refused') return outcome;
      sent.push(`${route.kind === 'mailbox' ? route.user : ''} to ${mail.to.join()}`);
      return { kind: 'sent', answer: '250 ok', refusedRecipients: [] };
    },
  };
  const connected = await connectSupport(app);
  ({ visitor, providerId } = connected);
  ({ accountId } = connected.account);
});
beforeEach(() => {
  refusal = undefined;
  sent = [];
});
afterAll(() => app.stop());

const page = (query: Record<string, string> = {}) =>
  visitor.get(`/providers/${providerId}/shared-mailbox?${new URLSearchParams(query)}`);
const tryIt = (fields: Record<string, string>) =>
  visitor.post(`/providers/${providerId}/shared-mailbox`, fields);

describe('access to a shared mailbox', () => {
  it('is granted by a script with this mailbox, this user and this tenant in it', async () => {
    const { html } = await page({ address: INFO, user: SUPPORT });
    const script = html.replaceAll('&#39;', "'");
    expect(script).toContain(
      `Add-MailboxPermission -Identity '${INFO}' -User '${SUPPORT}' -AccessRights FullAccess`,
    );
    expect(script).toContain(
      `Add-RecipientPermission -Identity '${INFO}' -Trustee '${SUPPORT}' -AccessRights SendAs`,
    );
    expect(script).toContain(`Connect-ExchangeOnline -Organization '${app.idp.tenants[0]?.id}'`);
    expect(html).toContain('enterprise application');
    expect(html).toContain(`/providers/${providerId}/app-access`);
  });

  it('is requested without a script while an address is missing or invalid', async () => {
    expect((await page()).html).not.toContain('Connect-ExchangeOnline');
    const { html } = await page({ address: "x'; Remove-Mailbox", user: SUPPORT });
    expect(html).not.toContain('Connect-ExchangeOnline');
    expect(html).toContain('href="#address"');
  });

  it('script contains no injected command, whatever the names are', () => {
    const script = delegateAccessScript({
      cloud: 'gcc-high',
      tenant: 'contoso.us',
      address: "o'neil@contoso.us",
      user: "a’; Remove-Mailbox 'b",
    });
    expect(script).toContain("-Identity 'o''neil@contoso.us' -User 'a’’; Remove-Mailbox ''b'");
    expect(script).toContain('-ExchangeEnvironmentName O365USGovGCCHigh');
  });

  it('is tested for real: the mailbox is opened with the token of the signed-in user', async () => {
    const folder = fillInbox(app, ['For all of us']);
    const asked: { user: string; token: string }[] = [];
    app.services.intake.openInbox = ({ user, accessToken }) => {
      asked.push({ user, token: accessToken.expose() });
      return openMemoryInbox(folder, app.seam);
    };
    const before = allRows(app);
    const { html } = await tryIt({ address: INFO, account: accountId });
    expect(html).toContain(`${SUPPORT} can access ${INFO}.`);
    expect(html).toContain('For all of us');
    const token = await app.services.accessTokens.get({ providerId, accountId }, AT_MAIL);
    expect(asked).toEqual([{ user: INFO, token: token.kind === 'token' ? token.token.expose() : '' }]);
    expect(allRows(app)).toEqual(before);
  });

  it('is tested in the way that the user has allowed', async () => {
    const { config, providers, accounts } = app.services;
    const provider = await providers.get(providerId);
    const account = (await accounts.get({ providerId, accountId }))?.account;
    if (provider === undefined || account === undefined) throw new Error('not connected');
    const tested = (scopes: string[]) =>
      mailboxOfAccount(choiceOf(config, provider, { ...account, scopes }), INFO, 0);
    expect(tested([...account.scopes])).toMatchObject({ protocol: 'imap', sending: { host: 'localhost' } });
    expect(tested(['https://graph.microsoft.com/Mail.ReadWrite.Shared'])).toMatchObject({
      protocol: 'graph',
      host: 'localhost',
      port: 7443,
      sending: undefined,
    });
  });

  it('to send is proven only by an email, which is sent only on request', async () => {
    fillInbox(app, ['For all of us']);
    const looked = await tryIt({ address: INFO, account: accountId });
    expect(looked.html).toContain('Only a test email can show whether');
    expect(sent).toEqual([]);
    const { html } = await tryIt({ address: INFO, account: accountId, send: 'on' });
    expect(html).toContain(`${SUPPORT} can send as ${INFO}.`);
    expect(sent).toEqual([`${INFO} to ${INFO}`]);
  });

  it('to send may be missing although the mailbox can be opened, and that is explained', async () => {
    fillInbox(app, ['For all of us']);
    refusal =
      '554 5.2.252 SendAsDenied; support@contoso.example not allowed to send as info@contoso.example; STOREDRV.Submission';
    const { html } = await tryIt({ address: INFO, account: accountId, send: 'on' });
    expect(html).toContain(`${SUPPORT} can access ${INFO}.`);
    expect(html).toContain(`${SUPPORT} cannot send as ${INFO}.`);
    expect(html).toContain(`<code>Add-RecipientPermission -Identity ${INFO}`);
  });

  it('that is missing is explained', async () => {
    app.services.intake.openInbox = () =>
      Promise.reject(new InboxError('no-access', 'User is authenticated but not connected.'));
    const { html } = await tryIt({ address: INFO, account: accountId });
    expect(html).toContain(`${SUPPORT} cannot access ${INFO}.`);
    expect(html).toContain(`<code>Add-MailboxPermission -Identity ${INFO}`);
  });

  it.each([
    ['address', { address: 'nobody', account: 'x' }],
    ['account', { address: INFO, account: 'z'.repeat(26) }],
  ])('is not tested without its %s', async (field, fields) => {
    const { html, status } = await tryIt(fields);
    expect(status).toBe(422);
    expect(html).toContain(`href="#${field}"`);
  });

  it('has complete, accessible pages', async () => {
    const bare = await startDemoApp();
    const stranger = new Visitor(bare);
    const empty = await stranger.get(`/providers/${await stranger.addDemoProvider()}/shared-mailbox`);
    refusal = '554 5.2.252 SendAsDenied; support not allowed to send as info; STOREDRV.Submission';
    const failed = (await tryIt({ address: INFO, account: accountId, send: 'on' })).html;
    refusal = undefined;
    fillInbox(app, ['For all of us']);
    const drawn = {
      'nobody signed in yet': empty.html,
      'access script': (await page({ address: INFO, user: SUPPORT })).html,
      'no access': failed,
      access: (await tryIt({ address: INFO, account: accountId })).html,
      'access to send': (await tryIt({ address: INFO, account: accountId, send: 'on' })).html,
      'access with mistakes': (await page({ address: 'x', user: '' })).html,
    };
    await bare.stop();
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
  });
});
