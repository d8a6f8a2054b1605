import { PostroomError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import type { Change, Row, Table, Tables } from '../platform/tables.ts';
import { COUNTER, counterKind, NUMBERS, numberKind, numberRowKey } from './number-records.ts';

const TRIES = 50;
const HIGHEST = 2 ** 31 - 1;
/** Row keys of numbers sort before this. */
const AFTER_DIGITS = ':';

/**
 * Reserves consecutive numbers, one per ticket (at most 99), with one read and one write. A reserved number
 * that is never used leaves a gap: numbers are for people and not part of a ticket's identity.
 * @returns the first of the numbers
 * @throws PostroomError `number-counter` after too many concurrent changes
 */
export async function reserveNumbers(tables: Tables, ticketIds: readonly string[]): Promise<number> {
  const numbers = tables.open('Numbers');
  let isDoubtful = false;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const row = await numbers.get(NUMBERS, COUNTER);
    const counted = isDoubtful ? undefined : lastIn(row);
    const last = counted ?? (await highestGiven(numbers));
    const changes: Change[] = [
      counterChange(row, last + ticketIds.length),
      ...ticketIds.map((ticketId, index): Change => {
        return { kind: 'insert', row: numberKind.toRow({ number: last + 1 + index, ticketId }) };
      }),
    ];
    const written = await numbers.commit(NUMBERS, changes);
    if (written.ok) {
      if (counted === undefined && last > 0) log.warn('ticket counter found again', { last });
      return last + 1;
    }
    // The counter was changed concurrently, or it is behind numbers that are already reserved.
    isDoubtful = written.index > 0;
  }
  throw new PostroomError('number-counter', `No ticket number in ${TRIES} tries: too many writers at once`);
}

/**
 * Undefined if the counter is missing or invalid. It is then determined from the numbers, rewritten and logged.
 */
function lastIn(row: Row | undefined): number | undefined {
  if (row === undefined) return undefined;
  try {
    const { last } = counterKind.fromRow(row);
    return last >= 0 ? last : undefined;
  } catch {
    return undefined;
  }
}

function counterChange(before: Row | undefined, last: number): Change {
  const row = counterKind.toRow({ last });
  return before?.etag === undefined ? { kind: 'insert', row } : { kind: 'replace', row, etag: before.etag };
}

/** The highest number with a row, found in about 60 small reads; 0 if there is none. */
async function highestGiven(numbers: Table): Promise<number> {
  const firstFrom = async (number: number): Promise<number | undefined> => {
    const range = { from: numberRowKey(number), to: AFTER_DIGITS, limit: 1 };
    const [row] = await numbers.list(NUMBERS, range);
    return row === undefined ? undefined : Number(row.rowKey);
  };
  let given = 0;
  let free = 1;
  while (free < HIGHEST) {
    const found = await firstFrom(free);
    if (found === undefined) break;
    given = found;
    free = Math.min(2 * found, HIGHEST);
  }
  while (free - given > 1) {
    const middle = Math.floor((given + free) / 2);
    const found = await firstFrom(middle);
    if (found === undefined) free = middle;
    else given = found;
  }
  return given;
}
