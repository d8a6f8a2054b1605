import type { ActivityStore } from '../activity/activity-store.ts';
import type { Blobs, Lease } from '../platform/blobs.ts';
import type { DemoWorld } from '../platform/config.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Secret } from '../platform/secret.ts';
import { mailServersOf, type Provider } from '../providers/provider.ts';
import type { NoToken, ObtainedToken } from './access-token.ts';
import { type Account, type AccountRef, hasEnded, type Problem, tokenContext } from './account.ts';
import type { StoredAccount } from './account-store.ts';
import { isFresh, isWaiting } from './grant.ts';
import { recordRefresh } from './record-refresh.ts';
import { createRefresher, type RefreshDeps } from './refresh-account.ts';
import type { TokenCache } from './token-cache.ts';
import { vaultInWords, withVault } from './vault-failure.ts';

export interface ObtainDeps extends RefreshDeps {
  config: { demo: DemoWorld | undefined };
  blobs: Blobs;
  activity: Pick<ActivityStore, 'note'>;
  /** Milliseconds between two checks for a refresh that another process runs. */
  pauseMs?: number;
}

/** Tokens and refusals that the caller does not accept. */
export interface Refused {
  /** The token that the mail server has just refused. */
  rejected?: string | undefined;
  /** ISO time; only a token received later is accepted. */
  olderThan?: string | undefined;
  /** Even after a refusal that only a person can fix, or during a pause. */
  again?: boolean | undefined;
  /** Even during a pause. */
  tryNow?: boolean | undefined;
}

// Maximum lease duration. The lease is renewed before each request, so it covers the request (15 s) and
// storing its response.
const LEASE_SECONDS = 60;
const MAX_CHECKS = 40;
const PAUSE_MS = 500;

/**
 * Obtains tokens past the cache: from the row of the account or by a refresh, with one refresh at a time
 * per account over all processes (a lease). New tokens are cached.
 */
export function createTokenSource(
  deps: ObtainDeps,
  cache: Pick<TokenCache, 'put'>,
): (ref: AccountRef, refused: Refused) => Promise<ObtainedToken> {
  const { seam, accounts, providers, sealer, config } = deps;
  const refresher = createRefresher(deps);

  const hostsOf = (provider: Provider): string[] =>
    Object.values(mailServersOf(provider, config)).map(({ host }) => host.toLowerCase());

  /** The answer when the row alone decides; undefined when a refresh is needed. */
  async function answerOf(
    { account }: StoredAccount,
    provider: Provider | undefined,
    refused: Refused,
  ): Promise<ObtainedToken | undefined> {
    const { rejected, olderThan, again, tryNow } = refused;
    if (hasEnded(account)) return { kind: 'action-required', ...problemOf(account) };
    if (account.state === 'action-required' && again !== true && !(await refresher.mayTryAgain(account)))
      return { kind: 'action-required', ...problemOf(account) };
    // A refusal requires a refresh: the old token would hide that the grant has ended.
    const fresh =
      account.state !== 'action-required' &&
      isFresh(account.tokens, seam.now()) &&
      (olderThan === undefined || account.tokens.receivedAt >= olderThan);
    const token = fresh ? await openAccess(account, provider) : undefined;
    if (token !== undefined && provider !== undefined && token.expose() !== rejected)
      return cache.put(account, hostsOf(provider), token);
    const isPaused = again !== true && tryNow !== true && isWaiting(account.retryAt, seam.now());
    if (account.state !== 'action-required' && isPaused)
      return currentToken(account, provider, rejected, {
        kind: 'retrying',
        ...problemOf(account),
        ...(account.retryAt !== undefined && { retryAt: account.retryAt }),
      });
    return undefined;
  }

  /** Undefined also when the token was issued for another registration than the provider has now. */
  async function openAccess(account: Account, provider: Provider | undefined): Promise<Secret | undefined> {
    const { access } = account.tokens;
    if (access === undefined || provider === undefined) return undefined;
    try {
      return await sealer.open(access, tokenContext(account, 'access', provider));
    } catch (error) {
      if (error instanceof PostroomError && error.code === 'sealed-unreadable') return undefined;
      throw error;
    }
  }

  /** While a refresh fails temporarily, the current token is used until it expires. */
  async function currentToken(
    account: Account,
    provider: Provider | undefined,
    rejected: string | undefined,
    otherwise: NoToken,
  ): Promise<ObtainedToken> {
    if (Date.parse(account.tokens.accessExpiresAt) <= seam.now()) return otherwise;
    const token = await openAccess(account, provider);
    if (token === undefined || provider === undefined || token.expose() === rejected) return otherwise;
    const { tokens, user } = account;
    return { kind: 'token', token, expiresAt: tokens.accessExpiresAt, user, hosts: hostsOf(provider) };
  }

  async function obtain(ref: AccountRef, refused: Refused): Promise<ObtainedToken> {
    let lease: Lease | undefined;
    try {
      for (let check = 0; ; check++) {
        // A change may happen between the two reads. This is safe: a token can only be decrypted for the
        // registration that it was encrypted for.
        const [stored, provider] = await Promise.all([accounts.get(ref), providers.get(ref.providerId)]);
        if (stored === undefined) return accountGone;
        const answer = await answerOf(stored, provider, refused);
        if (answer !== undefined) return answer;
        // The row is read again under the lease: the previous holder may have refreshed.
        if (lease !== undefined) {
          const done = await refreshed(stored, provider, lease, refused.rejected);
          if (done !== undefined || check >= MAX_CHECKS) return done ?? busy;
          continue;
        }
        lease = await deps.blobs.lease(`lease/account-${ref.accountId}`, LEASE_SECONDS);
        if (lease !== undefined) continue;
        if (check >= MAX_CHECKS) return currentToken(stored.account, provider, refused.rejected, busy);
        await new Promise((resolve) => setTimeout(resolve, deps.pauseMs ?? PAUSE_MS));
      }
    } finally {
      // A lease that can't be released expires by itself; the result is valid.
      await lease?.release().catch(() => undefined);
    }
  }

  /** Without the vault, even the current token can't be decrypted. */
  async function obtainOrWait(ref: AccountRef, refused: Refused): Promise<ObtainedToken> {
    const answer = await withVault(() => obtain(ref, refused));
    if (answer.kind !== 'vault-away') return answer;
    const cause = answer.message.replace(/\.$/, '');
    const message = `${vaultInWords(answer).happened}: ${cause}. Postroom retries automatically.`;
    return { kind: 'retrying', code: answer.code, message };
  }

  async function refreshed(
    stored: StoredAccount,
    provider: Provider | undefined,
    lease: Lease,
    rejected: string | undefined,
  ): Promise<ObtainedToken | undefined> {
    const outcome = await recordRefresh(deps, stored.account, () =>
      refresher.refresh(stored, () => lease.renew()),
    );
    switch (outcome.kind) {
      case 'refreshed':
        return cache.put(outcome.account, hostsOf(outcome.provider), outcome.token);
      case 'retrying':
        return currentToken(outcome.account, provider, rejected, {
          kind: 'retrying',
          ...problemOf(outcome.account),
          ...(outcome.account.retryAt !== undefined && { retryAt: outcome.account.retryAt }),
        });
      case 'action-required':
        return { kind: 'action-required', ...problemOf(outcome.account) };
      case 'changed':
        return undefined;
      case 'taken':
        return currentToken(stored.account, provider, rejected, busy);
    }
  }

  return obtainOrWait;
}

const problemOf = ({ problem }: Account): Problem =>
  problem ?? { code: 'unknown', message: 'The account does not work and did not say why. Connect it again.' };

const accountGone: NoToken = {
  kind: 'action-required',
  code: 'account-missing',
  message: 'The account that signs in was removed. Connect the mailbox again.',
};
const busy: NoToken = {
  kind: 'retrying',
  code: 'refresh-busy',
  message: 'Another process is renewing the sign-in; this one tries again.',
};
