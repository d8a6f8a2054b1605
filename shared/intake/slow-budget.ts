/** Number of slow emails of one mailbox that one fetch may read. */
const SLOW_MESSAGES = 3;
/** Time limit for the other emails of that fetch: nearly all take a hundredth of it. */
const SHORT_MS = 500;

/**
 * The budget of a fetch for slow emails. Once it is spent, emails that earlier runs started are left for the
 * next fetch, and new ones are read only if they are quick: a flood of emails that hang a parser delays the
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

  /** How long a batch waits for one of its emails before it continues without it. */
  get patienceMs(): number {
    return this.isSpent ? SHORT_MS : Number.POSITIVE_INFINITY;
  }
}
