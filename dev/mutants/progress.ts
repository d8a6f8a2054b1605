/**
 * A plugin of StrykerJS, which loads it by its path: says on standard error how far a run is. StrykerJS has such a reporter,
 * but that one writes to standard output.
 */

/** What is read of StrykerJS's events. */
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
