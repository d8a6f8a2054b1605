import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from './statistics.ts';

export interface ColdStart {
  /** From the start of the process to its first answer, milliseconds, medians. */
  emptyMs: number;
  liveMs: number;
  /** Median of the ratios of one turn. */
  ratio: number;
  /** To the first list of tickets, settings, tables and sign-in included. */
  ticketListMs: number;
}

const program = fileURLToPath(new URL('./cold-start-child.ts', import.meta.url));

/**
 * Starts the local core with an app again and again, the apps taking turns, and waits for its first answer. The files
 * are in the page cache: what a disk costs is not measured.
 */
export async function measureColdStart(
  apps: { empty: string; app: string },
  settings: Readonly<Record<string, string>>,
  turns: number,
): Promise<ColdStart> {
  const [empty, live, list]: [number[], number[], number[]] = [[], [], []];
  // The first start of each fills the page cache and does not count.
  for (let turn = -1; turn < turns; turn += 1) {
    const results = [
      await firstAnswer(apps.empty, 'healthLive', '/health/live', {}),
      await firstAnswer(apps.app, 'healthLive', '/health/live', {}),
      await firstAnswer(apps.app, 'web', '/tickets', settings),
    ] as const;
    if (turn < 0) continue;
    empty.push(results[0]);
    live.push(results[1]);
    list.push(results[2]);
  }
  return {
    emptyMs: median(empty),
    liveMs: median(live),
    ratio: median(live.map((ms, index) => ms / (empty[index] ?? Number.NaN))),
    ticketListMs: median(list),
  };
}

async function firstAnswer(
  app: string,
  functionName: string,
  path: string,
  settings: Readonly<Record<string, string>>,
): Promise<number> {
  const ca = settings['NODE_EXTRA_CA_CERTS'];
  const began = performance.now();
  const child = spawn(process.execPath, [program, app, functionName, path], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...(ca !== undefined && { NODE_EXTRA_CA_CERTS: ca }) },
  });
  child.stdin.end(JSON.stringify(settings));
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let [said, complaints] = ['', ''];
  let answeredAt = 0;
  child.stdout.on('data', (data: Buffer) => {
    answeredAt ||= performance.now();
    said += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    complaints += data.toString();
  });
  child.once('error', reject);
  child.once('close', () => {
    if (said === '200') resolve(answeredAt - began);
    else reject(new Error(`${path} answered "${said}" instead of 200.\n${complaints.slice(-2000)}`));
  });
  return promise;
}
