/** How bad it is now, shared by all that makes faults, and how often each fault came. */
export interface Weather {
  /** Share of IMAP commands that go wrong, 0 to 1. */
  imap: number;
  /** Share of storage requests that go wrong. */
  storage: number;
  /** Share of writes that arrive late, after their sender was told of a failure. */
  lateWrites: number;
  /** While true, no storage request is answered. */
  storageDown: boolean;
  readonly counts: Record<string, number>;
  count(fault: string): void;
}

export function calmWeather(): Weather {
  const counts: Record<string, number> = {};
  return {
    imap: 0,
    storage: 0,
    lateWrites: 0,
    storageDown: false,
    counts,
    count(fault) {
      counts[fault] = (counts[fault] ?? 0) + 1;
    },
  };
}
