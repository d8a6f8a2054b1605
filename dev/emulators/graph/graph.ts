import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { describeFaults, type Fault, takeFault } from '../faults.ts';
import { closeServer, isOwnControlRequest, listen, readBody, readBytes, sendJson } from '../http-answers.ts';
import { answerApplications } from './applications.ts';
import { type Caller, type GraphPerson, readCaller } from './caller.ts';
import { type Directory, openDirectory } from './directory.ts';
import type { GraphCall, GraphReply, SecretChange, SecretPolicy } from './graph-call.ts';
import {
  badRequest,
  GraphError,
  graphErrorBody,
  notFound,
  usualGraphBody,
  wrongMethod,
} from './graph-error.ts';
import { readPath } from './graph-path.ts';
import { GraphMail, type GraphMailOptions } from './mail/graph-mail.ts';
import type { MailReply } from './mail/mail-call.ts';
import type { MailTrouble } from './mail/mail-control.ts';
import { answerGrants, answerServicePrincipals } from './service-principals.ts';

export interface GraphOptions {
  tenantId: string;
  /** Keys whose tokens are accepted: the managed identity's, or a test's own. Audience: `https://graph.microsoft.com`. */
  jwks: { keys: JWK[] };
  port?: number;
  /** Folder of `graph.json`; absent: memory. */
  stateDir?: string;
  organization?: string;
  people?: readonly GraphPerson[];
  /** Object id of an app → the application permissions an admin granted it; absent: none, and 403 for all it asks. */
  appPermissions?: Readonly<Record<string, readonly string[]>>;
  policy?: SecretPolicy;
  /** A new application is not found by this many requests after it: Graph's replicas are not in step. */
  settleRequests?: number;
  /** Rows in one page of a list; absent: all of them. Graph itself decides, and it is 100 for most lists. */
  pageSize?: number;
  /** Hears of secrets that are made and removed, to tell an identity provider. In the same process only. */
  onSecret?: (change: SecretChange) => void;
  /** Serves mail too, of a mail server in the same process. */
  mail?: GraphMailOptions;
  now?: () => Date;
}

export interface RunningGraph {
  /** What stands for `https://graph.microsoft.com`. */
  url: string;
  port: number;
  /** `status`, `body` (default: Graph's own for that status), `headers`, `delay`, `destroy`, `loseAnswer`; see faults.ts. */
  faults: Fault[];
  requests: { method: string; path: string; status: number }[];
  directory: Directory;
  /** Also `POST /.control/mail` with the same as JSON. @throws Error for an unknown action */
  makeMailTrouble(trouble: MailTrouble): void;
  stop(): Promise<void>;
}

interface Graph {
  options: GraphOptions;
  running: RunningGraph;
  mail: GraphMail | undefined;
  fresh: Map<string, number>;
}

/** Starts a stand-in for the part of Microsoft Graph that keeps applications, with its own refusals. */
export async function startGraph(options: GraphOptions): Promise<RunningGraph> {
  const file = options.stateDir === undefined ? undefined : join(options.stateDir, 'graph.json');
  const server = createServer((request, response) => {
    answer(graph, request, response).catch((error: unknown) => {
      console.error('graph:', error);
      response.destroy();
    });
  });
  const running: RunningGraph = {
    url: '',
    port: 0,
    faults: [],
    requests: [],
    directory: openDirectory(file),
    makeMailTrouble: (trouble) => graph.mail?.makeTrouble(trouble),
    async stop() {
      graph.mail?.stop();
      await closeServer(server);
    },
  };
  const mail =
    options.mail === undefined
      ? undefined
      : new GraphMail(options.mail, { origin: () => running.url, tenantId: options.tenantId });
  const graph: Graph = { options, running, mail, fresh: new Map() };
  await mail?.ready();
  running.port = await listen(server, 'Microsoft Graph emulator', options.port ?? 0);
  running.url = `http://localhost:${running.port}`;
  return running;
}

async function answer(graph: Graph, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { running } = graph;
  const url = new URL(request.url ?? '/', running.url);
  if (url.pathname === '/.control/faults') return controlFaults(running.faults, request, response);
  if (url.pathname === '/.control/mail') return controlMail(running, request, response);
  if (graph.mail?.serves(url.pathname) === true) return answerMail(graph, graph.mail, request, response);
  const method = request.method ?? 'GET';
  const text = await readBody(request);
  const headers = { 'request-id': randomUUID(), 'odata-version': '4.0' };
  const say = (status: number, body: unknown, more: Record<string, string> = {}): void => {
    running.requests.push({ method, path: url.pathname, status });
    sendJson(response, status, body, { ...headers, ...more });
  };
  try {
    const caller = await callerOf(graph, request);
    const fault = await faultFor(graph, request, url);
    if (fault === 'broken' || fault === 'answer lost') {
      response.destroy();
      return;
    }
    if (fault !== undefined) return say(fault.status, fault.body, fault.headers);
    const prefer = request.headers['prefer'];
    const reply = perform(graph, url, {
      directory: running.directory,
      caller,
      method,
      query: url.searchParams,
      body: parse(text),
      prefer: typeof prefer === 'string' ? prefer : undefined,
      now: graph.options.now ?? (() => new Date()),
      policy: graph.options.policy,
      onSecret: graph.options.onSecret,
      settleRequests: graph.options.settleRequests ?? 0,
      fresh: graph.fresh,
    });
    say(reply.status ?? 200, paged(reply.body, url, graph.options.pageSize));
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const challenge = error.status === 401 ? { 'www-authenticate': 'Bearer realm=""' } : {};
    say(error.status, graphErrorBody(error.code, error.message, error.detail), challenge);
  }
}

/**
 * What a fault makes of a request, after its delay; `broken`: the connection ends without an answer; `answer lost`:
 * the same after the request was carried out.
 */
async function faultFor(
  { running }: Graph,
  request: IncomingMessage,
  url: URL,
): Promise<
  { status: number; body: unknown; headers: Record<string, string> } | 'broken' | 'answer lost' | undefined
> {
  const asked = { method: request.method ?? 'GET', path: url.pathname, params: url.searchParams };
  const fault = takeFault(running.faults, asked);
  if (fault?.delay !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delay));
  if (fault?.destroy === true) return 'broken';
  if (fault?.loseAnswer === true) return 'answer lost';
  if (fault?.status === undefined) return undefined;
  const { status, body = usualGraphBody(status), headers } = fault;
  return { status, body, headers: { ...(status === 429 && { 'retry-after': '1' }), ...headers } };
}

async function answerMail(
  graph: Graph,
  mail: GraphMail,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { running } = graph;
  const url = new URL(request.url ?? '/', running.url);
  const body = await readBytes(request, LARGEST_MAIL_REQUEST);
  const fault = await faultFor(graph, request, url);
  if (fault === 'broken') {
    response.destroy();
    return;
  }
  const isLost = fault === 'answer lost';
  const reply: MailReply = fault === undefined || isLost ? await mail.answer(request, url, body) : fault;
  running.requests.push({ method: request.method ?? 'GET', path: url.pathname, status: reply.status });
  if (isLost) {
    response.destroy();
    return;
  }
  if (!Buffer.isBuffer(reply.body)) return sendJson(response, reply.status, reply.body, { ...reply.headers });
  response.writeHead(reply.status, { ...reply.headers, 'content-length': reply.body.length });
  response.end(reply.body);
}

/** More than the 4 MB of a request to sendMail, so that the refusal is Graph's and not a broken connection. */
const LARGEST_MAIL_REQUEST = 16 * 1024 * 1024;

/** A list in pages, each with the address of the next (Microsoft: "Paging Microsoft Graph data in your app"). */
function paged(body: unknown, url: URL, pageSize: number | undefined): unknown {
  const rows = (body as { value?: unknown } | undefined)?.value;
  if (pageSize === undefined || !Array.isArray(rows)) return body;
  const from = Number(url.searchParams.get('$skiptoken') ?? 0);
  const next = new URL(url);
  next.searchParams.set('$skiptoken', String(from + pageSize));
  return {
    ...(body as object),
    value: rows.slice(from, from + pageSize),
    ...(from + pageSize < rows.length && { '@odata.nextLink': next.href }),
  };
}

const callerOf = ({ options, running }: Graph, request: IncomingMessage): Promise<Caller> =>
  readCaller(
    {
      jwks: options.jwks,
      people: options.people ?? [],
      appPermissions: { ...options.appPermissions, ...running.directory.permissions },
    },
    request,
  );

function parse(text: string): Record<string, unknown> {
  if (text === '') return {};
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw badRequest('Unable to read JSON request payload. Please ensure Content-Type header is set.');
  }
}

function perform(graph: Graph, url: URL, call: GraphCall): GraphReply {
  const segments = readPath(url.pathname);
  const root = segments?.[0]?.name;
  if (segments === undefined || root === undefined) throw badRequest('Invalid version.');
  if (root === 'applications') return answerApplications(call, segments);
  if (root === 'servicePrincipals') return answerServicePrincipals(call, segments);
  if (root === 'oauth2PermissionGrants') return answerGrants(call);
  if (call.method !== 'GET') throw wrongMethod();
  if (root === 'me') return me(call);
  if (root === 'organization')
    return {
      body: {
        value: [{ id: graph.options.tenantId, displayName: graph.options.organization ?? 'Contoso' }],
      },
    };
  throw notFound(root);
}

function me({ caller }: GraphCall): GraphReply {
  if (caller.kind === 'app')
    throw badRequest('/me request is only valid with delegated authentication flow.');
  const { id, displayName, userPrincipalName } = caller;
  return { body: { id, displayName, userPrincipalName } };
}

/** GET lists the faults, POST adds one, DELETE clears them. */
async function controlFaults(
  faults: Fault[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isOwnControlRequest(request)) {
    sendJson(response, 403, graphErrorBody('Forbidden', 'JSON from this machine only, never from a page.'));
    return;
  }
  if (request.method === 'POST') faults.push(JSON.parse(await readBody(request)) as Fault);
  if (request.method === 'DELETE') faults.length = 0;
  sendJson(response, 200, describeFaults(faults));
}

async function controlMail(
  running: RunningGraph,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isOwnControlRequest(request) || request.method !== 'POST')
    return sendJson(
      response,
      403,
      graphErrorBody('Forbidden', 'JSON from this machine only, never from a page.'),
    );
  running.makeMailTrouble(JSON.parse(await readBody(request)) as MailTrouble);
  sendJson(response, 204, undefined);
}
