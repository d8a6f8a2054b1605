import { recordKind, text } from '../platform/records.ts';

// Tickets: ticketId / `f|<number>`   a ticket that follows this one, 10 digits; derived from the head of that one

/** A ticket that follows another one: the other direction of its `follows`. */
export interface FollowerRecord {
  /** The ticket that is followed. */
  ticketId: string;
  number: number;
  followerId: string;
}

export const FOLLOWERS = 'f|';
export const followerKind = recordKind<FollowerRecord>()({
  table: 'Tickets',
  version: 1,
  keysOf: ({ ticketId, number }) => ({
    partitionKey: ticketId,
    rowKey: `${FOLLOWERS}${String(number).padStart(10, '0')}`,
  }),
  fromKeys: ({ partitionKey, rowKey }) => ({
    ticketId: partitionKey,
    number: Number(rowKey.slice(FOLLOWERS.length)),
  }),
  columns: { followerId: text },
});
