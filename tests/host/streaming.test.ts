import { get, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningHost } from '../../dev/host/host.ts';
import { type SampleHost, sampleHost } from '../harness/stack/host-fixture.ts';

let sample: SampleHost;
let host: RunningHost;
beforeAll(async () => {
  sample = await sampleHost({}, 'streaming-app');
  host = await sample.start();
});
afterAll(() => sample[Symbol.asyncDispose]());

const counts = async (): Promise<{ handedOut: number; ended: number }> =>
  (await (await fetch(`${host.url}/count`)).json()) as { handedOut: number; ended: number };
const begin = (path: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    get(host.url + path, resolve).on('error', reject);
  });

describe('an app that streams its responses', () => {
  test('gets method, URL, headers and body as sent, and returns its status, headers and cookies', async () => {
    const answer = await fetch(`${host.url}/form?q=%C3%BC`, {
      method: 'POST',
      body: 'a=b',
      headers: { 'x-sent': '1' },
    });
    expect(answer.status).toBe(201);
    expect(await answer.text()).toBe(`POST ${host.url}/form?q=%C3%BC a=b`);
    expect([
      answer.headers.get('x-sent'),
      Buffer.from(answer.headers.get('x-query') ?? '', 'latin1').length,
    ]).toEqual(['1', 1]);
    expect(answer.headers.getSetCookie()).toEqual([
      '__Host-sid=a%20b; Path=/; HttpOnly; Secure',
      'theme=dark',
    ]);
    const head = await fetch(`${host.url}/form`, { method: 'HEAD' });
    expect([head.status, (await head.arrayBuffer()).byteLength]).toEqual([201, 0]);
  });

  test('returns a page with a reference if one of our handlers throws', async () => {
    const answer = await fetch(`${host.url}/throws`);
    expect(answer.status).toBe(500);
    expect(await answer.text()).toMatch(/this reference: <strong>[0-9a-f]{8}</);
  });

  test('leaves its caller waiting after an uncaught error, as on Azure, so all of ours are caught', async () => {
    const caller = new AbortController();
    const answer = fetch(`${host.url}/raw`, { signal: caller.signal }).catch(() => 'nothing');
    await expect
      .poll(() => sample.logged.map(({ message }) => message))
      .toContainEqual(expect.stringContaining('nobody catches this'));
    setTimeout(() => caller.abort(), 500);
    expect(await answer).toBe('nothing');
  });

  test('returns a page if a body fails at its first chunk, and closes the connection if it fails later', async () => {
    const atOnce = await fetch(`${host.url}/fails-at-once`);
    expect([atOnce.status, (await atOnce.text()).includes('Something went wrong')]).toEqual([500, true]);
    const later = await fetch(`${host.url}/fails-later`);
    expect(later.status).toBe(200);
    await expect(later.arrayBuffer()).rejects.toThrow();
  });

  test('reads a body at the pace of the client, and stops when the client disconnects', async () => {
    const before = await counts();
    const answer = await begin('/large');
    await pause(700);
    const { handedOut } = await counts();
    // The sockets and streams buffer some chunks, not two hundred.
    expect(handedOut - before.handedOut).toBeLessThan(25);
    answer.destroy();
    await expect.poll(async () => (await counts()).ended - before.ended).toBe(1);
    expect((await counts()).handedOut - before.handedOut).toBeLessThan(30);
  });
});
