/**
 * `npm run package [-- --json]`: builds the app and packs it as it is deployed and released:
 * dist/postroom.zip. Equal sources give an equal archive.
 */
import { createHash } from 'node:crypto';
import { glob, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { buildApp, builtApp, projectRoot } from './build.ts';
import { runCommand } from './run-command.ts';
import { type ZippedFile, zip } from './zip.ts';

export interface DeploymentPackage {
  file: string;
  bytes: number;
  files: number;
  sha256: string;
}

/** Packs a built app. A developer's local settings beside it are left out. */
export async function packApp(appDir: string, file: string): Promise<DeploymentPackage> {
  const files: ZippedFile[] = [];
  for await (const name of glob('**', { cwd: appDir })) {
    if (name === 'local.settings.json' || !(await stat(join(appDir, name))).isFile()) continue;
    files.push({ name: name.replaceAll('\\', '/'), content: await readFile(join(appDir, name)) });
  }
  const archive = zip(files);
  await writeFile(file, archive);
  const sha256 = createHash('sha256').update(archive).digest('hex');
  return { file, bytes: archive.length, files: files.length, sha256 };
}

if (import.meta.main)
  await runCommand(async () => {
    const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
    await buildApp();
    const made = await packApp(builtApp, join(projectRoot, 'dist', 'postroom.zip'));
    const file = relative(projectRoot, made.file);
    const megabytes = (made.bytes / 1024 / 1024).toFixed(1);
    if (values.json) console.log(JSON.stringify({ ...made, file }));
    else console.log(`${file}: ${made.files} files, ${megabytes} MB, sha256 ${made.sha256}`);
    return 0;
  });
