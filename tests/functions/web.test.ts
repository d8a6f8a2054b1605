import type { Hono } from 'hono';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { principalOf } from '../../dev/host/sign-in.ts';
import { signInAddress } from '../../functions/http/guard.ts';
import type { Route } from '../../functions/http/route.ts';
import type { WebEnvironment } from '../../functions/http/web-environment.ts';
import { buildServices, type Services } from '../../functions/services.ts';
import { createWeb } from '../../functions/web.ts';
import { parseConfig } from '../../shared/platform/config.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { assets } from '../../shared/ui/assets.ts';
import { signedInSettings } from '../harness/pages/principal-header.ts';
import { openPaths } from '../harness/pages/route-roles.ts';
import { samplePostroom } from '../harness/pages/sample-postroom.ts';

const origin = 'https://desk.example';

/** Real services over a storage that is never called here. */
function servicesWith(environment: Record<string, string> = {}): Services {
  const config = parseConfig({
    DataStorage: 'UseDevelopmentStorage=true',
    KEY_VAULT_URI: 'https://vault.example',
    PUBLIC_URL: origin,
    ...signedInSettings,
    ...environment,
  });
  return buildServices(config, openSeam);
}

const sampleRoutes: readonly Route[] = [
  {
    method: 'GET',
    pattern: '/',
    access: 'agent',
    handler: (c) => c.text(`home of ${c.get('principal').name}`),
  },
  {
    method: 'GET',
    pattern: '/boom',
    access: 'agent',
    handler: () => {
      throw new Error('the secret reason');
    },
  },
  {
    method: 'GET',
    pattern: '/frame',
    access: 'agent',
    handler: (c) => c.html('mail', 200, { 'content-security-policy': "default-src 'none'; sandbox" }),
  },
  { method: 'GET', pattern: '/oauth/callback', access: 'anonymous', handler: (c) => c.text('callback') },
  { method: 'GET', pattern: '/invite/:token', access: 'anonymous', handler: (c) => c.text('invitation') },
  { method: 'GET', pattern: '/admins', access: 'admin', handler: (c) => c.text('for admins') },
  {
    method: 'POST',
    pattern: '/save',
    access: 'agent',
    handler: async (c) => c.text(`saved ${(await c.req.text()).length}`),
  },
];

const headersOf = (...roles: string[]): Record<string, string> => ({
  'x-ms-client-principal': Buffer.from(
    JSON.stringify(principalOf({ id: 'b1', name: 'Pat <b>', upn: 'pat@contoso.example', roles })),
  ).toString('base64'),
});
const agent = headersOf('agent');
const admin = headersOf('admin');

let web: Hono<WebEnvironment>;
beforeEach(() => {
  web = createWeb(() => servicesWith(), sampleRoutes);
});
const ask = async (path: string, init: RequestInit = {}): Promise<Response> =>
  web.request(origin + path, init);

describe('without a signed-in principal', () => {
  test('only this list responds', () => {
    const listed = [
      '/oauth/callback',
      '/oauth/callback/*',
      '/oauth/result/*',
      '/health/live',
      '/health/ready',
      '/assets/*',
      '/invite',
      '/invite/*',
      '/graph/notifications',
      '/.auth/*',
    ];
    expect([...openPaths].sort()).toEqual(listed.sort());
  });

  test.each([
    ['/oauth/callback', true],
    ['/invite', true],
    ['/invite/abc', true],
    ['/assets/x.css', true],
    ['/invite/', false],
    ['/invite/abc/more', false],
    ['/oauth/callback/', false],
    ['/oauth/callback/abc', true],
    ['/oauth/callback/abc/more', false],
    ['/oauth/callbacks', false],
    ['/OAUTH/CALLBACK', false],
    ['/assets/../tickets', false],
    ['/', false],
    ['/tickets', false],
  ])('%s is open: %s', async (path, open) => {
    const { services } = samplePostroom();
    const answer = await createWeb(() => services).request(new Request(origin + path));
    const leadsToSignIn = answer.headers.get('location')?.startsWith('/.auth/') === true;
    expect(leadsToSignIn).toBe(!open);
  });

  test('a page leads to the sign-in and returns to the requested page', async () => {
    const answer = await ask('/tickets?status=open&after=%2F');
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toBe(
      '/.auth/login/aad?post_login_redirect_uri=%2Ftickets%3Fstatus%3Dopen%26after%3D%252F',
    );
  });

  test('a URL that would lead to another site returns to the start page', () => {
    const back = signInAddress({ method: 'GET', url: 'https://desk.example//evil.example/x' });
    expect(back).toBe('/.auth/login/aad?post_login_redirect_uri=%2F');
  });

  test('open paths respond, unknown ones lead to the sign-in', async () => {
    expect(await (await ask('/oauth/callback')).text()).toBe('callback');
    expect(await (await ask('/invite/abc')).text()).toBe('invitation');
    expect((await ask('/unknown')).status).toBe(302);
  });
});

describe('while the platform does not sign people in', () => {
  beforeEach(() => {
    web = createWeb(() => servicesWith({ WEBSITE_AUTH_ENABLED: 'False' }), sampleRoutes);
  });

  test('no one is admitted, not even with an admin’s header', async () => {
    const answer = await ask('/', { headers: admin });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('Sign-in is not turned on');
  });
});

describe('a signed-in principal', () => {
  test('with a role sees the page', async () => {
    expect(await (await ask('/', { headers: agent })).text()).toBe('home of Pat <b>');
  });

  test('without a role is told whom to ask, and names are escaped', async () => {
    const answer = await ask('/', { headers: headersOf('reader') });
    const page = await answer.text();
    expect(answer.status).toBe(403);
    expect(page).toContain('Pat &lt;b&gt;');
    expect(page).toContain('Ask an administrator');
  });

  test('without the admin role cannot open an admin page; an admin can', async () => {
    expect((await ask('/admins', { headers: agent })).status).toBe(403);
    expect((await ask('/admins', { headers: admin })).status).toBe(200);
  });

  test('on the allow-list is an admin without the role', async () => {
    web = createWeb(() => servicesWith({ ADMIN_OBJECT_IDS: 'b1' }), sampleRoutes);
    expect((await ask('/admins', { headers: headersOf() })).status).toBe(200);
  });

  test('gets a page for a URL that does not exist', async () => {
    const answer = await ask('/unknown', { headers: agent });
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('Page not found');
  });

  test('gets a page with a reference after an internal error, and never the reason', async () => {
    const lines: string[] = [];
    vi.spyOn(console, 'error').mockImplementation((line: string) => lines.push(line));
    const answer = await ask('/boom', { headers: agent });
    const page = await answer.text();
    vi.restoreAllMocks();
    expect(answer.status).toBe(500);
    expect(page).not.toContain('secret reason');
    expect(lines.join()).toContain(/<strong>([0-9a-f]{8})<\/strong>/.exec(page)?.[1] ?? 'none');
  });
});

describe('a changing request', () => {
  const post = (headers: Record<string, string>, body = 'x'): Promise<Response> =>
    ask('/save', { method: 'POST', headers: { ...agent, ...headers }, body });

  test.each([
    ['from our own page', { 'sec-fetch-site': 'same-origin' }, 200],
    ['from our own page in an older browser', { origin }, 200],
    ['from another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 403],
    ['from another site that claims our origin', { 'sec-fetch-site': 'cross-site', origin }, 403],
    ['from a sister site', { 'sec-fetch-site': 'same-site' }, 403],
    ['from a page without an origin', { origin: 'null' }, 403],
    ['that says nothing', {}, 403],
    [
      'with JSON from another site',
      { origin: 'https://evil.example', 'content-type': 'application/json' },
      403,
    ],
  ])('%s', async (_where, headers, status) => {
    expect((await post(headers as Record<string, string>)).status).toBe(status);
  });

  test('may have 1 MB and no byte more', async () => {
    const own = { 'sec-fetch-site': 'same-origin' };
    expect((await post(own, 'x'.repeat(1024 * 1024))).status).toBe(200);
    expect((await post(own, 'x'.repeat(1024 * 1024 + 1))).status).toBe(413);
  });
});

describe('headers', () => {
  test('of every page include the strict policy and forbid caching', async () => {
    for (const answer of [
      await ask('/', { headers: agent }),
      await ask('/unknown', { headers: agent }),
      await ask('/'),
    ]) {
      const policy = answer.headers.get('content-security-policy')?.split('; ') ?? [];
      expect(policy).toEqual([
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ]);
      expect(answer.headers.get('referrer-policy')).toBe('same-origin');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000');
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
  });

  test('include a route’s own policy', async () => {
    const answer = await ask('/frame', { headers: agent });
    expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
  });

  test('allow assets without sign-in or settings, and unlimited caching', async () => {
    web = createWeb(() => {
      throw new Error('no settings yet');
    }, []);
    for (const { path, contentType, body } of assets) {
      const answer = await ask(path);
      expect(answer.headers.get('content-type')).toBe(contentType);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(await answer.text()).toBe(body);
    }
  });
});
