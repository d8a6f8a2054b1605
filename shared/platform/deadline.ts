/** How long a call to Azure may be silent. What answers at all answers within a second; what is dropped never does. */
const SILENCE_MS = 10_000;
/** A transfer that is slower stands still. */
const SLOWEST_BYTES_PER_SECOND = 256_000;

/** How often the libraries for blobs and queues try again what was refused or broke off: within the deadline. */
export const storageRetries = { maxTries: 4, retryDelayInMs: 1000, maxRetryDelayInMs: 3000 } as const;

/** Nothing came in time. */
export class TimeoutError extends Error {
  constructor(limitMs: number) {
    super(`No answer within ${limitMs / 1000} seconds`);
    this.name = 'TimeoutError';
  }
}

/** What a call is given so that it comes to an end. */
export interface Deadline {
  /** For the library that makes the call. */
  readonly signal: AbortSignal;
  /** Something came or went: the time begins anew. */
  progress(): void;
  /** Time in which the call itself waits for somebody else does not count. */
  except<T>(others: Promise<T>): Promise<T>;
}

/**
 * What the effect gives, if it is not silent for too long. Without this, a network that drops packets keeps a call
 * waiting for as long as TCP does, a quarter of an hour: the libraries of Azure have no limit of their own.
 * @param bytes how much is transferred between two signs of progress
 * @throws TimeoutError at the deadline, also where the library does not listen to the signal
 */
export async function withDeadline<T>(effect: (deadline: Deadline) => Promise<T>, bytes = 0): Promise<T> {
  // Whole seconds: Node keeps timers of one length in one list, and a list for each length is what they cost.
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
 * For what only reads: where nothing came the first time it is asked a second time, over a new connection. One that was
 * kept open may have died in silence.
 */
export async function retryOnce<T>(effect: (deadline: Deadline) => Promise<T>): Promise<T> {
  try {
    return await withDeadline(effect);
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    return withDeadline(effect);
  }
}
