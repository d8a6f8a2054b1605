import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { HostOptions } from './options.ts';

export interface HostProcess {
  /** Such as http://localhost:7071, without a slash at the end. */
  url: string;
  port: number;
  functions: readonly string[];
  pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  ended: Promise<void>;
  /** Finishes running work, then exits; killed after six seconds. */
  stop(): Promise<void>;
  /** Ends at once, as by kill -9. */
  kill(): Promise<void>;
}

const PATIENCE_MS = 6_000;

/**
 * Starts the local host in a process of its own, out of reach of the terminal's Ctrl-C; it ends when this process does.
 * @param logFile where the app's and the host's log lines go; absent: nowhere.
 * @throws Error with the host's own message when it does not start
 */
export async function startHostProcess(options: HostOptions, logFile?: string): Promise<HostProcess> {
  if (logFile !== undefined) mkdirSync(dirname(logFile), { recursive: true });
  const log = logFile === undefined ? 'ignore' : openSync(logFile, 'a', 0o600);
  const program = fileURLToPath(new URL('./run.ts', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', log], detached: true });
  if (typeof log === 'number') closeSync(log);
  const { stdin, stdout, pid } = child;
  if (stdin === null || stdout === null || pid === undefined)
    throw new Error('The local host cannot be started.');
  const ended = once(child, 'exit').then(() => undefined);
  // The response shows whether it was written.
  stdin.on('error', () => undefined);
  // Not as an argument: the settings contain keys, and arguments are visible to every user of the machine.
  stdin.write(`${JSON.stringify(options)}\n`);
  const lines = createInterface({ input: stdout });
  const ready = await Promise.race([once(lines, 'line'), ended.then(() => undefined)]);
  if (ready === undefined) throw new Error('The local host ended at its start.');
  const [line] = ready as [string];
  const said = JSON.parse(line) as HostProcess | { error: string };
  if ('error' in said) {
    await ended;
    throw new Error(said.error);
  }
  const { url, port, functions } = said;
  const end = (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => endChild(child, ended, signal);
  return { url, port, functions, pid, ended, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

async function endChild(
  child: ChildProcess,
  ended: Promise<void>,
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  await ended;
  clearTimeout(timer);
}
