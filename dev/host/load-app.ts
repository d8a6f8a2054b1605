import { readFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Core, createCore, type HostLog } from './core.ts';

const CORE = '@azure/functions-core';
const SLOT = 'postroom.functions-core';
let loads = 0;

export interface LoadedApp {
  core: Core;
  /** Takes the module hooks away; the app can then load no further parts. */
  unload(): void;
}

/**
 * Loads a built app with an empty environment, as Azure does: there a waiting process loads the app's code and gets
 * its settings afterwards. Code that reads a setting too early finds nothing here either.
 *
 * `@azure/functions` asks for the module `@azure/functions-core`, which only a worker can give it. Each load has its
 * own copy of the app's modules, told apart by a query in their addresses, so that a process can start an app again.
 * @throws Error in words when the app registers nothing.
 */
export async function loadApp(appDir: string, log: HostLog): Promise<LoadedApp> {
  const { main } = JSON.parse(await readFile(join(appDir, 'package.json'), 'utf8')) as { main: string };
  const core = createCore(log);
  const load = ++loads;
  const slot = `${SLOT}.${load}`;
  const marker = `load=${load}`;
  const folder = pathToFileURL(join(appDir, '/')).href;
  Reflect.set(globalThis, Symbol.for(slot), core.module);

  const hooks = registerHooks({
    resolve(specifier, context, next) {
      // Asked for while this app registers; nothing else in this process may load an app meanwhile.
      if (specifier === CORE && load === loads)
        return { url: `local:${CORE}?${marker}`, format: 'commonjs', shortCircuit: true };
      const found = next(specifier, context);
      const own = found.url.startsWith(folder) && context.parentURL?.includes(marker) === true;
      return own ? { ...found, url: `${found.url}?${marker}` } : found;
    },
    load(url, context, next) {
      if (url !== `local:${CORE}?${marker}`) return next(url, context);
      const source = `module.exports = globalThis[Symbol.for(${JSON.stringify(slot)})];`;
      return { format: 'commonjs', source, shortCircuit: true };
    },
  });
  const restore = emptyEnvironment();
  try {
    await import(`${pathToFileURL(join(appDir, main)).href}?${marker}`);
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
