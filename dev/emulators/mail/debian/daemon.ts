import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** A daemon kept in the foreground under our eyes: its exit is noticed, its stop awaited. */
export class Daemon {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  /**
   * The daemon gets its own process group: Ctrl-C in the terminal reaches us alone, and we stop it in order.
   * Its output goes to a file, never to a pipe: its own children keep a pipe open for ever.
   */
  constructor(name: string, command: readonly string[], outputFile: string, env: NodeJS.ProcessEnv) {
    this.#name = name;
    const output = openSync(outputFile, 'a');
    const [program = '', ...rest] = command;
    this.#child = spawn(program, rest, { detached: true, stdio: ['ignore', output, output], env });
    closeSync(output);
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  describe(): string {
    return this.running
      ? `${this.#name} runs`
      : `${this.#name} ended with ${this.#child.exitCode ?? 'a signal'}`;
  }

  /**
   * Dovecot's master lingers 1-3 s for its log process after the last email process is gone. Nobody needs
   * to wait for that: once one child or none is left, both are ended at once.
   */
  async stop(): Promise<void> {
    const { pid } = this.#child;
    if (pid !== undefined && this.running) await endProcess(pid);
    await this.#exited;
  }
}

/** Ends a daemon that an earlier run left behind (kill -9 of its parent), found by its pid file. */
export async function endLeftover(pidFile: string, commandLinePart: string): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = Number.parseInt(readFileSync(pidFile, 'utf8').trim(), 10);
  // The number may belong to somebody else by now: only a process started with our own folder is ended.
  if (Number.isInteger(pid) && commandLine(pid).includes(commandLinePart)) await endProcess(pid);
}

/** Milliseconds for the mail processes to finish what they are doing. */
const patience = 3000;

async function endProcess(pid: number): Promise<void> {
  signal(pid, 'SIGTERM');
  const deadline = Date.now() + patience;
  while (commandLine(pid) !== '') {
    const children = childrenOf(pid);
    // After a start that was not yet complete, login processes wait five seconds for a process that is gone.
    if (children.length <= 1 || Date.now() > deadline) {
      for (const one of [pid, ...children]) signal(one, 'SIGKILL');
      // Until they are gone they write: what is copied or removed meanwhile would be half of something.
      while (children.some((child) => commandLine(child) !== '')) await wait(5);
      return;
    }
    await wait(20);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already, which is what was wanted.
  }
}

function commandLine(pid: number): string {
  return readProc(`/proc/${pid}/cmdline`);
}

function childrenOf(pid: number): number[] {
  return readProc(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

function readProc(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
