import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startHostProcess } from '../../dev/host/host-process.ts';
import { type SampleHost, sampleHost } from '../harness/stack/host-fixture.ts';
import { beginRequest, finishRequest } from './begin-request.ts';

let sample: SampleHost;
beforeAll(async () => {
  sample = await sampleHost();
});
afterAll(() => sample[Symbol.asyncDispose]());

const program = join(import.meta.dirname, '../../dev/host/run.ts');
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the local host as a process', () => {
  test('finishes running work when it is stopped', async () => {
    const host = await startHostProcess(sample.options);
    const slow = finishRequest(await beginRequest(`${host.url}/slow`));
    await host.stop();
    expect(await slow).toBe('finished');
    expect(isAlive(host.pid)).toBe(false);
  });

  test('can be killed at any instant and restarted', async () => {
    const first = await startHostProcess(sample.options);
    // Its body never ends, so that it is under way however late the kill comes.
    const cutOff = once(await beginRequest(`${first.url}/echo`, { method: 'POST' }), 'error');
    await first.kill();
    await cutOff;
    const second = await startHostProcess({ ...sample.options, port: first.port });
    expect((await fetch(`${second.url}/environment`)).status).toBe(200);
    await second.stop();
  });

  test('exits when its parent is gone', async () => {
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    child.stdin.write(`${JSON.stringify(sample.options)}\n`);
    await once(createInterface({ input: child.stdout }), 'line');
    child.stdin.end();
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
  });

  test('also accepts its options as an argument and exits on SIGINT', async () => {
    const child = spawn(process.execPath, [program, JSON.stringify(sample.options)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(createInterface({ input: child.stdout }), 'line');
    child.kill('SIGINT');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
  });

  test('reports in a sentence why it does not start', async () => {
    const wrong = { ...sample.options, background: true };
    await expect(startHostProcess(wrong)).rejects.toThrow('The setting SAMPLE_SCHEDULE is missing');
  });

  test('writes the app’s logs to the log file and nothing to standard output', async () => {
    const logFile = join(sample.folder, 'log', 'host.log');
    const host = await startHostProcess(sample.options, logFile);
    await fetch(`${host.url}/boom`);
    await vi.waitFor(async () => expect(await readFile(logFile, 'utf8')).toContain('the reason'), {
      timeout: 60_000,
    });
    await host.stop();
  });

  test.each([
    [true, 1],
    [false, 0],
  ])('with debug lines %s, logs the end of an execution %i times', async (logDebug, times) => {
    const logFile = join(sample.folder, 'log', `debug-${logDebug}.log`);
    const host = await startHostProcess({ ...sample.options, logDebug }, logFile);
    await fetch(`${host.url}/boom`);
    await vi.waitFor(async () => expect(await readFile(logFile, 'utf8')).toContain('the reason'), {
      timeout: 60_000,
    });
    await host.stop();
    expect([
      ...(await readFile(logFile, 'utf8')).matchAll(/Executed 'Functions\.\w+' .*Duration=\d+ms/g),
    ]).toHaveLength(times);
  });
});
