import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningHost } from '../../dev/host/host.ts';
import { createSignIn, ownPath, SIGN_IN_TENANT } from '../../dev/host/sign-in.ts';
import { readPrincipal } from '../../shared/platform/principal.ts';
import { type SampleHost, sampleHost } from '../harness/stack/host-fixture.ts';

let sample: SampleHost;
let host: RunningHost;
beforeAll(async () => {
  sample = await sampleHost();
  host = await sample.start();
});
afterAll(() => sample[Symbol.asyncDispose]());

const get = (path: string, cookie = ''): Promise<Response> =>
  fetch(host.url + path, { redirect: 'manual', headers: { cookie } });

async function signIn(person: string, back = '/tickets'): Promise<{ answer: Response; cookie: string }> {
  const answer = await fetch(`${host.url}/.auth/login/aad`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: host.url },
    body: new URLSearchParams({ person, post_login_redirect_uri: back }),
  });
  return { answer, cookie: (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '' };
}
const alex = (): string => sample.options.people[0]?.id ?? '';
const seenByApp = async (headers: Record<string, string>): Promise<Record<string, string>> =>
  (await fetch(`${host.url}/principal`, { headers })).json() as Promise<Record<string, string>>;

describe('the demo sign-in', () => {
  test('offers each person as a button and remembers the target page', async () => {
    const page = await (
      await get('/.auth/login/aad?post_login_redirect_uri=%2Ftickets%3Fa%3D1%26b%3D2')
    ).text();
    expect(page).toContain('Alex Admin');
    expect(page).toContain('Sam Support');
    expect(page).toContain('value="/tickets?a=1&#38;b=2"');
  });

  test('signs a person in, passes the principal to the app as the platform does, and signs them out', async () => {
    const { answer, cookie } = await signIn(alex());
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/tickets']);
    expect(answer.headers.getSetCookie()[0]).toMatch(/; Path=\/; HttpOnly; SameSite=Lax; Max-Age=28800$/);

    const seen = await seenByApp({ cookie });
    const config = { platformSignIn: true, signInTenants: [SIGN_IN_TENANT], adminObjectIds: [] };
    expect(readPrincipal(seen['x-ms-client-principal'], config)).toEqual({
      id: alex(),
      name: 'Alex Admin',
      address: 'alex@contoso.example',
      roles: ['admin'],
    });
    expect(seen['x-ms-client-principal-id']).toBe(alex());
    expect(seen['x-ms-client-principal-name']).toBe('alex@contoso.example');
    expect(await (await get('/.auth/me', cookie)).json()).toMatchObject([
      { user_id: 'alex@contoso.example' },
    ]);

    const out = await get('/.auth/logout', cookie);
    expect(out.headers.getSetCookie()[0]).toContain('Max-Age=0');
    expect(await (await get('/.auth/me')).json()).toEqual([]);
  });

  test('removes the platform’s headers from every request', async () => {
    const forged = Buffer.from('{"claims":[]}').toString('base64');
    const headers = {
      'X-MS-CLIENT-PRINCIPAL': forged,
      'x-ms-client-principal-id': 'forged',
      'x-ms-client-principal-name': 'forged',
      'x-ms-token-aad-id-token': 'forged',
    };
    expect(await seenByApp(headers)).toEqual({});
    const { cookie } = await signIn(alex());
    const seen = await seenByApp({ ...headers, cookie });
    expect(seen['x-ms-client-principal']).not.toBe(forged);
    expect(JSON.stringify(seen)).not.toContain('forged');
  });

  test('rejects a session that it did not sign', async () => {
    const { cookie } = await signIn(alex());
    const [payload = '', signature = ''] = cookie.split('=').slice(1).join('=').split('.');
    const other = Buffer.from(JSON.stringify({ id: sample.options.people[1]?.id, until: 9e15 }));
    for (const session of [
      `${other.toString('base64url')}.${signature}`,
      `${payload}.`,
      `${payload}.${signature.slice(1)}`,
      'nonsense',
    ])
      expect(await seenByApp({ cookie: `AppServiceAuthSession=${session}` })).toEqual({});
  });

  test('ends a session after eight hours and keeps its key after a restart', async () => {
    let now = Date.parse('2026-11-24T08:00:00Z');
    const folder = join(sample.folder, 'clock');
    const { people } = sample.options;
    const first = await createSignIn(folder, people, () => now);
    const form = new URLSearchParams({ person: alex(), post_login_redirect_uri: '/' });
    const cookies = first.answer('/.auth/login/aad', new URLSearchParams(), new Headers(), form).headers[
      'set-cookie'
    ];
    const cookie = String(cookies).split(';')[0] ?? '';
    const named = async (): Promise<boolean> =>
      (await createSignIn(folder, people, () => now))
        .withPrincipal(new Headers({ cookie }))
        .has('x-ms-client-principal');
    expect(await named()).toBe(true);
    now += 8 * 3600 * 1000 - 1;
    expect(await named()).toBe(true);
    now += 1;
    expect(await named()).toBe(false);
    expect((await readFile(join(folder, 'sign-in-key'), 'utf8')).length).toBe(43);
  });

  test('signs no one in from another site', async () => {
    const answer = await fetch(`${host.url}/.auth/login/aad`, {
      method: 'POST',
      headers: { origin: 'https://evil.example' },
      body: new URLSearchParams({ person: alex() }),
    });
    expect(answer.status).toBe(403);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test('rejects an unknown person', async () => {
    expect((await signIn('nobody')).answer.status).toBe(400);
  });
});

describe('the return path after the sign-in', () => {
  test.each([
    ['/tickets?a=1#b', '/tickets?a=1#b'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['/\t/evil.example', '/'],
    ['https://evil.example', '/'],
    ['/x/..//evil.example', '/'],
    ['tickets', '/'],
    ['', '/'],
  ])('%j leads to %s', (given, path) => {
    expect(ownPath(given)).toBe(path);
  });
});
