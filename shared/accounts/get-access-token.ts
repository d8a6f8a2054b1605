import type { ActivityStore } from '../activity/activity-store.ts';
import type { Blobs, Lease } from '../platform/blobs.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Code } from '../platform/problem.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import type { DemoWorld } from '../platform/config.ts';
import { mailServersOf, type Provider } from '../providers/provider.ts';
import type { PromoteDeps } from '../providers/promote-credential.ts';
import {
  type Account,
  type AccountRef,
  hasEnded,
  type EncryptedTokens,
  type Problem,
  tokenContext,
} from './account.ts';
import type { AccountStore, StoredAccount } from './account-store.ts';
import { isFresh, isWaiting } from './grant.ts';
import { recordRefresh } from './record-refresh.ts';
import type { OAuthClient } from './oauth-client.ts';
import { createRefresher } from './refresh-account.ts';
import type { TokenCipher } from './token-encryption.ts';
import { vaultInWords, withVault } from './vault-failure.ts';

export type AccessToken =
  | { kind: 'token'; token: Secret; expiresAt: string; user: string }
  /** Passes by itself; nobody is asked for anything. */
  | { kind: 'retrying'; code: Code; message: string; retryAt?: string }
  /** A person has to act; the message says what for. */
  | { kind: 'action-required'; code: Code; message: string };

/** What a caller wants a token for. */
export interface TokenUse {
  /** Name of the mail server that it will be sent to. */
  host: string;
  /** One that the mail server has just refused, so that it is not given again. */
  rejected?: string | undefined;
  /** Also during the pause after a failure that passes by itself, because what caused it may be over. */
  tryNow?: boolean | undefined;
}

export interface AccessTokens {
  /**
  /**
   * A token that works for now, for one mail server of its provider: another host gets none, whoever asks (RFC 9700
   * section 4.9). A vault that is away is `retrying`, as an answer of the provider that passes is.
   * @throws PostroomError when storage is away.
   */
  get(account: AccountRef, use: TokenUse): Promise<AccessToken>;
  /**
   * Asks the provider although the token at hand is good: for a grant that idles, or because a person wants to know.
   * `again`: also where only a person could end the last refusal, and during the pause after a failure. A sign-in that
   * has ended is never asked for again: it has no token left.
   */
  renew(account: AccountRef, options?: { again?: boolean }): Promise<AccessToken>;
  /** Drops what this process remembers, after a new consent. */
  forget(account: AccountRef): void;
}

export interface AccessTokenDeps extends PromoteDeps {
  config: { demo: DemoWorld | undefined };
  seam: Seam;
  blobs: Blobs;
  accounts: AccountStore;
  sealer: TokenCipher;
  oauth: OAuthClient;
  activity: Pick<ActivityStore, 'note'>;
  /** Milliseconds between two looks at a refresh that another process runs. */
  pauseMs?: number;
}

/** What a caller does not want to be given. */
interface Refused {
  /** The token that the mail server has just refused. */
  rejected?: string | undefined;
  /** ISO time before which no token may have been received. */
  olderThan?: string | undefined;
  /** Even where only a person can end the last refusal, or a pause is not over. */
  again?: boolean | undefined;
  /** Even if a pause is not over. */
  tryNow?: boolean | undefined;
}

interface Remembered {
  token: Secret;
  tokens: EncryptedTokens;
  user: string;
  /** The mail servers it may be sent to. */
  hosts: readonly string[];
  /** When the row said so, in milliseconds since the epoch. */
  seenAt: number;
}

/** A token with the mail servers it may be sent to; the rest as a caller sees it. */
type Held = Extract<AccessToken, { kind: 'token' }> & Pick<Remembered, 'hosts'>;
type NoToken = Exclude<AccessToken, { kind: 'token' }>;
type Obtained = Held | NoToken;

/**
 * How long a token is given without a look at its row: an account that was deleted, or refused, in another process ends
 * here within this time (while storage answers: without it, the token serves until it ends). Of fetches a minute apart every second one reads a row: 100 accounts, 2.2 million reads a month.
 */
const TRUSTED_MS = 90_000;

// What a lease may last at most. It is renewed before each request, so that it outlasts one (15 s) and storing its answer.
const LEASE_SECONDS = 60;
const MAX_CHECKS = 40;
const PAUSE_MS = 500;

/** Access tokens of all accounts: remembered, read from the table, or refreshed, one refresh at a time an account. */
export function createAccessTokens(deps: AccessTokenDeps): AccessTokens {
  const { seam, accounts, providers, sealer, config } = deps;
  const remembered = new Map<string, Remembered>();
  const running = new Map<string, Promise<Obtained>>();
  const refresher = createRefresher(deps);

  const keyOf = ({ providerId, accountId }: AccountRef): string => `${providerId}/${accountId}`;

  /** What the row itself answers; undefined when only a refresh can. */
  async function answerOf(
    { account }: StoredAccount,
    provider: Provider | undefined,
    refused: Refused,
  ): Promise<Obtained | undefined> {
    const { rejected, olderThan, again, tryNow } = refused;
    if (hasEnded(account)) return { kind: 'action-required', ...problemOf(account) };
    if (account.state === 'action-required' && again !== true && !(await refresher.mayTryAgain(account)))
      return { kind: 'action-required', ...problemOf(account) };
    // A refusal is answered by asking again, not by the token from before it: else nobody would see that it has ended.
    const fresh =
      account.state !== 'action-required' &&
      isFresh(account.tokens, seam.now()) &&
      (olderThan === undefined || account.tokens.receivedAt >= olderThan);
    const token = fresh ? await openAccess(account, provider) : undefined;
    if (token !== undefined && provider !== undefined && token.expose() !== rejected)
      return remember(account, provider, token);
    const isPaused = again !== true && tryNow !== true && isWaiting(account.retryAt, seam.now());
    if (account.state !== 'action-required' && isPaused)
      return stillGood(account, provider, rejected, {
        kind: 'retrying',
        ...problemOf(account),
        ...(account.retryAt !== undefined && { retryAt: account.retryAt }),
      });
    return undefined;
  }

  /** Undefined also where it was given for another registration than the provider is now. */
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

  const hostsOf = (provider: Provider): string[] =>
    Object.values(mailServersOf(provider, config)).map(({ host }) => host.toLowerCase());

  function remember(account: Account, provider: Provider, token: Secret): Held {
    const { tokens, user } = account;
    const known = { token, tokens, user, hosts: hostsOf(provider), seenAt: seam.now() };
    remembered.set(keyOf(account), known);
    return heldOf(known);
  }

  /** While a refresh fails in passing, the token at hand serves until it ends. */
  async function stillGood(
    account: Account,
    provider: Provider | undefined,
    rejected: string | undefined,
    otherwise: NoToken,
  ): Promise<Obtained> {
    if (Date.parse(account.tokens.accessExpiresAt) <= seam.now()) return otherwise;
    const token = await openAccess(account, provider);
    if (token === undefined || provider === undefined || token.expose() === rejected) return otherwise;
    const { tokens, user } = account;
    return { kind: 'token', token, expiresAt: tokens.accessExpiresAt, user, hosts: hostsOf(provider) };
  }

  async function obtain(ref: AccountRef, refused: Refused): Promise<Obtained> {
    let lease: Lease | undefined;
    try {
      for (let look = 0; ; look++) {
        // Two reads that a change may part: a token only opens for the registration that it was sealed for.
        const [stored, provider] = await Promise.all([accounts.get(ref), providers.get(ref.providerId)]);
        if (stored === undefined) return accountGone;
        const answer = await answerOf(stored, provider, refused);
        if (answer !== undefined) return answer;
        // The row is read again under the lease: whoever held it before may have refreshed.
        if (lease !== undefined) {
          const done = await refreshed(stored, provider, lease, refused.rejected);
          if (done !== undefined || look >= MAX_CHECKS) return done ?? busy;
          continue;
        }
        lease = await deps.blobs.lease(`lease/account-${ref.accountId}`, LEASE_SECONDS);
        if (lease !== undefined) continue;
        if (look >= MAX_CHECKS) return stillGood(stored.account, provider, refused.rejected, busy);
        await new Promise((resolve) => setTimeout(resolve, deps.pauseMs ?? PAUSE_MS));
      }
    } finally {
      // A lease that cannot be given back ends by itself; the answer counts.
      await lease?.release().catch(() => undefined);
    }
  }

  /** Without the vault the token at hand cannot even be opened. */
  async function obtainOrWait(ref: AccountRef, refused: Refused): Promise<Obtained> {
    const answer = await withVault(() => obtain(ref, refused));
    if (answer.kind !== 'vault-away') return answer;
    const said = answer.said.replace(/\.$/, '');
    const message = `${vaultInWords(answer).happened}: ${said}. Postroom retries automatically.`;
    return { kind: 'retrying', code: answer.code, message };
  }

  async function refreshed(
    stored: StoredAccount,
    provider: Provider | undefined,
    lease: Lease,
    rejected: string | undefined,
  ): Promise<Obtained | undefined> {
    const outcome = await recordRefresh(deps, stored.account, () =>
      refresher.refresh(stored, () => lease.renew()),
    );
    switch (outcome.kind) {
      case 'refreshed':
        return remember(outcome.account, outcome.provider, outcome.token);
      case 'retrying':
        return stillGood(outcome.account, provider, rejected, {
          kind: 'retrying',
          ...problemOf(outcome.account),
          ...(outcome.account.retryAt !== undefined && { retryAt: outcome.account.retryAt }),
        });
      case 'action-required':
        return { kind: 'action-required', ...problemOf(outcome.account) };
      case 'changed':
        return undefined;
      case 'taken':
        return stillGood(stored.account, provider, rejected, busy);
    }
  }

  /** One request of an account at a time; the others wait for it and see whether it brought what they want. */
  async function inTurn(
    ref: AccountRef,
    refused: Refused,
    suits: (answer: Obtained) => boolean,
  ): Promise<Obtained> {
    const key = keyOf(ref);
    for (let before = running.get(key); before !== undefined; before = running.get(key)) {
      const answer = await before;
      if (suits(answer)) return answer;
    }
    const run = obtainOrWait(ref, refused).finally(() => {
      if (running.get(key) === run) running.delete(key);
    });
    running.set(key, run);
    return run;
  }

  const isUsable = ({ token, tokens }: Remembered, rejected: string | undefined): boolean =>
    Date.parse(tokens.accessExpiresAt) > seam.now() && token.expose() !== rejected;

  return {
    async get(ref, { host, rejected, tryNow }) {
      const known = remembered.get(keyOf(ref));
      if (known !== undefined && isTrusted(known, seam.now()) && known.token.expose() !== rejected)
        return handedTo(host, heldOf(known));
      try {
        // Whoever waits for the request of another caller may have another host in mind: each answer is looked at here.
        const answer = await inTurn(
          ref,
          { rejected, tryNow },
          (one) => one.kind !== 'token' || one.token.expose() !== rejected,
        );
        return handedTo(host, answer);
      } catch (error) {
        // While storage is away nobody can have removed the account there; the news of it may need this very token.
        const isAway = error instanceof PostroomError && error.code === 'table-storage';
        if (!isAway || known === undefined || !isUsable(known, rejected)) throw error;
        return handedTo(host, heldOf(known));
      }
    },
    async renew(ref, { again } = {}) {
      const olderThan = new Date(seam.now()).toISOString();
      return withoutHosts(await inTurn(ref, { olderThan, again }, () => false));
    },
    forget(ref) {
      remembered.delete(keyOf(ref));
    },
  };
}

const heldOf = ({ token, tokens, user, hosts }: Remembered): Held => ({
  kind: 'token',
  token,
  expiresAt: tokens.accessExpiresAt,
  user,
  hosts,
});

function withoutHosts(answer: Obtained): AccessToken {
  if (answer.kind !== 'token') return answer;
  const { hosts: _hosts, ...token } = answer;
  return token;
}

/** The last look before a token leaves: only the provider's own mail servers get one. */
function handedTo(host: string, answer: Obtained): AccessToken {
  if (answer.kind !== 'token' || answer.hosts.includes(host.toLowerCase())) return withoutHosts(answer);
  const { hosts, user } = answer;
  const own = hosts.length === 0 ? 'at no mail server' : `at ${[...new Set(hosts)].join(', ')} alone`;
  return {
    kind: 'action-required',
    code: 'mail-host-refused',
    message: `The sign-in of ${user} may be used ${own}, and not at ${host}. Correct the server of the mailbox, or the mail servers of its provider.`,
  };
}

/** A clock that was set back makes nothing trusted for longer. */
const isTrusted = ({ tokens, seenAt }: Remembered, now: number): boolean =>
  isFresh(tokens, now) && now >= seenAt && now - seenAt < TRUSTED_MS;

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
