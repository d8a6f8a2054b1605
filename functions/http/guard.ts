import type { MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { judgePrincipal, type Principal, type Role } from '../../shared/platform/principal.ts';
import { foreignPrincipalPage, roleMissingPage, signInOffPage } from '../pages/errors/refusals.tsx';
import { noteRefusal } from './note-refusal.ts';
import type { WebEnvironment } from './web-environment.ts';

/**
 * Everything that answers without a signed-in principal; all else asks for one. The health addresses are functions of
 * their own, and the sign-in paths are answered by the platform before a request reaches the app: they stand here so
 * that the list is whole.
 */
export const openPaths = [
  '/oauth/callback',
  '/oauth/callback/*',
  '/oauth/result/*',
  '/health/live',
  '/health/ready',
  '/assets/*',
  '/invite',
  '/invite/*',
  '/.auth/*',
] as const;

/** True where no principal is needed. A star stands for exactly one path segment. */
export function isOpenPath(path: string): boolean {
  return openPaths.some((open) =>
    open.endsWith('/*') ? isOneSegmentUnder(path, open.slice(0, -1)) : path === open,
  );
}

function isOneSegmentUnder(path: string, folder: string): boolean {
  const rest = path.startsWith(folder) ? path.slice(folder.length) : '';
  return rest !== '' && !rest.includes('/');
}

/** What the platform's sign-in is to come back to: our own path and query, never another host. */
export function signInAddress(request: { method: string; url: string }): string {
  const { pathname, search } = new URL(request.url);
  // A form cannot be sent again by a redirect, and `//host` would be read as another site.
  const isPage = request.method === 'GET' || request.method === 'HEAD';
  const back = isPage && !pathname.startsWith('//') ? pathname + search : '/';
  return `/.auth/login/aad?post_login_redirect_uri=${encodeURIComponent(back)}`;
}

/**
 * Lets signed-in people with a role in. Fails closed: while the platform's sign-in is off, nobody is let in, because
 * the header that names the principal could then come from anyone.
 */
export const signInGuard: MiddlewareHandler<WebEnvironment> = createMiddleware<WebEnvironment>(
  async (c, next) => {
    const { config } = c.get('services');
    const reading = judgePrincipal(c.req.header('x-ms-client-principal'), config);
    if (reading.kind === 'known') c.set('principal', reading.principal);
    if (isOpenPath(c.req.path)) return next();
    if (!config.platformSignIn) {
      noteRefusal(c, 'sign-in-off');
      return c.html(signInOffPage(), 403);
    }
    switch (reading.kind) {
      case 'nobody':
        return c.redirect(signInAddress(c.req.raw), 302);
      case 'foreign':
        // The sign-in would send the same person straight back.
        noteRefusal(c, 'principal-foreign');
        return c.html(foreignPrincipalPage(), 403);
      case 'known':
        if (reading.principal.roles.length > 0) return next();
        noteRefusal(c, 'role-missing');
        return c.html(roleMissingPage(reading.principal), 403);
    }
  },
);

/** Lets only people with this role go on; an admin may do all that an agent may. */
export function requireRole(role: Role): MiddlewareHandler<WebEnvironment> {
  return createMiddleware<WebEnvironment>(async (c, next) => {
    const principal: Principal | undefined = c.get('principal');
    const allowed = principal?.roles.includes(role) === true || principal?.roles.includes('admin') === true;
    if (allowed) return next();
    noteRefusal(c, 'role-missing');
    return c.html(roleMissingPage(principal, role), 403);
  });
}
