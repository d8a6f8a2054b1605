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
  /** A temporary failure; no person has to act. */
  | { kind: 'retrying'; code: Code; message: string; retryAt?: string }
  /** A person has to act; the message says how. */
  | { kind: 'action-required'; code: Code; message: string };

/** What the caller needs the token for. */
export interface TokenUse {
  /** Host name of the mail server that will receive the token. */
  host: string;
  /** The token that the mail server has just refused; it is not returned again. */
  rejected?: string | undefined;
  /** Also tries during the pause after a temporary failure, whose cause may be gone. */
  tryNow?: boolean | undefined;
}

export interface AccessTokens {
  /**
   * Returns a valid token for one mail server of its provider. Other hosts get none, whoever asks (RFC 9700
   * section 4.9). An unavailable vault is `retrying`, like a temporary failure of the provider.
   * @throws PostroomError when storage is unavailable
   */
  get(account: AccountRef, use: TokenUse): Promise<AccessToken>;
  /**
   * Refreshes although the current token is still valid: to keep an idle grant alive, or because a person
   * asked. `again`: also after a refusal that only a person can fix, and during the pause after a failure.
   * A sign-in that has ended is never refreshed: it has no token left.
   */
  renew(account: AccountRef, options?: { again?: boolean }): Promise<AccessToken>;
  /** Clears this process's cache for the account, after a new consent. */
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
  /** Milliseconds between two checks for a refresh that another process runs. */
  pauseMs?: number;
}

/** Tokens and refusals that the caller does not accept. */
interface Refused {
  /** The token that the mail server has just refused. */
  rejected?: string | undefined;
  /** ISO time; only a token received later is accepted. */
  olderThan?: string | undefined;
  /** Even after a refusal that only a person can fix, or during a pause. */
  again?: boolean | undefined;
  /** Even during a pause. */
  tryNow?: boolean | undefined;
}

interface Remembered {
  token: Secret;
  tokens: EncryptedTokens;
  user: string;
  /** The mail servers it may be sent to. */
  hosts: readonly string[];
  /** When the row was read, in milliseconds since the epoch. */
  seenAt: number;
}

/** A token with the mail servers that may receive it, and what the caller sees. */
type UsableToken = Extract<AccessToken, { kind: 'token' }> & Pick<Remembered, 'hosts'>;
type NoToken = Exclude<AccessToken, { kind: 'token' }>;
type Obtained = UsableToken | NoToken;

/**
 * How long a cached token is used without reading its row. An account that another process deleted or
 * marked as refused stops here within this time (if storage is available; without it, the token is used
 * until it expires). With a fetch each minute, every second fetch reads a row: for 100 accounts, 2.2
 * million reads a month.
 */
const TRUSTED_MS = 90_000;

// Maximum lease duration. The lease is renewed before each request, so it covers the request (15 s) and
// storing its response.
const LEASE_SECONDS = 60;
const MAX_CHECKS = 40;
const PAUSE_MS = 500;

/**
 * Access tokens of all accounts: cached, read from the table, or refreshed, with one refresh at a time per
 * account.
 */
export function createAccessTokens(deps: AccessTokenDeps): AccessTokens {
  const { seam, accounts, providers, sealer, config } = deps;
  const remembered = new Map<string, Remembered>();
  const running = new Map<string, Promise<Obtained>>();
  const refresher = createRefresher(deps);

  const keyOf = ({ providerId, accountId }: AccountRef): string => `${providerId}/${accountId}`;

  /** The answer when the row alone decides; undefined when a refresh is needed. */
  async function answerOf(
    { account }: StoredAccount,
    provider: Provider | undefined,
    refused: Refused,
  ): Promise<Obtained | undefined> {
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
      return remember(account, provider, token);
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

  const hostsOf = (provider: Provider): string[] =>
    Object.values(mailServersOf(provider, config)).map(({ host }) => host.toLowerCase());

  function remember(account: Account, provider: Provider, token: Secret): UsableToken {
    const { tokens, user } = account;
    const known = { token, tokens, user, hosts: hostsOf(provider), seenAt: seam.now() };
    remembered.set(keyOf(account), known);
    return toUsable(known);
  }

  /** While a refresh fails temporarily, the current token is used until it expires. */
  async function currentToken(
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

  /** One request per account at a time; other callers wait and check whether its result suits them. */
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
        return releaseTo(host, toUsable(known));
      try {
        // A caller that waited for another caller's request may need another host, so each checks the
        // result here.
        const answer = await inTurn(
          ref,
          { rejected, tryNow },
          (one) => one.kind !== 'token' || one.token.expose() !== rejected,
        );
        return releaseTo(host, answer);
      } catch (error) {
        // While storage is unavailable, the account can't have been removed there, and the alert about it
        // may need this very token.
        const isAway = error instanceof PostroomError && error.code === 'table-storage';
        if (!isAway || known === undefined || !isUsable(known, rejected)) throw error;
        return releaseTo(host, toUsable(known));
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

const toUsable = ({ token, tokens, user, hosts }: Remembered): UsableToken => ({
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

/** The last check before a token is returned: only the provider's own mail servers get one. */
function releaseTo(host: string, answer: Obtained): AccessToken {
  if (answer.kind !== 'token' || answer.hosts.includes(host.toLowerCase())) return withoutHosts(answer);
  const { hosts, user } = answer;
  const own = hosts.length === 0 ? 'at no mail server' : `at ${[...new Set(hosts)].join(', ')} alone`;
  return {
    kind: 'action-required',
    code: 'mail-host-refused',
    message: `The sign-in of ${user} may be used ${own}, and not at ${host}. Correct the server of the mailbox, or the mail servers of its provider.`,
  };
}

/** A clock that was set back must not extend the trust. */
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
