import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** The tests that need no server, browser or built app: thousands of mutants are each run against them. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: [
      'tests/{intake,mailboxes,accounts,consent,providers,tickets,notices,outbox}/**/*.test.{ts,tsx}',
    ],
    exclude: [
      '**/*-in-browser.test.ts',
      '**/corpus-parse.test.ts',
      '**/parser-pool.test.ts',
      '**/shipped-corpus.test.ts',
    ],
    testTimeout: 30_000,
  },
});

export default config;
