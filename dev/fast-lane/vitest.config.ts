import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { lanesOf } from './lanes.ts';

const root = join(import.meta.dirname, '../..');

/** The tests of the fast lane. Their processes can neither open a socket nor start another process. */
export default defineConfig(async () => ({
  root,
  test: {
    include: (await lanesOf(root)).filter(({ outside }) => outside === undefined).map(({ file }) => file),
    setupFiles: [join(import.meta.dirname, 'stay-inside.ts')],
    env: { POSTROOM_FAST: '1' },
    css: true,
    pool: 'forks',
    // Modules are loaded once per worker: pure tests share no state, and loading took a third of the time.
    isolate: false,
    maxWorkers: 2,
    // It ends what hangs; it is no promise, so that a busy machine must never reach it.
    testTimeout: 300_000,
  },
}));
