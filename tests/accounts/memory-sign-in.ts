import { type Account, tokenContext } from '../../shared/accounts/account.ts';
import { createAccountStore } from '../../shared/accounts/account-store.ts';
import { type Grant, lifetimeOf } from '../../shared/accounts/grant.ts';
import type { Refreshed } from '../../shared/accounts/oauth-client.ts';
import { createTokenCipher } from '../../shared/accounts/token-encryption.ts';
import { type EndpointFailure, silence } from '../../shared/accounts/token-failure.ts';
import { createActivityStore } from '../../shared/activity/activity-store.ts';
import { createAuditStore } from '../../shared/audit/audit-store.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import type { Seam, SeamPoint } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import type { ClientSecret } from '../../shared/providers/credential.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { createProviderStore } from '../../shared/providers/provider-store.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { sampleAccount } from '../harness/memory/sample-account.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';
import { oauthAnswers } from '../harness/oauth-answers.ts';

/** The time at which these tests start. */
export const NOW = Date.parse('2026-11-24T12:00:00.000Z');
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const isoAt = (milliseconds: number): string => new Date(NOW + milliseconds).toISOString();

export const credential: ClientSecret = {
  kind: 'secret',
  vaultName: 'client-secret',
  version: 'v1',
  setAt: isoAt(0),
  expiresOn: undefined,
};

/** A provider response: these tokens for an hour, without scopes. */
export function granted(
  access: string | undefined,
  refresh?: string,
  change: Partial<Grant> = {},
): Refreshed {
  const grant: Grant = {
    accessToken: access === undefined ? undefined : new Secret(access),
    refreshToken: refresh === undefined ? undefined : new Secret(refresh),
    expiresInSeconds: 3600,
    scopes: undefined,
    ...change,
  };
  return { kind: 'refreshed', grant, credential };
}

/** An error response of the provider (RFC 6749 section 5.2). */
export const refused = (error: string | undefined, change: Partial<EndpointFailure> = {}): Refreshed => ({
  kind: 'failed',
  failure: {
    ...silence('login.example answered with status 400.'),
    status: 400,
    error,
    sentence: 'The provider’s own words.',
    ...change,
  },
});

/** What the provider received: the refresh token with the scopes of the request, or a request of the app itself. */
export type Asked = string;

/** An account whose access token has expired, and a provider that responds as the test says. */
export async function memorySignIn(change: Partial<Account> = {}, providerChange: Partial<Provider> = {}) {
  const state = { now: NOW, points: [] as SeamPoint[], isVaultAway: false };
  const hooks = {
    before: async (_point: SeamPoint): Promise<void> => {},
    answer: async (_asked: Asked): Promise<Refreshed> => granted('a2', 'r2'),
  };
  const asked: Asked[] = [];
  const seam: Seam = {
    now: () => state.now,
    call: async (point, effect) => {
      state.points.push(point);
      if (state.isVaultAway && point.startsWith('vault.')) throw new PostroomError('key-vault', 'Away.');
      await hooks.before(point);
      return effect();
    },
  };
  const tables = new MemoryTables(seam);
  const vault = new MemoryVault(seam);
  const sealer = createTokenCipher(vault, seam);
  const provider = sampleProvider({
    id: 'p'.repeat(26),
    preset: 'microsoft',
    tenant: 'contoso.example',
    credential,
    ...providerChange,
  });
  const ask = async (what: Asked, before: (() => Promise<void>) | undefined): Promise<Refreshed> => {
    await before?.();
    asked.push(what);
    return hooks.answer(what);
  };
  const deps = {
    config: { demo: undefined },
    seam,
    vault,
    sealer,
    blobs: new MemoryBlobs(seam),
    providers: createProviderStore(tables),
    accounts: createAccountStore(tables),
    activity: createActivityStore(tables),
    audit: createAuditStore(tables),
    pauseMs: 0,
    oauth: oauthAnswers({
      refresh: (_provider, token, options) =>
        ask([token.expose(), ...(options?.scopes ?? [])].join(' '), options?.before),
      clientCredentials: async (_provider, scopes, options) => {
        const answer = await ask(`app: ${scopes.join(' ')}`, options?.before);
        return answer.kind === 'refreshed' ? { ...answer, kind: 'granted' } : answer;
      },
    }),
  };
  await deps.providers.save(provider);
  const bare = sampleAccount({ providerId: provider.id, ...change });
  const seal = (text: string, purpose: 'access' | 'refresh'): Promise<string> =>
    sealer.seal(new Secret(text), tokenContext(bare, purpose, provider));
  const account: Account = {
    ...bare,
    tokens: {
      access: await seal('a1', 'access'),
      refresh: bare.kind === 'app' ? undefined : await seal('r1', 'refresh'),
      previousRefresh: undefined,
      ...lifetimeOf(3600, NOW - 2 * HOUR, 0),
      ...change.tokens,
    },
  };
  await deps.accounts.save(account);
  state.points = [];
  const row = async (): Promise<Account> => {
    const stored = await deps.accounts.get(account);
    if (stored === undefined) throw new Error('no row');
    return stored.account;
  };
  /** The decrypted tokens of the row. */
  const opened = async () => {
    const { access, refresh, previousRefresh } = (await row()).tokens;
    const open = async (sealed: string | undefined, purpose: 'access' | 'refresh') =>
      sealed && (await sealer.open(sealed, tokenContext(account, purpose, provider))).expose();
    return [
      await open(access, 'access'),
      await open(refresh, 'refresh'),
      await open(previousRefresh, 'refresh'),
    ];
  };
  return { deps, account, provider, state, hooks, tables, asked, seal, row, opened };
}
