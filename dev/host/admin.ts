import type { IncomingMessage } from 'node:http';
import type { Core, HostLog, RegisteredFunction } from './core.ts';
import { type Answer, readBody } from './http-answer.ts';
import { invocationOf } from './queues.ts';
import { runTimer } from './timers.ts';

const LIMIT = 1024 * 1024;

export interface Admin {
  /** Handles the paths under /admin, which belong to the host on Azure too. */
  answer(request: IncomingMessage, url: URL): Promise<Answer>;
  /** Starts a timer or queue function without waiting for it; false if there is no such function. */
  start(name: string, input: string): boolean;
  /** Resolves when every manually started run has ended. */
  settled(): Promise<unknown>;
}

/**
 * `POST /admin/functions/NAME` with `{"input": "…"}` runs a function that is not an HTTP function: 202 at
 * once.
 * https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
 */
export function createAdmin(core: Core, log: HostLog): Admin {
  const running = new Set<Promise<void>>();

  function start(name: string, input: string): boolean {
    const target = [...core.functions.values()].find(
      (one) => one.name.toLowerCase() === name.toLowerCase() && one.trigger.type !== 'httpTrigger',
    );
    if (target === undefined) return false;
    const run = runByHand(core, target, input, log).finally(() => running.delete(run));
    running.add(run);
    return true;
  }

  return {
    start,
    settled: () => Promise.all(running),
    async answer(request, url) {
      const name = /^\/admin\/functions\/([\w-]+)$/.exec(url.pathname)?.[1];
      if (name === undefined) return { status: 404, headers: {} };
      if (request.method !== 'POST') return { status: 405, headers: { allow: 'POST' } };
      // A form of another site cannot send this content type without a preflight request.
      if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
        return { status: 415, headers: {}, body: 'Send {"input": "…"} as application/json.\n' };
      const input = inputOf(Buffer.from(await readBody(request, LIMIT)).toString('utf8'));
      if (input === undefined)
        return { status: 400, headers: {}, body: 'The body must be JSON such as {"input": "…"}.\n' };
      return { status: start(name, input) ? 202 : 404, headers: {} };
    },
  };
}

function inputOf(body: string): string | undefined {
  if (body.trim() === '') return '';
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const input = 'input' in parsed ? parsed.input : '';
    return typeof input === 'string' ? input : undefined;
  } catch {
    return undefined;
  }
}

/** Never rejects: no caller awaits the outcome. */
async function runByHand(core: Core, target: RegisteredFunction, input: string, log: HostLog): Promise<void> {
  if (target.trigger.type === 'timerTrigger') return runTimer(core, target, log);
  try {
    await core.invoke(target, invocationOf({ messageText: Buffer.from(input).toString('base64') }));
  } catch (error) {
    log('error', `failed: ${String(error)}`, target.name);
  }
}
