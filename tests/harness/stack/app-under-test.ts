import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buildApp, lastChange, projectRoot } from '../../../dev/build.ts';

const APPS = join(projectRoot, 'dist', 'tests');
/** Longer than any run of the tests. */
const KEPT_MS = 24 * 3_600_000;

/**
 * The folder with the app as `npm run build` makes it from the present sources, built once for all test files. Its name
 * contains the time of their last change, so that nobody replaces it while a host of another test file runs it.
 */
export async function appUnderTest(): Promise<string> {
  const folder = join(APPS, `app-${Math.round(await lastChange())}`);
  if (existsSync(folder)) return folder;
  const { outDir } = await buildApp({ outDir: `${folder}.${randomUUID()}` });
  // Another one may have been faster. Its app is the same.
  await rename(outDir, folder).catch(async (error: unknown) => {
    await rm(outDir, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  });
  await removeOldApps();
  return folder;
}

async function removeOldApps(): Promise<void> {
  for await (const name of glob('app-*', { cwd: APPS })) {
    const old = join(APPS, name);
    const age = await stat(old).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      // Another process has removed it.
      () => 0,
    );
    if (age > KEPT_MS) await rm(old, { recursive: true, force: true });
  }
}
