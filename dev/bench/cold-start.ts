import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildApp, plainJavaScript } from '../build.ts';
import { median } from './statistics.ts';

export interface ColdStart {
  /** Milliseconds from the start of the process to its first response, medians. */
  emptyMs: number;
  liveMs: number;
  /** Median of the ratios within each round. */
  ratio: number;
  /** Until the first list of tickets, including settings, tables and sign-in. */
  ticketListMs: number;
}

/** Bundled as the product is. */
const EMPTY_APP = join(import.meta.dirname, 'empty-app.ts');
/** What the measured process contains besides the app. */
const HARNESS = ['bench/cold-start-child.ts', 'host/load-app.ts', 'host/core.ts', 'host/import-module.ts'];

/**
 * The harness as plain JavaScript: stripping types costs both apps as much as their own code and would hide
 * the difference.
 */
async function plainHarness(running: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postroom-cold-start-'));
  running.defer(() => rm(folder, { recursive: true, force: true }));
  const plain = (name: string): string => name.replaceAll(/\.ts(?=['"]|$)/g, '.mjs');
  for (const file of HARNESS) {
    const source = await readFile(join(import.meta.dirname, '..', file), 'utf8');
    const target = join(folder, plain(file));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, plain(await plainJavaScript(source)));
  }
  return join(folder, plain('bench/cold-start-child.ts'));
}

/**
 * Starts the local core with each app in turn, repeatedly, and waits for its first response. The files are
 * in the page cache: disk reads are not measured.
 */
export async function measureColdStart(
  app: string,
  settings: Readonly<Record<string, string>>,
  turns: number,
  running: AsyncDisposableStack,
): Promise<ColdStart> {
  const program = await plainHarness(running);
  const baseline = join(dirname(program), 'empty-app');
  await buildApp({ entry: EMPTY_APP, outDir: baseline, workers: {} });
  const starts = [
    () => firstAnswer(program, baseline, 'empty', '/empty', {}),
    () => firstAnswer(program, app, 'healthLive', '/health/live', {}),
    () => firstAnswer(program, app, 'web', '/tickets', settings),
  ];
  const times = starts.map((): number[] => []);
  // The first start of each app fills the page cache and does not count.
  for (let turn = -1; turn < turns; turn += 1)
    for (let step = 0; step < starts.length; step += 1) {
      // No app always starts after the same one.
      const which = (step + turn + 1) % starts.length;
      const ms = await starts[which]?.();
      if (turn >= 0 && ms !== undefined) times[which]?.push(ms);
    }
  const [empty = [], live = [], list = []] = times;
  return {
    emptyMs: median(empty),
    liveMs: median(live),
    ratio: median(live.map((ms, index) => ms / (empty[index] ?? Number.NaN))),
    ticketListMs: median(list),
  };
}

async function firstAnswer(
  program: string,
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
