/** The links with which an admin consents for the whole tenant. */
import { describe, expect, test } from 'vitest';
import { createTokenCipher } from '../../shared/accounts/token-encryption.ts';
import { approvalAddress, takesApproval } from '../../shared/consent/approval.ts';
import {
  canAskInSetUp,
  isStateOf,
  providerOfSetUpState,
  registrationOf,
  setUpApprovalLink,
} from '../../shared/consent/set-up-approval.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';
import { memoryConsents } from './memory-consents.ts';
import { NOW } from './sample-attempt.ts';

const DAY_MS = 86_400_000;
const nowhere = { demo: undefined };
const microsoft = (change: Partial<Provider> = {}): Provider =>
  sampleProvider({ preset: 'microsoft', tenant: 'contoso.example', clientId: 'the-app', ...change });
const custom = {
  preset: 'custom',
  tenant: 't',
  endpoints: { kind: 'discovery', issuer: 'https://id.example' },
} as const;

describe('the URL of an approval', () => {
  const ask = {
    redirectUri: 'https://desk.example/oauth/callback',
    state: 'admin_x',
    protocols: ['imap'],
  } as const;

  test('is that of the tenant, for this app, its permissions and its redirect URI', () => {
    const url = new URL(approvalAddress(microsoft(), nowhere, ask) ?? '');
    expect(url.origin + url.pathname).toBe(
      'https://login.microsoftonline.com/contoso.example/v2.0/adminconsent',
    );
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'the-app',
      scope: 'https://outlook.office.com/IMAP.AccessAsUser.All openid profile email offline_access',
      redirect_uri: 'https://desk.example/oauth/callback',
      state: 'admin_x',
    });
  });

  test('does not exist if one consent does not cover a tenant', () => {
    const google = sampleProvider({ preset: 'google' });
    expect(takesApproval(microsoft())).toBe(true);
    for (const provider of [google, sampleProvider(custom)]) {
      expect(takesApproval(provider)).toBe(false);
      expect(approvalAddress(provider, nowhere, ask)).toBeUndefined();
    }
  });
});

describe('an admin can approve during set-up', () => {
  test('once app and tenant are known', () => {
    expect(canAskInSetUp(microsoft(), nowhere)).toBe(true);
    expect(canAskInSetUp(microsoft({ clientId: '' }), nowhere)).toBe(false);
    expect(canAskInSetUp(microsoft({ tenant: undefined }), nowhere)).toBe(false);
  });

  test('neither at a provider without approvals, nor if the demo was removed', () => {
    expect(canAskInSetUp(sampleProvider(custom), nowhere)).toBe(false);
    expect(canAskInSetUp(sampleProvider({ preset: 'demo', tenant: 't' }), nowhere)).toBe(false);
  });
});

describe('the state of a set-up approval', () => {
  const id = 'p'.repeat(26);
  const random = `${'aB3_-'.repeat(8)}xyz`;

  test('names its provider', () => {
    expect(providerOfSetUpState(`setup_${id}_${random}`)).toBe(id);
  });

  test.each([
    '',
    random,
    `admin_${random}`,
    `xsetup_${id}_${random}`,
    `setup_${id}_${random}x`,
    `setup_${id}_${random.slice(1)}`,
    `setup_${id}_${random.slice(1)}!`,
    `setup_${id}p_${random}`,
    `setup_${id.toUpperCase()}_${random}`,
  ])('is not %j', (state) => {
    expect(providerOfSetUpState(state)).toBeUndefined();
  });

  test('is valid for its cloud, tenant and app only', () => {
    const changes: Partial<Provider>[] = [
      {},
      { cloud: 'china' },
      { tenant: 'fabrikam.example' },
      { clientId: 'another' },
    ];
    expect(new Set(changes.map((change) => registrationOf(microsoft(change)))).size).toBe(4);
    expect(registrationOf(microsoft({ name: 'New name' }))).toBe(registrationOf(microsoft()));
  });
});

describe('the set-up approval link', () => {
  const stateIn = (link: string | undefined): string => new URL(link ?? '').searchParams.get('state') ?? '';

  test('contains the permissions of the provider’s ways and a state of which only the hash is stored', async () => {
    const { deps, provider, tables } = await memoryConsents();
    const link = await setUpApprovalLink(deps, provider);
    const asked = new URL(link ?? '').searchParams;
    expect(asked.get('scope')?.split(' ').slice(0, 2)).toEqual([
      'https://outlook.office.com/IMAP.AccessAsUser.All',
      'https://outlook.office.com/SMTP.Send',
    ]);
    expect(asked.get('redirect_uri')).toBe('https://desk.example/oauth/callback');
    const state = stateIn(link);
    expect(providerOfSetUpState(state)).toBe(provider.id);
    expect(JSON.stringify(tables.dump('Consents'))).not.toContain(state);
    const stored = await deps.setUpApprovals.get(provider.id);
    if (stored === undefined) throw new Error('no row');
    expect(stored.approval).toMatchObject({
      registration: registrationOf(provider),
      expiresAt: new Date(NOW + 7 * DAY_MS).toISOString(),
    });
    expect(isStateOf(stored.approval, state)).toBe(true);
    expect(isStateOf(stored.approval, `${state.slice(0, -1)}!`)).toBe(false);
  });

  test('stays the same for a week, and then changes', async () => {
    const { deps, provider, state } = await memoryConsents();
    const first = await setUpApprovalLink(deps, provider);
    state.now = NOW + 7 * DAY_MS - 1;
    expect(await setUpApprovalLink(deps, provider)).toBe(first);
    state.now = NOW + 7 * DAY_MS;
    const second = await setUpApprovalLink(deps, provider);
    expect(second).not.toBe(first);
    expect(await setUpApprovalLink(deps, provider)).toBe(second);
  });

  test('changes with the registration', async () => {
    const { deps, provider } = await memoryConsents();
    const first = await setUpApprovalLink(deps, provider);
    expect(stateIn(await setUpApprovalLink(deps, { ...provider, clientId: 'another' }))).not.toBe(
      stateIn(first),
    );
  });

  test('changes if the encryption key of the previous one is gone', async () => {
    const { deps, provider } = await memoryConsents();
    const first = await setUpApprovalLink(deps, provider);
    const anew = { ...deps, sealer: createTokenCipher(new MemoryVault()) };
    const second = await setUpApprovalLink(anew, provider);
    expect(stateIn(second)).not.toBe(stateIn(first));
    expect(await setUpApprovalLink(anew, provider)).toBe(second);
  });

  test('is not replaced while the vault is unavailable', async () => {
    const { deps, provider, state, tables } = await memoryConsents();
    await setUpApprovalLink(deps, provider);
    const rows = tables.dump('Consents');
    state.isVaultAway = true;
    const anew = { ...deps, sealer: createTokenCipher(deps.vault, deps.seam) };
    await expect(setUpApprovalLink(anew, provider)).rejects.toMatchObject({ code: 'key-vault' });
    expect(tables.dump('Consents')).toEqual(rows);
  });

  test('is not replaced because of a single failed vault call', async () => {
    const { deps, provider, hooks } = await memoryConsents();
    const first = await setUpApprovalLink(deps, provider);
    let isFirst = true;
    hooks.before = async (point) => {
      if (!point.startsWith('vault.') || !isFirst) return;
      isFirst = false;
      throw new PostroomError('key-vault', 'Away.');
    };
    const anew = { ...deps, sealer: createTokenCipher(deps.vault, deps.seam) };
    await expect(setUpApprovalLink(anew, provider)).rejects.toMatchObject({ code: 'key-vault' });
    expect(await setUpApprovalLink(anew, provider)).toBe(first);
  });

  test('is the same for two concurrent requests', async () => {
    const { deps, provider } = await memoryConsents();
    const [one, other] = await Promise.all([
      setUpApprovalLink(deps, provider),
      setUpApprovalLink(deps, provider),
    ]);
    expect(one).toBe(other);
    expect(await setUpApprovalLink(deps, provider)).toBe(one);
  });

  test('is not returned if another one was created meanwhile and is gone again', async () => {
    const { deps, provider } = await memoryConsents();
    const setUpApprovals = { ...deps.setUpApprovals, save: async () => false };
    expect(await setUpApprovalLink({ ...deps, setUpApprovals }, provider)).toBeUndefined();
  });

  test('is not created or stored at a provider without approvals', async () => {
    const { deps, provider, tables } = await memoryConsents({}, custom);
    expect(await setUpApprovalLink(deps, provider)).toBeUndefined();
    expect(tables.dump('Consents')).toEqual([]);
  });
});
