import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Account } from '../../shared/accounts/account.ts';
import { appAccessScript, OBJECT_ID_MISSING } from '../../shared/accounts/app-access-script.ts';
import { askAppToken, canSignInAsApp, saveAppAccount } from '../../shared/accounts/app-account.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { AT_MAIL, type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { CLIENT } from '../harness/stack/demo-directory.ts';

const HOUR = 3_600_000;
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
let app: DemoApp;
let provider: Provider;
let account: Account;
beforeEach(async () => {
  app = await startDemoApp();
  const id = await new Visitor(app).addDemoProvider();
  const found = await app.services.providers.get(id);
  if (found === undefined) throw new Error('no provider');
  provider = found;
  const token = await askAppToken(app.services.oauth, provider);
  if (token.kind !== 'token') throw new Error(`no token: ${token.kind}`);
  account = await saveAppAccount(app.services, provider, token, {
    address: 'support@contoso.example',
    by: 'alex',
  });
});
afterEach(() => app.stop());

const asked = (): number =>
  app.idp.tokenRequests().filter(({ grantType }) => grantType === 'client_credentials').length;

describe('an app', () => {
  test('is identified by the enterprise application and the roles in its token', () => {
    expect(account.identity.objectId).toMatch(GUID);
    expect(account.identity.objectId).not.toBe(CLIENT);
    expect(account.scopes).toEqual(['IMAP.AccessAsApp', 'POP.AccessAsApp', 'SMTP.SendAsApp']);
  });

  test('gets a new token with its credential only, once for all callers in all processes', async () => {
    const before = asked();
    app.seam.skewMs = 2 * HOUR;
    const processes = [app.services, app.another(), app.another()];
    const answers = await Promise.all(
      processes.flatMap(({ accessTokens }) => [1, 2, 3, 4].map(() => accessTokens.get(account, AT_MAIL))),
    );
    expect(new Set(answers.map((answer) => answer.kind === 'token' && answer.token.expose())).size).toBe(1);
    expect(asked()).toBe(before + 1);
    // Another process finds it in the row.
    expect((await app.another().accessTokens.get(account, AT_MAIL)).kind).toBe('token');
    expect(asked()).toBe(before + 1);
  });

  test('acquires the lease like any account, and records no start that a crash could leave behind', async () => {
    app.seam.skewMs = 2 * HOUR;
    const points: string[] = [];
    app.seam.around = (point, effect) => {
      points.push(point);
      return effect();
    };
    await app.services.accessTokens.get(account, AT_MAIL);
    expect(points.filter((point) => point.startsWith('blob.'))).toEqual([
      'blob.lease',
      'blob.renew',
      'blob.release',
    ]);
    expect(points.filter((point) => point === 'table.Accounts.commit')).toHaveLength(1);
    expect((await app.services.accounts.history(account)).map(({ result }) => result)).toEqual([
      'refreshed',
      'signed-in',
    ]);
  });

  test('whose secret has expired requires a person, and works again once it is replaced', async () => {
    app.seam.skewMs = 2 * HOUR;
    app.idp.expireClientSecrets(CLIENT);
    expect(await app.services.accessTokens.get(account, AT_MAIL)).toMatchObject({
      kind: 'action-required',
      code: 'AADSTS7000222',
    });
    const before = asked();
    await app.services.accessTokens.get(account, AT_MAIL);
    expect(asked()).toBe(before);
  });

  test('that is throttled is retried without a person', async () => {
    app.seam.skewMs = 2 * HOUR;
    app.idp.addFault({ match: { path: 'token' }, status: 429, headers: { 'retry-after': '60' }, body: {} });
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('retrying');
    app.seam.skewMs += 61_000;
    expect((await app.services.accessTokens.get(account, AT_MAIL)).kind).toBe('token');
  });

  test('is read back from its row as it was stored', async () => {
    expect((await app.services.accounts.get(account))?.account).toEqual(account);
  });
});

test('app-only access requires a single Microsoft 365 tenant', () => {
  expect(canSignInAsApp(provider)).toBe(true);
  expect(canSignInAsApp({ ...provider, preset: 'microsoft', tenant: 'contoso.example' })).toBe(true);
  expect(canSignInAsApp({ ...provider, state: 'draft' })).toBe(false);
  for (const tenant of ['common', 'Organizations', 'consumers', undefined])
    expect(canSignInAsApp({ ...provider, preset: 'microsoft', tenant })).toBe(false);
  for (const preset of ['google', 'custom'] as const)
    expect(canSignInAsApp({ ...provider, preset })).toBe(false);
});

describe('the script for Exchange', () => {
  const access = {
    cloud: 'worldwide',
    tenant: 'contoso.example',
    clientId: '11111111-1111-4111-8111-111111111111',
    objectId: '22222222-2222-4222-8222-222222222222',
    address: 'support@contoso.example',
  } as const;

  test('creates the service principal of the enterprise application and allows one mailbox', () => {
    expect(appAccessScript(access).split('\n')).toEqual([
      'Install-Module ExchangeOnlineManagement -Scope CurrentUser',
      "Connect-ExchangeOnline -Organization 'contoso.example'",
      "if (-not (Get-ServicePrincipal | Where-Object AppId -eq '11111111-1111-4111-8111-111111111111')) {",
      "  New-ServicePrincipal -AppId '11111111-1111-4111-8111-111111111111' -ObjectId '22222222-2222-4222-8222-222222222222' -DisplayName 'Postroom'",
      '}',
      "$app = Get-ServicePrincipal | Where-Object AppId -eq '11111111-1111-4111-8111-111111111111'",
      "Add-MailboxPermission -Identity 'support@contoso.example' -User $app.Identity -AccessRights FullAccess",
      "Add-RecipientPermission -Identity 'support@contoso.example' -Trustee $app.Identity -AccessRights SendAs -Confirm:$false",
      '',
    ]);
  });

  test.each([
    ['gcc-high', 'O365USGovGCCHigh'],
    ['dod', 'O365USGovDoD'],
    ['china', 'O365China'],
  ] as const)('goes to Exchange of the cloud %s', (cloud, name) => {
    expect(appAccessScript({ ...access, cloud })).toContain(` -ExchangeEnvironmentName ${name}\n`);
  });

  test('shows a placeholder for the object ID while it is unknown', () => {
    expect(appAccessScript({ ...access, objectId: undefined })).toContain(`-ObjectId '${OBJECT_ID_MISSING}'`);
  });

  test.each(["a'; Remove-Mailbox b", 'a’; Remove-Mailbox b', 'a‘b', "a'\nRemove-Mailbox b"])(
    'keeps an address from running as code: %j',
    (address) => {
      const line = appAccessScript({ ...access, address }).split('\n')[6] ?? '';
      const quoted = /^Add-MailboxPermission -Identity '(?<text>.*)' -User \$app\.Identity/.exec(
        line,
      )?.groups;
      // Every quote inside is doubled, so that none of them ends the string.
      expect(quoted?.['text']?.replaceAll(/(['‘’])\1/g, '')).not.toMatch(/['‘’]/);
    },
  );
});
