import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { features } from './features.ts';

const feature = process.env['POSTROOM_MUTATED_FEATURE'] ?? '';

/** The tests of one feature: without the list, each mutant would run against tests that start servers. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: [...(features[feature]?.tests ?? [])],
    // A mutant that makes a test wait forever costs this long; the tests take milliseconds.
    testTimeout: 5_000,
    // Each mutant has its own worker, so a worker per test file would only load the same code again.
    isolate: false,
  },
});

export default config;
