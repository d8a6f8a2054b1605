import type { Context, Handler } from 'hono';
import type { Path } from '../../shared/paths/paths.ts';
import type { WebEnvironment } from './web-environment.ts';

/**
 * Who may open an address: everybody, also without a sign-in; people with the role of an agent; admins alone. An admin may
 * do all that an agent may.
 */
export type Access = 'anonymous' | 'agent' | 'admin';

/** One address of the app. HEAD is answered as GET, without the body. */
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

/** What a form does. */
export const post = <Pattern extends string>(
  { pattern }: Path<Pattern>,
  access: Access,
  handler: Answer<Pattern>,
): Route => ({ method: 'POST', pattern, access, handler });

/** A path without parameters as the Functions host writes it: with no slash in front. */
export const hostRoute = ({ pattern }: Path): string => pattern.slice(1);
