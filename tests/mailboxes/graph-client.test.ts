/** Requests to Microsoft Graph, against a server that answers as Microsoft documents it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { failureOf, type GraphPurpose, GraphRefusal } from '../../shared/mailboxes/graph-errors.ts';
import { openGraphInbox } from '../../shared/mailboxes/graph-inbox.ts';
import { graphRef } from '../../shared/mailboxes/graph-ref.ts';
import type { Inbox, InboxAddress, InboxFailure } from '../../shared/mailboxes/inbox.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';

const TOKEN = 'eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJncmFwaCJ9.c2lnbmF0dXJl';
const support = 'support@contoso.example';
const folder = { id: 'AQMkAF=', displayName: 'Inbox', totalItemCount: 1 };
const refs = [1, 2, 3, 4, 5, 6].map((number) => graphRef(`AAkAL${number}=`, '2026-11-28T12:00:00Z'));

interface Asked {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Answers a request; undefined: with the inbox. */
type Script = (asked: Asked, response: ServerResponse) => boolean | undefined;

async function serve(script: Script): Promise<{ port: number; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
      asked.push(one);
      if (script(one, response) !== true) json(response, folder);
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const bound = server.address();
  return { port: typeof bound === 'object' && bound !== null ? bound.port : 0, asked };
}

function json(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): true {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
  return true;
}

const refuse = (response: ServerResponse, status: number, code: string, headers = {}): true =>
  json(response, { error: { code, message: `The message of ${code}.` } }, status, headers);

async function open(port: number, other: Partial<InboxAddress> = {}): Promise<Inbox> {
  const accessToken = new Secret(TOKEN);
  const address = { host: '127.0.0.1', port, folder: 'INBOX', user: support, owner: support, accessToken };
  const inbox = await openGraphInbox({ ...address, ...other }, openSeam, { local: true });
  onTestFinished(() => inbox.close());
  return inbox;
}

// A script answers false for the rest.
const isMessages = ({ url }: Asked): boolean => /\/messages\?/.test(url);
const isDelta = ({ url }: Asked): boolean => url.includes('/messages/delta');

describe('every request', () => {
  test('has the token and asks for immutable IDs', async () => {
    const { port, asked } = await serve((one, response) => isMessages(one) && json(response, { value: [] }));
    await (await open(port)).all();
    expect(asked.length).toBe(2);
    for (const { headers } of asked)
      expect(headers).toMatchObject({
        authorization: `Bearer ${TOKEN}`,
        prefer: expect.stringContaining('IdType="ImmutableId"'),
      });
  });

  test.each([
    ['the token’s own mailbox', support.toUpperCase(), '/v1.0/me/'],
    ['a shared mailbox', 'sam@contoso.example', '/v1.0/users/support%40contoso.example/'],
    ['a mailbox opened by an app', undefined, '/v1.0/users/support%40contoso.example/'],
  ])('is for %s', async (_what, owner, path) => {
    const { port, asked } = await serve(() => undefined);
    await open(port, { owner });
    expect(asked.map(({ url }) => url.startsWith(path))).toEqual([true]);
  });

  test.each(['localhost', '127.0.0.1', 'mail.corp', '10.0.0.4'])(
    'is not sent to %s from Azure',
    async (host) => {
      const address = { host, port: 443, folder: 'INBOX', user: support, accessToken: new Secret(TOKEN) };
      await expect(openGraphInbox(address, openSeam, { local: false })).rejects.toMatchObject({
        failure: 'unavailable',
      });
    },
  );
});

describe('the token never leaves for another host', () => {
  const elsewhere = async (): Promise<{ port: number; asked: Asked[] }> =>
    serve((_one, response) => json(response, { value: [] }));

  test('not by the link to a next page', async () => {
    const other = await elsewhere();
    const { port } = await serve(
      (one, response) =>
        isMessages(one) &&
        json(response, { value: [], '@odata.nextLink': `http://127.0.0.1:${other.port}/v1.0/me/messages` }),
    );
    await expect((await open(port)).all()).rejects.toMatchObject({ code: 'graph-unavailable' });
    expect(other.asked).toEqual([]);
  });

  test.each(['@odata.nextLink', '@odata.deltaLink'])('not by the %s of changes', async (name) => {
    const other = await elsewhere();
    const { port } = await serve(
      (one, response) =>
        isDelta(one) && json(response, { value: [], [name]: `http://localhost:${other.port}/v1.0/me/delta` }),
    );
    await expect((await open(port)).list({})).rejects.toMatchObject({ code: 'graph-unavailable' });
    expect(other.asked).toEqual([]);
  });

  test('not by a saved position', async () => {
    const other = await elsewhere();
    const { port, asked } = await serve((one, response) => {
      if (isDelta(one))
        return json(response, { value: [], '@odata.deltaLink': `http://127.0.0.1:${port}/v1.0/delta?new` });
      return isMessages(one) && json(response, { value: [] });
    });
    const position = { link: `http://localhost:${other.port}/v1.0/me/delta` };
    const { isSetBack } = await (await open(port)).list({ position });
    expect([isSetBack, other.asked]).toEqual([true, []]);
    expect(asked.every(({ url }) => url.startsWith('/v1.0/me/'))).toBe(true);
  });

  test('not by a redirect', async () => {
    const other = await elsewhere();
    const { port } = await serve((_one, response) => {
      response.writeHead(302, { location: `http://localhost:${other.port}/v1.0/me` });
      response.end();
      return true;
    });
    await expect(open(port)).rejects.toMatchObject({ code: 'graph-unavailable' });
    expect(other.asked).toEqual([]);
  });
});

describe('a throttled request', () => {
  test('is repeated after the pause that Graph asks for', async () => {
    let left = 1;
    const { port, asked } = await serve((one, response) => {
      if (!isMessages(one)) return undefined;
      if (left === 0) return json(response, { value: [] });
      left -= 1;
      return refuse(response, 429, 'ApplicationThrottled', { 'retry-after': '1' });
    });
    const inbox = await open(port);
    const began = Date.now();
    expect(await inbox.all()).toEqual([]);
    expect(Date.now() - began).toBeGreaterThanOrEqual(950);
    expect(asked.filter(isMessages)).toHaveLength(2);
  });

  test.each([
    [429, 'ApplicationThrottled'],
    [503, 'ServiceNotAvailable'],
  ])('is not waited for when status %d asks for minutes', async (status, code) => {
    const { port, asked } = await serve(
      (one, response) => isMessages(one) && refuse(response, status, code, { 'retry-after': '300' }),
    );
    const inbox = await open(port);
    const now = Date.now();
    const error = await inbox.all().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'graph-unavailable', said: `${code}: The message of ${code}.` });
    const { retryAt } = error as { retryAt: string };
    expect(Math.abs(Date.parse(retryAt) - (now + 300_000))).toBeLessThan(5_000);
    expect(asked.filter(isMessages)).toHaveLength(1);
  });

  test('in a batch is repeated alone', async () => {
    const batches: string[][] = [];
    const { port } = await serve(({ url, body }, response) => {
      if (!url.endsWith('/$batch')) return undefined;
      const { requests } = JSON.parse(body) as { requests: { id: string; url: string }[] };
      batches.push(requests.map((each) => each.url));
      const isFirst = batches.length === 1;
      // Graph answers in any order.
      const responses = requests.toReversed().map(({ id }) =>
        isFirst && id === '1'
          ? {
              id,
              status: 429,
              headers: { 'Retry-After': '1' },
              body: { error: { code: 'TooManyRequests' } },
            }
          : { id, status: 200, body: {} },
      );
      return json(response, { responses });
    });
    await (await open(port)).markSeen(refs.slice(0, 3));
    expect(batches).toEqual([
      ['/me/messages/AAkAL1%3D', '/me/messages/AAkAL2%3D', '/me/messages/AAkAL3%3D'],
      ['/me/messages/AAkAL2%3D'],
    ]);
  });
});

test('a mailbox has four requests at a time, a batch counting as four', async () => {
  let running = 0;
  let most = 0;
  const later = (response: ServerResponse, count: number, body: unknown): true => {
    running += count;
    most = Math.max(most, running);
    setTimeout(() => {
      running -= count;
      json(response, body);
    }, 20);
    return true;
  };
  const { port } = await serve(({ url, body }, response) => {
    if (url.endsWith('/$value')) return later(response, 1, {});
    if (!url.endsWith('/$batch')) return undefined;
    const { requests } = JSON.parse(body) as { requests: { id: string }[] };
    return later(response, requests.length, { responses: requests.map(({ id }) => ({ id, status: 204 })) });
  });
  const inbox = await open(port);
  await Promise.all([
    inbox.fetchRaw(refs, () => {}),
    inbox.markSeen(refs),
    inbox.remove(refs.slice(0, 2)),
    ...refs.map((ref) => Array.fromAsync(inbox.streamRaw(ref, 1))),
  ]);
  expect(most).toBe(4);
});

test('a message whose transfer breaks off is not returned', async () => {
  const { port } = await serve(({ url }, response) => {
    if (!url.endsWith('/$value')) return undefined;
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('Subject: half a message\r\n');
    setTimeout(() => response.destroy(), 20);
    return true;
  });
  const inbox = await open(port);
  const got: string[] = [];
  const raw = inbox.fetchRaw(refs.slice(0, 1), (ref) => got.push(ref));
  await expect(raw).rejects.toMatchObject({ failure: 'unavailable' });
  const [ref] = refs;
  if (ref === undefined) throw new Error('no ref');
  await expect(Array.fromAsync(inbox.streamRaw(ref, 1))).rejects.toMatchObject({ failure: 'unavailable' });
  expect(got).toEqual([]);
});

test('a response with the token in it does not reach the error', async () => {
  const { port } = await serve((_one, response) =>
    json(response, { error: { code: 'InvalidAuthenticationToken', message: `Bad token ${TOKEN}` } }, 401),
  );
  const error = await open(port).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'graph-token-refused', failure: 'token-refused' });
  expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(TOKEN);
});

test.each<[number, string, GraphPurpose, InboxFailure]>([
  [401, 'InvalidAuthenticationToken', 'open-inbox', 'token-refused'],
  [401, 'InvalidAuthenticationToken', 'change', 'token-refused'],
  [403, 'ErrorAccessDenied', 'open-inbox', 'no-access'],
  [403, 'ErrorAccessDenied', 'change', 'refused'],
  [404, 'MailboxNotEnabledForRESTAPI', 'open-inbox', 'no-access'],
  [404, 'ResourceNotFound', 'open-inbox', 'no-access'],
  [404, 'ErrorInvalidUser', 'open-folder', 'no-access'],
  [404, 'ErrorItemNotFound', 'open-inbox', 'no-access'],
  [404, 'ErrorItemNotFound', 'open-folder', 'folder-missing'],
  [404, 'ErrorItemNotFound', 'read', 'unavailable'],
  [400, 'ErrorInvalidRequest', 'read', 'unavailable'],
  [400, 'ErrorInvalidRequest', 'change', 'refused'],
  [404, 'MailboxInfoStale', 'open-inbox', 'unavailable'],
  [403, 'ErrorMailboxMoveInProgress', 'change', 'unavailable'],
  [429, 'ApplicationThrottled', 'change', 'unavailable'],
  [500, 'ErrorInternalServerError', 'change', 'unavailable'],
  [507, 'ErrorQuotaExceeded', 'change', 'refused'],
  [403, 'ErrorQuotaExceeded', 'change', 'refused'],
])('status %d with %s, to %s, means %s', (status, code, purpose, failure) => {
  expect(failureOf(new GraphRefusal(status, code, ''), purpose)).toBe(failure);
});
