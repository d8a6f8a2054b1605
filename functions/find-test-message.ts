import type { PreviewDeps } from '../shared/connection-test/run-connection-test.ts';
import type { Services } from './services.ts';

/**
 * Dependencies for finding a connection test's email. The intake may have processed it already: then it was
 * skipped, moved or deleted.
 */
export const findDepsOf = (services: Services): PreviewDeps => ({
  ...services,
  isTaken: services.connectionTests.isTaken,
});
