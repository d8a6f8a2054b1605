import type { Context } from 'hono';
import type { PathName, paths } from '../../shared/paths/paths.ts';
import type { Principal } from '../../shared/platform/principal.ts';
import type { Services } from '../services.ts';

/** The Hono context of every page: `c.get('services')`, `c.get('principal')`. */
export interface WebEnvironment {
  Variables: { services: Services; principal: Principal };
}

/** The context of a page's request. */
export type PageContext = Context<WebEnvironment>;

/** The same for the handlers of one path, with typed parameters. */
export type RouteContext<Name extends PathName> = Context<WebEnvironment, (typeof paths)[Name]['pattern']>;
