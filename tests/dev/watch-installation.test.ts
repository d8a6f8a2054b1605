import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const alerts = readFileSync(join(root, 'infra', 'modules', 'alerts.bicep'), 'utf8');

interface Asked {
  method: string | undefined;
  url: string | undefined;
  authorization: string | undefined;
  body: string;
}

let folder: string;
let server: Server;
let origin: string;
let asked: Asked[];
/** Successive responses of `/health/ready`; the last one is repeated. */
let readiness: number[];
let alertStatus: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postroom-watch-'));
  asked = [];
  readiness = [200];
  alertStatus = 200;
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (data: Buffer) => {
      body += data.toString();
    });
    request.on('end', () => {
      const { method, url, headers } = request;
      asked.push({ method, url, authorization: headers.authorization, body });
      const ready = readiness.length > 1 ? readiness.shift() : readiness[0];
      response.statusCode = url === '/health/ready' ? (ready ?? 500) : alertStatus;
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answer = { accessToken: 'token-of-the-deployer', expires_on: 4_102_444_800, tokenType: 'Bearer' };
  const az = join(folder, 'az');
  writeFileSync(az, `#!${process.execPath}\nconsole.log(${JSON.stringify(JSON.stringify(answer))});`);
  chmodSync(az, 0o755);
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

function run(
  args: readonly string[],
  more: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'dev', 'watch-installation.ts'), ...args], {
      env: {
        PATH: folder,
        HOME: folder,
        AZURE_SUBSCRIPTION_ID: '00000000-0000-4000-8000-000000000001',
        AZURE_RESOURCE_GROUP: 'postroom-installation',
        POSTROOM_URL: `${origin}/`,
        ...more,
      },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

describe('npm run watch-installation', () => {
  test('enables the template’s alert once the installation is ready, as the signed-in user', async () => {
    const { code, stdout } = await run(['--management', origin, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ready: true, alert: 'on' });
    const [watched, changed] = asked;
    // Only the health request is sent to the installation.
    expect(watched).toEqual({ method: 'GET', url: '/health/ready', authorization: undefined, body: '' });
    expect(changed).toMatchObject({ method: 'PATCH', authorization: 'Bearer token-of-the-deployer' });
    expect(changed?.url).toBe(
      '/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/postroom-installation/providers/Microsoft.Insights/metricAlerts/postroom-not-ready?api-version=2018-03-01',
    );
    expect(JSON.parse(changed?.body ?? '')).toEqual({ properties: { enabled: true } });
    expect(alerts).toMatch(/metricAlerts@[\d-]+' = \{\n {2}name: 'postroom-not-ready'/);
  });

  test('also enables it if the installation does not get ready, which is its purpose', async () => {
    readiness = [503];
    const { code, stdout } = await run(['--management', origin, '--patience', '1']);
    expect(code).toBe(0);
    expect(stdout).toContain('not ready yet');
    expect(asked.filter(({ url }) => url === '/health/ready').length).toBeGreaterThan(1);
    expect(asked.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
  });

  test('fails when Azure refuses, so that azd does', async () => {
    alertStatus = 403;
    const { code, stderr } = await run(['--management', origin]);
    expect(code).toBe(1);
    expect(stderr).toContain('status 403');
    expect(stderr).not.toContain('token-of-the-deployer');
  });

  test('names what is missing, and sends the token only to Azure and this machine', async () => {
    expect((await run(['--management', origin], { AZURE_RESOURCE_GROUP: '' })).stderr).toContain(
      'AZURE_RESOURCE_GROUP is not known',
    );
    expect((await run(['--management', 'https://management.example'])).code).toBe(1);
    expect(asked).toEqual([]);
  });
});
