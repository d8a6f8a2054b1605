import { redact } from '../explanations/redact.ts';
import { InboxError } from '../mailboxes/inbox.ts';
import { type LineSocket, SocketError } from '../mailboxes/line-socket.ts';
import type { MailWay } from '../mailboxes/mailbox-form.ts';
import { Pop3Error } from '../mailboxes/pop3-errors.ts';
import { PostroomError } from '../platform/errors.ts';
import { field } from '../platform/sdk-error.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import type { ConnectionTest, ExpectedMail, Step, StepName } from './connection-test.ts';
import { type TokenClaims, tokenClaims, tokenFault } from './token-claims.ts';

const STEP_MS = 20_000;
// A column stores 32 Ki characters.
const MAX_CHARACTERS = 24_000;
const LONGEST_LINE = 500;

/** A server's refusal of a step, with its message; `narrowed` is what further probes have shown. */
export class StepRefused extends PostroomError {
  readonly narrowed: string | undefined;
  /** Probes have shown that the protocol is switched on for this mailbox. */
  readonly protocolWorks: boolean;

  constructor(line: string, narrowed?: string, { protocolWorks = false } = {}) {
    super('step-refused', line);
    this.name = 'StepRefused';
    this.narrowed = narrowed;
    this.protocolWorks = protocolWorks;
  }
}

/** Thrown to end the test after a failed step has been recorded. */
class TestOver extends Error {}

/** Runs the steps of one test in order, until one fails. */
export class TestRunner {
  readonly #seam: Seam;
  readonly protocol: MailWay;
  readonly #server: string | undefined;
  readonly #startedAt: string;
  readonly #steps: Step[] = [];
  readonly #transcript: string[] = [];
  readonly #tokens = new Set<string>();
  readonly #wires = new Set<LineSocket>();
  readonly #stepMs: number;
  #facts: TokenClaims | undefined;
  #characters = 0;
  #expected: ExpectedMail | undefined;

  constructor(
    { seam, stepMs = STEP_MS }: { seam: Seam; stepMs?: number | undefined },
    protocol: MailWay,
    server: { host: string; port: number } | undefined,
  ) {
    this.#seam = seam;
    this.#stepMs = stepMs;
    this.protocol = protocol;
    this.#server = server && `${server.host}:${server.port}`;
    this.#startedAt = new Date(seam.now()).toISOString();
  }

  /** Runs all steps, then closes the connections they opened. */
  async take(steps: () => Promise<void>): Promise<ConnectionTest> {
    try {
      await steps();
    } catch (error) {
      if (!(error instanceof TestOver)) throw error;
    } finally {
      for (const wire of this.#wires) wire.close();
    }
    return {
      protocol: this.protocol,
      server: this.#server,
      startedAt: this.#startedAt,
      steps: this.#steps,
      transcript: this.#transcript,
      ...(this.#expected !== undefined && { expected: this.#expected }),
    };
  }

  /** Runs one step with a timeout of 20 seconds; `work` returns its value and a sentence. */
  async step<T>(name: StepName, work: () => Promise<{ value: T; found: string }>): Promise<T> {
    const began = this.#seam.now();
    const done = (step: Omit<Step, 'name' | 'ms'>): void => {
      this.#steps.push({ name, ms: Math.max(0, this.#seam.now() - began), ...step });
    };
    try {
      const { value, found } = await this.#inTime(() =>
        this.#seam.call(`${protocolOfCall(this.protocol)}.test-${name}`, work),
      );
      done({ state: 'passed', found });
      return value;
    } catch (error) {
      if (!isOfTheWorld(error)) throw error;
      const evidence = this.#masked(evidenceOf(error, this.#transcript)).slice(0, LONGEST_LINE);
      const narrowed = (error instanceof StepRefused ? error.narrowed : undefined) ?? this.#hintFor(name);
      const protocolWorks = error instanceof StepRefused && error.protocolWorks;
      done({
        state: 'failed',
        found: '',
        evidence,
        ...(narrowed !== undefined && { narrowed }),
        ...(protocolWorks && { protocolWorks }),
      });
      throw new TestOver();
    }
  }

  /** The test email has been sent and is checked later. */
  await(expected: ExpectedMail): void {
    this.#expected = expected;
    this.#steps.push({
      name: 'arrival',
      state: 'waiting',
      ms: 0,
      found: 'Waiting for the email to arrive, for up to two minutes.',
    });
  }

  /** Adds a line to the transcript. */
  readonly note = (from: 'server' | 'client' | 'test', line: string): void => {
    const sign = { server: 'S:', client: 'C:', test: '--' }[from];
    const shown = `${sign} ${this.#masked(line).slice(0, LONGEST_LINE)}`;
    this.#characters += shown.length + 1;
    if (this.#characters <= MAX_CHARACTERS) this.#transcript.push(shown);
  };

  /** Registers a socket that is closed at the end of the test. */
  keep(wire: LineSocket): LineSocket {
    this.#wires.add(wire);
    return wire;
  }

  /** Masks this token from now on, in case a server repeats it, and remembers its claims. */
  hide(token: Secret): void {
    this.#tokens.add(token.expose());
    this.#facts = tokenClaims(token);
  }

  /** Only for the sign-in step: what the token's claims show. */
  #hintFor(name: StepName): string | undefined {
    return name === 'sign-in' && this.protocol !== 'relay'
      ? tokenFault(this.#facts, this.protocol)
      : undefined;
  }

  #masked(text: string): string {
    let masked = text;
    for (const token of this.#tokens) if (token.length > 8) masked = masked.replaceAll(token, '[token]');
    return redact(masked);
  }

  async #inTime<T>(work: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new SocketError('ETIMEDOUT', `No response within ${this.#stepMs / 1000} seconds`));
        for (const wire of this.#wires) wire.close();
      }, this.#stepMs);
    });
    try {
      return await Promise.race([late, work()]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function protocolOfCall(way: MailWay): Exclude<MailWay, 'graph-send' | 'relay'> {
  if (way === 'relay') return 'smtp';
  return way === 'graph-send' ? 'graph' : way;
}

/** True for failures of a server, the network or the sign-in; anything else is a bug. */
const isOfTheWorld = (error: unknown): boolean =>
  error instanceof PostroomError || typeof field(error, 'code') === 'string';

/** The most specific message: the server's, otherwise the network's. */
function evidenceOf(error: unknown, transcript: readonly string[]): string {
  if (error instanceof StepRefused) return error.message;
  if (error instanceof Pop3Error && error.said !== '') return error.said;
  // Graph's own code and message; a mail server's are in the cause.
  if (error instanceof InboxError && error.code.startsWith('graph-') && error.said !== undefined)
    return error.said;
  if (error instanceof Pop3Error || error instanceof InboxError) return evidenceOf(error.cause, transcript);
  if (error instanceof SocketError) {
    const last = transcript.at(-1) ?? '';
    if (error.fault === 'hung-up')
      return /^S: (?:\* BYE|-ERR|[45]\d\d)/.test(last) ? last.slice(3) : `ECONNRESET ${error.message}`;
    return `${error.fault} ${error.message}`;
  }
  if (error instanceof PostroomError) return error.message;
  return `${String(field(error, 'code'))} ${String(field(error, 'message'))}`;
}
