import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { routes as table } from '../../functions/routes.ts';
import { servicesOn } from '../../functions/services.ts';
import { createWeb } from '../../functions/web.ts';
import { paths } from '../../shared/paths/paths.ts';
import { parseConfig } from '../../shared/platform/config.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { MemoryBlobs } from '../harness/memory/memory-blobs.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { type Claim, principalHeaderOf, signedInSettings } from '../harness/pages/principal-header.ts';
import {
  type Access,
  accessOf,
  functionRoutes,
  openBecause,
  openPaths,
} from '../harness/pages/route-roles.ts';

const ORIGIN = 'https://desk.example';
const web = webWith(signedInSettings);
const withoutSignIn = webWith({ ...signedInSettings, WEBSITE_AUTH_ENABLED: 'false' });

function webWith(environment: Record<string, string>): ReturnType<typeof createWeb> {
  const config = parseConfig({
    DataStorage: 'UseDevelopmentStorage=true',
    KEY_VAULT_URI: 'https://vault.example',
    PUBLIC_URL: ORIGIN,
    ...environment,
  });
  const services = servicesOn({
    config,
    seam: openSeam,
    tables: new MemoryTables(openSeam),
    blobs: new MemoryBlobs(openSeam),
    vault: new MemoryVault(),
    queues: {
      send: () => Promise.resolve(),
      poison: () => Promise.resolve({ count: 0, since: undefined }),
      clearPoison: () => Promise.resolve(),
    },
  });
  return createWeb(() => services);
}

/** `GET /tickets/:id`, as registered; middleware is registered for every method and is excluded. */
const routes = [...new Set(web.routes.map(({ method, path }) => `${method} ${path}`))].filter(
  (route) => !route.startsWith('ALL ') && !route.startsWith('GET /assets/'),
);
const changing = (route: string): boolean => !/^(?:GET|HEAD|OPTIONS) /.test(route);

type Caller = 'nobody' | 'no role' | 'agent' | 'admin';
const rolesOf: Readonly<Record<Exclude<Caller, 'nobody'>, readonly string[]>> = {
  'no role': ['reader'],
  agent: ['agent'],
  admin: ['admin'],
};

function headersOf(caller: Caller): Record<string, string> {
  const own = { 'sec-fetch-site': 'same-origin' };
  if (caller === 'nobody') return own;
  const header = principalHeaderOf([
    ['oid', '11111111-2222-4333-8444-555555555555'],
    ['name', 'Pat'],
    ...rolesOf[caller].map((role): Claim => ['roles', role]),
  ]);
  return { ...own, 'x-ms-client-principal': header };
}

/** Requests a route with invented values for its parameters. */
async function ask(route: string, caller: Caller, at = web, method?: string): Promise<Response> {
  const [registered = 'GET', path = '/'] = route.split(' ');
  const address = ORIGIN + path.replaceAll(/:\w+(\{[^}]*\})?/g, 'a'.repeat(26));
  const bodied = changing(`${method ?? registered} `);
  const body = bodied ? { body: new URLSearchParams() } : {};
  return at.request(address, { method: method ?? registered, headers: headersOf(caller), ...body });
}

type Answer = 'let in' | 'sent to sign in' | 'refused';
function answerOf(response: Response): Answer {
  if (response.status === 302 && response.headers.get('location')?.startsWith('/.auth/login/') === true)
    return 'sent to sign in';
  return response.status === 403 ? 'refused' : 'let in';
}

const expected = (access: Access, caller: Caller): Answer => {
  if (access === 'everyone') return 'let in';
  if (caller === 'nobody') return 'sent to sign in';
  if (caller === 'no role') return 'refused';
  return access === 'agent' || caller === 'admin' ? 'let in' : 'refused';
};

describe('every route', () => {
  test('is classified, and nothing else is', () => {
    expect(routes.filter((route) => accessOf[route] === undefined)).toEqual([]);
    expect(Object.keys(accessOf).filter((route) => !routes.includes(route))).toEqual([]);
  });

  test('of main.ts is, too', () => {
    const source = readFileSync(join(import.meta.dirname, '../../functions/main.ts'), 'utf8');
    const registered = [...source.matchAll(/app\.http\(.*?route: (.*?),(?:\n| methods)/gs)].map(
      ([, route]) => route,
    );
    expect(registered.length).toBe(source.match(/app\.(?:http|get|post|put|patch|deleteRequest)\(/g)?.length);
    expect(registered).toEqual(Object.keys(functionRoutes));
  });

  test('states on its line who may open it, as the list by hand does', () => {
    const stated = table.map(({ method, pattern, access }) => [
      `${method} ${pattern}`,
      access === 'anonymous' ? 'everyone' : access,
    ]);
    expect(new Set(stated.map(([route]) => route)).size).toBe(stated.length);
    expect(Object.fromEntries(stated)).toEqual(accessOf);
  });

  test('that a stranger may open is on the list of open paths with its reason, and no other is', () => {
    expect([...openPaths].sort()).toEqual(Object.keys(openBecause).sort());
  });

  test('has the path of every link, and no other', () => {
    const outside = [paths.asset, paths.live, paths.ready, paths.graphNotifications].map(
      ({ pattern }) => pattern,
    );
    const linked = Object.values(paths).map(({ pattern }) => pattern);
    expect(new Set(linked).size).toBe(linked.length);
    expect([...new Set(table.map(({ pattern }) => pattern)), ...outside].sort()).toEqual([...linked].sort());
  });
});

const callers: readonly Caller[] = ['nobody', 'no role', 'agent', 'admin'];
describe.each(callers)('%s', (caller) => {
  test.each(routes)('gets the expected response at %s', async (route) => {
    const response = await ask(route, caller);
    expect(answerOf(response)).toBe(expected(accessOf[route] ?? 'admin', caller));
    expect(response.status).toBeLessThan(500);
  });

  test('gets no further with HEAD, with another method, or with another spelling of the URL', async () => {
    for (const route of routes.filter((one) => expected(accessOf[one] ?? 'admin', caller) !== 'let in')) {
      const variants = [
        await ask(route, caller, web, 'HEAD'),
        await ask(route, caller, web, 'OPTIONS'),
        await ask(`${route}/`, caller),
        await ask(`${route}.`, caller),
        await ask(route.replace(' /', ' //'), caller),
        await ask(route.replace(' /', ' /./'), caller),
        await ask(
          route.replace(/[a-z](?=[^a-z]*$)/, (letter) => letter.toUpperCase()),
          caller,
        ),
      ];
      // A missing path may be reported as missing to those who may see it.
      const shown = variants.filter(
        ({ status }) => status < 300 || (status >= 400 && ![403, 404].includes(status)),
      );
      expect([route, shown.map(({ status }) => status)]).toEqual([route, []]);
    }
  });
});

describe('while the platform does not sign people in', () => {
  test.each(routes)('an admin’s header opens nothing at %s', async (route) => {
    const response = await ask(route, 'admin', withoutSignIn);
    if (accessOf[route] === 'everyone') {
      // Open by itself: the forged header must not add anything to what a stranger sees.
      const stranger = await ask(route, 'nobody', withoutSignIn);
      expect(await response.text()).toBe(await stranger.text());
    } else expect(answerOf(response)).toBe('refused');
  });
});
