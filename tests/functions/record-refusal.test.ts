import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { formData } from '../../functions/http/form-data.ts';
import { createLineLimit } from '../../functions/http/record-refusal.ts';
import type { Route } from '../../functions/http/route.ts';
import { buildServices } from '../../functions/services.ts';
import { createWeb } from '../../functions/web.ts';
import { parseConfig } from '../../shared/platform/config.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { sendTelemetryTo } from '../../shared/platform/telemetry.ts';
import { type Claim, principalHeaderOf, signedInSettings } from '../harness/pages/principal-header.ts';
import { samplePostroom } from '../harness/pages/sample-postroom.ts';

const ORIGIN = 'https://desk.example';
const lines: Record<string, unknown>[] = [];
const counted: string[] = [];
// A separate clock for each test: the limit of lines applies to the whole process.
let clock = Date.parse('2026-11-24T10:00:00Z');

beforeEach(() => {
  clock += 3_600_000;
  lines.length = 0;
  counted.length = 0;
  vi.spyOn(console, 'warn').mockImplementation((line: string) => {
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (entry['event'] === 'refused') lines.push(entry);
  });
  sendTelemetryTo({
    span: (_name, _options, run) => run({ add() {}, event() {}, discard() {} }),
    measure: (metric, value, { reason }) => {
      if (metric === 'refusals') counted.push(...Array.from({ length: value }, () => String(reason)));
    },
    traceparent: () => undefined,
    flush: async () => {},
  });
});
afterEach(() => {
  sendTelemetryTo(undefined);
  vi.restoreAllMocks();
});

const sampleRoutes: readonly Route[] = [
  { method: 'GET', pattern: '/things/:id', access: 'admin', handler: (c) => c.text('thing') },
  {
    method: 'POST',
    pattern: '/things/:id',
    access: 'agent',
    handler: async (c) => c.text((await formData(c))['name'] ?? ''),
  },
];

function webWith(environment: Record<string, string> = {}) {
  const config = parseConfig({
    DataStorage: 'UseDevelopmentStorage=true',
    KEY_VAULT_URI: 'https://vault.example',
    PUBLIC_URL: ORIGIN,
    ...signedInSettings,
    ...environment,
  });
  const services = buildServices(config, { ...openSeam, now: () => clock });
  return createWeb(() => services, sampleRoutes);
}

const personWith = (role: string): Record<string, string> => {
  const claims: Claim[] = [
    ['oid', 'oid-of-pat'],
    ['name', 'Pat Secret-Name'],
    ['roles', role],
  ];
  return { 'x-ms-client-principal': principalHeaderOf(claims) };
};

const own = { 'sec-fetch-site': 'same-origin' };
const refusals: [reason: string, status: number, ask: () => Response | Promise<Response>][] = [
  [
    'sign-in-off',
    403,
    () => webWith({ WEBSITE_AUTH_ENABLED: 'false' }).request(`${ORIGIN}/things/a-path-token`),
  ],
  [
    'principal-foreign',
    403,
    () =>
      webWith().request(`${ORIGIN}/things/a-path-token`, {
        headers: { 'x-ms-client-principal': principalHeaderOf([['oid', 'x']], { provider: 'google' }) },
      }),
  ],
  [
    'role-missing',
    403,
    () => webWith().request(`${ORIGIN}/things/a-path-token`, { headers: personWith('agent') }),
  ],
  [
    'other-site',
    403,
    () =>
      webWith().request(`${ORIGIN}/things/a-path-token`, {
        method: 'POST',
        headers: { ...personWith('admin'), 'sec-fetch-site': 'cross-site' },
      }),
  ],
  [
    'too-large',
    413,
    () =>
      webWith().request(`${ORIGIN}/things/a-path-token`, {
        method: 'POST',
        headers: { ...personWith('admin'), ...own },
        body: 'x'.repeat(1024 * 1024 + 1),
      }),
  ],
  [
    'malformed',
    400,
    () =>
      webWith().request(`${ORIGIN}/things/a-path-token`, {
        method: 'POST',
        headers: { ...personWith('admin'), ...own, 'content-type': 'multipart/form-data; boundary=x' },
        body: 'no part at all',
      }),
  ],
];

describe('a refusal', () => {
  test.each(refusals)('for %s is a line and a count, without the path', async (reason, status, ask) => {
    const answer = await ask();
    expect(answer.status).toBe(status);
    await vi.waitFor(() => expect(counted).toEqual([reason]), { timeout: 60_000 });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 'warn', event: 'refused', reason, route: '/things/:id' });
    expect(JSON.stringify(lines)).not.toMatch(/a-path-token|Secret-Name/);
  });

  test('of a signed-in user has the object ID, and of a stranger none', async () => {
    const web = webWith();
    await web.request(`${ORIGIN}/things/1`, { headers: personWith('agent') });
    await web.request(`${ORIGIN}/things/1`, { method: 'POST', headers: { 'sec-fetch-site': 'none' } });
    expect(lines.map(({ principal }) => principal)).toEqual(['oid-of-pat', undefined]);
  });

  test('of a guessed invitation, state or approval is logged without the guess', async () => {
    const { services } = samplePostroom();
    const web = createWeb(() => services);
    const guess = 'g'.repeat(43);
    expect((await web.request(`${ORIGIN}/invite/${guess}`)).status).toBe(404);
    expect((await web.request(`${ORIGIN}/oauth/callback?code=x&state=${guess}`)).status).toBe(303);
    expect((await web.request(`${ORIGIN}/oauth/callback?admin_consent=x&state=${guess}`)).status).toBe(303);
    expect(lines.map(({ reason, route }) => [reason, route])).toEqual([
      ['unknown-invitation', '/invite/:key'],
      ['unknown-state', '/oauth/callback'],
      ['unknown-approval', '/oauth/callback'],
    ]);
    expect(JSON.stringify(lines)).not.toContain(guess);
  });

  test('is counted each time, and has ten lines a minute; the next line says how many had none', async () => {
    const web = webWith();
    const ask = () => web.request(`${ORIGIN}/things/1`, { headers: personWith('agent') });
    for (let turn = 0; turn < 135; turn++) await ask();
    await vi.waitFor(() => expect(counted).toHaveLength(135), { timeout: 60_000 });
    expect(lines).toHaveLength(10);
    clock += 60_000;
    await ask();
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toMatchObject({ reason: 'role-missing', suppressed: 125 });
  });
});

test('repeated without end for one reason does not suppress the lines of another', () => {
  const limit = createLineLimit();
  for (let turn = 0; turn < 1000; turn++) limit.take('role-missing', 0);
  expect(limit.take('role-missing', 59_999)).toBeUndefined();
  expect(limit.take('other-site', 1)).toEqual({ suppressed: 0 });
  expect(limit.take('role-missing', 60_000)).toEqual({ suppressed: 991 });
  // A clock that was set back starts another minute, or nothing would be logged until it has caught up.
  expect(limit.take('role-missing', -3_600_000)).toEqual({ suppressed: 0 });
});
