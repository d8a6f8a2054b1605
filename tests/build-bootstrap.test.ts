import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

/** A project of two files around the real bootstrap, and a stand-in for npm that writes down its calls. */
let project: string;
const own = join(import.meta.dirname, '..');

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'postroom-bootstrap-'));
  await mkdir(join(project, 'dev'));
  await mkdir(join(project, 'node_modules'));
  await copyFile(join(own, 'dev/bootstrap.mjs'), join(project, 'dev/bootstrap.mjs'));
  await writeFile(join(project, '.node-version'), '24\n');
  await lock('package-lock.json', '1.0.0');
  await lock('node_modules/.package-lock.json', '1.0.0');
  await npm(`require('node:fs').copyFileSync('package-lock.json', 'node_modules/.package-lock.json');`);
  await program('build', `console.log(JSON.stringify(process.argv.slice(2)));`);
});
afterEach(() => rm(project, { recursive: true, force: true }));

const lock = (file: string, version: string): Promise<void> =>
  writeFile(
    join(project, file),
    JSON.stringify({
      packages: {
        'node_modules/needed': { version },
        ...(file.startsWith('node_modules') ? {} : { 'node_modules/elsewhere': { version, optional: true } }),
      },
    }),
  );
const npm = (code: string): Promise<void> =>
  writeFile(
    join(project, 'npm-cli.js'),
    `require('node:fs').appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');\nconsole.error('npm WARN EBADENGINE');\n${code}`,
  );
const program = (name: string, code: string): Promise<void> =>
  writeFile(join(project, 'dev', `${name}.ts`), code);
const npmCalls = (): Promise<string> => readFile(join(project, 'npm-calls'), 'utf8').catch(() => '');

function bootstrap(...args: string[]) {
  const child = spawn(process.execPath, [join(project, 'dev/bootstrap.mjs'), ...args], {
    cwd: tmpdir(),
    env: { ...process.env, npm_execpath: join(project, 'npm-cli.js') },
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (data: Buffer) => {
    said.stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    said.stderr += data.toString();
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, ...said }));
  return { child, said, ended };
}

describe('the bootstrap', () => {
  test('runs a command with its arguments, keeps standard output for it, and installs nothing without need', async () => {
    const { code, stdout, stderr } = await bootstrap('build', '--json').ended;
    expect([code, stdout, stderr]).toEqual([0, '["--json"]\n', '']);
    expect(await npmCalls()).toBe('');
  });

  test.each(['1.0.1', 'absent'])('installs first when a package is %s, in one line each', async (version) => {
    if (version === 'absent') await rm(join(project, 'node_modules'), { recursive: true });
    else await lock('package-lock.json', version);
    if (version === 'absent') await npm(`require('node:fs').mkdirSync('node_modules');`);
    const { code, stdout, stderr } = await bootstrap('build').ended;
    expect(code).toBe(0);
    expect(stdout).toBe('[]\n');
    expect(await npmCalls()).toBe('ci --no-audit --no-fund --loglevel=error\n');
    expect(stderr).toMatch(/^Installing packages\. .*\nInstalled in \d+\.\d s\.\n$/);
  });

  test('shows why an installation failed and goes no further', async () => {
    await lock('package-lock.json', '2.0.0');
    await npm(`console.error('npm error no network'); process.exit(7);`);
    const { code, stdout, stderr } = await bootstrap('build').ended;
    expect([code, stdout]).toEqual([7, '']);
    expect(stderr).toContain('npm error no network');
    expect(stderr).toContain('could not be installed');
  });

  test('passes exit codes on', async () => {
    await program('replay', 'process.exit(3);');
    expect((await bootstrap('replay').ended).code).toBe(3);
    await program('bench', `process.kill(process.pid, 'SIGKILL');`);
    expect((await bootstrap('bench:intake').ended).code).toBe(137);
  });

  test('passes Ctrl-C on once and waits for an orderly end', async () => {
    await program(
      'start',
      `let signals = 0;
       process.on('SIGINT', () => { signals++; setTimeout(() => { console.log(signals); process.exit(0); }, 300); });
       console.log('ready');
       setInterval(() => {}, 1000);`,
    );
    const { child, said, ended } = bootstrap('start');
    await vi.waitFor(() => expect(said.stdout).toBe('ready\n'), { timeout: 60_000 });
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    expect([code, stdout]).toEqual([0, 'ready\n1\n']);
  });

  test('builds before the tests, but not before the fast ones, which have a configuration of their own', async () => {
    await mkdir(join(project, 'node_modules/vitest'));
    await writeFile(
      join(project, 'node_modules/vitest/vitest.mjs'),
      `import { existsSync } from 'node:fs';\nconsole.log(existsSync('built'), ...process.argv.slice(2));`,
    );
    await program('build', `require('node:fs').writeFileSync('built', '');`);
    const fast = await bootstrap('test', '--fast', 'tests/intake', '--json').ended;
    const config = join(project, 'dev/fast-lane/vitest.config.ts');
    expect(fast.stdout).toBe(`false run --config ${config} --reporter=json tests/intake\n`);
    const whole = await bootstrap('test', 'tests/intake').ended;
    expect(whole.stdout).toBe('true run tests/intake\n');
  });

  test('names the commands when it does not know one', async () => {
    const { code, stderr } = await bootstrap('stat').ended;
    expect(code).toBe(1);
    expect(stderr).toContain('There is no command "stat". These are: start, build,');
  });
});
