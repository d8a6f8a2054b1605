/**
 * Turns for work of which only a few may run at once. Waiting work is served by rank, not by arrival: the mailbox that was
 * fetched longest ago comes first, however slow its server.
 */
export class Turns {
  #free: number;
  readonly #waiting: { rank: number; start: (isTurn: boolean) => void }[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  get isAwaited(): boolean {
    return this.#waiting.length > 0;
  }

  /** Takes a turn if one is free now. */
  tryBegin(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  /**
   * Waits for a turn.
   * @param rank the lowest is served first
   * @returns false if the signal ended the wait
   */
  async begin(rank: number, cut: AbortSignal): Promise<boolean> {
    if (cut.aborted) return false;
    if (this.tryBegin()) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = { rank, start: resolve };
    this.#waiting.push(waiting);
    const giveUp = (): void => {
      const index = this.#waiting.indexOf(waiting);
      if (index >= 0) this.#waiting.splice(index, 1);
      resolve(false);
    };
    cut.addEventListener('abort', giveUp, { once: true });
    try {
      return await promise;
    } finally {
      cut.removeEventListener('abort', giveUp);
    }
  }

  /** Ends a turn; the next in line begins at once. */
  end(): void {
    const next = this.#waiting.sort((a, b) => a.rank - b.rank).shift();
    if (next === undefined) this.#free += 1;
    else next.start(true);
  }
}
