import type { MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { paths, platformPaths } from '../../shared/paths/paths.ts';
import { judgePrincipal, type PrincipalReading } from '../../shared/platform/principal.ts';
import { foreignPrincipalPage, roleMissingPage, signInOffPage } from '../pages/errors/error-pages.tsx';
import { recordRefusal } from './record-refusal.ts';
import type { Access } from './route.ts';
import type { PageContext, WebEnvironment } from './web-environment.ts';

/** Where the platform's sign-in returns to: our own path and query, never another host. */
export function signInAddress(request: { method: string; url: string }): string {
  const { pathname, search } = new URL(request.url);
  // A redirect can't repeat a form post, and `//host` would be another site.
  const isPage = request.method === 'GET' || request.method === 'HEAD';
  const back = isPage && !pathname.startsWith('//') ? pathname + search : paths.home();
  return platformPaths.signIn({ post_login_redirect_uri: back });
}

/** Identifies the signed-in person, if the app knows them; `guard` decides on access. */
export const readPrincipal: MiddlewareHandler<WebEnvironment> = createMiddleware<WebEnvironment>(
  async (c, next) => {
    const reading = readingOf(c);
    if (reading.kind === 'known') c.set('principal', reading.principal);
    await next();
  },
);

const readingOf = (c: PageContext): PrincipalReading =>
  judgePrincipal(c.req.header('x-ms-client-principal'), c.get('services').config);

/**
 * Allows access according to a route's role. Fails closed: while the platform's sign-in is off, only
 * anonymous routes respond, because anyone could then forge the header with the principal.
 */
export function guard(access: Access): MiddlewareHandler<WebEnvironment> {
  return createMiddleware<WebEnvironment>(async (c, next) => {
    if (access === 'anonymous') return next();
    if (!c.get('services').config.platformSignIn) {
      recordRefusal(c, 'sign-in-off');
      return c.html(signInOffPage(), 403);
    }
    const reading = readingOf(c);
    switch (reading.kind) {
      case 'nobody':
        return c.redirect(signInAddress(c.req.raw), 302);
      case 'foreign':
        // Signing in again would return the same person.
        recordRefusal(c, 'principal-foreign');
        return c.html(foreignPrincipalPage(), 403);
      case 'known': {
        const { roles } = reading.principal;
        if (roles.includes('admin') || (access === 'agent' && roles.includes('agent'))) return next();
        recordRefusal(c, 'role-missing');
        return c.html(roleMissingPage(reading.principal, roles.length === 0 ? undefined : access), 403);
      }
    }
  });
}
