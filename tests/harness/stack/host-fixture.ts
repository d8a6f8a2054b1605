import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildApp } from '../../../dev/build.ts';
import type { HostLog } from '../../../dev/host/core.ts';
import { type RunningHost, startHost } from '../../../dev/host/host.ts';
import { demoPeople, type HostOptions } from '../../../dev/host/options.ts';

export interface SampleHost extends AsyncDisposable {
  folder: string;
  logged: { level: string; message: string; functionName: string | undefined }[];
  options: HostOptions;
  /** Starts another host over the same app and state. */
  start(options?: Partial<HostOptions>): Promise<RunningHost>;
}

const HOST_JSON = {
  version: '2.0',
  extensions: { http: { routePrefix: '' }, queues: { batchSize: 1, maxDequeueCount: 5 } },
};

/** Builds the sample app into a folder of its own; hosts started over it end with it. */
export async function sampleHost(
  settings: Record<string, string> = {},
  app: 'sample-app' | 'streaming-app' = 'sample-app',
): Promise<SampleHost> {
  const folder = await mkdtemp(join(tmpdir(), 'postroom-host-'));
  const hostJson = join(folder, 'host.json');
  await writeFile(hostJson, JSON.stringify(HOST_JSON));
  await writeFile(join(folder, 'notes'), '');
  const appDir = join(folder, 'app');
  const entry = fileURLToPath(new URL(`./${app}.ts`, import.meta.url));
  await buildApp({ entry, outDir: appDir, hostJson, workers: {} });
  const hosts: RunningHost[] = [];
  const logged: SampleHost['logged'] = [];
  const log: HostLog = (level, message, functionName) => logged.push({ level, message, functionName });
  const options: HostOptions = {
    appDir,
    port: 0,
    settings: { SAMPLE_SETTING: 'arrived', SAMPLE_NOTES: join(folder, 'notes'), ...settings },
    stateDir: join(folder, 'state'),
    people: demoPeople,
    background: false,
  };
  return {
    folder,
    logged,
    options,
    async start(more = {}) {
      const host = await startHost({ ...options, ...more }, log);
      hosts.push(host);
      return host;
    },
    async [Symbol.asyncDispose]() {
      for (const host of hosts) await host.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
