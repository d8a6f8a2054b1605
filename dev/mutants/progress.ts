/**
 * A plugin that StrykerJS loads by path: prints the progress of a run to standard error. StrykerJS has such
 * a reporter, but it prints to standard output.
 */

/** The parts of StrykerJS's events that are read. */
interface Plan {
  mutantPlans: readonly unknown[];
}
interface Tested {
  status: string;
}

const BETWEEN_LINES_MS = 10_000;

function createProgress() {
  let total = 0;
  let tested = 0;
  let unnoticed = 0;
  let saidAt = 0;
  const say = (): void => {
    saidAt = Date.now();
    process.stderr.write(`  ${tested} of ${total} mutants, ${unnoticed} unnoticed\n`);
  };
  return {
    onMutationTestingPlanReady({ mutantPlans }: Plan): void {
      total = mutantPlans.length;
      say();
    },
    onMutantTested({ status }: Tested): void {
      tested += 1;
      if (status === 'Survived' || status === 'NoCoverage') unnoticed += 1;
      if (Date.now() - saidAt >= BETWEEN_LINES_MS) say();
    },
  };
}

export const strykerPlugins = [{ kind: 'Reporter', name: 'postroom-progress', factory: createProgress }];
