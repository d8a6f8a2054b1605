/** Checks of the infrastructure that need no subscription: it compiles, and what it would create. */
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bicep, Finished } from './bicep-compiler.ts';

export interface CheckResult {
  check: string;
  ok: boolean;
  /** The compiler's output, or what to do; empty when there are no problems. */
  said: string;
  ms: number;
}

/** The variants of an installation: a parameter file each, with the snapshot of its resources beside it. */
export const shapes = ['main', 'hardened'] as const;
export type Shape = (typeof shapes)[number];

/** Names depend on the subscription and the resource group. Snapshots use IDs that cannot exist. */
const PLACE = [
  ['--subscription-id', '00000000-0000-0000-0000-000000000000'],
  ['--tenant-id', '11111111-1111-1111-1111-111111111111'],
  ['--location', 'westeurope'],
].flat();

interface Check {
  name: string;
  /** The problems in sentences; empty when there are none. */
  find(bicep: Bicep, infra: string, outDir: string): Promise<string>;
}

const checks: readonly Check[] = [
  {
    // A build also lints, by the rules of infra/bicepconfig.json, and so does a snapshot with its parameter
    // file.
    name: 'build and lint',
    find: async (bicep, infra, outDir) =>
      complaints(await bicep.run(infra, ['build', '--pattern', '*.bicep', '--outdir', outDir])),
  },
  { name: 'format', find: unformatted },
  {
    // No snapshot for these: they have the values of main.bicepparam, for an existing resource group.
    name: 'parameters installation',
    find: async (bicep, infra, outDir) =>
      complaints(
        await bicep.run(infra, [
          'build-params',
          'resources.bicepparam',
          '--outfile',
          join(outDir, 'resources.parameters.json'),
        ]),
      ),
  },
  ...shapes.map((shape) => ({
    name: `snapshot ${shape}`,
    find: async (bicep: Bicep, infra: string) => complaints(await snapshot(bicep, infra, shape, 'validate')),
  })),
];

export const checkNames: readonly string[] = checks.map(({ name }) => name);

/**
 * Runs checks over a folder like infra/, one after the other.
 * @param outDir an existing folder, for the compiled templates.
 * @param names the checks to run; all by default
 */
export async function checkInfra(
  bicep: Bicep,
  infra: string,
  outDir: string,
  names: readonly string[] = checkNames,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const { name, find } of checks.filter((check) => names.includes(check.name))) {
    const began = performance.now();
    const said = await find(bicep, infra, outDir);
    results.push({ check: name, ok: said === '', said, ms: Math.round(performance.now() - began) });
  }
  return results;
}

/**
 * Writes or compares the snapshot of a variant: exit code 1 and the differences when they do not match.
 * @param shape name of a parameter file in `infra`, without its ending.
 * @param deployment name of the deployment; nothing may depend on it
 */
export function snapshot(
  bicep: Bicep,
  infra: string,
  shape: string,
  mode: 'overwrite' | 'validate',
  deployment = 'postroom',
): Promise<Finished> {
  const name = ['--deployment-name', deployment];
  return bicep.run(infra, ['snapshot', `${shape}.bicepparam`, '--mode', mode, ...PLACE, ...name]);
}

/** The compiler exits with 0 after a warning, so any output counts as a problem. */
function complaints({ code, stdout, stderr }: Finished): string {
  const said = `${stderr}${code === 0 ? '' : stdout}`.trim();
  return code !== 0 && said === '' ? `exit code ${code}` : said;
}

async function unformatted(bicep: Bicep, infra: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postroom-infra-'));
  try {
    await cp(infra, folder, { recursive: true });
    const failed = complaints(await format(bicep, folder));
    if (failed !== '') return failed;
    const different: string[] = [];
    for (const file of await bicepFiles(infra))
      if ((await readFile(join(infra, file), 'utf8')) !== (await readFile(join(folder, file), 'utf8')))
        different.push(file);
    return different.length === 0 ? '' : `Not formatted, --update does it: ${different.join(', ')}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Formats every file of a folder like infra/ in place. */
export async function format(bicep: Bicep, infra: string): Promise<Finished> {
  const templates = await bicep.run(infra, ['format', '--pattern', '**/*.bicep']);
  if (templates.code !== 0) return templates;
  return bicep.run(infra, ['format', '--pattern', '**/*.bicepparam']);
}

async function bicepFiles(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true });
  return files.filter((file) => /\.bicep(param)?$/.test(file)).sort();
}
