import { HttpRequest, HttpResponse, InvocationContext } from '@azure/functions';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type FetchApp, httpHandler, parseSetCookie, toRequest } from '../../functions/http/http-adapter.ts';

type RequestInitOfAzure = ConstructorParameters<typeof HttpRequest>[0];

const context = new InvocationContext();
const requestOf = (init: Partial<RequestInitOfAzure> = {}): HttpRequest =>
  new HttpRequest({ method: 'GET', url: 'https://desk.example/', ...init });

/** Through the adapter and Azure's own classes, as the worker does it. */
async function answerOf(app: FetchApp, init?: Partial<RequestInitOfAzure>): Promise<HttpResponse> {
  const answer = await httpHandler(() => Promise.resolve(app))(requestOf(init), context);
  return new HttpResponse(answer instanceof HttpResponse ? undefined : answer);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a response through the adapter', () => {
  test('keeps several cookies, the case of their names and every "=" of their values', async () => {
    const { cookies, headers } = await answerOf(() => {
      const response = new Response('ok');
      response.headers.append(
        'set-cookie',
        '__Host-sid=a%20b%3Dc==; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60',
      );
      response.headers.append(
        'set-cookie',
        'Theme=dark; Expires=Tue, 24 Nov 2026 10:00:00 GMT; Domain=desk.example',
      );
      return response;
    });
    expect(cookies).toEqual([
      {
        name: '__Host-sid',
        value: 'a b=c==',
        path: '/',
        secure: true,
        httpOnly: true,
        sameSite: 'Lax',
        maxAge: 60,
      },
      {
        name: 'Theme',
        value: 'dark',
        expires: new Date('2026-11-24T10:00:00Z'),
        domain: 'desk.example',
      },
    ]);
    expect(headers.has('set-cookie')).toBe(false);
  });

  test('keeps all 256 byte values', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_value, index) => index);
    const answer = await answerOf(() => new Response(bytes));
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes);
  });

  test('keeps redirects and responses without a body', async () => {
    const redirect = await answerOf(
      () => new Response(null, { status: 303, headers: { location: '/tickets' } }),
    );
    expect([redirect.status, redirect.headers.get('location')]).toEqual([303, '/tickets']);
    for (const status of [204, 304]) {
      const empty = await answerOf(() => new Response(null, { status }));
      expect([empty.status, empty.body]).toEqual([status, null]);
    }
  });
});

describe('a request through the adapter', () => {
  test('with HEAD or GET arrives without a body, even if one was sent', async () => {
    for (const method of ['HEAD', 'GET']) {
      const request = toRequest(requestOf({ method, body: { string: 'ignored' } }));
      expect([request.method, request.body]).toEqual([method, null]);
    }
  });

  test('with a form, a query and headers arrives as sent', async () => {
    const answer = await answerOf(
      async (request) => {
        const form = await request.formData();
        const { searchParams } = new URL(request.url);
        return Response.json([form.get('name'), searchParams.get('q'), request.headers.get('x-one')]);
      },
      {
        method: 'POST',
        url: 'https://desk.example/form?q=%C3%BC',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-one': '1' },
        body: { string: 'name=J%C3%BCrgen+%26+Co' },
      },
    );
    expect(await answer.json()).toEqual(['Jürgen & Co', 'ü', '1']);
  });

  test('with an upload keeps its file name and its bytes', async () => {
    const form = new FormData();
    const bytes = Uint8Array.from({ length: 256 }, (_value, index) => 255 - index);
    form.set('file', new File([bytes], 'odd "name".bin'));
    const sent = new Response(form);
    const answer = await answerOf(
      async (request) => {
        const file = (await request.formData()).get('file');
        if (!(file instanceof File)) return new Response('no file', { status: 400 });
        return new Response(await file.arrayBuffer(), { headers: { 'x-name': file.name } });
      },
      {
        method: 'POST',
        headers: { 'content-type': sent.headers.get('content-type') ?? '' },
        body: { bytes: new Uint8Array(await sent.arrayBuffer()) },
      },
    );
    expect(answer.headers.get('x-name')).toBe('odd "name".bin');
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes);
  });
});

describe('a failure', () => {
  test('becomes a page with a reference that is also in the log, and without the reason', async () => {
    const lines: string[] = [];
    vi.spyOn(console, 'error').mockImplementation((line: string) => lines.push(line));
    const failures = [
      () => {
        throw new Error('the secret reason');
      },
      () => Promise.reject(new Error('the secret reason')),
    ];
    for (const app of failures) {
      const answer = await answerOf(app);
      const page = await answer.text();
      const reference = /<strong>([0-9a-f]{8})<\/strong>/.exec(page)?.[1] ?? 'none';
      expect(answer.status).toBe(500);
      expect(page).not.toContain('secret reason');
      expect(lines.at(-1)).toContain(reference);
      expect(lines.at(-1)).toContain('the secret reason');
    }
  });

  test('to load the pages does so, too, and the next request retries', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    let tries = 0;
    const handler = httpHandler(() => {
      if (++tries === 1) throw new Error('a part of the app is missing');
      return Promise.resolve(() => new Response('fine'));
    });
    expect(await handler(requestOf(), context)).toMatchObject({ status: 500 });
    expect(await handler(requestOf(), context)).toMatchObject({ status: 200 });
  });
});

describe('a Set-Cookie line', () => {
  test('with a value that is no valid percent encoding keeps it unchanged', () => {
    expect(parseSetCookie('a=100%; Secure')).toEqual({ name: 'a', value: '100%', secure: true });
  });
});
