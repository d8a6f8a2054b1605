/** Simulated time: it jumps to the next event once nothing is left to do at the present one. */
export class VirtualClock {
  #now: number;
  /** Sorted by time; equal times in order of their registration. */
  readonly #events: { at: number; wake: () => void }[] = [];
  #registered = 0;

  constructor(now: number) {
    this.#now = now;
  }

  /** Milliseconds since the epoch. */
  get now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    const at = this.#now + Math.max(0, ms);
    this.#registered += 1;
    return new Promise((wake) => this.#events.splice(this.#indexAfter(at), 0, { at, wake }));
  }

  /** Runs until this time, or until the work has ended. */
  async run(work: Promise<unknown>): Promise<void> {
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    work.then(over, over);
    for (;;) {
      await this.#settled();
      const next = this.#events.shift();
      if (isOver || next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      // All of this millisecond at once.
      while (this.#events[0] !== undefined && this.#events[0].at <= this.#now) this.#events.shift()?.wake();
    }
    await work;
  }

  /** Waits for everything that needs no simulated time. Some of it needs several turns of the event loop, as streams do. */
  async #settled(): Promise<void> {
    for (let quiet = 0, before = this.#registered; quiet < QUIET_TURNS; ) {
      await new Promise(setImmediate);
      quiet = this.#registered === before ? quiet + 1 : 0;
      before = this.#registered;
    }
  }

  #indexAfter(at: number): number {
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const QUIET_TURNS = 4;
