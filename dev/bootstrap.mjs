/**
 * Runs every npm script: checks Node and the packages, then starts the command under Node 24. Plain
 * JavaScript without packages, because it runs before anything is installed, on Node 20 and later.
 *
 *   node dev/bootstrap.mjs COMMAND [arguments]
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const wanted = Number(readFileSync(join(root, '.node-version'), 'utf8').trim());
const tools = {
  biome: join(root, 'node_modules/@biomejs/biome/bin/biome'),
  tsc: join(root, 'node_modules/typescript/bin/tsc'),
  vitest: join(root, 'node_modules/vitest/vitest.mjs'),
};
/** Lint rules, and sorted imports. */
const lint = [tools.biome, 'check', '--formatter-enabled=false', '--enforce-assist=true'];
const dev = (file) => join(root, 'dev', file);

const [command = '', ...rest] = process.argv.slice(2);
const json = rest.includes('--json');
const others = rest.filter((argument) => argument !== '--json');

/** Progress and errors. Standard output is reserved for the command's result. */
const say = (text) => process.stderr.write(`${text}\n`);

/** The Node arguments of each command. */
const commands = {
  start: () => [dev('start.ts'), ...rest],
  build: () => [dev('build.ts'), ...rest],
  drill: () => [dev('drill.ts'), ...rest],
  cost: () => [dev('cost.ts'), ...rest],
  simulate: () => [dev('simulate.ts'), ...rest],
  package: () => [dev('package.ts'), ...rest],
  replay: () => [dev('replay.ts'), ...rest],
  explain: () => [dev('explain.ts'), ...rest],
  'register-app': () => [dev('register-app.ts'), ...rest],
  'watch-installation': () => [dev('watch-installation.ts'), ...rest],
  'infra:check': () => [dev('infra-check.ts'), ...rest],
  'host:check': () => [dev('host-check.ts'), ...rest],
  chaos: () => [dev('chaos.ts'), ...rest],
  mutants: () => [dev('mutants.ts'), ...rest],
  bench: () => [dev('bench.ts'), ...rest],
  'bench:intake': () => [dev('bench.ts'), 'intake', ...rest],
  // Formats, and sorts imports.
  format: () => [
    tools.biome,
    'check',
    '--write',
    '--linter-enabled=false',
    '--enforce-assist=true',
    ...reported(),
    ...others,
  ],
  lint: () => [...lint, ...reported(), ...others],
  types: () => [tools.tsc, '-p', root, ...others],
  test: () => [tools.vitest, 'run', ...lane(), ...reported(), ...others.filter((one) => one !== '--fast')],
};
/** The fast lane does not need a built app. */
const fast = command === 'test' && rest.includes('--fast');
const lane = () => (fast ? ['--config', dev('fast-lane/vitest.config.ts')] : []);
const reported = () => (json ? ['--reporter=json'] : []);

/** The steps of `npm run check`, in order. The tests run the built app, so the build comes first. */
const steps = [
  ['format', [tools.biome, 'format']],
  ['lint', lint],
  ['types', [tools.tsc, '-p', root]],
  ['architecture', [tools.vitest, 'run', 'tests/architecture.test.ts']],
  ['build', [dev('build.ts')]],
  ['tests', [tools.vitest, 'run']],
];

let child;
// npm and the terminal may both deliver a Ctrl-C. This process only forwards signals and exits when its
// child has exited.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child?.kill(signal));

/**
 * Runs a program until it exits. The exit code follows the shell: 128 plus the number of the signal that
 * ended it.
 */
function run(program, args, { stdio = 'inherit', shell = false } = {}) {
  return new Promise((resolve) => {
    child = spawn(program, args, { cwd: root, stdio, shell });
    let output = '';
    const keep = (data) => {
      output += data;
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.once('error', (error) => resolve({ code: 1, output: error.message }));
    child.once('close', (code, signal) =>
      resolve({ code: code ?? 128 + (constants.signals[signal] ?? 0), output }),
    );
  });
}

/**
 * True when the installed packages match package-lock.json. Timestamps are no indication: a checkout
 * changes them.
 */
function isInstalled() {
  const installed = readLock(join(root, 'node_modules', '.package-lock.json'));
  const locked = readLock(join(root, 'package-lock.json'));
  if (installed === undefined || locked === undefined) return false;
  return Object.entries(locked).every(([path, entry]) => {
    if (path === '' || !path.startsWith('node_modules/')) return true;
    const present = installed[path];
    // Packages for other systems are not installed.
    if (present === undefined) return entry.optional === true || entry.peer === true;
    return present.version === entry.version && present.integrity === entry.integrity;
  });
}

function readLock(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined;
}

async function install() {
  if (isInstalled()) return;
  say('Installing packages. This happens once and takes about a minute …');
  const began = Date.now();
  // Warnings about the Node that runs npm do not apply to the Node that runs Postroom.
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const { code, output } = npm?.endsWith('.js')
    ? await run(process.execPath, [npm, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    : await run('npm', args, { stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' });
  if (code !== 0) {
    say(output.trim());
    say('The packages could not be installed. The reason stands above; then run the same command again.');
    process.exit(code);
  }
  say(`Installed in ${seconds(began)}.`);
}

/** The Node installed by the project for this system, or the running one if it is recent enough. */
function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= wanted) return process.execPath;
  const windows = process.platform === 'win32';
  const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;
  const installed = join(root, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
  if (existsSync(installed)) return installed;
  say(
    `Postroom needs Node ${wanted}; this is Node ${process.versions.node}, and npm has none for ${process.platform} on ${process.arch}. Install Node ${wanted} from nodejs.org and run the same command again.`,
  );
  return process.exit(1);
}

async function check(node) {
  const results = [];
  for (const [step, args] of steps) {
    const began = Date.now();
    const { code, output } = await run(node, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    results.push({ step, ok: code === 0, ms: Date.now() - began });
    say(`${code === 0 ? 'ok  ' : 'FAIL'} ${step.padEnd(12)} ${seconds(began)}`);
    if (code !== 0) say(output.trimEnd());
    if (code > 128) break;
  }
  if (json) console.log(JSON.stringify(results));
  return results.length === steps.length && results.every(({ ok }) => ok) ? 0 : 1;
}

const seconds = (began) => `${((Date.now() - began) / 1000).toFixed(1)} s`;

if (Number(process.versions.node.split('.')[0]) < 20) {
  say(
    `Postroom needs Node 20 to start and fetches Node ${wanted} itself. This is Node ${process.versions.node}.`,
  );
  process.exit(1);
}
if (command !== 'check' && commands[command] === undefined) {
  say(`There is no command "${command}". These are: ${[...Object.keys(commands), 'check'].join(', ')}.`);
  process.exit(1);
}
await install();
const node = findNode();
if (command === 'check') process.exit(await check(node));
if (command === 'test' && !fast) {
  const { code, output } = await run(node, [dev('build.ts')], { stdio: ['ignore', 'pipe', 'pipe'] });
  if (code !== 0) {
    say(output.trimEnd());
    process.exit(code);
  }
}
process.exit((await run(node, commands[command]())).code);
