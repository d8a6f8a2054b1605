const LATEST = 99_999_999_999_999;

/** Row keys sort in ascending order; subtracting from a far-future time puts the newest first. */
export function invertedTime(at: string): string {
  return String(LATEST - Math.max(0, Date.parse(at))).padStart(14, '0');
}

/** The ISO time of an `invertedTime`. */
export const timeOfInverted = (inverted: string): string => new Date(LATEST - Number(inverted)).toISOString();
