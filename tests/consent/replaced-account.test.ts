import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Account } from '../../shared/accounts/account.ts';
import { sendingLoginOf } from '../../shared/mailboxes/mailbox.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { connectSupport, type DemoApp, startDemoApp, type Visitor } from '../harness/pages/demo-app.ts';
import { fillInbox, mailboxOf } from '../harness/pages/sample-mailbox.ts';

const SUPPORT = 'support@contoso.example';
const INFO = 'info@contoso.example';
const ALEX_UPN = 'alex@contoso.example';
const apps: DemoApp[] = [];
let app: DemoApp;
let visitor: Visitor;
let providerId: string;
let before: Account;

beforeEach(async () => {
  app = await startDemoApp();
  apps.push(app);
  fillInbox(app, ['Only one']);
  const connected = await connectSupport(app);
  ({ visitor, providerId } = connected);
  before = {
    ...connected.account,
    accountId: 'b'.repeat(26),
    identity: { ...connected.account.identity, objectId: 'a1a1a1a1-0000-4000-8000-000000000000' },
  };
  // The account was deleted in the directory and recreated: the same name, another object ID.
  await app.services.accounts.remove(connected.account);
  await app.services.accounts.save(before);
  await app.services.mailboxes.save(mailboxOf(before));
});
afterAll(async () => {
  await Promise.all(apps.map((one) => one.stop()));
});

const accounts = () => app.services.accounts.listOf(providerId);
/** The hidden fields of the form with this button. */
function fieldsOf(html: string, button: string): Record<string, string> {
  const form = [...html.matchAll(/<form[^>]*>.*?<\/form>/gs)]
    .map(([whole]) => whole)
    .find((one) => one.includes(button));
  const inputs = [...(form ?? '').matchAll(/name="([^"]+)" value="([^"]*)"/g)];
  expect(inputs.length, `no form with ${button}`).toBeGreaterThan(0);
  return Object.fromEntries(inputs.map(([, name, value]) => [name, value]));
}

describe('an account with the same name and another identity', () => {
  it.each([
    ['again', { address: SUPPORT, mailbox: mailboxOf({} as Account).id }],
    ['as if it were new', { address: SUPPORT }],
  ])('is rejected when connected %s, with both identities named and nothing saved', async (_, fields) => {
    const { callback } = await visitor.leave(providerId, fields, SUPPORT);
    const reply = await visitor.get(callback);
    expect(reply.status).toBe(400);
    expect(reply.title).toBe('Same name, different account');
    expect(reply.html).toContain('a1a1a1a1-0000-4000-8000-000000000000');
    expect(await accounts()).toEqual([before]);
  });

  it('replaces the previous one at all its mailboxes once that was confirmed', async () => {
    await app.services.mailboxes.save(
      mailboxOf(before, {
        id: 'n'.repeat(26),
        address: INFO,
        sending: { host: 'localhost', port: 1, providerId, accountId: before.accountId },
        protocol: 'pop3',
      }),
    );
    const refused = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    const { html } = await visitor.get(refused.callback);
    const agreed = fieldsOf(html, 'Replace the previous account');
    const { callback } = await visitor.leave(providerId, agreed, SUPPORT);
    expect((await visitor.get(callback)).status).toBe(303);
    const [now, ...rest] = await accounts();
    expect(rest).toEqual([]);
    expect(now?.accountId).not.toBe(before.accountId);
    const [entry] = (await app.services.audit.page({ kind: 'account', limit: 1 })).entries;
    expect(entry?.changes).toContainEqual({
      name: 'signs in',
      before: `${SUPPORT} (${before.identity.objectId})`,
      after: `${SUPPORT} (${now?.identity.objectId})`,
    });
    const served = (await app.services.mailboxes.list()).map((mailbox) => [
      mailbox.accountId,
      sendingLoginOf(mailbox)?.accountId,
    ]);
    expect(served).toEqual([
      [now?.accountId, undefined],
      [now?.accountId, now?.accountId],
    ]);
  });

  it('replaces it only at the mailbox that is reconnected', async () => {
    await app.services.mailboxes.save(mailboxOf(before, { id: 'n'.repeat(26), address: INFO }));
    const fields = { address: SUPPORT, mailbox: mailboxOf(before).id, replacement: 'on' };
    const { callback } = await visitor.leave(providerId, fields, SUPPORT);
    expect((await visitor.get(callback)).location).toBe(`/mailboxes/${mailboxOf(before).id}/connected`);
    const [again, other] = await app.services.mailboxes.list();
    expect(again?.accountId).not.toBe(before.accountId);
    expect(other?.accountId).toBe(before.accountId);
    expect(await accounts()).toHaveLength(2);
  });

  it('that was confirmed allows no other account', async () => {
    const fields = {
      address: SUPPORT,
      mailbox: mailboxOf(before).id,
      choose: 'on',
      replacement: 'c'.repeat(26),
    };
    const { callback } = await visitor.leave(providerId, fields, ALEX_UPN);
    expect((await visitor.get(callback)).title).toBe('Wrong account');
    expect(await accounts()).toEqual([before]);
  });

  it('with a different name may also replace it at a mailbox, once both were named', async () => {
    const fields = { address: SUPPORT, mailbox: mailboxOf(before).id, choose: 'on' };
    const refused = await visitor.leave(providerId, fields, ALEX_UPN);
    const { html, title } = await visitor.get(refused.callback);
    expect(title).toBe('Wrong account');
    const agreed = fieldsOf(html, 'Replace the previous account');
    const { callback } = await visitor.leave(providerId, agreed, ALEX_UPN);
    expect((await visitor.get(callback)).location).toContain('/connected');
    expect(await accounts()).toMatchObject([{ user: ALEX_UPN, address: SUPPORT }]);
  });

  it('is described on a complete, accessible page', async () => {
    const { callback } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
    const fields = { address: SUPPORT, mailbox: mailboxOf(before).id };
    const drawn = {
      'other identity': (await visitor.get(callback)).html,
      'connect again': (await visitor.get(`/providers/${providerId}/connect?mailbox=${fields.mailbox}`)).html,
    };
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
  });
});
