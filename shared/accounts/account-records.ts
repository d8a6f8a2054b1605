import { z } from 'zod';
import { PostroomError } from '../platform/errors.ts';
import { codeFrom } from '../platform/problem.ts';
import {
  group,
  json,
  objectOf,
  oneOf,
  optional,
  type RecordKind,
  recordKind,
  text,
  time,
} from '../platform/records.ts';
import type {
  Account,
  AccountRef,
  AccountStatus,
  EncryptedAccess,
  Problem,
  ResourceRefusal,
} from './account.ts';
import type { SignInEvent } from './sign-in-history.ts';

// Table Accounts, PartitionKey provider id:
//   account id      a hash of the identity, see accountIdOf, so a second consent by the same person finds the same
//                   row; its tokens are encrypted
//   ~<account id>   the results of its last refreshes, written in one transaction with the account; sorts after all IDs

const problemShape = objectOf<Problem>({ code: z.string().transform(codeFrom), message: z.string() });
const refusalShape = objectOf<ResourceRefusal>({
  problem: problemShape,
  since: z.string(),
  retryAt: z.string(),
  refusedAsOf: z.string().optional(),
});

const rows = recordKind<Account>()({
  table: 'Accounts',
  version: 1,
  keysOf: ({ providerId, accountId }) => ({ partitionKey: providerId, rowKey: accountId }),
  fromKeys: ({ partitionKey, rowKey }) => ({ providerId: partitionKey, accountId: rowKey }),
  columns: {
    kind: optional(oneOf('app')),
    identity: group<Account['identity']>('identity', {
      issuer: text,
      subject: text,
      tenantId: optional(text),
      objectId: optional(text),
      user: optional(text),
      name: optional(text),
    }),
    user: text,
    address: text,
    scopes: json(z.array(z.string())),
    // Two columns, because each token may need half of what one column can store.
    tokens: group<Account['tokens']>('tokens', {
      access: optional(text),
      accessExpiresAt: time,
      receivedAt: time,
      refreshAt: time,
      refresh: optional(text),
      previousRefresh: optional(text),
    }),
    // Absent in rows from before there were two resources; such an account signs in at mail servers only.
    graph: optional(
      json(
        objectOf<EncryptedAccess>({
          access: z.string().optional(),
          receivedAt: z.string(),
          accessExpiresAt: z.string(),
          refreshAt: z.string(),
        }),
      ),
    ),
    refused: optional(
      json(
        objectOf<NonNullable<Account['refused']>>({
          outlook: refusalShape.optional(),
          graph: refusalShape.optional(),
        }),
      ),
    ),
    state: oneOf('ok', 'retrying', 'action-required'),
    stateSince: time,
    problem: optional(json(problemShape)),
    retryAt: optional(time),
    refusedAsOf: optional(time),
    refreshBegunAt: optional(time),
    consentedAt: time,
    consentedBy: text,
  },
});

/**
 * The columns of a row must form one of the three statuses of an account; otherwise Postroom did not write
 * the row.
 */
export const accountKind: RecordKind<Account> = {
  ...rows,
  fromRow(row) {
    const account = rows.fromRow(row);
    // Read column by column, so the type system does not check the combination.
    const { state, problem, retryAt }: Record<keyof AccountStatus, unknown> = account;
    if (state === 'ok' || (problem !== undefined && (state !== 'retrying' || retryAt !== undefined)))
      return account;
    throw new PostroomError(
      'bad-row',
      `Accounts/${row.partitionKey}/${row.rowKey}: the columns of its state do not belong together`,
    );
  },
};

/** The results of an account's last refreshes, newest first. */
interface SignInHistory extends AccountRef {
  events: readonly SignInEvent[];
}

/** Prefix of the row key; sorts after all account IDs. */
export const HISTORY = '~';

const signInEvent = objectOf<SignInEvent>({
  at: z.string(),
  result: z.enum(['signed-in', 'refreshed', 'retrying', 'action-required']),
  code: z.string().optional(),
  suberror: z.string().optional(),
  message: z.string().optional(),
  traceId: z.string().optional(),
  correlationId: z.string().optional(),
  times: z.number(),
  lastAt: z.string(),
});

export const signInHistoryKind = recordKind<SignInHistory>()({
  table: 'Accounts',
  version: 1,
  keysOf: ({ providerId, accountId }) => ({ partitionKey: providerId, rowKey: HISTORY + accountId }),
  fromKeys: ({ partitionKey, rowKey }) => ({
    providerId: partitionKey,
    accountId: rowKey.slice(HISTORY.length),
  }),
  columns: { events: json(z.array(signInEvent)) },
});
