/** A clock of this process that can be set forward: what asks `Date` for the time is told a later one. */
export interface ShiftedClock extends Disposable {
  /** Sets it forward by so many milliseconds. Node's own timers go on at their pace. */
  leap(ms: number): void;
  /** Milliseconds by which it is ahead. */
  ahead(): number;
}

/** Takes the place of `Date` until it is disposed of. */
export function shiftClock(): ShiftedClock {
  const RealDate = globalThis.Date;
  let offset = 0;
  class LaterDate extends RealDate {
    constructor(...given: unknown[]) {
      if (given.length === 0) super(RealDate.now() + offset);
      // All other forms name a time themselves, and Date sorts them out.
      else super(...(given as [number]));
    }
    static override now(): number {
      return RealDate.now() + offset;
    }
  }
  globalThis.Date = LaterDate as DateConstructor;
  return {
    leap: (ms) => {
      offset += ms;
    },
    ahead: () => offset,
    [Symbol.dispose]: () => {
      globalThis.Date = RealDate;
    },
  };
}
