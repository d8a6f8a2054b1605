import { Worker } from 'node:worker_threads';
import type { MailLibrary } from './parse-message.ts';
import type { ParseReply, ParseTask } from './parse-worker.ts';
import { defaultParseLimits, type ParseLimits, type ParseOutcome } from './parsed-message.ts';

export interface ParserPoolOptions {
  /** How long one library may take over one email. */
  deadlineMs?: number;
  /** JavaScript heap of a worker thread. Buffers are outside of it; the raw mail's limit bounds them. */
  heapMb?: number;
  workers?: number;
  /** Mails handed to a worker at once: it works on one, the others lie ready. */
  inFlightPerWorker?: number;
  limits?: ParseLimits;
}

export interface ParserPool {
  /**
   * Reads an email in a thread that cannot take the process with it: mailparser first; where that throws, hangs or runs out
   * of heap, postal-mime in a fresh thread; then `unreadable`. Never rejects for what an email contains.
   * @param nonce the one the attachments were cut out with.
   */
  parse(raw: Uint8Array, nonce?: string): Promise<ParseOutcome>;
  /** Ends the threads; what is still waiting is rejected. */
  close(): Promise<void>;
}

interface Job {
  id: number;
  raw: Uint8Array;
  nonce: string | undefined;
  parser: MailLibrary;
  /** It was beside an email that killed its worker: now nothing else may be. */
  alone: boolean;
  pending: PromiseWithResolvers<ParseOutcome>;
}

interface Seat {
  worker: Worker;
  jobs: Job[];
  timer: NodeJS.Timeout | undefined;
  /** What the thread died of; set when it is not to be used any more. */
  lost: string | undefined;
}

/** Time for an answer that has arrived but was not yet read, when this thread itself was busy at the deadline. */
const graceMs = 100;

/** Threads start with the first email and never keep the process alive on their own. */
export function createParserPool(options: ParserPoolOptions = {}): ParserPool {
  const {
    deadlineMs = 30_000,
    heapMb = 256,
    workers = 1,
    inFlightPerWorker = 2,
    limits = defaultParseLimits,
  } = options;
  const waiting: Job[] = [];
  let seats: Seat[] = [];
  let nextId = 0;
  let closed = false;

  const openSeat = (): Seat => {
    const worker = new Worker(workerUrl(), {
      workerData: limits,
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
      // Source maps are switched on thread by thread; nothing of the process's environment is needed inside.
      execArgv: ['--enable-source-maps'],
      env: {},
    });
    const seat: Seat = { worker, jobs: [], timer: undefined, lost: undefined };
    worker.unref();
    worker.on('message', (reply: ParseReply) => receive(seat, reply));
    worker.on('error', (error: Error & { code?: string }) => {
      lose(
        seat,
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? 'it needs too much memory'
          : 'the program for it broke off',
      );
    });
    worker.on('exit', () => lose(seat, 'the program for it broke off'));
    seats.push(seat);
    return seat;
  };

  const dispatch = (): void => {
    for (let job = waiting[0]; job !== undefined && !closed; job = waiting[0]) {
      const seat = seatFor(job);
      if (seat === undefined) return;
      waiting.shift();
      seat.jobs.push(job);
      // The copy is handed over, the original stays for a second try.
      const raw = new Uint8Array(job.raw);
      const task: ParseTask = { id: job.id, raw, parser: job.parser, nonce: job.nonce };
      seat.worker.postMessage(task, [raw.buffer]);
      if (seat.jobs.length === 1) watch(seat);
    }
  };

  const seatFor = (job: Job): Seat | undefined => {
    const room = job.alone ? 1 : inFlightPerWorker;
    const free = seats
      .filter((seat) => seat.jobs.length < room && !seat.jobs.some((other) => other.alone))
      .sort((a, b) => a.jobs.length - b.jobs.length)[0];
    if (free !== undefined && (free.jobs.length === 0 || seats.length >= workers)) return free;
    return seats.length < workers ? openSeat() : undefined;
  };

  /** The clock runs for the first job of a seat alone: the thread takes them in order. */
  const watch = (seat: Seat): void => {
    clearTimeout(seat.timer);
    seat.timer = undefined;
    if (seat.jobs.length === 0) {
      seat.worker.unref();
      return;
    }
    seat.worker.ref();
    seat.timer = setTimeout(() => {
      seat.timer = setTimeout(() => lose(seat, `it takes longer than ${deadlineMs / 1000} s`), graceMs);
    }, deadlineMs);
  };

  const receive = (seat: Seat, reply: ParseReply): void => {
    const [job] = seat.jobs;
    if (seat.lost !== undefined || job === undefined || job.id !== reply.id) return;
    if ('failure' in reply) {
      // What the library left behind after it threw is not known, so the thread goes too.
      lose(seat, 'the mail is broken in a way that stops the program for it');
      return;
    }
    seat.jobs.shift();
    watch(seat);
    if (reply.outcome.kind === 'mail' && job.parser === 'postal-mime') {
      reply.outcome.mail.notes.push('read by the second parser');
    }
    job.pending.resolve(reply.outcome);
    dispatch();
  };

  /** The first job was being worked on, so it is at fault; the others are queued again, each alone. */
  const lose = (seat: Seat, reason: string): void => {
    if (seat.lost !== undefined) return;
    seat.lost = reason;
    clearTimeout(seat.timer);
    seats = seats.filter((other) => other !== seat);
    const [guilty, ...innocent] = seat.jobs.splice(0);
    waiting.unshift(...innocent.map((job) => ({ ...job, alone: true })));
    if (guilty?.parser === 'mailparser') waiting.unshift({ ...guilty, parser: 'postal-mime', alone: true });
    else guilty?.pending.resolve({ kind: 'unreadable', reason: `The mail cannot be read: ${reason}.` });
    // Until the thread is gone its memory is in use, so the next one starts after it.
    seat.worker.terminate().then(dispatch, dispatch);
  };

  return {
    parse(raw, nonce) {
      const pending = Promise.withResolvers<ParseOutcome>();
      if (closed) pending.reject(new Error('The parser pool is closed.'));
      else {
        waiting.push({ id: nextId++, raw, nonce, parser: 'mailparser', alone: false, pending });
        dispatch();
      }
      return pending.promise;
    },
    async close() {
      closed = true;
      const open = seats.splice(0);
      const left = [...waiting.splice(0), ...open.flatMap((seat) => seat.jobs.splice(0))];
      for (const job of left)
        job.pending.reject(new Error('The parser pool was closed before the mail was read.'));
      for (const seat of open) {
        seat.lost = 'closed';
        clearTimeout(seat.timer);
      }
      await Promise.all(open.map((seat) => seat.worker.terminate()));
    },
  };
}

/** Beside this file: as a source when the sources run, else as the second bundle (dist/app/parse-worker.mjs). */
function workerUrl(): URL {
  return new URL(
    import.meta.url.endsWith('.ts') ? './parse-worker.ts' : './parse-worker.mjs',
    import.meta.url,
  );
}
