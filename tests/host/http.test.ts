import { request as nodeRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningHost } from '../../dev/host/host.ts';
import { type SampleHost, sampleHost } from '../harness/stack/host-fixture.ts';
import { beginRequest, finishRequest } from './begin-request.ts';

let sample: SampleHost;
let host: RunningHost;
beforeAll(async () => {
  sample = await sampleHost({ FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '3000000' });
  // Set in this process before the app is loaded, and must not be visible to it.
  process.env['SAMPLE_TOO_EARLY'] = 'set';
  host = await sample.start();
});
afterAll(async () => {
  delete process.env['SAMPLE_TOO_EARLY'];
  await sample[Symbol.asyncDispose]();
});

const get = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(host.url + path, { redirect: 'manual', ...init });

/** What fetch does not allow: a custom Host header, a body without a length. */
function raw(options: {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  chunks?: string[];
}): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', path, headers = {}, chunks = [] } = options;
    const request = nodeRequest({ host: '127.0.0.1', port: host.port, method, path, headers }, (response) => {
      let body = '';
      response.on('data', (data: Buffer) => {
        body += data.toString();
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    request.on('error', reject);
    for (const chunk of chunks) request.write(chunk);
    request.end();
  });
}

describe('the local Functions host handles HTTP like the real one', () => {
  test('the first function by name wins, even if a later one names the path literally', async () => {
    expect(await (await get('/items/first')).text()).toBe('aparameter first');
  });

  test('the app loads without any setting and has them when a function runs', async () => {
    expect(await (await get('/environment')).json()).toEqual({ atLoad: [], now: 'arrived', url: host.url });
  });

  test('two cookies arrive as two, with their complete names and values', async () => {
    const cookies = (await get('/cookies')).headers.getSetCookie();
    expect(cookies).toEqual([
      '__Host-sid=a%20b%3Dc%3D%3D; path=/; secure; samesite=lax; httponly',
      'theme=dark; max-age=60; path=/',
    ]);
  });

  test('all 256 byte values arrive, and HEAD returns only the headers', async () => {
    const bytes = new Uint8Array(await (await get('/bytes')).arrayBuffer());
    expect([...bytes]).toEqual(Array.from({ length: 256 }, (_value, index) => index));
    const head = await get('/bytes', { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-type')).toBe('application/octet-stream');
    expect((await head.arrayBuffer()).byteLength).toBe(0);
  });

  test('a body over the configured limit is rejected before the app sees it', async () => {
    const body = new Uint8Array(3_000_001);
    expect((await get('/echo', { method: 'POST', body })).status).toBe(413);
  });

  test('a body with a length arrives, a chunked one arrives empty', async () => {
    const body = new Uint8Array(3_000_000).fill(7);
    expect(await (await get('/echo', { method: 'POST', body })).json()).toMatchObject({ length: 3_000_000 });
    const chunked = await raw({
      method: 'POST',
      path: '/echo',
      headers: { 'transfer-encoding': 'chunked' },
      chunks: ['one', 'two'],
    });
    expect(JSON.parse(chunked.body)).toMatchObject({ length: 0 });
  });

  test('an unregistered method or path is a 404', async () => {
    expect((await get('/nowhere')).status).toBe(404);
    expect((await get('/cookies', { method: 'HEAD' })).status).toBe(404);
  });

  test('a failing function is an empty 500, with its reason in the log', async () => {
    const answer = await get('/boom');
    expect(answer.status).toBe(500);
    expect(await answer.text()).toBe('');
    expect(sample.logged.some(({ message }) => message.includes('the reason'))).toBe(true);
  });

  test('a host name that is not of this machine is rejected, so that no foreign page can imitate this one', async () => {
    const port = host.port;
    expect((await raw({ path: '/environment', headers: { host: `evil.example:${port}` } })).status).toBe(421);
    expect((await raw({ path: '/environment', headers: { host: `localhost.evil.example` } })).status).toBe(
      421,
    );
    for (const own of [`localhost:${port}`, `127.0.0.1:${port}`, `installation.localhost:${port}`])
      expect((await raw({ path: '/environment', headers: { host: own } })).status).toBe(200);
  });

  test('a path that looks like another host stays a path', async () => {
    expect((await raw({ path: '//evil.example/environment', headers: { host: 'localhost' } })).status).toBe(
      404,
    );
    expect(
      (await raw({ path: 'http://evil.example/environment', headers: { host: 'localhost' } })).status,
    ).toBe(400);
  });

  test('stopping finishes the current request and then runs the shutdown hooks', async () => {
    const { readFile } = await import('node:fs/promises');
    const second = await sample.start();
    const slow = finishRequest(await beginRequest(`${second.url}/slow`));
    await second.stop();
    expect(await slow).toBe('finished');
    expect(await readFile(sample.options.settings['SAMPLE_NOTES'] ?? '', 'utf8')).toContain('terminated');
    await expect(fetch(`${second.url}/slow`)).rejects.toThrow();
  });

  test('a port in use is reported in a sentence', async () => {
    await expect(sample.start({ port: host.port })).rejects.toThrow(
      `Port ${host.port} is taken by another program. Stop it, or choose another port.`,
    );
  });
});
