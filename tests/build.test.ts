import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BuiltApp, buildApp, projectRoot } from '../dev/build.ts';
import { type HostProcess, startHostProcess } from '../dev/host/host-process.ts';
import { demoPeople } from '../dev/host/options.ts';
import { describeError } from '../dev/run-command.ts';

const run = promisify(execFile);
let folder: string;
let built: BuiltApp;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postroom-build-'));
  built = await buildApp({ outDir: join(folder, 'app') });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const startBuilt = (settings: Record<string, string> = {}): Promise<HostProcess> =>
  startHostProcess(
    {
      appDir: built.outDir,
      port: 0,
      settings,
      stateDir: join(folder, 'state'),
      people: demoPeople,
      background: false,
    },
    join(folder, 'host.log'),
  );

/** The files that load the one chunk with this source at once (`eager`), and those that do when they need it. */
async function importersOf(source: string): Promise<{ eager: string[]; lazy: string[] }> {
  const files = (await readdir(built.outDir)).filter((file) => file.endsWith('.mjs'));
  const parts = await Promise.all(
    files.map(async (file) => ({
      file,
      code: await readFile(join(built.outDir, file), 'utf8'),
      map: await readFile(join(built.outDir, `${file}.map`), 'utf8').catch(() => ''),
    })),
  );
  const [library, ...others] = parts.filter(({ map }) => map.includes(source));
  expect(others).toEqual([]);
  const name = library?.file ?? '';
  const filesWith = (pattern: RegExp): string[] =>
    parts.filter(({ code }) => pattern.test(code)).map(({ file }) => file);
  return {
    eager: filesWith(new RegExp(`(?:from|import)\\s*"\\./${name}"`)),
    lazy: filesWith(new RegExp(`import\\("\\./${name}"\\)`)),
  };
}

async function entry(name: string, code: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, code);
  return file;
}

/** What an app says that is built from one function: `code` stands on line 3 and further, `body` is its handler's. */
async function answerOf(name: string, code: string, body: string): Promise<string> {
  const library = join(projectRoot, 'node_modules/@azure/functions/dist/azure-functions.js');
  const source = await entry(
    `${name}.ts`,
    `import { app } from '${library}';\n\n${code}\napp.http('${name}', { handler: async () => { ${body} } });\n`,
  );
  const { outDir } = await buildApp({ entry: source, outDir: join(folder, name), workers: {} });
  const { stdout } = await run(process.execPath, [
    '--input-type=module',
    '-e',
    `import { loadApp } from ${JSON.stringify(join(projectRoot, 'dev/host/load-app.ts'))};
     const { core } = await loadApp(${JSON.stringify(outDir)}, () => {});
     const target = core.functions.get(${JSON.stringify(name)});
     const data = { http: { url: 'http://localhost/', method: 'GET', nullableHeaders: {}, nullableParams: {} } };
     const { returnValue } = await core.invoke(target, { data });
     console.log(Buffer.from(returnValue.http.body.bytes).toString());`,
  ]);
  return stdout;
}

describe('the built app', () => {
  test('registers every trigger with an empty environment, health before the pages', () => {
    expect(built.functions).toEqual(
      expect.arrayContaining(['fetchMail', 'fetchShard', 'healthLive', 'healthReady', 'refreshTokens']),
    );
    expect(built.functions.at(-1)).toBe('web');
  });

  test('is complete: code, host.json, a package with main, nothing to install', async () => {
    const manifest = JSON.parse(await readFile(join(built.outDir, 'package.json'), 'utf8')) as object;
    expect(manifest).toMatchObject({ main: 'main.mjs', type: 'module' });
    expect(manifest).not.toHaveProperty('dependencies');
    const host = JSON.parse(await readFile(join(built.outDir, 'host.json'), 'utf8')) as object;
    expect(host).toMatchObject({
      extensionBundle: { version: '[4.*, 5.0.0)' },
      extensions: { http: { routePrefix: '' } },
    });
    for (const file of await readdir(built.outDir)) expect(file).toMatch(/\.(mjs|mjs\.map|json)$/);
  });

  test('answers /health/live without a single setting, and says "not ready" without details', async () => {
    const host = await startBuilt();
    try {
      const live = await fetch(`${host.url}/health/live`);
      expect([live.status, await live.text()]).toEqual([200, 'ok']);
      expect(Object.fromEntries(live.headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'strict-transport-security': 'max-age=31536000',
        'cache-control': 'no-store',
      });
      const ready = await fetch(`${host.url}/health/ready`);
      expect([ready.status, await ready.text()]).toEqual([503, 'not ready']);
      const page = await fetch(`${host.url}/`);
      expect(page.status).toBe(500);
      expect(await page.text()).toMatch(/reference: <strong>[0-9a-f]{8}/);
    } finally {
      await host.stop();
    }
  });

  test('gets its settings after it is loaded and then guards its pages', async () => {
    const host = await startBuilt({
      DataStorage: 'UseDevelopmentStorage=true',
      KEY_VAULT_URI: 'https://127.0.0.1:9',
      POSTROOM_LOCAL: 'true',
    });
    try {
      const answer = await fetch(`${host.url}/tickets`, { redirect: 'manual' });
      expect(answer.status).toBe(302);
      expect(answer.headers.get('location')).toBe('/.auth/login/aad?post_login_redirect_uri=%2Ftickets');
    } finally {
      await host.stop();
    }
  });

  test('loads no more for its first health check than the registration', async () => {
    const app = await readFile(join(built.outDir, 'app.mjs'), 'utf8');
    const eager = [...app.matchAll(/(?:from|import)\s*"(\.\/[^"]+)"/g)].map(([, file]) => file ?? '');
    const sources = await Promise.all(
      ['./app.mjs', ...eager].map(async (file) => readFile(join(built.outDir, `${file}.map`), 'utf8')),
    );
    expect(sources.join()).toContain('functions/main.ts');
    expect(sources.join()).not.toMatch(/config\.ts|web\.ts|services\.ts/);
    // The library itself is some 80 KB; zod or Hono would show.
    expect(app.length).toBeLessThan(110_000);
  });

  test('loads the telemetry library where telemetry is set up, and nowhere else', async () => {
    const { eager, lazy } = await importersOf('platform/open-telemetry.ts');
    expect(eager).toEqual([]);
    expect(lazy).toHaveLength(1);
  });

  test('loads the certificate library where a certificate is made, and nowhere else', async () => {
    const { eager, lazy } = await importersOf('@peculiar/x509/build/');
    expect(eager).toEqual([]);
    expect(lazy).toHaveLength(1);
  });

  test('names our own lines in a stack trace', async () => {
    const said = await answerOf(
      'broken',
      `function fail(): never {\n  throw new Error('here');\n}`,
      'try { return fail(); } catch (error) { return { body: String((error as Error).stack) }; }',
    );
    expect(said).toContain('broken.ts:4:');
  });

  test('makes a certificate with the library as it is bundled', async () => {
    const said = await answerOf(
      'certifier',
      `import { createCertificate } from '${join(projectRoot, 'shared/providers/create-certificate.ts')}';`,
      `return { body: (await createCertificate('Bundled', Date.now(), '2051-01-01T00:00:00Z')).certificate };`,
    );
    expect(new X509Certificate(Buffer.from(said, 'base64')).subject).toBe('CN=Bundled');
  });
});

describe('a build fails', () => {
  test('when the entry registers nothing, and keeps what was there before', async () => {
    const nothing = await entry('nothing.ts', 'export const nothing = 1;\n');
    const outDir = join(folder, 'kept');
    await buildApp({ outDir });
    await expect(buildApp({ entry: nothing, outDir, workers: {} })).rejects.toThrow(
      'The app registered no function.',
    );
    expect(existsSync(join(outDir, 'main.mjs'))).toBe(true);
  });

  test('when the entry throws before it registers', async () => {
    const eager = await entry('eager.ts', `throw new Error('DataStorage is not set');\n`);
    await expect(buildApp({ entry: eager, outDir: join(folder, 'none'), workers: {} })).rejects.toThrow(
      'DataStorage is not set',
    );
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });

  test('with the place of what does not compile', async () => {
    const wrong = await entry('wrong.ts', `import './missing.ts';\n`);
    const failure = await buildApp({ entry: wrong, outDir: join(folder, 'none'), workers: {} }).catch(
      describeError,
    );
    expect(failure).toMatch(/wrong\.ts:1: Could not resolve "\.\/missing\.ts"/);
  });
});
