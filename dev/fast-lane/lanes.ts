/**
 * Decides which tests `npm test -- --fast` runs. A test is fast if nothing that it imports can start a
 * process, a thread or a server, or connect to one. The list names what is allowed: an unlisted package or
 * Node module keeps a test out of the fast lane.
 */
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

/** Modules of Node and packages that only compute, or work with files. */
const INSIDE =
  /^(node:(assert|buffer|crypto|events|fs|fs\/promises|module|os|path|stream|string_decoder|timers|timers\/promises|url|util|v8|vm|zlib)|vitest|fflate|hono(\/.+)?|jose|mailparser|postal-mime|sanitize-html|@peculiar\/x509|reflect-metadata|zod)$/;
/** Our files that start threads or keep a processor busy for many seconds. */
const HEAVY =
  /^(shared\/(platform\/thread-pool|mime\/(parser-pool|parse-worker))|tests\/harness\/memory\/hostile-megabytes)\.ts$/;

const PRODUCT = /^(functions|shared)\//;

export interface Lane {
  /** From the root of the project, with forward slashes. */
  file: string;
  /** The chain of imports that keeps it out of the fast lane; undefined for a fast test. */
  outside: string | undefined;
}

/** The lane of each test file, in order of name. Type imports do not count. */
export async function lanesOf(root: string): Promise<Lane[]> {
  const files = globSync('tests/**/*.test.{ts,tsx}', { cwd: root })
    .map((file) => file.replaceAll('\\', '/'))
    .sort();
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: files,
    outdir: 'unwritten',
    write: false,
    bundle: true,
    splitting: true,
    metafile: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    jsx: 'automatic',
    logLevel: 'silent',
    plugins: [productLeftOut(root)],
  });
  return files.map((file) => ({ file, outside: wayOutside(file, metafile.inputs)?.join(' → ') }));
}

/** Stops at a file of the product: it only uses what a test passes to it. */
const productLeftOut = (root: string): Plugin => ({
  name: 'product-left-out',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
      const file = relative(root, join(resolveDir, path)).replaceAll('\\', '/');
      return PRODUCT.test(file) ? { path: file, external: true } : undefined;
    });
  },
});

/** The first chain of imports from a file of tests/ or dev/ to something outside. */
function wayOutside(
  file: string,
  inputs: Metafile['inputs'],
  seen: Set<string> = new Set(),
): string[] | undefined {
  seen.add(file);
  for (const { path, external } of inputs[file]?.imports ?? []) {
    if (HEAVY.test(path) || (external === true && !PRODUCT.test(path) && !INSIDE.test(path)))
      return [file, path];
    if (external === true || seen.has(path)) continue;
    const rest = wayOutside(path, inputs, seen);
    if (rest !== undefined) return [file, ...rest];
  }
  return undefined;
}
