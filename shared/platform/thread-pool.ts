import { Worker } from 'node:worker_threads';

/** The outcome of a task: its value, or why there is none. */
export type ThreadOutcome<Value> =
  | { kind: 'done'; value: Value }
  /** It ran or waited longer than allowed; its thread was terminated. */
  | { kind: 'late' }
  /** The thread threw, ran out of memory or exited. `reason` is for the log. */
  | { kind: 'broken'; reason: string };

export interface ThreadPool<Task, Value> {
  /** Never rejects. The task is copied to the thread. */
  run(task: Task): Promise<ThreadOutcome<Value>>;
  /** Terminates the threads; unfinished tasks end as `broken`. */
  close(): Promise<void>;
}

export interface ThreadPoolOptions {
  /** A file that calls `answerTasks` of thread-tasks.ts. */
  file: URL;
  threads: number;
  /** How long a thread may work on one task, in milliseconds. */
  deadlineMs: number;
  /** How long a task may wait for a thread, in milliseconds. */
  waitMs: number;
  /** JavaScript heap of a thread; buffers are outside of it. */
  heapMb: number;
  /** A thread that is idle for this many milliseconds is terminated to free its memory. */
  idleMs: number;
}

/** From thread to pool: `ready` once the code is loaded, then one response per task. */
export type ThreadMessage<Value> = { ready: true } | { value: Value } | { failure: string };

interface Job<Task, Value> {
  task: Task;
  resolve(outcome: ThreadOutcome<Value>): void;
  /** The timeout while the job waits for a thread. */
  waiting: NodeJS.Timeout;
}

interface Seat<Task, Value> {
  worker: Worker;
  ready: boolean;
  job: Job<Task, Value> | undefined;
  timer: NodeJS.Timeout | undefined;
  gone: boolean;
}

/** Time to load the code, on a busy machine. */
const LOAD_MS = 15_000;
/**
 * Extra time for a response that has arrived but was not read yet, because this thread was busy at the
 * deadline.
 */
const GRACE_MS = 100;

/**
 * A pool of threads for work that must not block this one. A thread whose task takes too long is
 * terminated. Threads start with the first task, run one task at a time, and never keep the process alive.
 */
export function createThreadPool<Task, Value>(options: ThreadPoolOptions): ThreadPool<Task, Value> {
  const queue: Job<Task, Value>[] = [];
  let seats: Seat<Task, Value>[] = [];
  let closed = false;

  const open = (): Seat<Task, Value> => {
    const worker = new Worker(options.file, {
      resourceLimits: { maxOldGenerationSizeMb: options.heapMb },
      // The threads need no environment variables; source maps have to be turned on in each.
      execArgv: ['--enable-source-maps'],
      env: {},
    });
    const seat: Seat<Task, Value> = { worker, ready: false, job: undefined, timer: undefined, gone: false };
    worker.unref();
    worker.on('message', (message: ThreadMessage<Value>) => receive(seat, message));
    worker.on('error', (error) => end(seat, { kind: 'broken', reason: String(error) }));
    worker.on('exit', () => end(seat, { kind: 'broken', reason: 'the thread ended' }));
    seats.push(seat);
    return seat;
  };

  const dispatch = (): void => {
    while (queue.length > 0 && !closed) {
      const free = seats.find((seat) => seat.job === undefined);
      const seat = free ?? (seats.length < options.threads ? open() : undefined);
      const job = seat === undefined ? undefined : queue.shift();
      if (seat === undefined || job === undefined) return;
      clearTimeout(job.waiting);
      clearTimeout(seat.timer);
      seat.job = job;
      seat.worker.ref();
      if (seat.ready) begin(seat, job);
      else seat.timer = setTimeout(() => end(seat, { kind: 'late' }), LOAD_MS);
    }
  };

  const begin = (seat: Seat<Task, Value>, { task }: Job<Task, Value>): void => {
    clearTimeout(seat.timer);
    seat.timer = setTimeout(() => {
      seat.timer = setTimeout(() => end(seat, { kind: 'late' }), GRACE_MS);
    }, options.deadlineMs);
    seat.worker.postMessage(task);
  };

  const receive = (seat: Seat<Task, Value>, message: ThreadMessage<Value>): void => {
    const { job } = seat;
    if (seat.gone || job === undefined) return;
    if ('ready' in message) {
      seat.ready = true;
      begin(seat, job);
    } else if ('failure' in message) {
      // The state left by the code that threw is unknown, so the thread is terminated too.
      end(seat, { kind: 'broken', reason: message.failure });
    } else {
      clearTimeout(seat.timer);
      seat.job = undefined;
      seat.worker.unref();
      seat.timer = setTimeout(() => end(seat, { kind: 'late' }), options.idleMs);
      seat.timer.unref();
      job.resolve({ kind: 'done', value: message.value });
      dispatch();
    }
  };

  const end = (seat: Seat<Task, Value>, outcome: ThreadOutcome<Value>): void => {
    if (seat.gone) return;
    seat.gone = true;
    clearTimeout(seat.timer);
    seats = seats.filter((other) => other !== seat);
    seat.job?.resolve(outcome);
    // A thread uses its memory until it has exited, so the next one starts after that.
    seat.worker.terminate().then(dispatch, dispatch);
  };

  return {
    run(task) {
      const { promise, resolve } = Promise.withResolvers<ThreadOutcome<Value>>();
      if (closed) return Promise.resolve({ kind: 'broken', reason: 'the threads are closed' });
      const job: Job<Task, Value> = {
        task,
        resolve,
        waiting: setTimeout(() => {
          queue.splice(queue.indexOf(job), 1);
          resolve({ kind: 'late' });
        }, options.waitMs),
      };
      queue.push(job);
      dispatch();
      return promise;
    },
    async close() {
      closed = true;
      const reason = { kind: 'broken', reason: 'the threads were closed' } as const;
      for (const job of queue.splice(0)) {
        clearTimeout(job.waiting);
        job.resolve(reason);
      }
      const all = [...seats];
      for (const seat of all) end(seat, reason);
      await Promise.all(all.map(({ worker }) => worker.terminate()));
    },
  };
}
