import { readFile } from 'node:fs/promises';
import { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Core, createCore, type HostLog } from './core.ts';
import type * as ImportModule from './import-module.ts';

const CORE = '@azure/functions-core';
const CORE_URL = `local:${CORE}`;
const SLOT = 'postroom.functions-core';
// Node caches what a file's `require` resolved, so every load gets this one module; it represents the
// newest core.
const CORE_SOURCE = `module.exports = new Proxy({}, { get: (_, name) => globalThis[Symbol.for('${SLOT}')][name] });`;
let loads = 0;

// A test runner replaces the native import with its own, which loads each file only once; modules loaded by
// `require` keep the native one.
const { importModule } = createRequire(import.meta.url)('./import-module.ts') as typeof ImportModule;

export interface LoadedApp {
  core: Core;
  /** Removes the module hooks; the app can then load no more chunks. */
  unload(): void;
}

/**
 * Loads a built app with an empty environment. Azure's worker sets the environment before it loads the app.
 * Here code that reads a setting too early finds nothing, so a bad setting keeps no function from
 * registering there.
 *
 * `@azure/functions` requests the module `@azure/functions-core`, which only a worker can provide. Each
 * load has its own copy of the app's modules, distinguished by a query in their URLs, so a process can
 * start an app again.
 * @throws Error with a readable message when the app registers nothing
 */
export async function loadApp(appDir: string, log: HostLog): Promise<LoadedApp> {
  const { main } = JSON.parse(await readFile(join(appDir, 'package.json'), 'utf8')) as { main: string };
  const core = createCore(log);
  const marker = `?load=${++loads}`;
  const folder = pathToFileURL(join(appDir, '/')).href;
  Reflect.set(globalThis, Symbol.for(SLOT), core.module);

  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier === CORE) return { url: CORE_URL, format: 'commonjs', shortCircuit: true };
      const found = next(specifier, context);
      const own = found.url.startsWith(folder) && context.parentURL?.endsWith(marker) === true;
      return own ? { ...found, url: found.url + marker } : found;
    },
    load(url, context, next) {
      if (url !== CORE_URL) return next(url, context);
      return { format: 'commonjs', source: CORE_SOURCE, shortCircuit: true };
    },
  });
  const restore = emptyEnvironment();
  try {
    await importModule(`${pathToFileURL(join(appDir, main)).href}${marker}`);
    await core.start(appDir);
  } catch (error) {
    hooks.deregister();
    throw error;
  } finally {
    restore();
  }
  return { core, unload: () => hooks.deregister() };
}

function emptyEnvironment(): () => void {
  const before = { ...process.env };
  for (const name of Object.keys(before)) delete process.env[name];
  return () => {
    Object.assign(process.env, before);
  };
}
