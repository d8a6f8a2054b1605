/** How `npm run host:check` judges the listeners' reports, and their endpoint; the command itself runs in .ci/run. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningHost } from '../../dev/host/host.ts';
import { sdkOf } from '../../dev/host-check/dotnet.ts';
import { differences, type Invocation, poisonFaults, timerFaults } from '../../dev/host-check/invocations.ts';
import { type SampleHost, sampleHost } from '../harness/stack/host-fixture.ts';

const program = fileURLToPath(new URL('../../dev/host-check.ts', import.meta.url));

describe('the listeners’ reports', () => {
  const run = (instance: string, second: string): Invocation => ({
    instance,
    function: 'monitor',
    startedAt: `2026-11-02T08:00:${second}Z`,
    dequeueCount: null,
    ok: true,
  });
  const expected = { everySeconds: 6, atLeast: 2 };

  test('accept a timer that ran once each time, slightly early or late', () => {
    expect(timerFaults([run('A', '05.990'), run('B', '12.800')], ['monitor'], expected)).toEqual([]);
  });

  test('name a timer that ran in two instances at once, with both', () => {
    const runs = [run('A', '06.001'), run('B', '06.400'), run('A', '12.000')];
    expect(timerFaults(runs, ['monitor'], expected)).toEqual([
      'monitor ran 2 times: A at 2026-11-02T08:00:06.001Z, B at 2026-11-02T08:00:06.400Z.',
    ]);
  });

  test('accept a late run in the same instance as no duplicate', () => {
    const runs = [run('A', '09.500'), run('A', '12.000'), run('A', '18.000')];
    expect(timerFaults(runs, ['monitor'], expected)).toEqual([]);
  });

  test('name a timer that did not run', () => {
    expect(timerFaults([run('A', '06.001')], ['monitor'], expected)).toEqual([
      'monitor ran on 1 occasions, not 2.',
    ]);
  });

  test('accept a poison message after five failed, counted attempts', () => {
    const tries = (...counts: number[]): Invocation[] =>
      counts.map((dequeueCount) => ({ ...run('A', '00'), function: 'fetchShard', dequeueCount, ok: false }));
    expect(poisonFaults(tries(1, 2, 3, 4, 5), 'fetchShard', 5)).toEqual([]);
    expect(poisonFaults(tries(1, 2, 3, 4), 'fetchShard', 5)).toEqual(['The tries were 1, 2, 3, 4.']);
    expect(poisonFaults([], 'fetchShard', 5)).toEqual(['The tries were none.']);
  });

  test('name a function that was not run, and one that the app does not have', () => {
    expect(differences(['a', 'b'], ['b', 'c'])).toEqual(['c was not run.', 'a is not in the app.']);
  });
});

describe('without .NET', () => {
  const runWithoutDotnet = (env: Record<string, string>) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        [program, '--json'],
        { env: { PATH: '/nonexistent', ...env } },
        (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
      );
    });

  test('the command reports that nothing was checked', async () => {
    const { code, stdout, stderr } = await runWithoutDotnet({});
    expect(stderr).toContain('NOTHING WAS CHECKED. The .NET SDK 10 is needed');
    expect([code, stdout]).toEqual([0, '[]\n']);
  });

  test('a build server fails', async () => {
    expect((await runWithoutDotnet({ POSTROOM_CI: '1' })).code).toBe(1);
  });

  test('an outdated SDK is named', () => {
    expect(sdkOf('10.0.401')).toEqual({ kind: 'found', version: '10.0.401' });
    expect(sdkOf('8.0.100')).toMatchObject({ kind: 'absent', reason: expect.stringContaining('8.0.100') });
  });
});

describe('the endpoint for listeners in another process', () => {
  let sample: SampleHost;
  let host: RunningHost;

  beforeAll(async () => {
    sample = await sampleHost({ DataStorage: 'UseDevelopmentStorage=true', SAMPLE_SCHEDULE: '0 0 0 1 1 *' });
    host = await sample.start({ outsideListeners: true });
  });
  afterAll(() => sample[Symbol.asyncDispose]());

  const invoke = (at: RunningHost, name: string, input: unknown, headers: Record<string, string> = {}) =>
    fetch(`${at.url}/admin/invocations/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(input),
    });

  test('lists the timer and queue functions with their triggers', async () => {
    const functions = (await (await fetch(`${host.url}/admin/functions`)).json()) as unknown[];
    expect(functions).toEqual([
      expect.objectContaining({
        name: 'tick',
        trigger: { type: 'timerTrigger', schedule: '%SAMPLE_SCHEDULE%' },
      }),
      expect.objectContaining({
        name: 'work',
        trigger: { type: 'queueTrigger', queueName: 'sample-work', connection: 'DataStorage' },
      }),
    ]);
  });

  test('runs a function to its end and returns whether it succeeded', async () => {
    expect((await invoke(host, 'work', { message: '{"shard":3}', dequeueCount: 2 })).status).toBe(204);
    const failed = await invoke(host, 'work', { message: 'fail', dequeueCount: 5 });
    expect(failed.status).toBe(500);
    expect((await invoke(host, 'tick', { isPastDue: true })).status).toBe(204);
  });

  test('rejects HTTP functions, unknown names and forms of other sites', async () => {
    expect((await invoke(host, 'bytes', {})).status).toBe(404);
    expect((await invoke(host, 'nothing', {})).status).toBe(404);
    expect((await invoke(host, 'work', {}, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await invoke(host, 'work', {}, { origin: 'http://localhost:1' })).status).toBe(403);
  });

  test('is closed by default', async () => {
    const closed = await sample.start();
    expect((await invoke(closed, 'work', { message: '{}' })).status).toBe(404);
    expect((await fetch(`${closed.url}/admin/functions`)).status).toBe(404);
  });
});
