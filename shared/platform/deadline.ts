/**
 * How long an Azure call may make no progress. A healthy service responds within a second; dropped packets
 * never get a response.
 */
const SILENCE_MS = 10_000;
/** A transfer slower than this counts as stalled. */
const SLOWEST_BYTES_PER_SECOND = 256_000;

/** Retries of the blob and queue libraries, all within the deadline. */
export const storageRetries = { maxTries: 4, retryDelayInMs: 1000, maxRetryDelayInMs: 3000 } as const;

/** No response arrived in time. */
export class TimeoutError extends Error {
  constructor(limitMs: number) {
    super(`No answer within ${limitMs / 1000} seconds`);
    this.name = 'TimeoutError';
  }
}

/** Passed to a call so that it can extend or observe its deadline. */
export interface Deadline {
  /** Abort signal for the library that makes the call. */
  readonly signal: AbortSignal;
  /** Data was sent or received: restarts the timer. */
  progress(): void;
  /** Time that the call spends waiting for something else does not count. */
  except<T>(others: Promise<T>): Promise<T>;
}

/**
 * Runs the effect and aborts it when it makes no progress. The Azure libraries have no such limit: a
 * network that drops packets would block a call until TCP gives up, about 15 minutes.
 * @param bytes how much is transferred between two signs of progress
 * @throws TimeoutError at the deadline, even if the library ignores the signal
 */
export async function withDeadline<T>(effect: (deadline: Deadline) => Promise<T>, bytes = 0): Promise<T> {
  // Whole seconds: Node keeps one list for each timer duration, so many different durations are expensive.
  const limitMs = SILENCE_MS + Math.ceil(bytes / SLOWEST_BYTES_PER_SECOND) * 1000;
  const abort = new AbortController();
  const { promise: silence, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  let exceptions = 0;
  let isOver = false;
  const progress = (): void => {
    clearTimeout(timer);
    if (isOver || exceptions > 0) return;
    timer = setTimeout(() => {
      const error = new TimeoutError(limitMs);
      reject(error);
      abort.abort(error);
    }, limitMs);
  };
  const except = async <U>(others: Promise<U>): Promise<U> => {
    exceptions += 1;
    progress();
    try {
      return await others;
    } finally {
      exceptions -= 1;
      progress();
    }
  };
  progress();
  try {
    return await Promise.race([effect({ signal: abort.signal, progress, except }), silence]);
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}

/**
 * For reads only: a request without a response is sent once more, over a new connection, because a pooled
 * connection may have died without notice.
 */
export async function retryOnce<T>(effect: (deadline: Deadline) => Promise<T>): Promise<T> {
  try {
    return await withDeadline(effect);
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    return withDeadline(effect);
  }
}
