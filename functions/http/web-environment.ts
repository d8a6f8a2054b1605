import type { Context } from 'hono';
import type { PathName, paths } from '../../shared/paths/paths.ts';
import type { Principal } from '../../shared/platform/principal.ts';
import type { Services } from '../services.ts';

/** What every page finds in its Hono context: `c.get('services')`, `c.get('principal')`. */
export interface WebEnvironment {
  Variables: { services: Services; principal: Principal };
}

/** The request that a page answers. */
export type PageContext = Context<WebEnvironment>;

/** The same for the handlers of one path, whose parameters are known. */
export type RouteContext<Name extends PathName> = Context<WebEnvironment, (typeof paths)[Name]['pattern']>;
