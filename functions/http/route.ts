import type { Context, Handler } from 'hono';
import type { Path } from '../../shared/paths/paths.ts';
import type { WebEnvironment } from './web-environment.ts';

/**
 * Who may use a route: everyone, even without signing in; agents; admins only. Admins may do everything
 * that agents may.
 */
export type Access = 'anonymous' | 'agent' | 'admin';

/** Largest body of a form without files. */
export const FORM_BYTES: number = 1024 * 1024;
/** The same with files: 25 MB of them, and the rest of the form. */
const UPLOAD_BYTES = 27 * 1024 * 1024;

/** One route of the app. HEAD is answered like GET, without the body. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** The path in the router's notation, such as `/tickets/:id`. */
  readonly pattern: string;
  readonly access: Access;
  /** Largest body, in bytes; absent: that of a form without files. */
  readonly maxBytes?: number | undefined;
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

/** The target of a form with files. */
export const upload = <Pattern extends string>(
  { pattern }: Path<Pattern>,
  access: Access,
  handler: Answer<Pattern>,
): Route => ({ method: 'POST', pattern, access, maxBytes: UPLOAD_BYTES, handler });

/** A path without parameters as the Functions host expects it: without a leading slash. */
export const hostRoute = ({ pattern }: Path): string => pattern.slice(1);
