import { recordKind, text, whole } from '../platform/records.ts';

// Numbers: `n` / 10 digits   the ticket that a number is reserved for. Inserted and never changed, so no number is
//                            assigned twice, even if the counter is lost or wrong.
//          `n` / `last`      the counter: the last reserved number
// All in one partition: the counter is updated in the transaction that inserts the numbers.
export const NUMBERS = 'n';
export const COUNTER = 'last';

export const numberRowKey = (number: number): string => String(number).padStart(10, '0');

export const numberKind = recordKind<{ number: number; ticketId: string }>()({
  table: 'Numbers',
  version: 1,
  keysOf: ({ number }) => ({ partitionKey: NUMBERS, rowKey: numberRowKey(number) }),
  fromKeys: ({ rowKey }) => ({ number: Number(rowKey) }),
  columns: { ticketId: text },
});

export const counterKind = recordKind<{ last: number }>()({
  table: 'Numbers',
  version: 1,
  keysOf: () => ({ partitionKey: NUMBERS, rowKey: COUNTER }),
  fromKeys: () => ({}),
  columns: { last: whole },
});
