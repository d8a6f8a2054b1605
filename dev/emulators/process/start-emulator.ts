import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EntraOptions, RunningEntra } from '../entra/entra.ts';
import type { GraphOptions, RunningGraph } from '../graph/graph.ts';
import type { ManagedIdentityOptions, RunningManagedIdentity } from '../identity/managed-identity.ts';
import type { KeyVaultOptions, RunningKeyVault } from '../key-vault/key-vault.ts';
import { killChild, stopChild } from './stop-child.ts';

interface Emulators {
  entra: { options: EntraOptions; running: RunningEntra };
  'key-vault': { options: KeyVaultOptions; running: RunningKeyVault };
  graph: { options: GraphOptions; running: RunningGraph };
  'managed-identity': { options: ManagedIdentityOptions; running: RunningManagedIdentity };
}

/** What of a running emulator survives the way through JSON: everything but its functions. */
type Plain<T> = { [K in keyof T as T[K] extends (...all: never[]) => unknown ? never : K]: T[K] };

/** What an emulator in another process says of itself. */
export type ReadyEmulator<Name extends keyof Emulators> = Plain<Emulators[Name]['running']>;

export interface EmulatorProcess<T> {
  ready: Plain<T>;
  pid: number;
  /** Asks it to end; its state is saved when this resolves. */
  stop(): Promise<void>;
  /** As a crash. */
  kill(): Promise<void>;
}

/**
 * Starts an emulator as a process of its own, in a process group of its own (a Ctrl-C reaches this process alone), that
 * ends when this process does.
 * @param logFile where its complaints go; absent: nowhere
 * @throws Error with the emulator's own sentence when it cannot start
 */
export async function startEmulator<Name extends keyof Emulators>(
  name: Name,
  options: Emulators[Name]['options'],
  logFile?: string,
): Promise<EmulatorProcess<Emulators[Name]['running']>> {
  if (logFile !== undefined) mkdirSync(dirname(logFile), { recursive: true });
  const log = logFile === undefined ? undefined : openSync(logFile, 'a', 0o600);
  const program = fileURLToPath(new URL('./emulator-process.ts', import.meta.url));
  const child = spawn(process.execPath, [program, name, '-'], {
    stdio: ['pipe', 'pipe', log ?? 'ignore'],
    detached: true,
  });
  if (log !== undefined) closeSync(log);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error(`The emulator ${name} has no standard input.`);
  // Written to a process that is gone: its exit is reported below.
  stdin.on('error', () => undefined);
  // By standard input, since arguments are shown to everybody on the machine.
  stdin.write(`${JSON.stringify(options)}\n`);
  const ready = await new Promise<Plain<Emulators[Name]['running']>>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`The emulator ${name} ended at its start (${code ?? 'killed'}).`)),
    );
    createInterface({ input: stdout }).once('line', (line) => {
      const said = JSON.parse(line) as { ready?: Plain<Emulators[Name]['running']>; error?: string };
      if (said.ready === undefined) reject(new Error(said.error ?? `The emulator ${name} did not start.`));
      else resolve(said.ready);
    });
  });
  return { ready, pid: child.pid ?? 0, stop: () => stopChild(child), kill: () => killChild(child) };
}
