import { PostroomError } from '../platform/errors.ts';
import { partBlamed, type ProblemCode, type VaultCode } from '../platform/problem.ts';
import type { Secret } from '../platform/secret.ts';
import type { Provider } from '../providers/provider.ts';
import { promoteCredential } from '../providers/promote-credential.ts';
import { type Account, type AccountStatus, type Problem, tokenContext } from './account.ts';
import type { StoredAccount } from './account-store.ts';
import { appScopeOf } from './app-account.ts';
import type { AccessTokenDeps } from './get-access-token.ts';
import { type Grant, isWaiting } from './grant.ts';
import type { Refreshed } from './oauth-client.ts';
import { credentialGone, problemFor, proofAway, providerGone, unreadable } from './refresh-problem.ts';
import { pauseForPerson, pauseInPassing } from './retry-pause.ts';
import { encryptTokens } from './encrypt-tokens.ts';
import { type SignInEvent, withEvent } from './sign-in-history.ts';
import { type EndpointFailure, judgeFailure, judgeWithHistory, silence } from './token-failure.ts';
import { withVault } from './vault-failure.ts';

export type RefreshOutcome =
  /** `provider`: whose token it is, as it stood when it was asked. */
  | { kind: 'refreshed'; account: Account; token: Secret; provider: Provider }
  | { kind: 'retrying'; account: Account }
  | { kind: 'action-required'; account: Account }
  /** The row is no longer the one that was read: look at it again. */
  | { kind: 'changed' }
  /** The lease has ended and somebody else refreshes: the provider was not asked once more. */
  | { kind: 'taken' };

export interface Refresher {
  /**
   * Refreshes once. The caller holds the lease of the account; `hold` renews it, before each request to the provider:
   * a slow discovery, a second credential and the token before may together take longer than the lease lasts.
   */
  refresh(stored: StoredAccount, hold: () => Promise<boolean>): Promise<RefreshOutcome>;
  /** Whether somebody may have mended what a refusal blamed, so that the provider may be asked again. */
  mayTryAgain(account: Account): Promise<boolean>;
}

/** A row as it was read, with what happened before: read before the provider is asked, not while its answer waits. */
interface Attempt extends StoredAccount {
  history: readonly SignInEvent[];
}

/** Since when it holds follows from the one before. */
type NextStatus = WithoutSince<AccountStatus>;
type WithoutSince<Status> = Status extends AccountStatus ? Omit<Status, 'stateSince'> : never;

/** A row as it is to be, with its history. */
interface Next {
  account: Account;
  history: readonly SignInEvent[];
}

/** Thrown while the credential is fetched, so before the provider is asked. */
const isUnasked = (code: ProblemCode): code is VaultCode =>
  partBlamed(code) === 'key-vault' || code === 'no-identity';
/** Called before a request; throws where the account is no longer ours to refresh. */
type Hold = () => Promise<void>;

const STORE_TRIES = 4;
const STORE_PAUSE_MS = 250;
// Nobody tells Postroom when an entry of the vault is there again.
const VAULT_PAUSE_MS = 10 * 60_000;

/**
 * Refreshes an account, in this order: the row says that a refresh has begun; the provider is asked; what it gave is
 * stored before anything else is done with it. A death in between therefore shows: the row says "begun", and when the
 * provider then refuses the old token, the person reads why.
 */
export function createRefresher(deps: AccessTokenDeps): Refresher {
  const { seam, accounts, sealer, providers, oauth } = deps;
  /** Received and not stored, because storage was away for longer than the tries last. */
  const unsaved = new Map<
    string,
    { etag: string; next: Next; token: Secret | undefined; provider: Provider }
  >();
  const isoAfter = (milliseconds: number): string => new Date(seam.now() + milliseconds).toISOString();
  const isoNow = (): string => isoAfter(0);

  const after = (attempt: Attempt, event: Omit<SignInEvent, 'at' | 'times' | 'lastAt'>): SignInEvent[] =>
    withEvent(attempt.history, { ...event, at: isoNow() });

  /** Writes a state and how it came to it; undefined when the row has changed meanwhile. */
  async function saveOutcome(
    attempt: Attempt,
    change: Exclude<NextStatus, { state: 'ok' }> & Pick<Account, 'refreshBegunAt'>,
    failure?: EndpointFailure,
  ): Promise<Account | undefined> {
    const { state, problem } = change;
    const stateSince = state === attempt.account.state ? attempt.account.stateSince : isoNow();
    const next: Account = { ...attempt.account, ...change, stateSince };
    const { suberror, traceId, correlationId } = failure ?? {};
    const history = after(attempt, {
      result: state,
      code: problem.code,
      said: failure === undefined ? problem.message : (failure.sentence ?? failure.detail),
      ...(suberror !== undefined && { suberror }),
      ...(traceId !== undefined && { traceId }),
      ...(correlationId !== undefined && { correlationId }),
    });
    return (await accounts.replace(next, attempt.etag, history))?.account;
  }

  /** Stores what was received, against a storage that fails in passing: nothing can bring a rotated token back. */
  async function store(etag: string, { account, history }: Next): Promise<StoredAccount | undefined> {
    for (let tries = 1; ; tries++) {
      try {
        const written = await accounts.replace(account, etag, history);
        if (written !== undefined) return written;
        // Refused: either an earlier try arrived and only its answer was lost, or somebody else has written the row.
        // No two sealed texts are equal; a refresh token alone may be the one from before, and an app has none.
        const there = await accounts.get(account);
        const { access, refresh } = account.tokens;
        const isOurs = there?.account.tokens.access === access && there?.account.tokens.refresh === refresh;
        return isOurs ? there : undefined;
      } catch (error) {
        if (tries >= STORE_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, STORE_PAUSE_MS * tries));
      }
    }
  }

  async function received(attempt: Attempt, provider: Provider, grant: Grant): Promise<RefreshOutcome> {
    const { account, etag } = attempt;
    const renewed: Account = {
      ...account,
      tokens: await encryptTokens(sealer, account, provider, grant, seam.now()),
      scopes: account.kind === 'app' ? account.scopes : (grant.scopes ?? account.scopes),
      state: 'ok',
      stateSince: account.state === 'ok' ? account.stateSince : isoNow(),
      problem: undefined,
      retryAt: undefined,
      refusedAsOf: undefined,
      refreshBegunAt: undefined,
    };
    const complete = grant.accessToken !== undefined;
    const next: Next = {
      account: renewed,
      history: complete ? after(attempt, { result: 'refreshed' }) : attempt.history,
    };
    unsaved.set(account.accountId, { etag, next, token: grant.accessToken, provider });
    const written = await store(etag, next);
    unsaved.delete(account.accountId);
    if (written === undefined) return { kind: 'changed' };
    if (grant.accessToken !== undefined)
      return { kind: 'refreshed', account: written.account, token: grant.accessToken, provider };
    const nothing = silence('The provider answered without an access token.');
    return failed({ ...attempt, ...written }, nothing, undefined, undefined);
  }

  async function failed(
    attempt: Attempt,
    failure: EndpointFailure,
    provider: Provider | undefined,
    /** When an earlier refresh was begun that never came to its end. */
    unfinished: string | undefined,
  ): Promise<RefreshOutcome> {
    const verdict = judgeWithHistory(failure, attempt.history, seam.now());
    if (verdict.kind === 'retrying') {
      const change = {
        state: 'retrying' as const,
        problem: { code: verdict.code, message: verdict.message },
        retryAt: isoAfter(pauseInPassing(attempt.history, verdict.retryAfterSeconds)),
        refusedAsOf: attempt.account.refusedAsOf,
        // No answer may mean that the request arrived: the note that a refresh began has to stay.
        refreshBegunAt: failure.status === undefined ? attempt.account.refreshBegunAt : unfinished,
      };
      const account = await saveOutcome(attempt, change, failure);
      return account === undefined ? { kind: 'changed' } : { kind: 'retrying', account };
    }
    // Nothing brings an ended grant back but a sign-in; all else goes on by itself once it is mended.
    const hasEnded = verdict.blames === 'grant' && attempt.account.kind !== 'app';
    const change = {
      state: 'action-required' as const,
      problem: problemFor(verdict, attempt.account, provider, unfinished),
      retryAt: hasEnded ? undefined : isoAfter(pauseForPerson(attempt.history)),
      refusedAsOf: hasEnded ? undefined : provider?.changedAt,
      // Said of the grant only: an earlier refresh may still have used up the token.
      refreshBegunAt: hasEnded ? undefined : unfinished,
    };
    const account = await saveOutcome(attempt, change, failure);
    return account === undefined ? { kind: 'changed' } : { kind: 'action-required', account };
  }

  async function stuck(
    attempt: Attempt,
    problem: Problem,
    more: Partial<Pick<Account, 'refusedAsOf' | 'refreshBegunAt' | 'retryAt'>> = {},
  ): Promise<RefreshOutcome> {
    const account = await saveOutcome(attempt, {
      state: 'action-required',
      problem,
      retryAt: undefined,
      refusedAsOf: undefined,
      refreshBegunAt: attempt.account.refreshBegunAt,
      ...more,
    });
    return account === undefined ? { kind: 'changed' } : { kind: 'action-required', account };
  }

  /** The vault or the identity endpoint is away and the provider was not asked: the row says of it what it said before. */
  async function unproven(
    attempt: Attempt,
    provider: Provider,
    code: VaultCode,
    refreshBegunAt: string | undefined,
  ): Promise<RefreshOutcome> {
    const account = await saveOutcome(attempt, {
      state: 'retrying',
      problem: proofAway(provider, code),
      retryAt: isoAfter(pauseInPassing(attempt.history, undefined)),
      refusedAsOf: undefined,
      refreshBegunAt,
    });
    return account === undefined ? { kind: 'changed' } : { kind: 'retrying', account };
  }

  /** The app asks for itself, with its credential alone. */
  async function askAsApp(provider: Provider, hold: Hold): Promise<Refreshed> {
    const answer = await oauth.clientCredentials(provider, [appScopeOf(provider)], { before: hold });
    return answer.kind === 'granted' ? { ...answer, kind: 'refreshed' } : answer;
  }

  /** Asks with the newest refresh token; where that is refused, with the one before, which Entra leaves alive. */
  async function ask(provider: Provider, account: Account, hold: Hold): Promise<Refreshed> {
    const { refresh: newest, previousRefresh } = account.tokens;
    const open = (sealed: string): Promise<Secret> =>
      sealer.open(sealed, tokenContext(account, 'refresh', provider));
    if (newest === undefined) throw new PostroomError('sealed-unreadable', 'There is no refresh token.');
    const first = await oauth.refresh(provider, await open(newest), { before: hold });
    if (first.kind !== 'failed' || first.failure.error !== 'invalid_grant' || previousRefresh === undefined)
      return first;
    const verdict = judgeFailure(first.failure);
    if (verdict.kind === 'retrying' || first.failure.suberror !== undefined) return first;
    const second = await oauth.refresh(provider, await open(previousRefresh), { before: hold });
    return second.kind === 'refreshed' ? second : first;
  }

  /** Notes that a refresh begins. An app can ask as often as it likes, so that there is nothing to note. */
  async function begin(stored: StoredAccount): Promise<StoredAccount | undefined> {
    const { account, etag } = stored;
    if (account.kind === 'app') return stored;
    return accounts.replace({ ...account, refreshBegunAt: account.refreshBegunAt ?? isoNow() }, etag);
  }

  async function refresh(stored: StoredAccount, renew: () => Promise<boolean>): Promise<RefreshOutcome> {
    let asked = false;
    const hold: Hold = async () => {
      if (!(await renew())) throw new PostroomError('lease-taken', 'Another process refreshes this account.');
      asked = true;
    };
    const { account } = stored;
    const unsavedOutcome = unsaved.get(account.accountId);
    if (unsavedOutcome !== undefined) {
      const written =
        unsavedOutcome.etag === stored.etag ? await store(stored.etag, unsavedOutcome.next) : undefined;
      unsaved.delete(account.accountId);
      if (written === undefined || unsavedOutcome.token === undefined) return { kind: 'changed' };
      return {
        kind: 'refreshed',
        account: written.account,
        token: unsavedOutcome.token,
        provider: unsavedOutcome.provider,
      };
    }
    const [provider, history] = await Promise.all([
      providers.get(account.providerId),
      accounts.history(account),
    ]);
    if (provider === undefined) return stuck({ ...stored, history }, providerGone);
    const ready = await withVault(async () => ({ kind: 'ready' as const, done: await sealer.ready() }));
    if (ready.kind === 'vault-away')
      return unproven({ ...stored, history }, provider, ready.code, account.refreshBegunAt);
    const begun = await begin(stored);
    if (begun === undefined) return { kind: 'changed' };
    const attempt: Attempt = { ...begun, history };
    try {
      const answer =
        account.kind === 'app' ? await askAsApp(provider, hold) : await ask(provider, begun.account, hold);
      if (answer.kind === 'refreshed') {
        const outcome = await received(attempt, provider, answer.grant);
        await promoteCredential(deps, provider, answer.credential);
        return outcome;
      }
      if (answer.kind === 'unproven')
        // The provider was not asked: the row says again what it said before.
        return await stuck(attempt, credentialGone(provider, answer.reason), {
          refusedAsOf: provider.changedAt,
          refreshBegunAt: account.refreshBegunAt,
          retryAt: isoAfter(VAULT_PAUSE_MS),
        });
      return await failed(attempt, answer.failure, provider, account.refreshBegunAt);
    } catch (error) {
      if (error instanceof PostroomError && error.code === 'lease-taken') return { kind: 'taken' };
      if (error instanceof PostroomError && error.code === 'sealed-unreadable')
        return stuck(attempt, unreadable);
      if (error instanceof PostroomError && isUnasked(error.code))
        return unproven(attempt, provider, error.code, account.refreshBegunAt);
      if (!asked) await accounts.replace(account, begun.etag);
      throw error;
    }
  }

  return {
    refresh,
    async mayTryAgain({ providerId, refusedAsOf, retryAt }) {
      if (retryAt !== undefined && !isWaiting(retryAt, seam.now())) return true;
      if (refusedAsOf === undefined) return false;
      const provider = await providers.get(providerId);
      return provider !== undefined && provider.changedAt !== refusedAsOf;
    },
  };
}
