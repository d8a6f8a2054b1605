import type { DemoWorld } from '../platform/config.ts';
import { PostroomError } from '../platform/errors.ts';
import { type ProblemCode, partBlamed, type VaultCode } from '../platform/problem.ts';
import type { Seam } from '../platform/seam.ts';
import { type PromoteDeps, promoteCredential } from '../providers/promote-credential.ts';
import type { Resource } from '../providers/protocol-access.ts';
import type { AccountRef } from './account.ts';
import type { AccountStore, StoredAccount } from './account-store.ts';
import { isWaiting } from './grant.ts';
import type { OAuthClient } from './oauth-client.ts';
import { credentialGone, providerGone, unreadable } from './refresh-problem.ts';
import { type Attempt, createRefreshStore, type RefreshOutcome } from './refresh-store.ts';
import { type Hold, requestRefresh } from './request-refresh.ts';
import type { TokenCipher } from './token-encryption.ts';
import { withVault } from './vault-failure.ts';

export interface RefreshDeps extends PromoteDeps {
  config: { demo: DemoWorld | undefined };
  seam: Seam;
  accounts: AccountStore;
  sealer: TokenCipher;
  oauth: OAuthClient;
  /** Milliseconds before a response that storage did not accept is stored again; for tests. */
  storePauseMs?: number;
}

export interface Refresher {
  /**
   * Refreshes once, for one resource. The caller holds the account's lease, and `hold` renews it before each request to the
   * provider: slow discovery, a second credential and the previous token may together take longer than the
   * lease.
   */
  refresh(stored: StoredAccount, resource: Resource, hold: () => Promise<boolean>): Promise<RefreshOutcome>;
  /** True when the cause of a refusal may have been fixed, so the provider may be called again. */
  mayTryAgain(
    account: AccountRef,
    refusal: { refusedAsOf?: string | undefined; retryAt: string | undefined },
  ): Promise<boolean>;
}

/** Codes thrown while the credential is fetched, before the provider is called. */
const isUnasked = (code: ProblemCode): code is VaultCode =>
  partBlamed(code) === 'key-vault' || code === 'no-identity';

// Postroom is not notified when a vault entry is available again.
const VAULT_PAUSE_MS = 10 * 60_000;

/**
 * Refreshes an account in this order: the row records that a refresh started; the provider is called; its
 * response is stored before anything else happens. A crash in between is therefore visible: the row says
 * "started", and if the provider then refuses the old token, the person reads why.
 */
export function createRefresher(deps: RefreshDeps): Refresher {
  const { seam, accounts, sealer, providers } = deps;
  const store = createRefreshStore(deps);
  const isoAfter = (milliseconds: number): string => new Date(seam.now() + milliseconds).toISOString();

  /**
   * Records that a refresh starts. An app can request tokens as often as it likes, so nothing is recorded.
   */
  async function begin(stored: StoredAccount): Promise<StoredAccount | undefined> {
    const { account, etag } = stored;
    if (account.kind === 'app') return stored;
    return accounts.replace({ ...account, refreshBegunAt: account.refreshBegunAt ?? isoAfter(0) }, etag);
  }

  async function refresh(
    read: StoredAccount,
    resource: Resource,
    renew: () => Promise<boolean>,
  ): Promise<RefreshOutcome> {
    const stored = { ...read, resource };
    let asked = false;
    const hold: Hold = async () => {
      if (!(await renew())) throw new PostroomError('lease-taken', 'Another process refreshes this account.');
      asked = true;
    };
    const { account } = stored;
    const unsaved = await store.storeUnsaved(stored);
    if (unsaved !== undefined) return unsaved;
    const [provider, history] = await Promise.all([
      providers.get(account.providerId),
      accounts.history(account),
    ]);
    if (provider === undefined) return store.storeProblem({ ...stored, history }, providerGone);
    const ready = await withVault(async () => ({ kind: 'ready' as const, done: await sealer.ready() }));
    if (ready.kind === 'vault-away')
      return store.storeUnavailable({ ...stored, history }, provider, ready.code, account.refreshBegunAt);
    const begun = await begin(stored);
    if (begun === undefined) return { kind: 'changed' };
    const attempt: Attempt = { ...begun, resource, history };
    try {
      const answer = await requestRefresh(deps, provider, begun.account, resource, hold);
      if (answer.kind === 'refreshed') {
        const outcome = await store.storeGrant(attempt, provider, answer.grant);
        await promoteCredential(deps, provider, answer.credential);
        return outcome;
      }
      if (answer.kind === 'unproven')
        // The provider was not called: the problem stays the same.
        return await store.storeProblem(attempt, credentialGone(provider, answer.reason), {
          refusedAsOf: provider.changedAt,
          refreshBegunAt: account.refreshBegunAt,
          retryAt: isoAfter(VAULT_PAUSE_MS),
        });
      return await store.storeFailure(attempt, answer.failure, provider, account.refreshBegunAt);
    } catch (error) {
      if (error instanceof PostroomError && error.code === 'lease-taken') return { kind: 'taken' };
      if (error instanceof PostroomError && error.code === 'sealed-unreadable')
        return store.storeProblem(attempt, unreadable);
      if (error instanceof PostroomError && isUnasked(error.code))
        return store.storeUnavailable(attempt, provider, error.code, account.refreshBegunAt);
      if (!asked) await accounts.replace(account, begun.etag);
      throw error;
    }
  }

  return {
    refresh,
    async mayTryAgain({ providerId }, { refusedAsOf, retryAt }) {
      if (retryAt !== undefined && !isWaiting(retryAt, seam.now())) return true;
      if (refusedAsOf === undefined) return false;
      const provider = await providers.get(providerId);
      return provider !== undefined && provider.changedAt !== refusedAsOf;
    },
  };
}
