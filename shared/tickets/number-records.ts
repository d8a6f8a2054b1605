import { recordKind, text, whole } from '../platform/records.ts';

// Numbers: `n` / 10 digits   the ticket that a number was reserved for; inserted and never changed, so that no number is
//                            ever given twice, whatever became of the counter
//          `n` / `last`      the counter: the last number given
// One partition: the counter moves in the transaction that inserts the numbers.
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
