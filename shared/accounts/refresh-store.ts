import type { VaultCode } from '../platform/problem.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import type { Resource } from '../providers/protocol-access.ts';
import type { Provider } from '../providers/provider.ts';
import type { Account, AccountStatus, Problem } from './account.ts';
import { resourcesOfAccount, scopesAfter, withoutRefusal } from './account-resources.ts';
import type { AccountStore, StoredAccount } from './account-store.ts';
import { encryptTokens } from './encrypt-tokens.ts';
import type { Grant } from './grant.ts';
import { credentialUnavailable, problemFor, resourceRefused } from './refresh-problem.ts';
import { pauseForPerson, pauseInPassing } from './retry-pause.ts';
import { type SignInEvent, withEvent } from './sign-in-history.ts';
import type { TokenCipher } from './token-encryption.ts';
import {
  blamesResource,
  type EndpointFailure,
  judgeWithHistory,
  type Lasting,
  silence,
} from './token-failure.ts';

export type RefreshOutcome =
  /** `provider`: the provider as it was when it was called. */
  | { kind: 'refreshed'; account: Account; token: Secret; provider: Provider }
  | { kind: 'retrying'; account: Account }
  | { kind: 'action-required'; account: Account }
  /** One resource refuses; the account keeps its state. */
  | { kind: 'refused'; account: Account; problem: Problem }
  /** The row has changed since it was read: read it again. */
  | { kind: 'changed' }
  /** The lease has expired and another process refreshes; the provider was not called again. */
  | { kind: 'taken' };

/**
 * A row as read, with its history, both read before the provider is called and not while its response
 * waits.
 */
export interface Attempt extends StoredAccount {
  /** What the token is for. */
  resource: Resource;
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

/** Writes what came of a refresh to the account's row and its history. */
export interface RefreshStore {
  /** Stores the tokens of a response; without an access token, the refresh has failed temporarily. */
  storeGrant(attempt: Attempt, provider: Provider, grant: Grant): Promise<RefreshOutcome>;
  /**
   * Stores that the provider refused or did not respond.
   * @param unfinished when an earlier refresh started that never finished
   */
  storeFailure(
    attempt: Attempt,
    failure: EndpointFailure,
    provider: Provider | undefined,
    unfinished: string | undefined,
  ): Promise<RefreshOutcome>;
  /** Stores a problem that a person has to fix, found without calling the provider. */
  storeProblem(
    attempt: Attempt,
    problem: Problem,
    more?: Partial<Pick<Account, 'refusedAsOf' | 'refreshBegunAt' | 'retryAt'>>,
  ): Promise<RefreshOutcome>;
  /**
   * Stores that the vault or the identity endpoint is unavailable. The provider was not called, so the
   * status of the account is unchanged.
   */
  storeUnavailable(
    attempt: Attempt,
    provider: Provider,
    code: VaultCode,
    refreshBegunAt: string | undefined,
  ): Promise<RefreshOutcome>;
  /** Stores an earlier response that storage did not accept then; undefined if there is none. */
  storeUnsaved(stored: StoredAccount & { resource: Resource }): Promise<RefreshOutcome | undefined>;
}

interface StoreDeps {
  seam: Seam;
  accounts: AccountStore;
  sealer: TokenCipher;
  /** Milliseconds before a response is stored for the second time; before each further time, as many more. */
  storePauseMs?: number | undefined;
}

const STORE_TRIES = 4;
const STORE_PAUSE_MS = 250;

function eventOf(
  result: SignInEvent['result'],
  problem: Problem,
  failure: EndpointFailure | undefined,
): Omit<SignInEvent, 'at' | 'times' | 'lastAt'> {
  const { suberror, traceId, correlationId } = failure ?? {};
  return {
    result,
    code: problem.code,
    message: failure === undefined ? problem.message : (failure.sentence ?? failure.detail),
    ...(suberror !== undefined && { suberror }),
    ...(traceId !== undefined && { traceId }),
    ...(correlationId !== undefined && { correlationId }),
  };
}

export function createRefreshStore({
  seam,
  accounts,
  sealer,
  storePauseMs = STORE_PAUSE_MS,
}: StoreDeps): RefreshStore {
  /** Received but not stored, because storage was unavailable for longer than the retries. */
  const unsaved = new Map<
    string,
    { etag: string; next: Next; token: Secret | undefined; provider: Provider; resource: Resource }
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
    const history = after(attempt, eventOf(state, problem, failure));
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
        return there !== undefined && hasSameTokens(there.account, account) ? there : undefined;
      } catch (error) {
        if (tries >= STORE_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, storePauseMs * tries));
      }
    }
  }

  async function storeGrant(attempt: Attempt, provider: Provider, grant: Grant): Promise<RefreshOutcome> {
    const { account, etag, resource } = attempt;
    const renewed: Account = {
      ...account,
      ...(await encryptTokens(sealer, account, { provider, resource }, grant, seam.now())),
      scopes: account.kind === 'app' ? account.scopes : scopesAfter(account.scopes, resource, grant.scopes),
      refused: withoutRefusal(account.refused, resource),
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
    unsaved.set(account.accountId, { etag, next, token: grant.accessToken, provider, resource });
    const written = await store(etag, next);
    unsaved.delete(account.accountId);
    if (written === undefined) return { kind: 'changed' };
    if (grant.accessToken !== undefined)
      return { kind: 'refreshed', account: written.account, token: grant.accessToken, provider };
    const nothing = silence('The provider answered without an access token.');
    return storeFailure({ ...attempt, ...written }, nothing, undefined, undefined);
  }

  async function storeFailure(
    attempt: Attempt,
    failure: EndpointFailure,
    provider: Provider | undefined,
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
    if (blamesResource(failure) && resourcesOfAccount(attempt.account).length > 1)
      return storeRefusal(attempt, failure, verdict, provider);
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

  /** One resource refuses: the state of the account and of its other resource stays. */
  async function storeRefusal(
    attempt: Attempt,
    failure: EndpointFailure,
    verdict: Lasting,
    provider: Provider | undefined,
  ): Promise<RefreshOutcome> {
    const { account, resource } = attempt;
    const problem = resourceRefused(verdict, account, resource);
    const refusal = {
      problem,
      since: account.refused?.[resource]?.since ?? isoNow(),
      retryAt: isoAfter(pauseForPerson(attempt.history)),
      refusedAsOf: provider?.changedAt,
    };
    const next: Account = {
      ...account,
      refused: { ...account.refused, [resource]: refusal },
      refreshBegunAt: undefined,
    };
    const history = after(attempt, eventOf('action-required', problem, failure));
    const written = await accounts.replace(next, attempt.etag, history);
    return written === undefined
      ? { kind: 'changed' }
      : { kind: 'refused', account: written.account, problem };
  }

  async function storeProblem(
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

  async function storeUnavailable(
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

  async function storeUnsaved(
    stored: StoredAccount & { resource: Resource },
  ): Promise<RefreshOutcome | undefined> {
    const { accountId } = stored.account;
    const response = unsaved.get(accountId);
    if (response === undefined) return undefined;
    const { etag, next, token, provider, resource } = response;
    const written = etag === stored.etag ? await store(etag, next) : undefined;
    unsaved.delete(accountId);
    if (written === undefined || token === undefined || resource !== stored.resource)
      return { kind: 'changed' };
    return { kind: 'refreshed', account: written.account, token, provider };
  }

  return { storeGrant, storeFailure, storeProblem, storeUnavailable, storeUnsaved };
}

const hasSameTokens = (a: Account, b: Account): boolean =>
  a.tokens.access === b.tokens.access &&
  a.graph?.access === b.graph?.access &&
  a.tokens.refresh === b.tokens.refresh;
