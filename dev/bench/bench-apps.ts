import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Blobs } from '../../shared/platform/blobs.ts';
import type { Config } from '../../shared/platform/config.ts';
import type { Seam } from '../../shared/platform/seam.ts';
import type { Secret } from '../../shared/platform/secret.ts';
import type { Tables } from '../../shared/platform/tables.ts';
import { buildApp, projectRoot } from '../build.ts';

interface StoredMailbox {
  id: string;
  address: string;
  host: string;
  port: number;
  folder: string;
  providerId: string;
  accountId: string;
}

export interface OpenInbox {
  uidNext: number;
  search(search: { from: number | undefined; since: string | undefined }): Promise<number[]>;
  facts(uids: readonly number[]): Promise<{ uid: number; size: number }[]>;
  sources(uids: readonly number[], each: (uid: number, raw: Uint8Array) => void): Promise<void>;
  close(): Promise<void>;
}

/** Of the product's services what the measurements touch. */
export interface MeasuredServices {
  config: Config;
  seam: Seam;
  tables: Tables;
  blobs: Blobs;
  queues: unknown;
  vault: unknown;
  mailboxes: { get(id: string): Promise<StoredMailbox | undefined> };
  accessTokens: {
    get(account: { providerId: string; accountId: string }): Promise<{ kind: string; token?: Secret }>;
  };
  intake: {
    openInbox(address: {
      host: string;
      port: number;
      folder: string;
      user: string;
      accessToken: Secret;
    }): Promise<OpenInbox>;
  };
}

/** Parts of the product as a module, built as the app is. */
export interface ProductParts {
  parseConfig(environment: Record<string, string | undefined>): Config;
  openSeam: Seam;
  buildServices(config: Config, seam: Seam): MeasuredServices;
  servicesOn(
    platform: Pick<MeasuredServices, 'config' | 'seam' | 'tables' | 'blobs' | 'queues' | 'vault'>,
  ): MeasuredServices;
  fetchShard(
    intake: MeasuredServices['intake'],
    message: { shard: number; mailboxIds: string[] },
  ): Promise<void>;
}

export interface BenchApps {
  /** A function app with one handler that answers "ok". */
  emptyApp: string;
  /** Folder whose app.mjs exports ProductParts. */
  parts: string;
}

const FUNCTION = `app.http('healthLive', { route: 'health/live', methods: ['GET', 'HEAD'], authLevel: 'anonymous', handler: () => ({ status: 200, body: 'ok' }) });`;

const partsSource = (from: (file: string) => string): string => `
import { app } from '@azure/functions';
${FUNCTION}
export { buildServices, servicesOn } from '${from('functions/services.ts')}';
export { parseConfig } from '${from('shared/platform/config.ts')}';
export { openSeam } from '${from('shared/platform/seam.ts')}';
export { fetchShard } from '${from('shared/intake/fetch-shard.ts')}';
`;

/** Builds both with the app's own build; they stand beside dist/app, so that packages are found, and go at the end. */
export async function buildBenchApps(running: AsyncDisposableStack): Promise<BenchApps> {
  await mkdir(join(projectRoot, 'dist'), { recursive: true });
  const folder = await mkdtemp(join(projectRoot, 'dist', 'bench-'));
  running.defer(() => rm(folder, { recursive: true, force: true }));
  const build = async (name: string, source: string, workers?: Record<string, string>): Promise<string> => {
    const entry = join(folder, `${name}.ts`);
    await writeFile(entry, source);
    const outDir = join(folder, name);
    await buildApp({ entry, outDir, ...(workers !== undefined && { workers }) });
    return outDir;
  };
  const product = (file: string): string => join(projectRoot, file).replaceAll('\\', '/');
  return {
    emptyApp: await build('empty', `import { app } from '@azure/functions';\n${FUNCTION}\n`, {}),
    parts: await build('parts', partsSource(product)),
  };
}

export async function loadParts(folder: string): Promise<ProductParts> {
  return (await import(pathToFileURL(join(folder, 'app.mjs')).href)) as ProductParts;
}
