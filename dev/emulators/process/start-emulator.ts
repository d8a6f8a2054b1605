import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { GraphOptions, RunningGraph } from '../graph/graph.ts';
import type { IdentityProviderOptions, RunningIdentityProvider } from '../entra/entra.ts';
import type { KeyVaultOptions, RunningKeyVault } from '../key-vault/key-vault.ts';
import type { ManagedIdentityOptions, RunningManagedIdentity } from '../identity/managed-identity.ts';
import { killChild, stopChild } from './stop-child.ts';

interface Peers {
  'identity-provider': { options: IdentityProviderOptions; running: RunningIdentityProvider };
  'key-vault': { options: KeyVaultOptions; running: RunningKeyVault };
  graph: { options: GraphOptions; running: RunningGraph };
  'managed-identity': { options: ManagedIdentityOptions; running: RunningManagedIdentity };
}

/** What of a running peer survives the way through JSON: everything but its functions. */
type Plain<T> = { [K in keyof T as T[K] extends (...all: never[]) => unknown ? never : K]: T[K] };

/** What a peer in another process says of itself. */
export type ReadyPeer<Name extends keyof Peers> = Plain<Peers[Name]['running']>;

export interface PeerProcess<T> {
  ready: Plain<T>;
  pid: number;
  /** Asks it to end; its state is saved when this resolves. */
  stop(): Promise<void>;
  /** As a crash. */
  kill(): Promise<void>;
}

/**
 * Starts a peer as a process of its own, in a process group of its own (a Ctrl-C reaches this process alone), that
 * ends when this process does.
 * @param logFile where its complaints go; absent: nowhere
 * @throws Error with the peer's own sentence when it cannot start
 */
export async function startPeer<Name extends keyof Peers>(
  name: Name,
  options: Peers[Name]['options'],
  logFile?: string,
): Promise<PeerProcess<Peers[Name]['running']>> {
  if (logFile !== undefined) mkdirSync(dirname(logFile), { recursive: true });
  const log = logFile === undefined ? undefined : openSync(logFile, 'a', 0o600);
  const program = fileURLToPath(new URL('./emulator-process.ts', import.meta.url));
  const child = spawn(process.execPath, [program, name, '-'], {
    stdio: ['pipe', 'pipe', log ?? 'ignore'],
    detached: true,
  });
  if (log !== undefined) closeSync(log);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error(`The peer ${name} has no standard input.`);
  // Written to a process that is gone: its exit is reported below.
  stdin.on('error', () => undefined);
  // By standard input, since arguments are shown to everybody on the machine.
  stdin.write(`${JSON.stringify(options)}\n`);
  const ready = await new Promise<Plain<Peers[Name]['running']>>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`The peer ${name} ended at its start (${code ?? 'killed'}).`)),
    );
    createInterface({ input: stdout }).once('line', (line) => {
      const said = JSON.parse(line) as { ready?: Plain<Peers[Name]['running']>; error?: string };
      if (said.ready === undefined) reject(new Error(said.error ?? `The peer ${name} did not start.`));
      else resolve(said.ready);
    });
  });
  return { ready, pid: child.pid ?? 0, stop: () => stopChild(child), kill: () => killChild(child) };
}
