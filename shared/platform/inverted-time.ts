const LATEST = 99_999_999_999_999;

/** Row keys sort upwards; counting down from the far future puts the newest first. */
export function invertedTime(at: string): string {
  return String(LATEST - Math.max(0, Date.parse(at))).padStart(14, '0');
}
