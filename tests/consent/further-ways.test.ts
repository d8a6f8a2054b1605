/** A consent for several ways at once, and further ways for an account that is already connected. */
import { describe, expect, test } from 'vitest';
import { requestFurtherWays, resourcesAsked, waysInUse } from '../../shared/consent/further-ways.ts';
import { appPermissionsFor, permissionsFor } from '../../shared/providers/permissions.ts';
import { scopesOf } from '../../shared/providers/provider.ts';
import { sampleAccount } from '../harness/memory/sample-account.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';
import { mailboxOf } from '../harness/pages/sample-mailbox.ts';

const microsoft = sampleProvider({ preset: 'microsoft', tenant: 'contoso.example' });
const azure = { demo: undefined };
const identity = ['openid', 'profile', 'email', 'offline_access'];

describe('the scopes', () => {
  test('of a mailbox over Graph only name no mail server', () => {
    expect(scopesOf(microsoft, azure, ['graph'])).toEqual([
      'https://graph.microsoft.com/Mail.ReadWrite',
      ...identity,
    ]);
  });

  test('of several resources are asked together, and redeemed for one', () => {
    const ways = ['graph-send', 'imap'] as const;
    expect(scopesOf(microsoft, azure, ways)).toEqual([
      'https://outlook.office.com/IMAP.AccessAsUser.All',
      'https://graph.microsoft.com/Mail.Send',
      ...identity,
    ]);
    expect(resourcesAsked(microsoft, ways)).toEqual(['outlook', 'graph']);
    expect(scopesOf(microsoft, azure, ways, { resource: 'graph' })).toEqual([
      'https://graph.microsoft.com/Mail.Send',
      ...identity,
    ]);
  });

  test('of a shared mailbox are those for shared mailboxes, and none for push', () => {
    expect(scopesOf(microsoft, azure, ['graph', 'graph-send', 'graph-push'], { shared: true })).toEqual([
      'https://graph.microsoft.com/Mail.ReadWrite.Shared',
      'https://graph.microsoft.com/Mail.Send.Shared',
      ...identity,
    ]);
  });

  test.each([
    ['gcc-high', 'https://graph.microsoft.us'],
    ['dod', 'https://dod-graph.microsoft.us'],
    ['china', 'https://microsoftgraph.chinacloudapi.cn'],
  ] as const)('in the cloud %s are at %s', (cloud, graph) => {
    expect(scopesOf({ ...microsoft, cloud }, azure, ['graph'])).toContain(`${graph}/Mail.ReadWrite`);
  });

  test('of Google are the same for every way, for one resource', () => {
    const google = sampleProvider({ preset: 'google' });
    expect(scopesOf(google, azure, ['graph'])).toContain('https://mail.google.com/');
    expect(resourcesAsked(google, ['imap', 'graph'])).toEqual(['outlook']);
  });
});

describe('the permissions', () => {
  const names = (ways: Parameters<typeof permissionsFor>[0]) =>
    permissionsFor(ways).flatMap(({ name, protocol }) => (protocol === undefined ? [] : [name]));

  test('of a registration are those of the chosen ways', () => {
    expect(names(['graph'])).toEqual(['Mail.ReadWrite']);
    expect(names(['imap', 'graph-push'])).toEqual(['IMAP.AccessAsUser.All', 'Mail.ReadBasic']);
    expect(permissionsFor([]).map(({ name }) => name)).toEqual([
      'offline_access',
      'openid',
      'profile',
      'email',
    ]);
  });

  test('of an app are listed under the resource that they are for', () => {
    expect(
      appPermissionsFor(['imap', 'graph']).map(({ name, resourceAppId }) => [name, resourceAppId]),
    ).toEqual([
      ['IMAP.AccessAsApp', '00000002-0000-0ff1-ce00-000000000000'],
      ['Mail.ReadWrite', '00000003-0000-0000-c000-000000000000'],
    ]);
  });
});

test('further ways are asked of the same account, together with those already granted', () => {
  const account = sampleAccount({ scopes: ['https://outlook.office.com/IMAP.AccessAsUser.All'] });
  const mailbox = { address: 'help@contoso.example', shared: false };
  expect(requestFurtherWays(account, ['graph-send'], mailbox)).toMatchObject({
    ...mailbox,
    signIn: account.user,
    protocols: ['imap', 'graph-send'],
    replacement: { kind: 'this', accountId: account.accountId },
  });
});

describe('a person who signs in again is asked', () => {
  const account = sampleAccount({ scopes: ['https://outlook.office.com/IMAP.AccessAsUser.All'] });
  const mailbox = { ...mailboxOf(account), sending: undefined };
  const { providerId, accountId } = account;
  const sending = { host: 'smtp.example', port: 587, providerId, accountId };

  test('for the way in which the mailbox is read, and for sending only if it sends', () => {
    expect(waysInUse(account, [mailbox])).toEqual(['imap']);
    expect(waysInUse(account, [{ ...mailbox, protocol: 'pop3', sending }])).toEqual(['pop3', 'smtp']);
    expect(waysInUse(account, [{ ...mailbox, protocol: 'graph' }])).toEqual(['graph']);
    const overGraph = { ...sending, protocol: 'graph-send' } as const;
    expect(waysInUse(account, [{ ...mailbox, sending: overGraph }])).toEqual(['imap', 'graph-send']);
  });

  test('for what the other mailboxes of the account need, and for nothing of other accounts', () => {
    const others = [
      { ...mailbox, id: 'shared', protocol: 'graph' as const },
      { ...mailbox, id: 'other', accountId: 'other', protocol: 'pop3' as const },
    ];
    expect(waysInUse(account, [mailbox, ...others])).toEqual(['imap', 'graph']);
  });

  test('for push if it was granted, and not beside reading over Graph, which includes it', () => {
    const pushed = { ...account, scopes: [...account.scopes, 'https://graph.microsoft.com/Mail.ReadBasic'] };
    expect(waysInUse(pushed, [mailbox])).toEqual(['imap', 'graph-push']);
    expect(waysInUse(pushed, [{ ...mailbox, protocol: 'graph' }])).toEqual(['graph']);
  });
});
