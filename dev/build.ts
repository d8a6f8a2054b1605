/**
 * Builds dist/app: exactly what is deployed, with nothing left to install. One bundler run creates ES
 * modules with shared chunks, so each trigger loads only what it needs and no module exists twice.
 *
 *   node dev/build.ts
 */
import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { cp, glob, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, type Plugin, transform } from 'esbuild';
import { runCommand } from './run-command.ts';

export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));
export const builtApp = join(projectRoot, 'dist', 'app');
const LISTER = join(projectRoot, 'dev', 'host', 'list-functions.ts');
/** The app's worker threads, by the name under which the app finds them beside its chunks. */
const WORKERS = {
  'parse-worker': join(projectRoot, 'shared', 'mime', 'parse-worker.ts'),
  'sanitise-worker': join(projectRoot, 'shared', 'tickets', 'sanitise-worker.ts'),
};

/** Strips the types from one TypeScript file and changes nothing else. */
export async function plainJavaScript(source: string): Promise<string> {
  const { code } = await transform(source, { loader: 'ts', target: 'node24' });
  return code;
}

export interface BuildOptions {
  /** The file that registers the functions. */
  entry?: string;
  /** The output folder; it is replaced. */
  outDir?: string;
  hostJson?: string;
  /** More entry points by output name, which the app finds beside its chunks: worker threads. */
  workers?: Readonly<Record<string, string>>;
}

export interface BuiltApp {
  outDir: string;
  /** Names of the registered functions, in the order in which the host matches them. */
  functions: readonly string[];
  ms: number;
}

/**
 * Builds the app, then loads the result once in a separate process with an empty environment.
 * @throws Error with a readable message when it does not compile, or when nothing registers: on Azure such
 * an app starts without an error and does nothing
 */
export async function buildApp(options: BuildOptions = {}): Promise<BuiltApp> {
  const began = performance.now();
  const {
    entry = join(projectRoot, 'functions', 'main.ts'),
    outDir = builtApp,
    hostJson = join(projectRoot, 'host.json'),
    workers = WORKERS,
  } = options;
  // Built beside its final location and moved there as a whole, so a host that starts meanwhile sees either
  // the old or the new app.
  const draft = `${outDir}.${process.pid}`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  try {
    await bundle({ app: entry, ...workers }, draft);
    await writeFile(join(draft, 'main.mjs'), MAIN);
    await cp(hostJson, join(draft, 'host.json'));
    await writeFile(join(draft, 'package.json'), await deployedPackage());
    const functions = await registeredFunctions(draft);
    await rm(outDir, { recursive: true, force: true });
    await rename(draft, outDir);
    return { outDir, functions, ms: Math.round(performance.now() - began) };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

// Set in the code, because on Azure the worker process is already running when the app arrives, too late
// for a Node option.
const MAIN = `process.setSourceMapsEnabled(true);\nawait import('./app.mjs');\n`;

async function bundle(entryPoints: Record<string, string>, outdir: string): Promise<void> {
  await build({
    absWorkingDir: projectRoot,
    entryPoints,
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    splitting: true,
    minify: true,
    jsx: 'automatic',
    jsxImportSource: 'hono/jsx',
    outExtension: { '.js': '.mjs' },
    chunkNames: 'c-[hash]',
    sourcemap: 'linked',
    sourcesContent: false,
    external: ['@azure/functions-core'],
    // Bundled CommonJS packages call `require`, which ES modules do not have.
    banner: {
      js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
    },
    logLevel: 'silent',
    plugins: [shortMapsOfPackages, filesAsText],
  });
}

/**
 * Stack traces only need our own lines. An empty source map at the start shrinks those of the packages from
 * megabytes to nothing.
 */
const shortMapsOfPackages: Plugin = {
  name: 'short-maps-of-packages',
  setup({ onLoad }) {
    const map = Buffer.from('{"version":3,"sources":[""],"mappings":"AAAA"}').toString('base64');
    onLoad({ filter: /[\\/]node_modules[\\/].*\.[cm]?js$/ }, async ({ path }) => ({
      contents: `${await readFile(path, 'utf8')}\n//# sourceMappingURL=data:application/json;base64,${map}`,
      loader: 'js',
    }));
  },
};

/** `import text from './admin.css?raw'`, in Vite's notation, which the tests understand by themselves. */
const filesAsText: Plugin = {
  name: 'files-as-text',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(/\?raw$/, '')),
      namespace: 'text',
    }));
    onLoad({ filter: /./, namespace: 'text' }, async ({ path }) => ({
      contents: await readFile(path, 'utf8'),
      loader: 'text',
    }));
  },
};

/** False when a source file is newer than the built app, or there is no built app. */
export async function isBuildCurrent(): Promise<boolean> {
  const main = join(builtApp, 'main.mjs');
  return existsSync(main) && (await lastChange()) <= statSync(main).mtimeMs;
}

/** When a source of the app was last changed, in milliseconds since 1970. A removed file changes its folder. */
export async function lastChange(): Promise<number> {
  const files = ['host.json', 'package.json', 'package-lock.json', 'dev/build.ts'];
  for (const folder of ['functions', 'shared'])
    for await (const file of glob('**', { cwd: join(projectRoot, folder) })) files.push(join(folder, file));
  return Math.max(...files.map((file) => statSync(join(projectRoot, file)).mtimeMs));
}

async function deployedPackage(): Promise<string> {
  const own = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license: string;
  };
  const { name, version, license } = own;
  return `${JSON.stringify({ name, version, license, private: true, type: 'module', main: 'main.mjs' }, null, 2)}\n`;
}

async function registeredFunctions(appDir: string): Promise<string[]> {
  const run = promisify(execFile);
  try {
    const { stdout } = await run(process.execPath, [LISTER, appDir], { env: {}, cwd: appDir });
    return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Error(`The built app does not start, so it was not kept.\n${said}`);
  }
}

if (import.meta.main)
  await runCommand(async () => {
    const { outDir, functions, ms } = await buildApp();
    const where = relative(process.cwd(), outDir);
    if (process.argv.includes('--json')) console.log(JSON.stringify({ outDir, functions, ms }));
    else console.log(`Built ${where} in ${(ms / 1000).toFixed(1)} s: ${functions.join(', ')}`);
    return 0;
  });
