import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { lanesOf } from './dev/fast-lane/lanes.ts';

/** These take minutes. At the end of a run, one of them would keep one worker busy and the other one idle. */
const LONG = ['stories/accounts', 'stories/answers', 'acceptance/killed', 'dev/drill', 'intake/faults'];

/** Long files first, and the fast lane last, in one piece: a worker keeps its modules only for the next file of it. */
class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId, project }: TestSpecification): number => {
      if (project.name === 'fast') return 2;
      return LONG.some((name) => moduleId.endsWith(`/tests/${name}.test.ts`)) ? 0 : 1;
    };
    return (await super.sort(files)).toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

const root = import.meta.dirname;

/** All tests. Those of the fast lane share no state, so that each of two workers loads their modules once. */
export default defineConfig(async () => {
  const fast = (await lanesOf(root)).flatMap(({ file, outside }) => (outside === undefined ? [file] : []));
  return {
    test: {
      sequence: { sequencer: LongFilesFirst },
      // Stylesheets are read as they are; by default every one is empty in a test.
      css: true,
      pool: 'forks',
      // The tests start hundreds of processes, and Node keeps there what it compiled for the first of them.
      env: { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile') },
      maxWorkers: 2,
      // They end what hangs. None of them is a promise, so that a busy machine must never reach them.
      testTimeout: 300_000,
      hookTimeout: 300_000,
      expect: { poll: { timeout: 60_000 } },
      server: { deps: { external: [/\/dist\//] } },
      projects: [
        {
          extends: true,
          test: {
            name: 'fast',
            include: fast,
            isolate: false,
            setupFiles: [join(root, 'dev/fast-lane/stay-inside.ts')],
          },
        },
        {
          extends: true,
          test: { name: 'whole', include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'], exclude: fast },
        },
      ],
    },
  };
});
