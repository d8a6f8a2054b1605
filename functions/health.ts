import type { HttpHandler } from '@azure/functions';
import { PostroomError } from '../shared/platform/errors.ts';
import { log } from '../shared/platform/log.ts';

const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
const LIMIT_MS = 4_000;
const REMEMBERED_MS = 5_000;

/** The process answers; says nothing about what stands behind it. */
export const isLive: HttpHandler = () => ({ status: 200, headers, body: 'ok' });

/** Settings, tables and vault can be reached: 200, otherwise 503. What is wrong stands in the log, not in the answer. */
export const isReady: HttpHandler = async () =>
  (await readiness(Date.now()))
    ? { status: 200, headers, body: 'ok' }
    : { status: 503, headers, body: 'not ready' };

const readiness = rememberReadiness(checkDependencies);

/**
 * Asks at most once in five seconds, however many ask: the address is open to everyone and must not become a way to
 * make others' storage busy.
 * @param check rejects when something is missing.
 */
export function rememberReadiness(check: () => Promise<void>): (now: number) => Promise<boolean> {
  let last: { at: number; answer: Promise<boolean> } | undefined;
  return (now) => {
    if (last === undefined || now - last.at >= REMEMBERED_MS)
      last = { at: now, answer: withinLimit(check(), LIMIT_MS).then(() => true, notReady) };
    return last.answer;
  };
}

function notReady(error: unknown): false {
  log.error('not ready', error);
  return false;
}

async function checkDependencies(): Promise<void> {
  const { services } = await import('./services.ts');
  const { tables, vault } = services();
  await Promise.all([
    tables.open('Providers').list('provider', { limit: 1 }),
    // A name that need not exist: a vault that says "no such secret" has let us in.
    vault.get('postroom-data-key'),
  ]);
}

async function withinLimit(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new PostroomError('readiness-timeout', `No answer within ${limitMs} ms`)),
      limitMs,
    );
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
