/** An explanation links to the pages of this app, account and mailbox, in the portals of its own cloud. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../shared/accounts/account.ts';
import { InboxError } from '../../shared/mailboxes/inbox.ts';
import { clouds } from '../../shared/providers/clouds.ts';
import { ALEX, connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { mailboxOf } from '../harness/pages/sample-mailbox.ts';
import { CLIENT } from '../harness/stack/demo-directory.ts';

const INFO = 'info@contoso.example';
const NO_ACCESS = 'User is authenticated but not connected.';
const { adminCenter, exchangeCenter, portal } = clouds['gcc-high'];

let app: DemoApp;
let visitor: Visitor;
let account: Account;
let userId: string;

beforeAll(async () => {
  app = await startDemoApp();
  ({ account } = await connectSupport(app, { cloud: 'gcc-high' }));
  userId = account.identity.objectId ?? '';
  visitor = new Visitor(app, ALEX);
  app.services.intake.openInbox = () => Promise.reject(new InboxError('no-access', NO_ACCESS));
  await app.services.mailboxes.save(mailboxOf(account));
  await app.services.mailboxes.save(mailboxOf(account, { id: 's'.repeat(26), address: INFO }));
});
afterAll(() => app.stop());

const hrefs = (html: string): string[] =>
  [...html.matchAll(/href="(https:[^"]+)"/g)].map(([, href]) => (href ?? '').replaceAll('&amp;', '&'));

async function linksOf(reply: Promise<{ html: string }>): Promise<string[]> {
  const links = hrefs((await reply).html);
  for (const href of links)
    expect(href).not.toMatch(
      /(?:entra|admin|security)\.(?:exchange\.)?microsoft\.com|login\.microsoftonline\.com/,
    );
  return links;
}

const ownUser = () => `${adminCenter}#/users/:/UserDetails/${userId}/Account`;
const ownMailbox = () => `${exchangeCenter}#/mailboxes/:/MailboxDetails/${userId}`;

describe('the links of an explanation', () => {
  it('of a mailbox that cannot be opened lead to its account and to the mailbox', async () => {
    const links = await linksOf(visitor.get(`/mailboxes/${'m'.repeat(26)}/connected`));
    expect(links).toEqual(expect.arrayContaining([ownUser(), ownMailbox()]));
  });

  it('of a shared mailbox lead to the user who signs in, and not to that user’s mailbox', async () => {
    const links = await linksOf(visitor.get(`/mailboxes/${'s'.repeat(26)}/connected`));
    expect(links).toEqual(expect.arrayContaining([ownUser(), `${exchangeCenter}#/mailboxes`]));
    const { accountId, providerId } = account;
    const tried = visitor.post(`/providers/${providerId}/shared-mailbox`, {
      address: INFO,
      account: accountId,
    });
    expect(await linksOf(tried)).toEqual(expect.arrayContaining([ownUser(), `${exchangeCenter}#/mailboxes`]));
  });

  it('of a connection test do the same', async () => {
    const step = { name: 'sign-in', state: 'failed', ms: 1, found: '', evidence: NO_ACCESS } as const;
    const startedAt = new Date(app.seam.now()).toISOString();
    await app.services.connectionTests.save('m'.repeat(26), [
      { protocol: 'imap', server: 'x:993', startedAt, steps: [step], transcript: [] },
    ]);
    const links = await linksOf(visitor.get(`/mailboxes/${'m'.repeat(26)}/test`));
    expect(links).toEqual(expect.arrayContaining([ownUser(), ownMailbox()]));
  });

  it('of an account lead to the enterprise application, whose ID a check has found', async () => {
    const stored = await app.services.accounts.get(account);
    if (stored === undefined) throw new Error('no account');
    const problem = {
      code: 'AADSTS50105',
      message: 'AADSTS50105: Your administrator has configured the app.',
    } as const;
    await app.services.accounts.save({ ...stored.account, state: 'action-required', problem });
    const links = await linksOf(visitor.get(`/accounts/${account.providerId}/${account.accountId}`));
    await app.services.accounts.save(stored.account);
    const provider = await app.services.providers.get(account.providerId);
    const enterpriseId = provider?.preflight?.enterpriseId;
    expect(enterpriseId).toMatch(/^[0-9a-f-]{36}$/);
    expect(links).toContain(
      `${portal}/#view/Microsoft_AAD_IAM/ManagedAppMenuBlade/~/Users/objectId/${enterpriseId}/appId/${CLIENT}`,
    );
  });

  it('of a pasted line lead to the mailbox that it names', async () => {
    const links = await linksOf(visitor.post('/explain', { error: `${account.address}: ${NO_ACCESS}` }));
    expect(links).toContain(ownMailbox());
  });
});
