import { PostroomError } from '../platform/errors.ts';
import { codeFrom } from '../platform/problem.ts';
import { listAll, type Row, type Tables } from '../platform/tables.ts';
import { readRows } from '../platform/unreadable-rows.ts';
import type { Account, AccountRef, AccountState } from './account.ts';
import { historyOf, type SignInEvent, withEvent } from './sign-in-history.ts';

// Table Accounts, PartitionKey provider id:
//   account id      a hash of who signed in, see accountIdOf, so that a second consent by the same person finds the
//                   same row; tokens in it are sealed
//   ~<account id>   how its last refreshes ended, written in one transaction with what they changed; after all ids

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
  const history = async ({ providerId, accountId }: AccountRef): Promise<SignInEvent[]> =>
    historyOf((await table.get(providerId, HISTORY + accountId))?.['events']);
  return {
    async get({ providerId, accountId }) {
      if (!isId(providerId) || !isId(accountId)) return undefined;
      const row = await table.get(providerId, accountId);
      return row === undefined ? undefined : { account: accountOf(row), etag: row.etag ?? '' };
    },
    async listOf(providerId) {
      const rows = await listAll(table, providerId, { to: HISTORY });
      return readRows(tables, { table: 'Accounts', partition: providerId }, rows, accountOf);
    },
    history,
    async save(account) {
      const events = withEvent(await history(account), { at: account.consentedAt, result: 'signed-in' });
      await table.commit(account.providerId, [
        { kind: 'put', row: rowOf(account) },
        { kind: 'put', row: historyRow(account, events) },
      ]);
    },
    async replace(account, etag, events) {
      const written = await table.commit(account.providerId, [
        { kind: 'replace', row: rowOf(account), etag },
        ...(events === undefined ? [] : [{ kind: 'put' as const, row: historyRow(account, events) }]),
      ]);
      return written.ok ? { account, etag: written.etags[0] ?? '' } : undefined;
    },
    async remove({ providerId, accountId }) {
      await table.commit(providerId, [{ kind: 'remove', rowKey: accountId }]);
      await table.commit(providerId, [{ kind: 'remove', rowKey: HISTORY + accountId }]);
    },
  };
}

const HISTORY = '~';
const historyRow = ({ providerId, accountId }: AccountRef, events: readonly SignInEvent[]): Row => ({
  partitionKey: providerId,
  rowKey: HISTORY + accountId,
  events: JSON.stringify(events),
});

const isId = (text: string): boolean => /^[a-z2-7]{26}$/.test(text);

function rowOf(account: Account): Row {
  const { identity, tokens, problem } = account;
  return {
    partitionKey: account.providerId,
    rowKey: account.accountId,
    kind: account.kind,
    issuer: identity.issuer,
    subject: identity.subject,
    tenantId: identity.tenantId,
    objectId: identity.objectId,
    signedInAs: identity.user,
    name: identity.name,
    user: account.user,
    address: account.address,
    scopes: account.scopes.join(' '),
    accessToken: tokens.access,
    accessExpiresAt: tokens.accessExpiresAt,
    receivedAt: tokens.receivedAt,
    refreshAt: tokens.refreshAt,
    refreshToken: tokens.refresh,
    previousRefreshToken: tokens.previousRefresh,
    state: account.state,
    stateSince: account.stateSince,
    problemCode: problem?.code,
    problem: problem?.message,
    retryAt: account.retryAt,
    refusedAsOf: account.refusedAsOf,
    refreshBegunAt: account.refreshBegunAt,
    consentedAt: account.consentedAt,
    consentedBy: account.consentedBy,
  };
}

function accountOf(row: Row): Account {
  const problemCode = optional(row, 'problemCode');
  return {
    providerId: row.partitionKey,
    accountId: row.rowKey,
    kind: row['kind'] === 'app' ? 'app' : undefined,
    identity: {
      issuer: text(row, 'issuer'),
      subject: text(row, 'subject'),
      tenantId: optional(row, 'tenantId'),
      objectId: optional(row, 'objectId'),
      user: optional(row, 'signedInAs'),
      name: optional(row, 'name'),
    },
    user: text(row, 'user'),
    address: text(row, 'address'),
    scopes: text(row, 'scopes')
      .split(' ')
      .filter((scope) => scope !== ''),
    tokens: {
      access: optional(row, 'accessToken'),
      accessExpiresAt: text(row, 'accessExpiresAt'),
      receivedAt: optional(row, 'receivedAt'),
      refreshAt: text(row, 'refreshAt'),
      refresh: optional(row, 'refreshToken'),
      previousRefresh: optional(row, 'previousRefreshToken'),
    },
    state: stateOf(row),
    stateSince: text(row, 'stateSince'),
    problem:
      problemCode === undefined
        ? undefined
        : { code: codeFrom(problemCode), message: optional(row, 'problem') ?? '' },
    retryAt: optional(row, 'retryAt'),
    refusedAsOf: optional(row, 'refusedAsOf'),
    refreshBegunAt: optional(row, 'refreshBegunAt'),
    consentedAt: text(row, 'consentedAt'),
    consentedBy: text(row, 'consentedBy'),
  };
}

function stateOf(row: Row): AccountState {
  const state = row['state'];
  if (state === 'works' || state === 'retrying' || state === 'needs-person') return state;
  throw broken(row, 'state');
}

function optional(row: Row, column: string): string | undefined {
  const value = row[column];
  return typeof value === 'string' ? value : undefined;
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw broken(row, column);
  return value;
}

const broken = (row: Row, column: string): PostroomError =>
  new PostroomError('bad-row', `Accounts/${row.rowKey}.${column} does not hold what Postroom wrote there`);
