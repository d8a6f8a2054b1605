/** Slow emails of one mailbox that one fetch has time for. */
const SLOW_MESSAGES = 3;
/** What the other emails of that fetch may take: nearly all take a hundredth of it. */
const SHORT_MS = 500;

/**
 * How much time a fetch has for emails that take long to read. When it is spent, emails that earlier runs began are left
 * for the next fetch, and new ones are read only as far as they are quick: a flood of emails that hang a parser delays the
 * others by seconds.
 */
export class SlowBudget {
  #left = SLOW_MESSAGES;

  get isSpent(): boolean {
    return this.#left <= 0;
  }

  spend(): void {
    this.#left -= 1;
  }

  /** How long a batch waits for one of its emails before it goes on without it. */
  get patienceMs(): number {
    return this.isSpent ? SHORT_MS : Number.POSITIVE_INFINITY;
  }
}
