import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createAdmin } from './admin.ts';
import type { HostLog } from './core.ts';
import { createDemoPage, DEMO_PATH } from './demo-page.ts';
import { functionRoutes } from './function-routes.ts';
import { hostPage } from './html.ts';
import { type Answer, BodyTooLarge, readBody } from './http-answer.ts';
import { loadApp } from './load-app.ts';
import type { HostOptions } from './options.ts';
import { answerOutsideListener } from './outside-listeners.ts';
import { drainQueues, type QueueSettings, startQueues } from './queues.ts';
import { isLoopbackName, isSameOrigin } from './request-origin.ts';
import { createSignIn, SIGN_IN_TENANT } from './sign-in.ts';
import { runTimer, startTimers } from './timers.ts';

export interface RunningHost {
  /** Such as http://localhost:7071, without a slash at the end. */
  url: string;
  port: number;
  functions: readonly string[];
  /**
   * Runs a timer function, then everything that it put on the queues. Only for a host without background
   * work: two readers of a queue would take each other's messages.
   */
  runOnce(name: string): Promise<void>;
  /** Runs the functions that have messages in their queues, until all queues are empty. */
  runQueued(): Promise<void>;
  /** Accepts no new work, finishes running work (up to four seconds), runs the app's shutdown hooks. */
  stop(): Promise<void>;
}

interface HostJson {
  extensions?: { http?: { routePrefix?: string }; queues?: QueueSettings };
}

/** Settings of the Azure template for host and platform, which no local environment overrides. */
const setByTemplate = {
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '29360128',
  WEBSITE_AUTH_AAD_ALLOWED_TENANTS: SIGN_IN_TENANT,
};
const FORM_LIMIT = 1024 * 1024;
const GRACE_MS = 4_000;

/**
 * Runs a built app on this machine: HTTP on loopback, timers, queues, the admin endpoint, and the sign-in
 * that App Service provides. It is stricter than Azure, whose worker sets the environment first: here the
 * code is loaded with an empty environment, then the settings are set, then the first function runs.
 * @throws Error with a readable message when the app registers nothing, the port is taken or a setting is
 * missing
 */
export async function startHost(options: HostOptions, log: HostLog): Promise<RunningHost> {
  const hostJson = JSON.parse(await readFile(join(options.appDir, 'host.json'), 'utf8')) as HostJson;
  const { core, unload } = await loadApp(options.appDir, log);
  const server = createServer();
  try {
    await listen(server, options.port);
  } catch (error) {
    unload();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  const url = `http://localhost:${port}`;
  await applySettings({
    PUBLIC_URL: url,
    ...setByTemplate,
    WEBSITE_AUTH_ENABLED: 'True',
    ...options.settings,
  });

  const admin = createAdmin(core, log);
  const signIn = await createSignIn(options.stateDir, options.people, Date.now);
  const demoPage = createDemoPage(options.demo, () => admin.start('fetchMail', ''));
  const routes = functionRoutes(core, hostJson.extensions?.http?.routePrefix ?? 'api');
  const underWay = new Set<Promise<void>>();

  async function answerTo(request: IncomingMessage): Promise<Answer> {
    const { headers: raw, method = 'GET' } = request;
    if (!isLoopbackName(raw.host)) return refusal(421, 'Open this page as http://localhost.');
    if (request.url?.startsWith('/') !== true) return refusal(400, 'Ask for a path of this host.');
    // Concatenated as text: resolved against a base, a path such as `//elsewhere/` would name another host.
    const target = new URL(`http://${raw.host}${request.url}`);
    const headers = headersOf(request);
    const path = target.pathname;
    const ours = path.startsWith('/.auth/') || path === DEMO_PATH || path.startsWith(`${DEMO_PATH}/`);
    if (!ours && !path.startsWith('/admin/')) {
      const answer = await routes.answer(request, target, signIn.withPrincipal(headers));
      return answer ?? { status: 404, headers: {} };
    }
    if (method === 'POST' && !isSameOrigin(headers, target.origin))
      return refusal(403, 'This request came from another site. Nothing was changed.');
    if (path.startsWith('/admin/')) {
      const answer = options.outsideListeners && (await answerOutsideListener(core, request, path, log));
      return answer || admin.answer(request, target);
    }
    const form =
      method === 'POST'
        ? new URLSearchParams(Buffer.from(await readBody(request, FORM_LIMIT)).toString('utf8'))
        : undefined;
    if (path.startsWith('/.auth/')) return signIn.answer(path, target.searchParams, headers, form);
    return demoPage.answer(path, target.searchParams, form);
  }

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const work = respond(request, response, answerTo, log).finally(() => underWay.delete(work));
    underWay.add(work);
  });
  const timers = options.background ? startTimers(core, log) : undefined;
  const queues = options.background
    ? await startQueues(core, log, hostJson.extensions?.queues ?? {}, options.queues)
    : undefined;

  let stopped: Promise<void> | undefined;
  async function stop(): Promise<void> {
    server.close();
    server.closeIdleConnections();
    const finished = Promise.all([...underWay, admin.settled(), timers?.stop(), queues?.stop()]);
    await Promise.race([finished, pause(GRACE_MS, undefined, { ref: false })]);
    server.closeAllConnections();
    await core.terminate();
    unload();
  }
  const runQueued = (): Promise<void> => drainQueues(core, log, hostJson.extensions?.queues ?? {});
  return {
    url,
    port,
    functions: [...core.functions.keys()],
    async runOnce(name) {
      const target = core.functions.get(name);
      if (target === undefined) throw new Error(`The app has no function ${name}.`);
      await runTimer(core, target, log);
      await runQueued();
    },
    runQueued,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('listening', resolve);
  server.once('error', (error: NodeJS.ErrnoException) => {
    const taken = error.code === 'EADDRINUSE';
    reject(
      taken ? new Error(`Port ${port} is taken by another program. Stop it, or choose another port.`) : error,
    );
  });
  server.listen(port, '127.0.0.1');
  await promise;
}

async function applySettings(settings: Readonly<Record<string, string>>): Promise<void> {
  Object.assign(process.env, settings);
  const extra = settings['NODE_EXTRA_CA_CERTS'];
  if (extra === undefined) return;
  // Node reads this variable only at its start, which is long past in this process.
  setDefaultCACertificates([...getCACertificates('default'), await readFile(extra, 'utf8')]);
}

function headersOf(request: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headersDistinct)) {
    if (value !== undefined) headers.set(name, value.join(name === 'cookie' ? '; ' : ', '));
  }
  return headers;
}

function refusal(status: number, sentence: string): Answer {
  return hostPage('Not here', `<p>${sentence}</p>`, status);
}

/** Never rejects. A failed function is an empty 500, as on Azure; the log has the reason. */
async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answerTo: (request: IncomingMessage) => Promise<Answer>,
  log: HostLog,
): Promise<void> {
  let answer: Answer;
  try {
    answer = await answerTo(request);
  } catch (error) {
    const tooLarge = error instanceof BodyTooLarge;
    if (!tooLarge) log('error', `${request.method} failed: ${String(error)}`);
    answer = { status: tooLarge ? 413 : 500, headers: {} };
  }
  const { status, headers, body } = answer;
  response.writeHead(status, { ...headers });
  if (!(body instanceof Readable)) response.end(request.method === 'HEAD' ? undefined : body);
  // A response that breaks off breaks the caller's connection; a caller who disconnects ends the response.
  else await pipeline(body, response).catch((error: unknown) => log('debug', `cut off: ${String(error)}`));
}
