import { openRecords } from '../platform/open-records.ts';
import type { Tables } from '../platform/tables.ts';
import type { Account, AccountRef } from './account.ts';
import { accountKind, HISTORY, signInHistoryKind } from './account-records.ts';
import { type SignInEvent, withEvent } from './sign-in-history.ts';

export interface StoredAccount {
  account: Account;
  etag: string;
}

export interface AccountStore {
  get(ref: AccountRef): Promise<StoredAccount | undefined>;
  listOf(providerId: string): Promise<Account[]>;
  /** The results of its last refreshes, newest first. */
  history(ref: AccountRef): Promise<SignInEvent[]>;
  /** Writes unconditionally: after a consent. */
  save(account: Account): Promise<void>;
  /**
   * Writes the row and its history only if the row is unchanged since it was read; otherwise undefined.
   */
  replace(
    account: Account,
    etag: string,
    history?: readonly SignInEvent[],
  ): Promise<StoredAccount | undefined>;
  remove(ref: AccountRef): Promise<void>;
}

/**
 * Accounts and their sign-in history, in the table Accounts. Every method throws PostroomError if storage
 * is unavailable.
 */
export function createAccountStore(tables: Tables): AccountStore {
  const table = tables.open('Accounts');
  const accounts = openRecords(tables, accountKind);
  // An unreadable history is reported and counts as empty: it must not block a refresh, and the next one
  // overwrites it.
  const histories = openRecords(tables, signInHistoryKind);
  // An unreadable history counts as empty: it must not block a refresh, and the next one overwrites it.
  const history = async ({ providerId, accountId }: AccountRef): Promise<SignInEvent[]> => [
    ...((await histories.find(providerId, HISTORY + accountId))?.events ?? []),
  ];
  return {
    async get({ providerId, accountId }) {
      if (!isId(providerId) || !isId(accountId)) return undefined;
      const stored = await accounts.get(providerId, accountId);
      return stored && { account: stored.record, etag: stored.etag };
    },
    listOf: (providerId) => accounts.list(providerId, { to: HISTORY }),
    history,
    async save(account) {
      const events = withEvent(await history(account), { at: account.consentedAt, result: 'signed-in' });
      await table.commit(account.providerId, [
        { kind: 'put', row: accountKind.toRow(account) },
        { kind: 'put', row: signInHistoryKind.toRow({ ...account, events }) },
      ]);
    },
    async replace(account, etag, events) {
      const written = await table.commit(account.providerId, [
        { kind: 'replace', row: accountKind.toRow(account), etag },
        ...(events === undefined
          ? []
          : [{ kind: 'put' as const, row: signInHistoryKind.toRow({ ...account, events }) }]),
      ]);
      return written.ok ? { account, etag: written.etags[0] ?? '' } : undefined;
    },
    async remove({ providerId, accountId }) {
      await table.commit(providerId, [{ kind: 'remove', rowKey: accountId }]);
      await table.commit(providerId, [{ kind: 'remove', rowKey: HISTORY + accountId }]);
    },
  };
}

const isId = (text: string): boolean => /^[a-z2-7]{26}$/.test(text);
