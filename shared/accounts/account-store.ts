import { openRecords } from '../platform/records.ts';
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
  /** How its last refreshes ended, newest first. */
  history(ref: AccountRef): Promise<SignInEvent[]>;
  /** Writes whatever stood there: after a consent. */
  save(account: Account): Promise<void>;
  /** Writes only over the row that was read, and the history beside it; undefined when it has changed or is gone. */
  replace(
    account: Account,
    etag: string,
    history?: readonly SignInEvent[],
  ): Promise<StoredAccount | undefined>;
  remove(ref: AccountRef): Promise<void>;
}

export function createAccountStore(tables: Tables): AccountStore {
  const table = tables.open('Accounts');
  const accounts = openRecords(tables, accountKind);
  // One that cannot be read is reported and counts as empty: it stops no refresh, and the next one writes it anew.
  const histories = openRecords(tables, signInHistoryKind);
  // One that cannot be read counts as empty: it stops no refresh, and the next one writes it anew.
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
