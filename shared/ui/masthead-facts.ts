import { AsyncLocalStorage } from 'node:async_hooks';

/** What the masthead of a page shows besides who is signed in. */
export interface MastheadFacts {
  /** How many alerts are open; asked when the page is drawn. Undefined: not known, and nothing is shown. */
  openAlerts(): number | undefined;
}

/**
 * The facts of the request that is being answered. Every page has a masthead, and no page has to hand them on; outside
 * a request there are none.
 */
export const mastheadFacts = new AsyncLocalStorage<MastheadFacts>();
