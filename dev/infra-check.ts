/**
 * `npm run infra:check [-- --update] [--json]`: compiles, lints and compares the infrastructure with the
 * real compiler, without a subscription. `--update` formats the files and writes new snapshots; review
 * their diff before you commit. The compiled templates are in dist/infra: resources.json is the one that
 * deploys without azd.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { type Bicep, findBicep } from './infra/bicep-compiler.ts';
import { type CheckResult, checkInfra, format, shapes, snapshot } from './infra/infra-checks.ts';
import { runCommand, say } from './run-command.ts';

const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));
const infra = join(projectRoot, 'infra');
const outDir = join(projectRoot, 'dist', 'infra');
const BIOME = join(projectRoot, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');

async function update(bicep: Bicep): Promise<boolean> {
  const steps = [await format(bicep, infra)];
  for (const shape of shapes) {
    steps.push(await snapshot(bicep, infra, shape, 'overwrite'));
    await sortOutputs(join(infra, `${shape}.snapshot.json`));
  }
  const failed = steps.filter(({ code }) => code !== 0);
  for (const { stdout, stderr } of failed) say((stderr + stdout).trim());
  // The compiler has its own style for snapshots.
  if (failed.length === 0) await promisify(execFile)(process.execPath, [BIOME, 'format', '--write', infra]);
  return failed.length === 0;
}

/** The compiler lists outputs in a different order each time, which would hide real changes. */
async function sortOutputs(file: string): Promise<void> {
  const taken = JSON.parse(await readFile(file, 'utf8')) as { outputs: Record<string, string> };
  const outputs = Object.fromEntries(Object.entries(taken.outputs).sort(([a], [b]) => (a < b ? -1 : 1)));
  await writeFile(file, JSON.stringify({ ...taken, outputs }, null, 2));
}

function lineOf({ check, ok, said, ms }: CheckResult): string {
  const line = `${ok ? 'ok  ' : 'FAIL'} ${check.padEnd(20)} ${(ms / 1000).toFixed(1)} s`;
  return said === '' ? line : `${line}\n${said}`;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, update: { type: 'boolean', default: false } },
  });
  const bicep = await findBicep();
  if (bicep.kind === 'absent') {
    say(`NOTHING WAS CHECKED. ${bicep.reason}`);
    if (values.json) process.stdout.write('[]\n');
    return process.env['POSTROOM_CI'] === '1' ? 1 : 0;
  }
  say(bicep.version);
  if (values.update && !(await update(bicep))) return 1;
  await mkdir(outDir, { recursive: true });
  const results = await checkInfra(bicep, infra, outDir);
  if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
  else for (const result of results) process.stdout.write(`${lineOf(result)}\n`);
  return results.every(({ ok }) => ok) ? 0 : 1;
}

await runCommand(main);
