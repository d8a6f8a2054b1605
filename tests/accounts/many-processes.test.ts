import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAccountStore } from '../../shared/accounts/account-store.ts';
import { createProviderStore } from '../../shared/providers/provider-store.ts';
import { connectSupport, openPostroom, type Postroom } from '../harness/stack/installation.ts';

const PROCESSES = 20;
let postroom: Postroom;
const children: ChildProcess[] = [];

/** One bundled file, so that twenty processes do not each read hundreds. */
const program = (): string => join(postroom.folder, 'token-process.mjs');

beforeAll(async () => {
  postroom = await openPostroom('npm');
  await build({
    entryPoints: [join(import.meta.dirname, 'token-process.ts')],
    outfile: program(),
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
    // As in the built app: CommonJS libraries need `require`.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await postroom?.[Symbol.asyncDispose]();
});

/** A separate process over the same storage and vault. `lines` yields its output. */
function startProcess(
  providerId: string,
  accountId: string,
): { child: ChildProcess; next(): Promise<string> } {
  const child = spawn(process.execPath, [program(), providerId, accountId, postroom.stack.mail.imap.host], {
    env: { ...process.env, ...postroom.stack.settings, WEBSITE_AUTH_ENABLED: 'true' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, next: async () => String((await lines.next()).value) };
}

test('twenty operating system processes that need a token at once call the provider once', async () => {
  await connectSupport(postroom);
  const accounts = createAccountStore(postroom.tables);
  const [provider] = await createProviderStore(postroom.tables).list();
  const [account] = await accounts.listOf(provider?.id ?? '');
  if (account === undefined) throw new Error('no account');
  const past = new Date(Date.now() - 1000).toISOString();
  const stored = await accounts.get(account);
  await accounts.replace(
    { ...account, tokens: { ...account.tokens, accessExpiresAt: past, refreshAt: past } },
    stored?.etag ?? '',
  );
  const before = (await accounts.history(account)).length;

  const processes = Array.from({ length: PROCESSES }, () =>
    startProcess(account.providerId, account.accountId),
  );
  for (const { next } of processes) expect(await next()).toBe('ready');
  for (const { child } of processes) child.stdin?.end('go\n');
  const said = await Promise.all(processes.map(({ next }) => next()));

  // All have the same token, from one request.
  expect(new Set(said).size).toBe(1);
  expect(said[0]).toMatch(/^[0-9a-f]{64}$/);
  const { control } = postroom.stack.identityProvider;
  const refreshes = (await control.tokenRequests()).filter(({ grantType }) => grantType === 'refresh_token');
  expect(refreshes).toHaveLength(1);
  expect((await accounts.history(account)).length).toBe(before + 1);
});
