import { z } from 'zod';
import { codeFrom } from '../platform/problem.ts';
import { PostroomError } from '../platform/errors.ts';
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
import type { Account, AccountRef, AccountStatus, Problem } from './account.ts';
import type { SignInEvent } from './sign-in-history.ts';

// Table Accounts, PartitionKey provider id:
//   account id      a hash of who signed in, see accountIdOf, so that a second consent by the same person finds the
//                   same row; tokens in it are sealed
//   ~<account id>   how its last refreshes ended, written in one transaction with what they changed; after all ids

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
    // Each has a column of its own: one alone may take half of what a column holds.
    tokens: group<Account['tokens']>('tokens', {
      access: optional(text),
      accessExpiresAt: time,
      receivedAt: time,
      refreshAt: time,
      refresh: optional(text),
      previousRefresh: optional(text),
    }),
    state: oneOf('ok', 'retrying', 'action-required'),
    stateSince: time,
    problem: optional(json(objectOf<Problem>({ code: z.string().transform(codeFrom), message: z.string() }))),
    retryAt: optional(time),
    refusedAsOf: optional(time),
    refreshBegunAt: optional(time),
    consentedAt: time,
    consentedBy: text,
  },
});

/** The columns of a row together make one of the three statuses of an account, or the row is not ours. */
export const accountKind: RecordKind<Account> = {
  ...rows,
  fromRow(row) {
    const account = rows.fromRow(row);
    // Read column by column, which is more than the type admits.
    const { state, problem, retryAt }: Record<keyof AccountStatus, unknown> = account;
    if (state === 'ok' || (problem !== undefined && (state !== 'retrying' || retryAt !== undefined)))
      return account;
    throw new PostroomError(
      'bad-row',
      `Accounts/${row.partitionKey}/${row.rowKey}: the columns of its state do not belong together`,
    );
  },
};

/** How the last refreshes of an account ended, newest first. */
interface SignInHistory extends AccountRef {
  events: readonly SignInEvent[];
}

/** Before the id of its account; after all ids. */
export const HISTORY = '~';

const signInEvent = objectOf<SignInEvent>({
  at: z.string(),
  result: z.enum(['signed-in', 'refreshed', 'retrying', 'action-required']),
  code: z.string().optional(),
  suberror: z.string().optional(),
  said: z.string().optional(),
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
