import { PostroomError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import type { Change, Row, Table, Tables } from '../platform/tables.ts';
import { COUNTER, counterKind, NUMBERS, numberKind, numberRowKey } from './number-records.ts';

const TRIES = 50;
const HIGHEST = 2 ** 31 - 1;
/** Row keys of numbers sort before this one. */
const AFTER_DIGITS = ':';

/**
 * Reserves numbers in a row, one for each of these tickets (at most 99), and gives the first; one read and one write. A
 * number that is reserved and never used stays a gap: numbers are for people, never part of a ticket's identity.
 * @throws PostroomError `number-counter` where others are faster too often
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
    // Somebody moved the counter; or the counter stands still behind numbers that are given.
    isDoubtful = written.index > 0;
  }
  throw new PostroomError('number-counter', `No ticket number in ${TRIES} tries: too many writers at once`);
}

/** Undefined for a counter that is missing or holds no number: it is found again, written anew and logged. */
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

/** The highest number there is a row for, in about 60 small reads; 0 when there is none. */
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
