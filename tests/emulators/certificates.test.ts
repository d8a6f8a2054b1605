import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keepCertificates, makeCertificates } from '../../dev/emulators/certificates.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postroom-certificates-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('serves a name and an address of this machine to clients that trust the CA, and to no others', async () => {
  const made = await makeCertificates();
  const server = createServer(made, (_, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const ask = (host: string, ca?: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      get({ host, port, agent: false, ...(ca !== undefined && { ca }) }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).once('error', reject);
    });
  expect(await ask('localhost', made.ca)).toBe(200);
  expect(await ask('127.0.0.1', made.ca)).toBe(200);
  await expect(ask('localhost')).rejects.toMatchObject({ code: expect.stringMatching(/UNABLE|SELF_SIGNED/) });
  await expect(ask('localhost', (await makeCertificates()).ca)).rejects.toThrow();
  server.close();
});

it('contains the requested names, including an IPv6 address', async () => {
  const { cert, ca } = await makeCertificates({ hosts: ['vault.example', '::1'] });
  const server = new X509Certificate(cert);
  expect(server.checkHost('vault.example')).toBe('vault.example');
  expect(server.checkIP('::1')).toBe('::1');
  expect(server.checkHost('localhost')).toBeUndefined();
  expect(new X509Certificate(ca).ca).toBe(true);
  expect(server.ca).toBe(false);
});

it('is kept between starts and renewed shortly before its expiry', async () => {
  const now = new Date('2026-11-24T12:00:00Z');
  const first = await keepCertificates(folder, { now });
  expect(await keepCertificates(folder, { now })).toEqual(first);
  expect(readFileSync(first.caFile, 'utf8')).toBe(first.ca);
  const later = await keepCertificates(folder, { now: new Date('2027-11-15T12:00:00Z') });
  expect(later.cert).not.toBe(first.cert);
});

it('is created again if its files do not match', async () => {
  const first = await keepCertificates(folder);
  writeFileSync(join(folder, 'key.pem'), (await makeCertificates()).key);
  expect((await keepCertificates(folder)).cert).not.toBe(first.cert);
});
