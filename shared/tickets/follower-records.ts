import { recordKind, text } from '../platform/records.ts';

// Tickets: ticketId / `f|<number>`   a ticket that follows this one (10 digits); derived from that ticket's
// head

/** A ticket that follows another one: the inverse of its `follows`. */
export interface FollowerRecord {
  /** ID of the ticket that is followed. */
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
