import type { ActivityStore } from '../activity/activity-store.ts';
import type { Blobs, Lease } from '../platform/blobs.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import type { SettleDeps } from '../providers/settle-credential.ts';
import { type Account, type AccountRef, type SealedTokens, tokenContext } from './account.ts';
import type { AccountStore, StoredAccount } from './account-store.ts';
import { isFresh, isWaiting } from './grant.ts';
import { noteRefresh } from './note-refresh.ts';
import type { OAuthClient } from './oauth-client.ts';
import { createRefresher } from './refresh-account.ts';
import type { Sealer } from './sealing.ts';
import { vaultInWords, withVault } from './vault-trouble.ts';

export type AccessToken =
  | { kind: 'token'; token: Secret; expiresAt: string; user: string }
  /** Passes by itself; nobody is asked for anything. */
  | { kind: 'retrying'; code: string; message: string; retryAt?: string }
  /** A person has to act; the message says what for. */
  | { kind: 'needs-person'; code: string; message: string };

export interface AccessTokens {
  /**
   * A token that works for now. `rejected` is one the mail server has just refused, so that it is not given again.
   * `tryNow`: also during the pause after a failure that passes by itself, because what caused it may be over.
   * A vault that is away is `retrying`, as an answer of the provider that passes is.
   * @throws PostroomError when storage is away.
   */
  get(account: AccountRef, options?: { rejected?: string; tryNow?: boolean }): Promise<AccessToken>;
  /**
   * Asks the provider although the token at hand is good: for a grant that idles, or because a person wants to know.
   * `again`: also where only a person could end the last refusal, and during the pause after a failure.
   */
  renew(account: AccountRef, options?: { again?: boolean }): Promise<AccessToken>;
  /** Drops what this process remembers, after a new consent. */
  forget(account: AccountRef): void;
}

export interface AccessTokenDeps extends SettleDeps {
  seam: Seam;
  blobs: Blobs;
  accounts: AccountStore;
  sealer: Sealer;
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
  tokens: SealedTokens;
  user: string;
  /** When the row said so, in milliseconds since the epoch. */
  seenAt: number;
}

/**
 * How long a token is given without a look at its row: an account that was deleted, or refused, in another process ends
 * here within this time (while storage answers: without it, the token serves until it ends). Of fetches a minute apart every second one reads a row: 100 accounts, 2.2 million reads a month.
 */
const TRUSTED_MS = 90_000;

// What a lease may last at most. It is renewed before each request, so that it outlasts one (15 s) and storing its answer.
const LEASE_SECONDS = 60;
const LOOKS = 40;
const PAUSE_MS = 500;

/** Access tokens of all accounts: remembered, read from the table, or refreshed, one refresh at a time an account. */
export function createAccessTokens(deps: AccessTokenDeps): AccessTokens {
  const { seam, accounts, sealer } = deps;
  const remembered = new Map<string, Remembered>();
  const running = new Map<string, Promise<AccessToken>>();
  const refresher = createRefresher(deps);

  const keyOf = ({ providerId, accountId }: AccountRef): string => `${providerId}/${accountId}`;

  /** What the row itself answers; undefined when only a refresh can. */
  async function answerOf(stored: StoredAccount, refused: Refused): Promise<AccessToken | undefined> {
    const { account } = stored;
    const { rejected, olderThan, again, tryNow } = refused;
    if (account.state === 'needs-person' && again !== true && !(await refresher.mayTryAgain(account)))
      return { kind: 'needs-person', ...problemOf(account) };
    // A refusal is answered by asking again, not by the token from before it: else nobody would see that it has ended.
    const fresh =
      account.state !== 'needs-person' &&
      isFresh(account.tokens, seam.now()) &&
      (olderThan === undefined || (account.tokens.receivedAt ?? '') >= olderThan);
    const token = fresh ? await openAccess(account) : undefined;
    if (token !== undefined && token.expose() !== rejected) return remember(account, token);
    const isPaused = again !== true && tryNow !== true && isWaiting(account.retryAt, seam.now());
    if (account.state !== 'needs-person' && isPaused)
      return stillGood(account, rejected, {
        kind: 'retrying',
        ...problemOf(account),
        ...(account.retryAt !== undefined && { retryAt: account.retryAt }),
      });
    return undefined;
  }

  async function openAccess(account: Account): Promise<Secret | undefined> {
    const { access } = account.tokens;
    if (access === undefined) return undefined;
    try {
      return await sealer.open(access, tokenContext(account, 'access'));
    } catch (error) {
      if (error instanceof PostroomError && error.code === 'sealed-unreadable') return undefined;
      throw error;
    }
  }

  function remember(account: Account, token: Secret): AccessToken {
    const { tokens, user } = account;
    remembered.set(keyOf(account), { token, tokens, user, seenAt: seam.now() });
    return { kind: 'token', token, expiresAt: tokens.accessExpiresAt, user };
  }

  /** While a refresh fails in passing, the token at hand serves until it ends. */
  async function stillGood(
    account: Account,
    rejected: string | undefined,
    otherwise: AccessToken,
  ): Promise<AccessToken> {
    if (Date.parse(account.tokens.accessExpiresAt) <= seam.now()) return otherwise;
    const token = await openAccess(account);
    if (token === undefined || token.expose() === rejected) return otherwise;
    return { kind: 'token', token, expiresAt: account.tokens.accessExpiresAt, user: account.user };
  }

  async function obtain(ref: AccountRef, refused: Refused): Promise<AccessToken> {
    let lease: Lease | undefined;
    try {
      for (let look = 0; ; look++) {
        const stored = await accounts.get(ref);
        if (stored === undefined) return accountGone;
        const answer = await answerOf(stored, refused);
        if (answer !== undefined) return answer;
        // The row is read again under the lease: whoever held it before may have refreshed.
        if (lease !== undefined) {
          const done = await refreshed(stored, lease, refused.rejected);
          if (done !== undefined || look >= LOOKS) return done ?? busy;
          continue;
        }
        lease = await deps.blobs.lease(`lease/account-${ref.accountId}`, LEASE_SECONDS);
        if (lease !== undefined) continue;
        if (look >= LOOKS) return stillGood(stored.account, refused.rejected, busy);
        await new Promise((resolve) => setTimeout(resolve, deps.pauseMs ?? PAUSE_MS));
      }
    } finally {
      // A lease that cannot be given back ends by itself; the answer counts.
      await lease?.release().catch(() => undefined);
    }
  }

  /** Without the vault the token at hand cannot even be opened. */
  async function obtainOrWait(ref: AccountRef, refused: Refused): Promise<AccessToken> {
    const answer = await withVault(() => obtain(ref, refused));
    if (answer.kind !== 'vault-away') return answer;
    const said = answer.said.replace(/\.$/, '');
    const message = `${vaultInWords(answer).happened}: ${said}. Postroom tries again by itself.`;
    return { kind: 'retrying', code: answer.code, message };
  }

  async function refreshed(
    stored: StoredAccount,
    lease: Lease,
    rejected: string | undefined,
  ): Promise<AccessToken | undefined> {
    const outcome = await noteRefresh(deps, stored.account, () =>
      refresher.refresh(stored, () => lease.renew()),
    );
    switch (outcome.kind) {
      case 'refreshed':
        return remember(outcome.account, outcome.token);
      case 'retrying':
        return stillGood(outcome.account, rejected, {
          kind: 'retrying',
          ...problemOf(outcome.account),
          ...(outcome.account.retryAt !== undefined && { retryAt: outcome.account.retryAt }),
        });
      case 'needs-person':
        return { kind: 'needs-person', ...problemOf(outcome.account) };
      case 'changed':
        return undefined;
      case 'taken':
        return stillGood(stored.account, rejected, busy);
    }
  }

  /** One request of an account at a time; the others wait for it and see whether it brought what they want. */
  async function inTurn(
    ref: AccountRef,
    refused: Refused,
    suits: (answer: AccessToken) => boolean,
  ): Promise<AccessToken> {
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
    async get(ref, { rejected, tryNow } = {}) {
      const known = remembered.get(keyOf(ref));
      if (known !== undefined && isTrusted(known, seam.now()) && known.token.expose() !== rejected) {
        const { token, tokens, user } = known;
        return { kind: 'token', token, expiresAt: tokens.accessExpiresAt, user };
      }
      try {
        return await inTurn(
          ref,
          { rejected, tryNow },
          (answer) => answer.kind !== 'token' || answer.token.expose() !== rejected,
        );
      } catch (error) {
        // While storage is away nobody can have removed the account there; the news of it may need this very token.
        const isAway = error instanceof PostroomError && error.code === 'table-storage';
        if (!isAway || known === undefined || !isUsable(known, rejected)) throw error;
        const { token, tokens, user } = known;
        return { kind: 'token', token, expiresAt: tokens.accessExpiresAt, user };
      }
    },
    renew: (ref, { again } = {}) =>
      inTurn(ref, { olderThan: new Date(seam.now()).toISOString(), again }, () => false),
    forget(ref) {
      remembered.delete(keyOf(ref));
    },
  };
}

/** A clock that was set back makes nothing trusted for longer. */
const isTrusted = ({ tokens, seenAt }: Remembered, now: number): boolean =>
  isFresh(tokens, now) && now >= seenAt && now - seenAt < TRUSTED_MS;

const problemOf = ({ problem }: Account): { code: string; message: string } =>
  problem ?? { code: 'unknown', message: 'The account does not work and did not say why. Connect it again.' };

const accountGone: AccessToken = {
  kind: 'needs-person',
  code: 'account-missing',
  message: 'The account that signs in was removed. Connect the mailbox again.',
};
const busy: AccessToken = {
  kind: 'retrying',
  code: 'refresh-busy',
  message: 'Another process is renewing the sign-in; this one tries again.',
};
