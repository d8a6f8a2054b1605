import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { collapse, type Mutant, type MutantOutcome } from './compare.ts';
import type { MutatedFeature } from './features.ts';

type LogLevel = NonNullable<ConstructorParameters<typeof Stryker>[0]['logLevel']>;

interface Position {
  /** Both from 1. */
  line: number;
  column: number;
}

/**
 * Runs StrykerJS over one feature, in a copy of the project under `.cache`.
 * @param concurrency number of mutants tested at once
 * @throws when a test fails without a mutant
 */
export async function runFeature(
  root: string,
  name: string,
  { mutate }: MutatedFeature,
  concurrency: number,
): Promise<Mutant[]> {
  // Read by vitest.config.ts, in processes started by Stryker.
  process.env['POSTROOM_MUTATED_FEATURE'] = name;
  const results = await new Stryker({
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner', './dev/mutants/progress.ts'],
    vitest: { configFile: 'dev/mutants/vitest.config.ts', related: false },
    mutate: [...mutate],
    // Strings are mostly texts of pages, logs and errors: testing each would only repeat it.
    mutator: { excludedMutations: ['StringLiteral'] },
    // Stryker reads it with a function that TypeScript 7 no longer has; a missing file is skipped.
    tsconfigFile: 'dev/mutants/absent.json',
    coverageAnalysis: 'perTest',
    concurrency,
    // Only for code that never returns; a waiting test ends by the shorter timeout of vitest.config.ts.
    timeoutMS: 5_000,
    timeoutFactor: 4,
    tempDirName: '.cache/mutants',
    ignorePatterns: ['dist', '.local', '.cache', 'docs', 'infra', '.github', 'tests/corpus'],
    reporters: ['postroom-progress'],
    allowConsoleColors: false,
    // Its own reports go to standard output, which is reserved for the result; problems are thrown as
    // errors.
    logLevel: 'off' as LogLevel,
    disableTypeChecks: false,
  }).runMutationTest();
  const linesOf = new Map(
    mutate.map((file) => [file, readFileSync(join(root, file), 'utf8').split('\n')] as const),
  );
  return results.flatMap(({ fileName, mutatorName, replacement, location, status }): Mutant[] => {
    const outcome = outcomes[status];
    if (outcome === undefined) return [];
    const file = relative(root, fileName).replaceAll('\\', '/');
    const original = cut(linesOf.get(file) ?? [], location.start, location.end);
    return [
      {
        file,
        mutator: mutatorName,
        original: collapse(original),
        replacement: collapse(replacement),
        line: location.start.line,
        outcome,
      },
    ];
  });
}

/** Absent: not tested. A mutant that never ends is noticed by its timeout. */
const outcomes: Readonly<Record<string, MutantOutcome>> = {
  Killed: 'killed',
  Timeout: 'killed',
  Survived: 'survived',
  NoCoverage: 'no coverage',
};

function cut(lines: readonly string[], start: Position, end: Position): string {
  const chosen = lines.slice(start.line - 1, end.line);
  const last = chosen.length - 1;
  return chosen
    .map((line, index) =>
      line.slice(index === 0 ? start.column - 1 : 0, index === last ? end.column - 1 : undefined),
    )
    .join('\n');
}
