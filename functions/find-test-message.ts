import type { PreviewDeps } from '../shared/connection-test/run-connection-test.ts';
import type { Services } from './services.ts';

/** What a look for the mail of a test needs. The intake may have taken it: then it was skipped, moved or deleted. */
export const findDepsOf = (services: Services): PreviewDeps => ({
  ...services,
  isTaken: services.connectionTests.isTaken,
});
