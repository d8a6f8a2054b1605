import { Worker } from 'node:worker_threads';
import { deadlineOf, LONGEST_MS, processorTime } from './parse-deadline.ts';
import type { MailLibrary } from './parse-message.ts';
import type { ParseReply, ParseTask } from './parse-worker.ts';
import { defaultParseLimits, type ParseLimits, type ParseOutcome, SECOND_PARSER } from './parsed-message.ts';

export interface ParserPoolOptions {
  /** Time limit of one library for one email; defaults to `deadlineOf`. */
  deadlineMs?: number;
  /** JavaScript heap of a worker thread. Buffers are outside it; the size limit of raw emails bounds them. */
  heapMb?: number;
  /** A thread that has read this many bytes is replaced, which frees the memory it has accumulated. */
  recycleBytes?: number;
  workers?: number;
  /** Emails sent to a worker at once: it reads one, the others are queued. */
  inFlightPerWorker?: number;
  limits?: ParseLimits;
}

export interface ParserPool {
  /**
   * Reads an email in a thread that cannot crash the process: mailparser first; if that throws, hangs or runs
   * out of heap, postal-mime in a fresh thread; then `unreadable`. Never rejects because of an email's
   * content.
   * @param nonce the one with which the attachments were cut out
   */
  parse(raw: Uint8Array, nonce?: string, turn?: ParseTurn): Promise<ParseOutcome>;
  /** Ends the threads; waiting emails are rejected. */
  close(): Promise<void>;
}

/** The owner of the email, and how long it may delay others. */
export interface ParseTurn {
  /** Emails of one owner never occupy all threads while another owner waits. */
  owner?: string;
  /**
   * An email that takes longer is `slow`, without trying the second parser.
   * The caller retries it later without this limit.
   */
  patienceMs?: number;
}

interface Job {
  id: number;
  raw: Uint8Array;
  nonce: string | undefined;
  parser: MailLibrary;
  turn: ParseTurn;
  /** Arrival time on this process's clock. */
  since: number;
  /** It was queued beside an email that killed its worker, so it is now read alone. */
  alone: boolean;
  pending: PromiseWithResolvers<ParseOutcome>;
}

interface Seat {
  worker: Worker;
  jobs: Job[];
  timer: NodeJS.Timeout | undefined;
  /** Why the thread died; set once it must not be used any more. */
  lost: string | undefined;
  /** Total bytes of the emails it received. */
  bytes: number;
}

/** An email that has waited this long gets another thread, within the limit; usually one thread is enough. */
const DELAYED_MS = 150;

/**
 * V8's young generation of a thread; at its default size it takes
 * more memory than all of the thread's emails.
 */
const YOUNG_MB = 8;

/**
 * Extra time for a response that has arrived but was not yet read
 * because this thread was busy at the deadline.
 */
const graceMs = 100;

/** Threads start with the first email and never keep the process alive on their own. */
export function createParserPool(options: ParserPoolOptions = {}): ParserPool {
  const {
    deadlineMs,
    heapMb = 128,
    recycleBytes = 32 * 1024 * 1024,
    workers = 1,
    inFlightPerWorker = 2,
    limits = defaultParseLimits,
  } = options;
  const waiting: Job[] = [];
  let seats: Seat[] = [];
  let nextId = 0;
  let closed = false;
  let helper: NodeJS.Timeout | undefined;

  const openSeat = (): Seat => {
    const worker = new Worker(workerUrl(), {
      workerData: limits,
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: YOUNG_MB },
      // Source maps are enabled per thread; the thread needs nothing from the process's environment.
      execArgv: ['--enable-source-maps'],
      env: {},
    });
    const seat: Seat = { worker, jobs: [], timer: undefined, lost: undefined, bytes: 0 };
    worker.unref();
    worker.on('message', (reply: ParseReply) => receive(seat, reply));
    worker.on('error', (error: Error & { code?: string }) => {
      lose(
        seat,
        error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'it needs too much memory' : 'its parser crashed',
      );
    });
    worker.on('exit', () => lose(seat, 'its parser crashed'));
    seats.push(seat);
    return seat;
  };

  const dispatch = (): void => {
    for (let job = nextJob(); job !== undefined && !closed; job = nextJob()) {
      const seat = seatFor(job);
      if (seat === undefined) return;
      waiting.splice(waiting.indexOf(job), 1);
      seat.jobs.push(job);
      seat.bytes += job.raw.length;
      // The copy is transferred; the original stays for a second attempt.
      const raw = new Uint8Array(job.raw);
      const task: ParseTask = { id: job.id, raw, parser: job.parser, nonce: job.nonce };
      seat.worker.postMessage(task, [raw.buffer]);
      if (seat.jobs.length === 1) watch(seat);
    }
  };

  /** The first job of the owner with the fewest emails in the threads. */
  const nextJob = (): Job | undefined => {
    const busy = new Map<string | undefined, number>();
    for (const { jobs } of seats)
      for (const { turn } of jobs) busy.set(turn.owner, (busy.get(turn.owner) ?? 0) + 1);
    let next: { job: Job; busy: number } | undefined;
    for (const job of waiting) {
      const count = busy.get(job.turn.owner) ?? 0;
      if (next === undefined || count < next.busy) next = { job, busy: count };
    }
    return next?.job;
  };

  const seatFor = (job: Job): Seat | undefined => {
    const room = job.alone ? 1 : inFlightPerWorker;
    const free = seats
      .filter(
        (seat) =>
          seat.bytes <= recycleBytes && seat.jobs.length < room && !seat.jobs.some((other) => other.alone),
      )
      .sort((a, b) => a.jobs.length - b.jobs.length)[0];
    if (free !== undefined) return free;
    if (seats.length === 0) return openSeat();
    if (seats.length >= workers) return undefined;
    const waited = performance.now() - job.since;
    if (waited >= DELAYED_MS) return openSeat();
    clearTimeout(helper);
    helper = setTimeout(dispatch, DELAYED_MS - waited + 1);
    return undefined;
  };

  /**
   * The thread reads its emails in order. Until it reports that it has
   * begun the first one, it may still be starting.
   */
  const watch = (seat: Seat): void => {
    clearTimeout(seat.timer);
    seat.timer = undefined;
    if (seat.jobs.length === 0) {
      seat.worker.unref();
      return;
    }
    seat.worker.ref();
    seat.timer = setTimeout(() => lose(seat, 'the parser did not start'), LONGEST_MS);
  };

  const startClock = (seat: Seat, job: Job, thread: string | undefined): void => {
    const longest = deadlineMs ?? deadlineOf(job.raw.length);
    const ms = Math.min(longest, job.turn.patienceMs ?? longest);
    const began = performance.now();
    const first = processorTime(thread);
    const expire = (): void => {
      const now = processorTime(thread);
      // On a busy machine the thread was not scheduled, which is not the email's fault.
      const isStarved = first !== undefined && now !== undefined && now - first < ms / 2;
      if (isStarved && performance.now() - began < LONGEST_MS) seat.timer = setTimeout(expire, ms);
      else lose(seat, `it takes longer than ${longest / 1000} s`, { isLate: true });
    };
    clearTimeout(seat.timer);
    seat.timer = setTimeout(() => {
      seat.timer = setTimeout(expire, graceMs);
    }, ms);
  };

  const receive = (seat: Seat, reply: ParseReply): void => {
    const [job] = seat.jobs;
    if (seat.lost !== undefined || job === undefined || job.id !== reply.id) return;
    if ('begun' in reply) {
      startClock(seat, job, reply.thread);
      return;
    }
    if ('hangs' in reply) {
      // The thread is idle and continues with other emails.
      seat.jobs.shift();
      waiting.unshift(...secondTry(job, 'its parser does not finish'));
      continueOrRetire(seat);
      dispatch();
      return;
    }
    if ('failure' in reply) {
      // The library's state after it threw is unknown, so the thread is replaced too.
      lose(seat, 'it is broken in a way that stops the parser');
      return;
    }
    seat.jobs.shift();
    continueOrRetire(seat);
    if (reply.outcome.kind === 'mail' && job.parser === 'postal-mime') {
      reply.outcome.mail.notes.push(SECOND_PARSER);
    }
    job.pending.resolve(reply.outcome);
    dispatch();
  };

  /** Continues with the next email, or retires the thread if it is no longer needed. */
  const continueOrRetire = (seat: Seat): void => {
    const isSurplus = seats.length > 1 && waiting.length === 0;
    if (seat.jobs.length > 0 || (seat.bytes <= recycleBytes && !isSurplus)) {
      watch(seat);
      return;
    }
    seat.lost = 'retired';
    clearTimeout(seat.timer);
    seats = seats.filter((other) => other !== seat);
    seat.worker.terminate().then(dispatch, dispatch);
  };

  /** The follow-up for an email that a library could not read: a second attempt, or a final outcome. */
  const secondTry = (job: Job, reason: string, { isLate = false } = {}): Job[] => {
    if (isLate && job.turn.patienceMs !== undefined) job.pending.resolve({ kind: 'slow' });
    else if (job.parser === 'mailparser') return [{ ...job, parser: 'postal-mime', alone: true }];
    else job.pending.resolve({ kind: 'unreadable', reason: `The email cannot be read: ${reason}.` });
    return [];
  };

  /** The first job was being read, so it is the culprit; the others are queued again, each alone. */
  const lose = (seat: Seat, reason: string, { isLate = false } = {}): void => {
    if (seat.lost !== undefined) return;
    seat.lost = reason;
    clearTimeout(seat.timer);
    seats = seats.filter((other) => other !== seat);
    const [culprit, ...others] = seat.jobs.splice(0);
    waiting.unshift(...others.map((job) => ({ ...job, alone: true })));
    if (culprit !== undefined) waiting.unshift(...secondTry(culprit, reason, { isLate }));
    // The thread uses its memory until it is gone, so the next one starts after it.
    seat.worker.terminate().then(dispatch, dispatch);
  };

  return {
    parse(raw, nonce, turn = {}) {
      const pending = Promise.withResolvers<ParseOutcome>();
      if (closed) pending.reject(new Error('The parser pool is closed.'));
      else {
        waiting.push({
          id: nextId++,
          raw,
          nonce,
          parser: 'mailparser',
          turn,
          since: performance.now(),
          alone: false,
          pending,
        });
        dispatch();
      }
      return pending.promise;
    },
    async close() {
      closed = true;
      clearTimeout(helper);
      const open = seats.splice(0);
      const left = [...waiting.splice(0), ...open.flatMap((seat) => seat.jobs.splice(0))];
      for (const job of left)
        job.pending.reject(new Error('The parser pool was closed before the email was read.'));
      for (const seat of open) {
        seat.lost = 'closed';
        clearTimeout(seat.timer);
      }
      await Promise.all(open.map((seat) => seat.worker.terminate()));
    },
  };
}

/**
 * Next to this file: the source when running from source, else the second bundle (dist/app/parse-worker.mjs).
 */
function workerUrl(): URL {
  return new URL(
    import.meta.url.endsWith('.ts') ? './parse-worker.ts' : './parse-worker.mjs',
    import.meta.url,
  );
}
