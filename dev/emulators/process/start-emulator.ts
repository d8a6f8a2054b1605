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

/** The JSON-serializable part of a running emulator: everything except its functions. */
type Plain<T> = { [K in keyof T as T[K] extends (...all: never[]) => unknown ? never : K]: T[K] };

/** The report of an emulator in another process. */
export type ReadyEmulator<Name extends keyof Emulators> = Plain<Emulators[Name]['running']>;

export interface EmulatorProcess<T> {
  ready: Plain<T>;
  pid: number;
  /** Stops it; its state is saved when this resolves. */
  stop(): Promise<void>;
  /** As a crash. */
  kill(): Promise<void>;
}

/**
 * Starts an emulator in a separate process and process group (a Ctrl-C reaches only this process). It ends
 * when this process does.
 * @param logFile for its error output; absent: discarded
 * @throws Error with the emulator's message when it cannot start
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
  // Written to a process that has exited, which is reported below.
  stdin.on('error', () => undefined);
  // Through standard input, since arguments are visible to every user of the machine.
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
