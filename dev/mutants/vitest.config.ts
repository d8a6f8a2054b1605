import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { features } from './features.ts';

const feature = process.env['POSTROOM_MUTATED_FEATURE'] ?? '';

/** The tests of one feature: without their list each mutant would be run against tests that start servers. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: [...(features[feature]?.tests ?? [])],
    testTimeout: 30_000,
  },
});

export default config;
