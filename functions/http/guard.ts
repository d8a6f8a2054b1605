import type { MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { paths, platformPaths } from '../../shared/paths/paths.ts';
import { judgePrincipal, type PrincipalReading } from '../../shared/platform/principal.ts';
import { foreignPrincipalPage, roleMissingPage, signInOffPage } from '../pages/errors/error-pages.tsx';
import { recordRefusal } from './record-refusal.ts';
import type { Access } from './route.ts';
import type { PageContext, WebEnvironment } from './web-environment.ts';

/** What the platform's sign-in is to come back to: our own path and query, never another host. */
export function signInAddress(request: { method: string; url: string }): string {
  const { pathname, search } = new URL(request.url);
  // A form cannot be sent again by a redirect, and `//host` would be read as another site.
  const isPage = request.method === 'GET' || request.method === 'HEAD';
  const back = isPage && !pathname.startsWith('//') ? pathname + search : paths.home();
  return platformPaths.signIn({ post_login_redirect_uri: back });
}

/** Names the signed-in person, if there is one whom the app knows; who may open what is decided by `guard`. */
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
 * Lets in whom an address is for. Fails closed: while the platform's sign-in is off, only what is open to everybody
 * answers, because the header that names the principal could then come from anyone.
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
        // The sign-in would send the same person straight back.
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
