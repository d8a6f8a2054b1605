/**
 * Every server accepts a command line of 8192 octets, and some accept no longer one (RFC 7162 section 4). The rest is
 * room for the command itself.
 */
const UID_SET_BYTES = 4000;

export const ascending = (uids: readonly number[]): number[] => [...uids].sort((a, b) => a - b);

/**
 * The shortest sequence sets (RFC 3501 section 9) of these UIDs, such as `1:3,5`: as many as it takes to keep each
 * within a command line.
 * @param bytes limit of each set
 */
export function uidSets(uids: readonly number[], bytes: number = UID_SET_BYTES): string[] {
  const ranges: [number, number][] = [];
  for (const uid of ascending(uids)) {
    const last = ranges.at(-1);
    if (last !== undefined && uid === last[1] + 1) last[1] = uid;
    else ranges.push([uid, uid]);
  }
  const sets: string[] = [];
  for (const [from, to] of ranges) {
    const range = from === to ? `${from}` : `${from}:${to}`;
    const last = sets.at(-1);
    if (last === undefined || last.length + range.length >= bytes) sets.push(range);
    else sets[sets.length - 1] = `${last},${range}`;
  }
  return sets;
}
