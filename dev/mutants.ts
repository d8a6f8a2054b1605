/**
 * `npm run mutants [-- FEATURE …] [--json]`: measures whether the tests notice a mistake. StrykerJS makes
 * one small change at a time to the files of dev/mutants/features.ts and runs their tests. A change that no
 * test notices is a survivor; each needs a test that notices it, or a reason in
 * `dev/mutants/survivors.json`.
 *
 *   FEATURE         a feature of dev/mutants/features.ts; all of them without one
 *   --file NAME     only files whose path ends with NAME, such as `intake/ledger.ts`; for work on their tests
 *   --concurrency 2 mutants at a time; else one less than the machine has processors
 *   --json          one report on standard output and nothing else
 *
 * Ends with 1 when a survivor has no entry, when an entry has no survivor, or when fewer than 90 of 100 are noticed.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Comparison, compareMutants, type Explained, type Score, sumScores } from './mutants/compare.ts';
import { features } from './mutants/features.ts';
import { runFeature } from './mutants/run-feature.ts';
import { describeError } from './run-command.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const LEAST_PERCENT = 90;

/** Progress and findings. Standard output is reserved for the result. */
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const inWords = ({ killed, counted, percent }: Score): string =>
  `${percent.toFixed(1)} % (${killed} of ${counted} noticed)`;

function sayFindings({ unexplained, outdated }: Comparison): void {
  for (const { file, line, mutator, original, replacement, outcome } of unexplained)
    say(`  ${file}:${line} ${outcome}, ${mutator}\n    - ${original}\n    + ${replacement}`);
  for (const { file, mutator, original, replacement } of outdated)
    say(
      `  ${file}: the list explains a survivor that is none: ${mutator}\n    - ${original}\n    + ${replacement}`,
    );
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      concurrency: { type: 'string' },
      file: { type: 'string', default: '' },
    },
  });
  const concurrency = Number(values.concurrency ?? Math.max(1, availableParallelism() - 1));
  const unknown = positionals.filter((name) => features[name] === undefined);
  if (unknown.length > 0 || !Number.isInteger(concurrency) || concurrency < 1) {
    const names = Object.keys(features).join(', ');
    say(
      unknown.length > 0
        ? `There is no feature "${unknown.join('", "')}". These are: ${names}.`
        : '--concurrency is a whole number from 1 on.',
    );
    return 2;
  }
  const explained = JSON.parse(
    readFileSync(join(root, 'dev', 'mutants', 'survivors.json'), 'utf8'),
  ) as Explained[];
  const results: ({ feature: string } & Comparison)[] = [];
  for (const [feature, parts] of Object.entries(features)) {
    if (positionals.length > 0 && !positionals.includes(feature)) continue;
    const mutate = parts.mutate.filter((file) => file.endsWith(values.file));
    if (mutate.length === 0) continue;
    say(`${feature} …`);
    const mutants = await runFeature(root, feature, { ...parts, mutate }, concurrency);
    const list = explained.filter(({ file }) => mutate.includes(file));
    const comparison = compareMutants(mutants, list);
    say(`${feature.padEnd(12)} ${inWords(comparison.score)}`);
    sayFindings(comparison);
    results.push({ feature, ...comparison });
  }
  const score = sumScores(results.map((result) => result.score));
  const isGood =
    score.percent >= LEAST_PERCENT &&
    results.every(({ unexplained, outdated }) => unexplained.length + outdated.length === 0);
  say(`${'total'.padEnd(12)} ${inWords(score)}`);
  if (!isGood)
    say(
      `Each survivor needs a test that notices it, or its reason in dev/mutants/survivors.json; at least ${LEAST_PERCENT} % must be noticed.`,
    );
  if (values.json) process.stdout.write(`${JSON.stringify({ ok: isGood, score, features: results })}\n`);
  return isGood ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  say(describeError(error));
  process.exitCode = 1;
}
