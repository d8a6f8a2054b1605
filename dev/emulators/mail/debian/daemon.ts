import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** A daemon run in the foreground, so that its exit is noticed and its stop awaited. */
export class Daemon {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  /**
   * The daemon has its own process group: Ctrl-C in the terminal reaches only this process, which stops it
   * in order. Its output goes to a file and not to a pipe, which its child processes would keep open.
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
   * Dovecot's master waits 1-3 s for its log process after the last mail process has exited. There is no
   * need to wait: once at most one child is left, both are killed.
   */
  async stop(): Promise<void> {
    const { pid } = this.#child;
    if (pid !== undefined && this.running) await endProcess(pid);
    await this.#exited;
  }
}

/** Stops a daemon left by an earlier run (kill -9 of its parent), found by its PID file. */
export async function endLeftover(pidFile: string, commandLinePart: string): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = Number.parseInt(readFileSync(pidFile, 'utf8').trim(), 10);
  // The PID may belong to another process by now: only one started with our folder is stopped.
  if (Number.isInteger(pid) && commandLine(pid).includes(commandLinePart)) await endProcess(pid);
}

/** Milliseconds for the mail processes to finish. */
const patience = 3000;

async function endProcess(pid: number): Promise<void> {
  signal(pid, 'SIGTERM');
  const deadline = Date.now() + patience;
  while (commandLine(pid) !== '') {
    const children = childrenOf(pid);
    // After an incomplete start, login processes wait five seconds for a process that no longer exists.
    if (children.length <= 1 || Date.now() > deadline) {
      for (const one of [pid, ...children]) signal(one, 'SIGKILL');
      // They write until they exit: a copy or removal before that would be incomplete.
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
    // It has already exited.
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
