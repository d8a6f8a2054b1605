import type { Context, Handler } from 'hono';
import type { Path } from '../../shared/paths/paths.ts';
import type { WebEnvironment } from './web-environment.ts';

/**
 * Who may use a route: everyone, even without signing in; agents; admins only. Admins may do everything
 * that agents may.
 */
export type Access = 'anonymous' | 'agent' | 'admin';

/** One route of the app. HEAD is answered like GET, without the body. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** The path in the router's notation, such as `/tickets/:id`. */
  readonly pattern: string;
  readonly access: Access;
  readonly handler: Handler<WebEnvironment>;
}

type Answer<Pattern extends string> = (c: Context<WebEnvironment, Pattern>) => Response | Promise<Response>;

/** A page, or a file to download. */
export const get = <Pattern extends string>(
  { pattern }: Path<Pattern>,
  access: Access,
  handler: Answer<Pattern>,
): Route => ({ method: 'GET', pattern, access, handler });

/** The target of a form. */
export const post = <Pattern extends string>(
  { pattern }: Path<Pattern>,
  access: Access,
  handler: Answer<Pattern>,
): Route => ({ method: 'POST', pattern, access, handler });

/** A path without parameters as the Functions host expects it: without a leading slash. */
export const hostRoute = ({ pattern }: Path): string => pattern.slice(1);
