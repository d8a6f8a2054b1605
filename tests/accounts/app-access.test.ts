import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enterpriseIdOf } from '../../dev/emulators/entra/token-shapes.ts';
import type { HostProcess } from '../../dev/host/host-process.ts';
import { demoPeople } from '../../dev/host/options.ts';
import { Visitor } from '../../dev/visitor.ts';
import { createAccountStore } from '../../shared/accounts/account-store.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { createProviderStore } from '../../shared/providers/provider-store.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { smallMails } from '../harness/memory/small-mails.ts';
import { fetchOnce, openPostroom, type Postroom } from '../harness/stack/installation.ts';

const SUPPORT = 'support@contoso.example';
/** A mailbox that the app may not access yet. */
const SALES = 'sales@contoso.example';

let postroom: Postroom;
let host: HostProcess;
let visitor: Visitor;
let path: string;
const drawn: Record<string, string> = {};
const wordsOf = (html: string): string => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');

beforeAll(async () => {
  postroom = await openPostroom('npm');
  host = await postroom.startHost({ port: postroom.stack.ports.web });
  visitor = new Visitor(host.url);
  await visitor.signIn(demoPeople[0]?.id ?? '');
  await visitor.connectMailbox(SUPPORT, postroom.stack.mail.imap);
  const [provider] = await createProviderStore(postroom.tables).list();
  path = `/providers/${provider?.id}/app-access`;
});
afterAll(() => postroom?.[Symbol.asyncDispose]());

describe('connecting without a user', () => {
  test('starts with the one-time setup, with the values of this installation', async () => {
    const { html } = await visitor.get(`${path}?address=${encodeURIComponent(SALES)}`);
    const words = wordsOf(html);
    expect(words).toContain('IMAP.AccessAsApp');
    expect(words).toContain(`-AppId &#39;${postroom.stack.identityProvider.clientId}&#39;`);
    expect(words).toContain(`-Identity &#39;${SALES}&#39;`);
    expect(words).toContain('object ID of the enterprise application in place of OBJECT-ID');
    drawn['before anything was tried'] = html;
  });

  test('requires an address first', async () => {
    const reply = await visitor.post(path, { address: 'nobody' });
    expect([reply.status, wordsOf(reply.html)]).toEqual([422, expect.stringContaining('Enter the address')]);
    drawn['without an address'] = reply.html;
  });

  test('stores nothing when Exchange refuses, and fills the object ID into the script', async () => {
    const reply = await visitor.post(path, { address: SALES });
    const words = wordsOf(reply.html);
    expect(reply.status).toBe(422);
    expect(words).toContain(`Exchange does not give the app access to ${SALES} yet`);
    expect(words).toContain('with IMAP.AccessAsApp');
    const { tenant, clientId } = postroom.stack.identityProvider;
    expect(words).toContain(`-ObjectId &#39;${enterpriseIdOf(tenant.id, clientId)}&#39;`);
    expect((await accountsKept()).map(({ kind }) => kind)).toEqual([undefined]);
    drawn['refused by Exchange'] = reply.html;
  });

  test('with an expired secret explains it and stores nothing', async () => {
    const { control, clientId, clientSecret } = postroom.stack.identityProvider;
    await control.setApp(clientId, { secrets: [{ value: clientSecret, expires: Date.now() - 1000 }] });
    const reply = await visitor.post(path, { address: SUPPORT });
    await control.setApp(clientId, { secrets: [{ value: clientSecret }] });
    expect([reply.status, wordsOf(reply.html)]).toEqual([422, expect.stringContaining('AADSTS7000222')]);
    expect(await accountsKept()).toHaveLength(1);
    drawn['without a token'] = reply.html;
  });

  test('continues to the mailbox on success, and its email becomes tickets', async () => {
    // Removes the mailbox that its owner had connected.
    for (const { id } of await createMailboxStore(postroom.tables).list())
      await visitor.post(`/mailboxes/${id}/delete`, {});
    const reply = await visitor.post(path, { address: SUPPORT });
    expect(reply.location).toMatch(/^\/mailboxes\/new\?account=[a-z2-7]{26}\.[a-z2-7]{26}&flash=connected$/);
    const form = await visitor.get(reply.location ?? '');
    expect(form.html).toContain(`value="${SUPPORT}"`);
    const account = /account=([\w.]+)/.exec(reply.location ?? '')?.[1] ?? '';
    const { host: server, port } = postroom.stack.mail.imap;
    await visitor.post('/mailboxes/new', {
      address: SUPPORT,
      account,
      protocol: 'imap',
      host: server,
      port: String(port),
      folder: 'INBOX',
      after: 'mark-seen',
      interval: '1',
    });
    const [mailbox] = await createMailboxStore(postroom.tables).list();
    expect(mailbox && `${mailbox.providerId}.${mailbox.accountId}`).toBe(account);
    const [mail] = smallMails(1);
    await postroom.stack.mail.deliver(SUPPORT, mail ?? Buffer.of());
    await fetchOnce(postroom, host, mailbox?.id ?? '');
    expect(wordsOf((await visitor.get('/tickets')).html)).toContain('Question 0');

    const [providerId = '', accountId = ''] = account.split('.');
    const shown = await visitor.get(`/accounts/${providerId}/${accountId}`);
    expect(wordsOf(shown.html)).toMatch(/The app itself .* OK .* Check access again .* IMAP.AccessAsApp/);
    drawn['the app as an account'] = shown.html;
    // A new sign-in for it leads here, because no user has signed in.
    const connect = path.replace('app-access', 'connect');
    expect((await visitor.get(`${connect}?mailbox=${mailbox?.id}`)).location).toBe(
      `${path}?mailbox=${mailbox?.id}`,
    );
    expect((await visitor.get(connect)).html).toContain(`href="${path}"`);
    const again = await visitor.get(`${path}?mailbox=${mailbox?.id}`);
    expect(again.html).toContain(`value="${SUPPORT}"`);
    expect((await visitor.post(path, { address: SUPPORT, mailbox: mailbox?.id ?? '' })).location).toBe(
      '/mailboxes?flash=reconnected',
    );
  });

  test('is recorded in the audit log', async () => {
    expect(wordsOf((await visitor.get('/audit?kind=account')).html)).toMatch(
      /connected with app-only access mailbox: support@contoso.example/,
    );
  });

  test('is usable in a browser in each state', async () => {
    expect(Object.keys(drawn)).toHaveLength(5);
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
  });
});

const accountsKept = async () => {
  const [provider] = await createProviderStore(postroom.tables).list();
  return createAccountStore(postroom.tables).listOf(provider?.id ?? '');
};
