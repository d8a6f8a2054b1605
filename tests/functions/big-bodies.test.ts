import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildApp } from '../../dev/build.ts';
import { type HostProcess, startHostProcess } from '../../dev/host/host-process.ts';
import { demoPeople } from '../../dev/host/options.ts';

const MB = 1_000_000;
const agent = new Agent({ keepAlive: true });
let folder: string;
let host: HostProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postroom-bodies-'));
  const { outDir } = await buildApp({ outDir: join(folder, 'app') });
  host = await startHostProcess({
    appDir: outDir,
    port: 0,
    stateDir: join(folder, 'state'),
    people: demoPeople,
    background: false,
    settings: {
      POSTROOM_LOCAL: 'true',
      DataStorage: 'UseDevelopmentStorage=true',
      KEY_VAULT_URI: 'https://127.0.0.1:9',
    },
  });
});
afterAll(async () => {
  agent.destroy();
  await host?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Sends this many bytes, as fast as they are accepted, and returns the status. */
function post(path: string, bytes: number): Promise<number> {
  const piece = Buffer.alloc(MB);
  return new Promise((resolve, reject) => {
    const request = httpRequest(host.url + path, {
      method: 'POST',
      headers: { 'content-length': bytes },
      // A keep-alive connection is read to its end: one that closes would interrupt the upload.
      agent,
    });
    request.on('error', reject);
    request.once('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.resume();
      request.destroy();
    });
    let left = bytes;
    const write = (): void => {
      while (left > 0 && !request.destroyed) {
        const next = Math.min(left, piece.byteLength);
        left -= next;
        if (!request.write(piece.subarray(0, next))) {
          request.once('drain', write);
          return;
        }
      }
      request.end();
    };
    write();
  });
}

/** Current and peak memory of the process, in bytes (proc_pid_status(5)). */
async function memory(): Promise<{ now: number; most: number }> {
  const status = await readFile(`/proc/${host.pid}/status`, 'utf8');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { now: kilobytes('VmRSS') * 1024, most: kilobytes('VmHWM') * 1024 };
}

test.skipIf(process.platform !== 'linux')(
  'eight anonymous uploads of 95 MB at once are rejected, and take less than 100 MB of memory',
  async () => {
    // The pages are loaded, as on an instance that has worked before.
    expect((await fetch(`${host.url}/`, { redirect: 'manual' })).status).toBe(302);
    expect(await post('/providers/new', 100)).toBe(403);
    const before = await memory();
    const statuses = await Promise.all(Array.from({ length: 8 }, () => post('/providers/new', 95 * MB)));
    expect(statuses).toEqual(Array.from({ length: 8 }, () => 413));
    expect((await memory()).most - before.now).toBeLessThan(100 * MB);
    expect((await fetch(`${host.url}/health/live`)).status).toBe(200);
  },
);
