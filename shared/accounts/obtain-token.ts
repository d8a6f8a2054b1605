import type { ActivityStore } from '../activity/activity-store.ts';
import type { Blobs, Lease } from '../platform/blobs.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Secret } from '../platform/secret.ts';
import { type Resource, resources } from '../providers/protocol-access.ts';
import { type Provider, tokenHostsOf } from '../providers/provider.ts';
import type { NoToken, ObtainedToken } from './access-token.ts';
import {
  type Account,
  type AccountRef,
  hasEnded,
  type Problem,
  purposeFor,
  tokenContext,
} from './account.ts';
import { accessFor, resourcesOfAccount } from './account-resources.ts';
import type { StoredAccount } from './account-store.ts';
import { isFresh, isWaiting } from './grant.ts';
import { recordRefresh } from './record-refresh.ts';
import { createRefresher, type RefreshDeps } from './refresh-account.ts';
import { notGranted } from './refresh-problem.ts';
import { type TokenCache, toUsable } from './token-cache.ts';
import { vaultInWords, withVault } from './vault-failure.ts';

export interface ObtainDeps extends RefreshDeps {
  blobs: Blobs;
  activity: Pick<ActivityStore, 'note'>;
  /** Milliseconds between two checks for a refresh that another process runs. */
  pauseMs?: number;
}

/** What the caller needs, and the tokens and refusals that it does not accept. */
export interface Wanted {
  /** The host that will receive the token. */
  host?: string | undefined;
  /** Absent: the one that the host belongs to, otherwise the usual one of the account. */
  resource?: Resource | undefined;
  /** The token that the server has just refused. */
  rejected?: string | undefined;
  /** ISO time; only a token received later is accepted. */
  olderThan?: string | undefined;
  /** Even after a refusal that only a person can fix, or during a pause. */
  again?: boolean | undefined;
  /** Even during a pause. */
  tryNow?: boolean | undefined;
}

/** An account as read, and what a token of it is wanted for. */
interface Found {
  stored: StoredAccount;
  provider: Provider | undefined;
  resource: Resource;
  /** The hosts that may receive the token. */
  hosts: readonly string[];
}

// Maximum lease duration. The lease is renewed before each request, so it covers the request (15 s) and
// storing its response.
const LEASE_SECONDS = 60;
const MAX_CHECKS = 40;
const PAUSE_MS = 500;

/**
 * Obtains tokens past the cache: from the row of the account or by a refresh, with one refresh at a time
 * per account over all processes (a lease), whatever the resource: both use the same refresh token. New
 * tokens are cached.
 */
export function createTokenSource(
  deps: ObtainDeps,
  cache: Pick<TokenCache, 'put'>,
): (ref: AccountRef, wanted: Wanted) => Promise<ObtainedToken> {
  const { seam, accounts, providers, sealer, config } = deps;
  const refresher = createRefresher(deps);

  const hostsOf = (provider: Provider | undefined, resource: Resource): readonly string[] =>
    provider === undefined ? [] : tokenHostsOf(provider, config, resource);

  /** The resource that the host belongs to; for an unknown host the usual one, whose token it does not get. */
  function resourceFor(account: Account, provider: Provider | undefined, wanted: Wanted): Resource {
    const host = wanted.host?.toLowerCase();
    const [usual = 'outlook'] = resourcesOfAccount(account);
    const ofHost = resources.find((one) => host !== undefined && hostsOf(provider, one).includes(host));
    return wanted.resource ?? ofHost ?? usual;
  }

  /** The answer when the row alone decides; undefined when a refresh is needed. */
  async function answerOf(found: Found, wanted: Wanted): Promise<ObtainedToken | undefined> {
    const { stored, resource } = found;
    const { account } = stored;
    const { rejected, olderThan, again, tryNow } = wanted;
    if (hasEnded(account)) return { kind: 'action-required', ...problemOf(account) };
    if (!resourcesOfAccount(account).includes(resource))
      return { kind: 'action-required', ...notGranted(account, resource) };
    if (
      account.state === 'action-required' &&
      again !== true &&
      !(await refresher.mayTryAgain(account, account))
    )
      return { kind: 'action-required', ...problemOf(account) };
    const refusal = account.refused?.[resource];
    if (refusal !== undefined && again !== true && !(await refresher.mayTryAgain(account, refusal)))
      return { kind: 'action-required', ...refusal.problem };
    const access = accessFor(account, resource);
    // A refusal requires a refresh: the old token would hide that the grant has ended.
    const fresh =
      account.state !== 'action-required' &&
      refusal === undefined &&
      access !== undefined &&
      isFresh(access, seam.now()) &&
      (olderThan === undefined || access.receivedAt >= olderThan);
    const token = fresh ? await openAccess(found) : undefined;
    if (token !== undefined && token.expose() !== rejected) return keep(found, token);
    const isPaused = again !== true && tryNow !== true && isWaiting(account.retryAt, seam.now());
    if (account.state !== 'action-required' && isPaused)
      return currentToken(found, rejected, {
        kind: 'retrying',
        ...problemOf(account),
        ...(account.retryAt !== undefined && { retryAt: account.retryAt }),
      });
    return undefined;
  }

  const keep = ({ stored, resource, hosts }: Found, token: Secret): ObtainedToken =>
    cache.put(stored.account, {
      token,
      tokens: accessFor(stored.account, resource) ?? stored.account.tokens,
      resource,
      hosts,
    });

  /** Undefined also when the token was issued for another registration than the provider has now. */
  async function openAccess({ stored, provider, resource }: Found): Promise<Secret | undefined> {
    const access = accessFor(stored.account, resource)?.access;
    if (access === undefined || provider === undefined) return undefined;
    try {
      return await sealer.open(access, tokenContext(stored.account, purposeFor(resource), provider));
    } catch (error) {
      if (error instanceof PostroomError && error.code === 'sealed-unreadable') return undefined;
      throw error;
    }
  }

  /** While a refresh fails temporarily, the current token is used until it expires. */
  async function currentToken(
    found: Found,
    rejected: string | undefined,
    otherwise: NoToken,
  ): Promise<ObtainedToken> {
    const { stored, resource, hosts } = found;
    const tokens = accessFor(stored.account, resource);
    if (tokens === undefined || Date.parse(tokens.accessExpiresAt) <= seam.now()) return otherwise;
    const token = await openAccess(found);
    if (token === undefined || token.expose() === rejected) return otherwise;
    return toUsable({ token, tokens, user: stored.account.user, hosts, resource });
  }

  async function obtain(ref: AccountRef, wanted: Wanted): Promise<ObtainedToken> {
    let lease: Lease | undefined;
    try {
      for (let check = 0; ; check++) {
        // A change may happen between the two reads. This is safe: a token can only be decrypted for the
        // registration that it was encrypted for.
        const [stored, provider] = await Promise.all([accounts.get(ref), providers.get(ref.providerId)]);
        if (stored === undefined) return accountGone;
        const resource = resourceFor(stored.account, provider, wanted);
        const found: Found = { stored, provider, resource, hosts: hostsOf(provider, resource) };
        const about = { resource, hosts: found.hosts };
        const answer = await answerOf(found, wanted);
        if (answer !== undefined) return { ...about, ...answer };
        // The row is read again under the lease: the previous holder may have refreshed.
        if (lease !== undefined) {
          const done = await refreshed(found, lease, wanted.rejected);
          if (done !== undefined || check >= MAX_CHECKS) return { ...about, ...(done ?? busy) };
          continue;
        }
        lease = await deps.blobs.lease(`lease/account-${ref.accountId}`, LEASE_SECONDS);
        if (lease !== undefined) continue;
        if (check >= MAX_CHECKS) return { ...about, ...(await currentToken(found, wanted.rejected, busy)) };
        await new Promise((resolve) => setTimeout(resolve, deps.pauseMs ?? PAUSE_MS));
      }
    } finally {
      // A lease that can't be released expires by itself; the result is valid.
      await lease?.release().catch(() => undefined);
    }
  }

  /** Without the vault, even the current token can't be decrypted. */
  async function obtainOrWait(ref: AccountRef, wanted: Wanted): Promise<ObtainedToken> {
    const answer = await withVault(() => obtain(ref, wanted));
    if (answer.kind !== 'vault-away') return answer;
    const cause = answer.message.replace(/\.$/, '');
    const message = `${vaultInWords(answer).happened}: ${cause}. Postroom retries automatically.`;
    return { kind: 'retrying', code: answer.code, message };
  }

  async function refreshed(
    found: Found,
    lease: Lease,
    rejected: string | undefined,
  ): Promise<ObtainedToken | undefined> {
    const { stored, resource } = found;
    const outcome = await recordRefresh(deps, stored.account, () =>
      refresher.refresh(stored, resource, () => lease.renew()),
    );
    if (outcome.kind === 'changed') return undefined;
    if (outcome.kind === 'taken') return currentToken(found, rejected, busy);
    const { account } = outcome;
    const after: Found = { ...found, stored: { ...stored, account } };
    switch (outcome.kind) {
      case 'refreshed':
        return keep({ ...after, hosts: hostsOf(outcome.provider, resource) }, outcome.token);
      case 'retrying':
        return currentToken(after, rejected, {
          kind: 'retrying',
          ...problemOf(account),
          ...(account.retryAt !== undefined && { retryAt: account.retryAt }),
        });
      case 'refused':
        return { kind: 'action-required', ...outcome.problem };
      case 'action-required':
        return { kind: 'action-required', ...problemOf(account) };
    }
  }

  return obtainOrWait;
}

const problemOf = ({ problem }: Account): Problem =>
  problem ?? {
    code: 'unknown',
    message: 'The account does not work, and the reason is unknown. Connect it again.',
  };

const accountGone: NoToken = {
  kind: 'action-required',
  code: 'account-missing',
  message: 'The account that signs in was removed. Connect the mailbox again.',
};
const busy: NoToken = {
  kind: 'retrying',
  code: 'refresh-busy',
  message: 'Another process is renewing the sign-in. Postroom tries again.',
};
