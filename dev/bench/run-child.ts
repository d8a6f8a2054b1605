import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Checked, Job, Measured } from './child.ts';

const program = fileURLToPath(new URL('./child.ts', import.meta.url));

/**
 * Runs one job in a new process.
 * @throws Error with the last lines of the process's error output
 */
export async function runChild(job: Job & { kind: 'check' }): Promise<Checked>;
export async function runChild(job: Exclude<Job, { kind: 'check' }>): Promise<Measured>;
export async function runChild(job: Job): Promise<Measured | Checked> {
  const ca = job.settings['NODE_EXTRA_CA_CERTS'];
  const child = spawn(process.execPath, [program], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...(ca !== undefined && { NODE_EXTRA_CA_CERTS: ca }) },
  });
  let [answer, complaints] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    answer += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    complaints = (complaints + data.toString()).slice(-4000);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${JSON.stringify(job)}\n`);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The run "${job.kind}" ended with ${code ?? 'a signal'}:\n${complaints}`);
  return JSON.parse(answer) as Measured | Checked;
}
