import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { features } from './features.ts';

const feature = process.env['POSTROOM_MUTATED_FEATURE'] ?? '';

/** The tests of one feature: without their list each mutant would be run against tests that start servers. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: [...(features[feature]?.tests ?? [])],
    // A mutant that makes a test wait for ever costs this long; the tests take milliseconds.
    testTimeout: 5_000,
    // Each mutant has a worker of its own, so that a worker for each test file would only load the same code again.
    isolate: false,
  },
});

export default config;
