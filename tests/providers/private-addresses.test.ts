/**
 * A public name with a private address: none of the three kinds of connections reaches it. The name is resolved only
 * here, as if by an attacker's name server; everything else is real, including a listening socket.
 */
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';

const NAME = 'metadata.attacker.example';
const azure = { local: false };
const realLookup = dns.lookup;

let server: Server;
let port: number;
let connections = 0;

/** The system's own lookup, except for one name. */
const lookup = (
  hostname: string,
  options: dns.LookupOptions,
  callback: (...answer: unknown[]) => void,
): void => {
  if (hostname !== NAME) realLookup(hostname, options, callback);
  else if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

beforeAll(async () => {
  // Before the guards are loaded: they use the system's lookup of that moment, and so does every socket.
  Object.assign(dns, { lookup });
  syncBuiltinESMExports();
  server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(async () => {
  Object.assign(dns, { lookup: realLookup });
  syncBuiltinESMExports();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  connections = 0;
});

describe('a public name with a private address is refused by the socket', () => {
  it('of a request to a provider', async () => {
    const { guardedFetch } = await import('../../shared/providers/guarded-fetch.ts');
    const request = { method: 'POST', headers: {}, body: 'client_secret=s' } as const;
    await expect(guardedFetch(`https://${NAME}:${port}/token`, request, azure)).rejects.toMatchObject({
      code: 'endpoint-private',
    });
    expect(connections).toBe(0);
  });

  it('of a plain connection to a mail server', async () => {
    const { guardedConnect } = await import('../../shared/providers/guarded-connect.ts');
    await expect(guardedConnect({ host: NAME, port }, azure, 5000)).rejects.toMatchObject({
      code: 'endpoint-private',
    });
    expect(connections).toBe(0);
  });

  it('of IMAP', async () => {
    const { openImapInbox } = await import('../../shared/mailboxes/open-imap-inbox.ts');
    const address = { host: NAME, port, folder: 'INBOX', user: 'u', accessToken: new Secret('t') };
    await expect(openImapInbox(address, openSeam, azure)).rejects.toMatchObject({ failure: 'unavailable' });
    expect(connections).toBe(0);
  });

  it('while a developer’s setting allows the same name, which shows that it resolves there', async () => {
    const { guardedConnect } = await import('../../shared/providers/guarded-connect.ts');
    const { guardedFetch } = await import('../../shared/providers/guarded-fetch.ts');
    const here = { local: true };
    (await guardedConnect({ host: NAME, port }, here, 5000)).destroy();
    await expect(
      guardedFetch(`http://${NAME}:${port}/`, { method: 'GET', headers: {} }, here),
    ).rejects.toMatchObject({ code: 'endpoint-silent' });
    expect(connections).toBe(2);
  });
});
