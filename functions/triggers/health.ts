import type { HttpHandler } from '@azure/functions';
import { withTimeout } from '../../shared/platform/concurrency.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { log } from '../../shared/platform/log.ts';

/** As strict as the headers of the pages, which do not apply to these functions. */
const headers = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'strict-transport-security': 'max-age=31536000',
};
const LIMIT_MS = 4_000;
const REMEMBERED_MS = 5_000;

/** The process responds; this says nothing about its dependencies. */
export const isLive: HttpHandler = () => ({ status: 200, headers, body: 'ok' });

/**
 * 200 if settings, tables and vault are available and no alert says that all email has stopped; otherwise
 * 503. The reason is in the log and on the health page, not in the response. An external monitor that calls
 * this also causes the alert of a stopped timer to open.
 */
export const isReady: HttpHandler = async () =>
  (await readiness(Date.now()))
    ? { status: 200, headers, body: 'ok' }
    : { status: 503, headers, body: 'not ready' };

const readiness = rememberReadiness(checkDependencies);

/**
 * Checks at most once in five seconds, however many requests arrive: the endpoint is public and must not be
 * usable to put load on storage.
 * @param check rejects when something is missing
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
    throw new PostroomError('not-ready', 'Something critical is wrong; the Health page has the details');
}
