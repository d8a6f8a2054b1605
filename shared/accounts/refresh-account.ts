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
import {
  credentialGone,
  problemFor,
  credentialUnavailable,
  providerGone,
  unreadable,
} from './refresh-problem.ts';
import { pauseForPerson, pauseInPassing } from './retry-pause.ts';
import { encryptTokens } from './encrypt-tokens.ts';
import { type SignInEvent, withEvent } from './sign-in-history.ts';
import { type EndpointFailure, judgeFailure, judgeWithHistory, silence } from './token-failure.ts';
import { withVault } from './vault-failure.ts';

export type RefreshOutcome =
  /** `provider`: the provider as it was when it was called. */
  | { kind: 'refreshed'; account: Account; token: Secret; provider: Provider }
  | { kind: 'retrying'; account: Account }
  | { kind: 'action-required'; account: Account }
  /** The row has changed since it was read: read it again. */
  | { kind: 'changed' }
  /** The lease has expired and another process refreshes; the provider was not called again. */
  | { kind: 'taken' };

export interface Refresher {
  /**
   * Refreshes once. The caller holds the account's lease, and `hold` renews it before each request to the
   * provider: slow discovery, a second credential and the previous token may together take longer than the
   * lease.
   */
  refresh(stored: StoredAccount, hold: () => Promise<boolean>): Promise<RefreshOutcome>;
  /** True when the cause of a refusal may have been fixed, so the provider may be called again. */
  mayTryAgain(account: Account): Promise<boolean>;
}

/**
 * A row as read, with its history, both read before the provider is called and not while its response
 * waits.
 */
interface Attempt extends StoredAccount {
  history: readonly SignInEvent[];
}

/** `stateSince` is derived from the previous status. */
type NextStatus = WithoutSince<AccountStatus>;
type WithoutSince<Status> = Status extends AccountStatus ? Omit<Status, 'stateSince'> : never;

/** The new row, with its history. */
interface Next {
  account: Account;
  history: readonly SignInEvent[];
}

/** Codes thrown while the credential is fetched, before the provider is called. */
const isUnasked = (code: ProblemCode): code is VaultCode =>
  partBlamed(code) === 'key-vault' || code === 'no-identity';
/** Called before a request; throws when the lease on the account is lost. */
type Hold = () => Promise<void>;

const STORE_TRIES = 4;
const STORE_PAUSE_MS = 250;
// Postroom is not notified when a vault entry is available again.
const VAULT_PAUSE_MS = 10 * 60_000;

/**
 * Refreshes an account in this order: the row records that a refresh started; the provider is called; its
 * response is stored before anything else happens. A crash in between is therefore visible: the row says
 * "started", and if the provider then refuses the old token, the person reads why.
 */
export function createRefresher(deps: AccessTokenDeps): Refresher {
  const { seam, accounts, sealer, providers, oauth } = deps;
  /** Received but not stored, because storage was unavailable for longer than the retries. */
  const unsaved = new Map<
    string,
    { etag: string; next: Next; token: Secret | undefined; provider: Provider }
  >();
  const isoAfter = (milliseconds: number): string => new Date(seam.now() + milliseconds).toISOString();
  const isoNow = (): string => isoAfter(0);

  const after = (attempt: Attempt, event: Omit<SignInEvent, 'at' | 'times' | 'lastAt'>): SignInEvent[] =>
    withEvent(attempt.history, { ...event, at: isoNow() });

  /** Writes a state and its history; undefined when the row has changed since it was read. */
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

  /** Stores a response, with retries: a rotated token that is lost can't be recovered. */
  async function store(etag: string, { account, history }: Next): Promise<StoredAccount | undefined> {
    for (let tries = 1; ; tries++) {
      try {
        const written = await accounts.replace(account, etag, history);
        if (written !== undefined) return written;
        // Refused: either an earlier try succeeded and its response was lost, or another process has
        // written the row. No two ciphertexts are equal. The refresh token alone is not enough: it may be
        // the previous one, and an app has none.
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
    /** When an earlier refresh started that never finished. */
    unfinished: string | undefined,
  ): Promise<RefreshOutcome> {
    const verdict = judgeWithHistory(failure, attempt.history, seam.now());
    if (verdict.kind === 'retrying') {
      const change = {
        state: 'retrying' as const,
        problem: { code: verdict.code, message: verdict.message },
        retryAt: isoAfter(pauseInPassing(attempt.history, verdict.retryAfterSeconds)),
        refusedAsOf: attempt.account.refusedAsOf,
        // Without a response the request may have arrived, so the record of the started refresh must stay.
        refreshBegunAt: failure.status === undefined ? attempt.account.refreshBegunAt : unfinished,
      };
      const account = await saveOutcome(attempt, change, failure);
      return account === undefined ? { kind: 'changed' } : { kind: 'retrying', account };
    }
    // Only a new sign-in restores an ended grant; everything else continues automatically once it is fixed.
    const hasEnded = verdict.blames === 'grant' && attempt.account.kind !== 'app';
    const change = {
      state: 'action-required' as const,
      problem: problemFor(verdict, attempt.account, provider, unfinished),
      retryAt: hasEnded ? undefined : isoAfter(pauseForPerson(attempt.history)),
      refusedAsOf: hasEnded ? undefined : provider?.changedAt,
      // Applies to the grant only: an earlier refresh may still have used up the token.
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

  /**
   * The vault or the identity endpoint is unavailable and the provider was not called: the status of the
   * account is unchanged.
   */
  async function unproven(
    attempt: Attempt,
    provider: Provider,
    code: VaultCode,
    refreshBegunAt: string | undefined,
  ): Promise<RefreshOutcome> {
    const account = await saveOutcome(attempt, {
      state: 'retrying',
      problem: credentialUnavailable(provider, code),
      retryAt: isoAfter(pauseInPassing(attempt.history, undefined)),
      refusedAsOf: undefined,
      refreshBegunAt,
    });
    return account === undefined ? { kind: 'changed' } : { kind: 'retrying', account };
  }

  /** The app authenticates with its credential only. */
  async function askAsApp(provider: Provider, hold: Hold): Promise<Refreshed> {
    const answer = await oauth.clientCredentials(provider, [appScopeOf(provider)], { before: hold });
    return answer.kind === 'granted' ? { ...answer, kind: 'refreshed' } : answer;
  }

  /** Uses the newest refresh token; if it is refused, the previous one, which Entra keeps valid. */
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

  /**
   * Records that a refresh starts. An app can request tokens as often as it likes, so nothing is recorded.
   */
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
        // The provider was not called: the problem stays the same.
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
