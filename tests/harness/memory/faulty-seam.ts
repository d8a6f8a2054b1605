import { InboxError } from '../../../shared/mailboxes/inbox.ts';
import { PostroomError } from '../../../shared/platform/errors.ts';
import type { ProblemCode } from '../../../shared/platform/problem.ts';
import type { Seam, SeamPoint } from '../../../shared/platform/seam.ts';

export const faultKinds = ['crashBefore', 'crashAfter', 'failBefore', 'failAfter'] as const;
/** Crash: the process is dead from there on. Fail: the call rejects; `After`: although its effect happened. */
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  /** Number of the call, from 1. */
  call: number;
  kind: FaultKind;
}

/** The error of every call of a process after its crash. */
export class ProcessDied extends Error {
  constructor() {
    super('the process is dead');
    this.name = 'ProcessDied';
  }
}

export interface FaultySeamOptions {
  now: () => number;
  /** The fault at this call, if any. */
  faultAt?: (call: number, point: SeamPoint) => FaultKind | undefined;
  /** Waits for this process's turn, before the effect; other processes may run meanwhile. */
  turn?: (call: number, point: SeamPoint) => Promise<void>;
  /** Inspects all state after each effect, even if the call then fails. */
  afterEffect?: (point: SeamPoint) => void;
}

/** The outside of one process: numbers its calls and injects faults. */
export class FaultySeam implements Seam {
  readonly now: () => number;
  /** Every call in order. */
  readonly calls: SeamPoint[] = [];
  readonly #options: FaultySeamOptions;
  #dead = false;

  constructor(options: FaultySeamOptions) {
    this.now = options.now;
    this.#options = options;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Crashes the process: nothing it does from here on reaches the outside. */
  die(): never {
    this.#dead = true;
    throw new ProcessDied();
  }

  async call<T>(point: SeamPoint, effect: () => Promise<T>): Promise<T> {
    if (this.#dead) throw new ProcessDied();
    const { faultAt, turn, afterEffect } = this.#options;
    const number = this.calls.push(point);
    const kind = faultAt?.(number, point);
    await turn?.(number, point);
    // Another call of this process crashed it while this one waited.
    if (this.#dead) throw new ProcessDied();
    if (kind === 'crashBefore') this.die();
    if (kind === 'failBefore') throw outage(point);
    const answer = await effect();
    afterEffect?.(point);
    if (kind === 'crashAfter') this.die();
    if (kind === 'failAfter') throw outage(point);
    return answer;
  }
}

export const only =
  (fault: Fault) =>
  (call: number): FaultKind | undefined =>
    call === fault.call ? fault.kind : undefined;

/** The error that the real service behind the point would throw. */
function outage(point: SeamPoint): Error {
  const [service = ''] = point.split('.');
  if (service === 'pop3' || service === 'graph')
    return new InboxError('unavailable', `no answer to ${point}`, { code: `${service}-unavailable` });
  if (service === 'imap') return new InboxError('unavailable', `no answer to ${point}`);
  if (point === 'smtp.send') return new PostroomError('smtp-answer-lost', `no answer to ${point}`);
  const codes: Partial<Record<string, ProblemCode>> = {
    table: 'table-storage',
    blob: 'blob-storage',
    vault: 'key-vault',
    token: 'endpoint-silent',
    queue: 'queue-storage',
    smtp: 'smtp-unreachable',
  };
  const code = codes[service];
  if (code === undefined) throw new Error(`what does ${point} throw when it fails?`);
  return new PostroomError(code, `no answer to ${point}`);
}

/** Releases one waiting call at a time, chosen at random: two processes do the same work in a random order. */
export function drawTurns(random: () => number): () => Promise<void> {
  const waiting: (() => void)[] = [];
  const next = (): void => {
    const [drawn] = waiting.splice(Math.floor(random() * waiting.length), 1);
    drawn?.();
    if (waiting.length > 0) setImmediate(next);
  };
  return () =>
    new Promise((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(next);
    });
}
