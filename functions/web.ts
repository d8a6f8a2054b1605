import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { findingInDemo } from '../shared/alerts/demo-findings.ts';
import { storageFinding } from '../shared/alerts/health-findings.ts';
import { isStorageAway } from '../shared/alerts/collect-health.ts';
import { paths } from '../shared/paths/paths.ts';
import { log } from '../shared/platform/log.ts';
import type { Principal } from '../shared/platform/principal.ts';
import { isOfDemo } from '../shared/providers/provider.ts';
import { assets } from '../shared/ui/assets.ts';
import { mastheadFacts } from '../shared/ui/masthead-facts.ts';
import { guard, readPrincipal } from './http/guard.ts';
import { newReference } from './http/http-adapter.ts';
import { recordRefusal } from './http/record-refusal.ts';
import type { Route } from './http/route.ts';
import type { PageContext, WebEnvironment } from './http/web-environment.ts';
import { outagePage } from './pages/errors/outage.tsx';
import {
  brokenPage,
  malformedPage,
  notFoundPage,
  otherSitePage,
  tooLargePage,
} from './pages/errors/error-pages.tsx';
import { routes } from './routes.ts';
import { type Services, services } from './services.ts';

const BODY_LIMIT_BYTES = 1024 * 1024;

/**
 * The pages of a table behind one function. The services are asked for at each request, so that bad settings end as a
 * page.
 */
export function createWeb(
  servicesOf: () => Services,
  table: readonly Route[] = routes,
): Hono<WebEnvironment> {
  const web = new Hono<WebEnvironment>();
  web.use(strictHeaders, noStore);
  // Before the settings are read: a page that says that they are wrong has its stylesheet.
  web.get(paths.asset.pattern, sendAsset);
  web.use(async (c, next) => {
    c.set('services', servicesOf());
    await next();
  });
  web.use(sameOrigin);
  web.use(
    bodyLimit({
      maxSize: BODY_LIMIT_BYTES,
      onError: (c) => {
        recordRefusal(c, 'too-large');
        return c.html(tooLargePage(), 413);
      },
    }),
  );
  web.use(readPrincipal);
  web.use(countAlerts);
  for (const { method, pattern, access, handler } of table) web.on(method, pattern, guard(access), handler);
  // What no line names is no stranger's business either.
  web.use(guard('agent'));
  web.notFound((c) => c.html(notFoundPage(c.get('principal')), 404));
  web.onError((error, c) => {
    if (error instanceof HTTPException && error.status === 400) {
      recordRefusal(c, 'malformed');
      return c.html(malformedPage(), 400);
    }
    const reference = newReference();
    log.error('page failed', error, { reference, method: c.req.method, path: c.req.routePath });
    const principal = c.get('principal');
    // Who is not signed in learns nothing of what Postroom stands on.
    if (isStorageAway(error) && principal !== undefined) {
      const { config, alerts, seam } = c.get('services');
      const outage = storageFinding(alerts.inMemory(), error, seam.now());
      return c.html(outagePage(principal, isOfDemo(config, undefined) ? findingInDemo(outage) : outage), 503);
    }
    return c.html(brokenPage(reference), 500);
  });
  return web;
}

/** The name holds a fingerprint of the content: another content has another address. */
function sendAsset(c: PageContext): Response | Promise<Response> {
  const asset = assets.find(({ path }) => path === c.req.path);
  if (asset === undefined) return c.notFound();
  return c.body(asset.body, 200, {
    'content-type': asset.contentType,
    'cache-control': 'public, max-age=31536000, immutable',
  });
}

/**
 * Headers of every page. A route that needs other ones (the body of an email in its frame) sets them itself and keeps
 * them. `same-origin` instead of no referrer: without one, browsers send our own forms with `Origin: null`.
 */
const strictHeaders: MiddlewareHandler = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: ["'self'"],
    scriptSrc: ["'self'"],
    imgSrc: ["'self'"],
    fontSrc: ["'self'"],
    frameSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
  referrerPolicy: 'same-origin',
  // A year, as the preload list asks for at least; other names of the same domain are none of ours.
  strictTransportSecurity: 'max-age=31536000',
  overwrite: false,
});

/** The masthead counts the open alerts; a process asks storage for them once a minute, whoever opens a page. */
const countAlerts: MiddlewareHandler<WebEnvironment> = createMiddleware<WebEnvironment>(async (c, next) => {
  const { alerts } = c.get('services');
  const principal: Principal | undefined = c.get('principal');
  // Somebody without a role is let in nowhere, and is shown no count.
  if (principal?.roles.length === 0) return next();
  if (principal !== undefined && c.req.method === 'GET') await alerts.recount();
  await mastheadFacts.run({ openAlerts: () => alerts.openCount() }, next);
});

/** Pages hold mail: no cache keeps them, unless a route decides otherwise. */
const noStore: MiddlewareHandler = createMiddleware(async (c, next) => {
  await next();
  if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
});

/**
 * Changing requests come from our own pages only, whatever their content type. Browsers say so in `Sec-Fetch-Site`
 * and, the older ones, in `Origin`; neither can be set by a page. A request that says nothing is refused.
 * https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
 */
const sameOrigin: MiddlewareHandler<WebEnvironment> = createMiddleware<WebEnvironment>(async (c, next) => {
  if (['GET', 'HEAD', 'OPTIONS'].includes(c.req.method)) return next();
  const site = c.req.header('sec-fetch-site');
  const origin = c.req.header('origin');
  const own = [c.get('services').config.publicUrl, new URL(c.req.url).origin];
  const allowed = site === undefined ? origin !== undefined && own.includes(origin) : site === 'same-origin';
  if (allowed) return next();
  recordRefusal(c, 'other-site');
  return c.html(otherSitePage(), 403);
});

let cached: Hono<WebEnvironment> | undefined;

/** Answers one request to a page. */
export function answerPage(request: Request): Response | Promise<Response> {
  cached ??= createWeb(services);
  return cached.fetch(request);
}
