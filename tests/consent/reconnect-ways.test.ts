/** A mailbox that is reconnected keeps the ways in which it is read and sends, whatever is usual at its provider. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formValues } from '../../dev/form-values.ts';
import type { Account } from '../../shared/accounts/account.ts';
import { connectSupport, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { mailboxOf } from '../harness/pages/sample-mailbox.ts';

const SUPPORT = 'support@contoso.example';
const READ = 'https://graph.microsoft.com/Mail.ReadWrite';

let app: DemoApp;
let visitor: Visitor;
let account: Account;

beforeAll(async () => {
  app = await startDemoApp({}, { graph: 'http://localhost:7443' });
  ({ visitor, account } = await connectSupport(app));
  await app.services.mailboxes.save(mailboxOf(account, { protocol: 'graph' }));
});
afterAll(() => app.stop());

const scopesOf = ({ searchParams }: URL): string[] =>
  (searchParams.get('scope') ?? '').split(' ').filter((scope) => scope.startsWith('https:'));

it('by the form, which proposes them', async () => {
  const mailbox = mailboxOf(account).id;
  const { html } = await visitor.get(`/providers/${account.providerId}/connect?mailbox=${mailbox}`);
  const proposed = formValues(html);
  expect(proposed).toMatchObject({ ways: 'yes', graph: 'on' });
  expect(proposed).not.toHaveProperty('imap');
  const { authorization } = await visitor.leave(account.providerId, proposed, SUPPORT);
  expect(scopesOf(authorization)).toEqual([READ]);
});

it('by an invitation that names none', async () => {
  const mailbox = mailboxOf(account).id;
  const path = await visitor.invite(account.providerId, { address: SUPPORT, mailbox });
  const owner = Visitor.signedOut(app);
  const { authorization } = await owner.ride(await owner.post(path, {}), SUPPORT);
  expect(scopesOf(authorization)).toEqual([READ]);
});
