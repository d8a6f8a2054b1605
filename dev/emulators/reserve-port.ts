import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** One file a port, which contains the process ID of its owner. */
const FOLDER = join(tmpdir(), `postroom-ports-${userInfo().uid}`);

const own = new Set<string>();
process.once('exit', () => {
  for (const file of own) rmSync(file, { force: true });
});

/**
 * Reserves a port for this process until it ends, among all programs of Postroom on this machine. A port that is free
 * when it is chosen could otherwise be taken before its server listens, or while that server is stopped for a restart.
 * @returns false if another process that still runs has it, or this one already does
 */
export function reservePort(port: number): boolean {
  const file = join(FOLDER, String(port));
  if (own.has(file)) return false;
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
  // A process that was killed leaves its files.
  if (!create(file) && (isRunning(ownerOf(file)) || !replace(file))) return false;
  own.add(file);
  return true;
}

function create(file: string): boolean {
  try {
    // Fails if the file exists, even if another process creates it at the same moment.
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function replace(file: string): boolean {
  rmSync(file, { force: true });
  return create(file);
}

function ownerOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    // Its owner has just ended.
    return 0;
  }
}

function isRunning(pid: number): boolean {
  if (pid === 0) return false;
  try {
    // Signal 0 only asks whether the process exists.
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
