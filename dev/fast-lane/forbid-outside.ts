import childProcess, { ChildProcess } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { Server, Socket } from 'node:net';

const refuse = (what: string) => (): never => {
  throw new Error(
    `A test of the fast lane cannot ${what}. Its imports do not show that it does: see dev/fast-lane/lanes.ts.`,
  );
};

/**
 * Blocks listening, connecting and starting processes in this process, for calls that a fast test reaches
 * through the product where its imports do not show it. Returns a function that removes the block.
 */
export function forbidOutside(): () => void {
  const { listen } = Server.prototype;
  const { connect } = Socket.prototype;
  // Undocumented in Node, but spawn, exec, execFile and fork all go through it.
  const prototype = ChildProcess.prototype as unknown as { spawn: unknown };
  const { spawn } = prototype;
  const { spawnSync, execSync, execFileSync } = childProcess;
  Server.prototype.listen = refuse('listen on a port');
  Socket.prototype.connect = refuse('open a connection');
  prototype.spawn = refuse('start a process');
  Object.assign(childProcess, {
    spawnSync: refuse('start a process'),
    execSync: refuse('start a process'),
    execFileSync: refuse('start a process'),
  });
  syncBuiltinESMExports();
  return () => {
    Server.prototype.listen = listen;
    Socket.prototype.connect = connect;
    prototype.spawn = spawn;
    Object.assign(childProcess, { spawnSync, execSync, execFileSync });
    syncBuiltinESMExports();
  };
}
