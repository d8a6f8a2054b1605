import { PostroomError } from '../platform/errors.ts';
import type { Tables } from '../platform/tables.ts';

// Numbers: `counter` / `counter`   the last number given
//          `n` / 10 digits         number → ticket, derived
const COUNTER = 'counter';
const TRIES = 50;

/**
 * Reserves `count` numbers in a row and gives the first. A number that is reserved and never used stays a gap:
 * numbers are for people, never part of a ticket's identity.
 */
export async function reserveNumbers(tables: Tables, count: number): Promise<number> {
  const numbers = tables.open('Numbers');
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const row = await numbers.get(COUNTER, COUNTER);
    const last = typeof row?.['last'] === 'number' ? row['last'] : 0;
    const next = { partitionKey: COUNTER, rowKey: COUNTER, last: last + count };
    const written = await numbers.commit(COUNTER, [
      row?.etag === undefined
        ? { kind: 'insert', row: next }
        : { kind: 'replace', row: next, etag: row.etag },
    ]);
    if (written.ok) return last + 1;
  }
  throw new PostroomError('number-counter', `No ticket number in ${TRIES} tries: too many writers at once`);
}
