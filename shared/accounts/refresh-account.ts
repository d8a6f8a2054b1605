import { PostroomError } from '../platform/errors.ts';
import type { Secret } from '../platform/secret.ts';
import type { Provider } from '../providers/provider.ts';
import { settleCredential } from '../providers/settle-credential.ts';
import { type Account, type Problem, type SealedTokens, tokenContext } from './account.ts';
import type { StoredAccount } from './account-store.ts';
import type { AccessTokenDeps } from './get-access-token.ts';
import { type Grant, lifetimeOf } from './grant.ts';
import type { Refreshed, Unproven } from './oauth-client.ts';
import { type EndpointFailure, judgeFailure, silence } from './token-failure.ts';

export type RefreshOutcome =
  | { kind: 'refreshed'; account: Account; token: Secret }
  | { kind: 'retrying'; account: Account }
  | { kind: 'needs-person'; account: Account }
  /** The row is no longer the one that was read: look at it again. */
  | { kind: 'changed' };

export interface Refresher {
  /** Refreshes once. The caller holds the lease of the account. */
  refresh(stored: StoredAccount): Promise<RefreshOutcome>;
  /** Whether a person has changed what a refusal blamed, so that the provider may be asked again. */
  mayTryAgain(account: Account): Promise<boolean>;
}

const STORE_TRIES = 4;
const STORE_PAUSE_MS = 250;
/** Thrown while the credential is fetched, so before the provider is asked. */
const UNASKED = /^(?:key-vault|no-identity)/;

/**
 * Refreshes an account, in this order: the row says that a refresh has begun; the provider is asked; what it gave is
 * stored before anything else is done with it. A death in between therefore shows: the row says "begun", and when the
 * provider then refuses the old token, the person reads why.
 */
export function createRefresher(deps: AccessTokenDeps): Refresher {
  const { seam, accounts, sealer, providers, oauth } = deps;
  /** Received and not stored, because storage was away for longer than the tries last. */
  const unsaved = new Map<string, { etag: string; next: Account; token: Secret | undefined }>();
  const isoNow = (): string => new Date(seam.now()).toISOString();

  async function seal(account: Account, grant: Grant): Promise<SealedTokens> {
    const { tokens } = account;
    const [access, refresh] = await Promise.all([
      grant.accessToken && sealer.seal(grant.accessToken, tokenContext(account, 'access')),
      grant.refreshToken && sealer.seal(grant.refreshToken, tokenContext(account, 'refresh')),
    ]);
    return {
      access,
      ...lifetimeOf(grant.expiresInSeconds, seam.now()),
      refresh: refresh ?? tokens.refresh,
      // The one just used has worked; the new one has still to show that it does.
      previousRefresh: refresh === undefined ? tokens.previousRefresh : tokens.refresh,
    };
  }

  /** Writes a state when it is another one than before; undefined when the row has changed meanwhile. */
  async function settle(stored: StoredAccount, change: Partial<Account>): Promise<Account | undefined> {
    const next: Account = { ...stored.account, ...change };
    if (next.state !== stored.account.state) next.stateSince = isoNow();
    if (JSON.stringify(next) === JSON.stringify(stored.account)) return stored.account;
    return (await accounts.replace(next, stored.etag))?.account;
  }

  /** Stores what was received, against a storage that fails in passing: nothing can bring a rotated token back. */
  async function store(stored: StoredAccount, next: Account): Promise<StoredAccount | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        const written = await accounts.replace(next, stored.etag);
        if (written !== undefined) return written;
        // Refused: either an earlier try arrived and only its answer was lost, or the account was connected again.
        const there = await accounts.get(next);
        return there?.account.tokens.refresh === next.tokens.refresh ? there : undefined;
      } catch (error) {
        if (attempt >= STORE_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, STORE_PAUSE_MS * attempt));
      }
    }
  }

  async function received(stored: StoredAccount, grant: Grant): Promise<RefreshOutcome> {
    const { account } = stored;
    const next: Account = {
      ...account,
      tokens: await seal(account, grant),
      scopes: grant.scopes ?? account.scopes,
      state: 'works',
      stateSince: account.state === 'works' ? account.stateSince : isoNow(),
      problem: undefined,
      retryAt: undefined,
      refusedAsOf: undefined,
      refreshBegunAt: undefined,
    };
    unsaved.set(account.accountId, { etag: stored.etag, next, token: grant.accessToken });
    const written = await store(stored, next);
    unsaved.delete(account.accountId);
    if (written === undefined) return { kind: 'changed' };
    if (grant.accessToken !== undefined)
      return { kind: 'refreshed', account: written.account, token: grant.accessToken };
    return failed(written, silence('The provider answered without an access token.'), undefined, undefined);
  }

  async function failed(
    stored: StoredAccount,
    failure: EndpointFailure,
    provider: Provider | undefined,
    /** When an earlier refresh was begun that never came to its end. */
    unfinished: string | undefined,
  ): Promise<RefreshOutcome> {
    const verdict = judgeFailure(failure);
    if (verdict.kind === 'retrying') {
      const { retryAfterSeconds } = verdict;
      const account = await settle(stored, {
        state: 'retrying',
        problem: { code: verdict.code, message: verdict.message },
        retryAt:
          retryAfterSeconds === undefined
            ? undefined
            : new Date(seam.now() + retryAfterSeconds * 1000).toISOString(),
        // No answer may mean that the request arrived: the note that a refresh began has to stay.
        refreshBegunAt: failure.status === undefined ? stored.account.refreshBegunAt : undefined,
      });
      return account === undefined ? { kind: 'changed' } : { kind: 'retrying', account };
    }
    const account = await settle(stored, {
      state: 'needs-person',
      problem: problemFor(verdict, stored.account, provider, unfinished),
      retryAt: undefined,
      refusedAsOf: verdict.blames === 'grant' ? undefined : provider?.changedAt,
      refreshBegunAt: undefined,
    });
    return account === undefined ? { kind: 'changed' } : { kind: 'needs-person', account };
  }

  async function stuck(
    stored: StoredAccount,
    problem: Problem,
    more: Pick<Partial<Account>, 'refusedAsOf' | 'refreshBegunAt'> = {},
  ): Promise<RefreshOutcome> {
    const account = await settle(stored, {
      state: 'needs-person',
      problem,
      retryAt: undefined,
      refusedAsOf: undefined,
      ...more,
    });
    return account === undefined ? { kind: 'changed' } : { kind: 'needs-person', account };
  }

  /** Asks with the newest refresh token; where that is refused, with the one before, which Entra leaves alive. */
  async function ask(provider: Provider, account: Account): Promise<Refreshed> {
    const { refresh: newest, previousRefresh } = account.tokens;
    const first = await oauth.refresh(provider, await sealer.open(newest, tokenContext(account, 'refresh')));
    if (first.kind !== 'failed' || first.failure.error !== 'invalid_grant' || previousRefresh === undefined)
      return first;
    const verdict = judgeFailure(first.failure);
    if (verdict.kind === 'retrying' || first.failure.suberror !== undefined) return first;
    const second = await oauth.refresh(
      provider,
      await sealer.open(previousRefresh, tokenContext(account, 'refresh')),
    );
    return second.kind === 'refreshed' ? second : first;
  }

  async function refresh(stored: StoredAccount): Promise<RefreshOutcome> {
    const held = unsaved.get(stored.account.accountId);
    if (held !== undefined) {
      const written = held.etag === stored.etag ? await store(stored, held.next) : undefined;
      unsaved.delete(stored.account.accountId);
      if (written === undefined || held.token === undefined) return { kind: 'changed' };
      return { kind: 'refreshed', account: written.account, token: held.token };
    }
    const provider = await providers.get(stored.account.providerId);
    if (provider === undefined)
      return stuck(stored, {
        code: 'provider-missing',
        message: 'The provider was deleted. Connect the mailbox again.',
      });
    await sealer.ready();
    const begun = await accounts.replace(
      { ...stored.account, refreshBegunAt: stored.account.refreshBegunAt ?? isoNow() },
      stored.etag,
    );
    if (begun === undefined) return { kind: 'changed' };
    try {
      const answer = await ask(provider, begun.account);
      if (answer.kind === 'refreshed') {
        const outcome = await received(begun, answer.grant);
        await settleCredential(deps, provider, answer.credential);
        return outcome;
      }
      if (answer.kind === 'unproven')
        // The provider was not asked: the row says again what it said before.
        return await stuck(begun, credentialGone(provider, answer.reason), {
          refusedAsOf: provider.changedAt,
          refreshBegunAt: stored.account.refreshBegunAt,
        });
      return await failed(begun, answer.failure, provider, stored.account.refreshBegunAt);
    } catch (error) {
      if (error instanceof PostroomError && error.code === 'sealed-unreadable')
        return stuck(begun, unreadable);
      if (error instanceof PostroomError && UNASKED.test(error.code))
        await settle(begun, { refreshBegunAt: stored.account.refreshBegunAt });
      throw error;
    }
  }

  return {
    refresh,
    async mayTryAgain(account) {
      if (account.refusedAsOf === undefined) return false;
      const provider = await providers.get(account.providerId);
      return provider !== undefined && provider.changedAt !== account.refusedAsOf;
    },
  };
}

function problemFor(
  verdict: { code: string; message: string; blames: 'grant' | 'credential' | 'settings' },
  account: Account,
  provider: Provider | undefined,
  unfinished: string | undefined,
): Problem {
  const { code, message } = verdict;
  if (verdict.blames === 'credential')
    return {
      code,
      message: `${provider?.name ?? 'The provider'} refuses the client ID or the client secret of this app. Replace the secret of the provider. It said: ${message}`,
    };
  if (verdict.blames === 'settings') return { code, message };
  if (unfinished !== undefined)
    return {
      code,
      message: `At ${unfinished} Postroom asked for a new sign-in token and was stopped before the answer was stored; the provider no longer accepts the one before. Connect the mailbox again. It said: ${message}`,
    };
  return {
    code,
    message: `The sign-in of ${account.user} has ended. Connect the mailbox again. The provider said: ${message}`,
  };
}

const credentialGone = (provider: Provider, reason: Unproven['reason']): Problem =>
  reason === 'disabled'
    ? {
        code: 'secret-disabled',
        message: `The credential of ${provider.name} is switched off in Key Vault. Switch it on there, or replace the credential of the provider.`,
      }
    : {
        code: 'secret-missing',
        message: `The credential of ${provider.name} is not in Key Vault. Replace the credential of the provider.`,
      };
const unreadable: Problem = {
  code: 'tokens-unreadable',
  message:
    'The stored sign-in cannot be read: the data key in Key Vault was replaced or removed. Connect the mailbox again.',
};
