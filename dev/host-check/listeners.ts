import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { environment } from './dotnet.ts';
import type { Invocation } from './invocations.ts';

export interface ListenersOptions {
  /** The built program. */
  program: string;
  /** A local host with `outsideListeners`. */
  appUrl: string;
  appDir: string;
  /** App settings: connections and schedules are read from them. */
  settings: Readonly<Record<string, string>>;
  /** The schedule of every timer, instead of its own. */
  everyTimer?: string;
  /** The name of this instance in its reports. */
  instance: string;
  logFile: string;
}

export interface Listeners {
  /** The runs so far; grows. */
  invocations: readonly Invocation[];
  /** Stops in order and releases its locks. */
  stop(): Promise<void>;
}

const START_LIMIT_MS = 60_000;
const LOG_LIMIT = 3_000;
const PATIENCE_MS = 30_000;

/**
 * Starts one instance of Microsoft's listeners in front of an app. It ends when this process does.
 * @throws Error with the end of their log when it does not start
 */
export async function startListeners(options: ListenersOptions): Promise<Listeners> {
  const { program, appUrl, appDir, settings, everyTimer, instance, logFile } = options;
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(
    'dotnet',
    [program, appUrl, appDir, ...(everyTimer === undefined ? [] : [everyTimer])],
    {
      env: { ...environment(), ...settings },
      stdio: ['pipe', 'pipe', log],
      // A Ctrl-C in the terminal reaches only the parent, which stops everything in order.
      detached: true,
    },
  );
  closeSync(log);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("Microsoft's listeners cannot be started.");
  const ended = once(child, 'exit');
  stdin.on('error', () => undefined);
  const invocations: Invocation[] = [];
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  createInterface({ input: stdout }).on('line', (line) => {
    const said = JSON.parse(line) as { ready: true } | Omit<Invocation, 'instance'>;
    if ('ready' in said) resolve();
    else invocations.push({ ...said, instance });
  });
  const stop = async (): Promise<void> => {
    stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    await ended;
    clearTimeout(timer);
  };
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('too late')), START_LIMIT_MS);
  try {
    const gone = ended.then(() => Promise.reject(new Error('ended')));
    await Promise.race([ready, late, gone]);
    return { invocations, stop };
  } catch (error) {
    child.kill('SIGKILL');
    const said = await readFile(logFile, 'utf8');
    const why = said.slice(Math.max(0, said.lastIndexOf('Unhandled exception'))).slice(0, LOG_LIMIT);
    throw new Error(`Microsoft's listeners did not start:\n${why}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
