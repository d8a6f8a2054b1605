import { Hono, type MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { isStorageAway } from '../shared/alerts/collect-health.ts';
import { findingInDemo } from '../shared/alerts/demo-findings.ts';
import { storageFinding } from '../shared/alerts/health-findings.ts';
import { paths } from '../shared/paths/paths.ts';
import { log } from '../shared/platform/log.ts';
import type { Principal } from '../shared/platform/principal.ts';
import { isOfDemo } from '../shared/providers/provider.ts';
import { assets } from '../shared/ui/assets.ts';
import { mastheadFacts } from '../shared/ui/masthead-facts.ts';
import { guard, readPrincipal } from './http/guard.ts';
import { newReference } from './http/http-adapter.ts';
import { limitBody } from './http/limit-body.ts';
import { recordRefusal } from './http/record-refusal.ts';
import { FORM_BYTES, type Route } from './http/route.ts';
import type { PageContext, WebEnvironment } from './http/web-environment.ts';
import { brokenPage, malformedPage, notFoundPage, otherSitePage } from './pages/errors/error-pages.tsx';
import { outagePage } from './pages/errors/outage.tsx';
import { routes } from './routes.ts';
import { type Services, services } from './services.ts';

/**
 * All pages of a route table behind one function. Services are requested for each request, so that invalid
 * settings are shown as a page.
 */
export function createWeb(
  servicesOf: () => Services,
  table: readonly Route[] = routes,
): Hono<WebEnvironment> {
  const web = new Hono<WebEnvironment>();
  web.use(strictHeaders, noStore);
  // Before the settings are read: the page about invalid settings needs its stylesheet.
  web.get(paths.asset.pattern, sendAsset);
  web.use(async (c, next) => {
    c.set('services', servicesOf());
    await next();
  });
  web.use(sameOrigin);
  web.use(readPrincipal);
  web.use(countAlerts);
  // The role comes first: nobody else makes the app read a body.
  for (const { method, pattern, access, maxBytes = FORM_BYTES, handler } of table)
    web.on(method, pattern, guard(access), limitBody(maxBytes), handler);
  // Unknown paths also require a sign-in, so that strangers can't probe them.
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
    // Without a sign-in, the page reveals nothing about dependencies.
    if (isStorageAway(error) && principal !== undefined) {
      const { config, alerts, seam } = c.get('services');
      const outage = storageFinding(alerts.inMemory(), error, seam.now());
      return c.html(outagePage(principal, isOfDemo(config, undefined) ? findingInDemo(outage) : outage), 503);
    }
    return c.html(brokenPage(reference), 500);
  });
  return web;
}

/** The name contains a fingerprint of the content, so changed content has another URL. */
function sendAsset(c: PageContext): Response | Promise<Response> {
  const asset = assets.find(({ path }) => path === c.req.path);
  if (asset === undefined) return c.notFound();
  return c.body(asset.body, 200, {
    'content-type': asset.contentType,
    'cache-control': 'public, max-age=31536000, immutable',
  });
}

/**
 * Headers of every page. A route that needs others (the body of an email in its frame) sets them itself.
 * `same-origin` instead of no referrer: without one, browsers send our own forms with `Origin: null`.
 */
const strictHeaders: MiddlewareHandler = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: ["'self'"],
    scriptSrc: ["'self'"],
    imgSrc: ["'self'"],
    fontSrc: ["'self'"],
    // The reply form saves its draft.
    connectSrc: ["'self'"],
    frameSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
  referrerPolicy: 'same-origin',
  // A year, the minimum of the preload list; other names of the same domain are not ours.
  strictTransportSecurity: 'max-age=31536000',
  overwrite: false,
});

/**
 * The page header shows the number of open alerts; a process reads it from storage at most once a minute.
 */
const countAlerts: MiddlewareHandler<WebEnvironment> = createMiddleware<WebEnvironment>(async (c, next) => {
  const { alerts } = c.get('services');
  const principal: Principal | undefined = c.get('principal');
  // A person without a role has no access and sees no count.
  if (principal?.roles.length === 0) return next();
  if (principal !== undefined && c.req.method === 'GET') await alerts.recount();
  await mastheadFacts.run({ openAlerts: () => alerts.openCount() }, next);
});

/** Pages contain email: they must not be cached, unless a route decides otherwise. */
const noStore: MiddlewareHandler = createMiddleware(async (c, next) => {
  await next();
  if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
});

/**
 * State-changing requests must come from our own pages, whatever their content type. Browsers state the
 * origin in `Sec-Fetch-Site`, older ones in `Origin`; a page can set neither. A request without both is
 * refused. https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
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

/** Handles one request to a page. */
export function answerPage(request: Request): Response | Promise<Response> {
  cached ??= createWeb(services);
  return cached.fetch(request);
}
