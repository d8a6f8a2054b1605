import type { lookup } from 'node:dns';
import { createServer } from 'node:http';
import { type AddressInfo, connect, isIPv6 } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointProblem, hostProblem, isPublicAddress } from '../../shared/providers/endpoint-safety.ts';
import { guardedFetch, guardedLookup, publicLookup } from '../../shared/providers/guarded-fetch.ts';

const azure = { local: false };

describe('an endpoint', () => {
  it.each([
    'http://login.example.org/token',
    'https://localhost/token',
    'https://127.0.0.1/token',
    'https://2130706433/token',
    'https://0x7f.1/token',
    'https://0177.0.0.1/token',
    'https://[::1]/token',
    'https://[::ffff:169.254.169.254]/token',
    'https://169.254.169.254/metadata',
    'https://168.63.129.16/',
    'https://10.0.0.1/',
    'https://intranet/token',
    'https://vault.internal/',
    'https://printer.local/',
    'https://user:pass@login.example.org/',
    'https://login.example.org/#x',
    'ftp://login.example.org/',
    'javascript:alert(1)',
    'login.example.org',
    '',
  ])('%j is rejected with a message', (address) => {
    expect(endpointProblem(address, azure)).toMatch(/\.$/);
  });

  it('on the public internet over https is allowed', () => {
    expect(endpointProblem('https://login.example.org/oauth/token?x=1', azure)).toBeUndefined();
    expect(hostProblem('imap.example.org', azure)).toBeUndefined();
  });

  it('on this machine is allowed in local mode only', () => {
    expect(endpointProblem('http://localhost:8080/token', { local: true })).toBeUndefined();
    expect(hostProblem('127.0.0.1', azure)).toBeDefined();
  });
});

describe('an address', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.9.9.9',
    '169.254.169.254',
    '168.63.129.16',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'ff02::1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    'nonsense',
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['8.8.8.8', '20.190.128.1', '172.32.0.1', '2603:1026::1', '2a00:1450::1'])(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );
});

describe('a request', () => {
  const hits: string[] = [];
  const server = createServer((request, response) => {
    hits.push(request.url ?? '');
    if (request.url === '/redirect') response.writeHead(302, { location: '/target' }).end();
    else if (request.url === '/huge') response.end(Buffer.alloc(2 * 1024 * 1024));
    else response.end('{}');
  });
  let origin = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
  });
  const get = { method: 'GET' as const, headers: {} };

  it('does not follow a redirect', async () => {
    hits.length = 0;
    expect((await guardedFetch(`${origin}/redirect`, get, { local: true })).status).toBe(302);
    expect(hits).toEqual(['/redirect']);
  });

  it('stops at a response above 1 MB', async () => {
    await expect(guardedFetch(`${origin}/huge`, get, { local: true })).rejects.toThrow('too large');
  });

  it('to this machine is refused before a connection is made', async () => {
    hits.length = 0;
    await expect(guardedFetch(`${origin}/x`, get, azure)).rejects.toMatchObject({ code: 'endpoint-refused' });
    expect(hits).toEqual([]);
  });

  it('to a name that resolves to a private address is refused at connect time', async () => {
    const failure = await new Promise<unknown>((resolve) =>
      publicLookup('localhost', {}, (error) => resolve(error)),
    );
    expect(failure).toMatchObject({ code: 'endpoint-private' });
  });

  describe('with a foreign name server', () => {
    /** Returns the next answer at each call; finally always the last one. */
    const answering = (...answers: string[][]): typeof lookup => {
      let asked = 0;
      const resolve = (_name: string, _options: object, callback: (...result: unknown[]) => void): void => {
        const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
        asked += 1;
        callback(
          null,
          addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 })),
        );
      };
      return resolve as unknown as typeof lookup;
    };
    const ask = (resolve: typeof lookup, all: boolean): Promise<unknown> =>
      new Promise((done) =>
        guardedLookup(resolve)('login.example.org', { all }, (error, found) => done(error ?? found)),
      );

    it.each([
      ['loopback', ['127.0.0.1']],
      ['a private network', ['10.0.0.5']],
      ['the metadata service', ['169.254.169.254']],
      ['Azure’s own address', ['168.63.129.16']],
      ['loopback of the new protocol', ['::1']],
      ['loopback in the clothes of the new protocol', ['::ffff:127.0.0.1']],
      ['a private network of the new protocol', ['fd12::1']],
      ['a link-local address', ['fe80::1']],
      ['a public address with a private one behind it', ['20.190.128.1', '10.0.0.5']],
      ['nothing', []],
    ])('%s is refused', async (_where, addresses) => {
      for (const all of [true, false])
        expect(await ask(answering(addresses), all)).toMatchObject({ code: 'endpoint-private' });
    });

    it('the socket gets a public address, and a later private one is refused', async () => {
      const resolve = answering(['20.190.128.1'], ['127.0.0.1']);
      expect(await ask(resolve, false)).toBe('20.190.128.1');
      expect(await ask(resolve, false)).toMatchObject({ code: 'endpoint-private' });
    });

    it('no socket is opened to a private address', async () => {
      let connections = 0;
      server.on('connection', () => connections++);
      const { port } = server.address() as AddressInfo;
      const failure = await new Promise<unknown>((done) => {
        connect({ host: 'login.example.org', port, lookup: guardedLookup(answering(['127.0.0.1'])) })
          .on('error', done)
          .on('connect', () => done('connected'));
      });
      expect(failure).toMatchObject({ code: 'endpoint-private' });
      expect(connections).toBe(0);
    });
  });
});
