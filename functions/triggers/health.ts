import type { HttpHandler } from '@azure/functions';
import { withTimeout } from '../../shared/platform/concurrency.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { log } from '../../shared/platform/log.ts';

/** As strict as those of the pages, which these functions do without. */
const headers = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'strict-transport-security': 'max-age=31536000',
};
const LIMIT_MS = 4_000;
const REMEMBERED_MS = 5_000;

/** The process answers; says nothing about what stands behind it. */
export const isLive: HttpHandler = () => ({ status: 200, headers, body: 'ok' });

/**
 * Settings, tables and vault can be reached and no alert says that all mail stands still: 200, otherwise 503. What is
 * wrong stands in the log and on the health page, not in the answer. Watched from outside, this also opens the alert
 * of a timer that is dead.
 */
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
    if (last === undefined || Math.abs(now - last.at) >= REMEMBERED_MS)
      last = {
        at: now,
        answer: withTimeout(check(), LIMIT_MS, 'readiness-timeout').then(() => true, notReady),
      };
    return last.answer;
  };
}

function notReady(error: unknown): false {
  log.error('not ready', error);
  return false;
}

async function checkDependencies(): Promise<void> {
  const { services } = await import('../services.ts');
  if (!(await services().watch.glance()))
    throw new PostroomError('not-ready', 'Something critical is wrong; the health page says what');
}
