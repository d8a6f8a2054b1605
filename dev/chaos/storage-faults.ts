import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Chance } from './chance.ts';
import type { Weather } from './weather.ts';

export interface FaultyStorage extends AsyncDisposable {
  /** The connection string through the proxy. */
  connectionString: string;
  /** The last request, such as `POST $batch`, and when it came. */
  last(): { name: string; at: number };
}

/** The fault of a request: before it reaches storage, or after, when only its response is lost. */
const readFaults = [
  '500 before',
  '429 before',
  'reset before',
  'reset after',
  'silent before',
  'slow',
] as const;
const writeFaults = [
  ...['500 before', '503 before', '429 before', 'reset before', '500 after', 'silent after', 'slow'],
  // The worst case: the write was applied, and the client got no response.
  ...['reset after', 'reset after'],
] as const;

/** Longer than the SDKs wait for a response. */
const SILENT_MS = 13_000;
const SLOW_MS = { low: 100, high: 2_500 };
const LATE_MS = { low: 200, high: 20_000 };

/** A storage proxy that loses requests and responses, at the current failure rates. */
export async function faultyStorage(
  connectionString: string,
  weather: Weather,
  chance: Chance,
): Promise<FaultyStorage> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const servers: Server[] = [];
  let last = { name: '', at: 0 };

  async function open(target: URL): Promise<number> {
    const server = createServer((incoming, outgoing) => {
      incoming.on('error', () => undefined);
      outgoing.on('error', () => undefined);
      last = { name: nameOf(incoming), at: Date.now() };
      if (weather.storageDown) {
        weather.count('storage: down');
        incoming.socket.destroy();
        return;
      }
      const fault = chooseFault(incoming, weather, chance);
      if (fault !== '') weather.count(`storage: ${fault}`);
      const way = { agent, target, incoming, outgoing };
      if (fault === 'late') deliverLate(way, chance.between(LATE_MS.low, LATE_MS.high));
      else strike(fault, way, chance);
    });
    server.keepAliveTimeout = 60_000;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  const parts: string[] = [];
  for (const part of connectionString.split(';')) {
    const [, name, address] = /^(\w+Endpoint)=(.+)$/.exec(part) ?? [];
    if (name === undefined || address === undefined) {
      parts.push(part);
      continue;
    }
    const target = new URL(address);
    target.port = String(await open(new URL(address)));
    parts.push(`${name}=${target.href}`);
  }
  return {
    connectionString: parts.join(';'),
    last: () => last,
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await Promise.all(
        servers.map(async (server) => {
          server.close();
          server.closeAllConnections();
          await once(server, 'close');
        }),
      );
    },
  };
}

interface Way {
  agent: Agent;
  target: URL;
  incoming: IncomingMessage;
  outgoing: ServerResponse;
}

function chooseFault({ method, url = '' }: IncomingMessage, weather: Weather, chance: Chance): string {
  const writes = method !== 'GET' && method !== 'HEAD';
  if (chance.happens(weather.storage)) return chance.pick<string>(writes ? writeFaults : readFaults);
  // Leases and queue messages are no row writes, so they are not delayed.
  const mayBeLate = writes && !url.includes('comp=lease') && !/\/messages/.test(url);
  return mayBeLate && chance.happens(weather.lateWrites) ? 'late' : '';
}

function strike(fault: string, way: Way, chance: Chance): void {
  const { incoming, outgoing } = way;
  const [kind, when] = fault.split(' ');
  const hangUp = (): unknown => incoming.socket.destroy();
  const fail = (): void => {
    if (kind === 'reset') hangUp();
    else if (kind === 'silent') setTimeout(hangUp, SILENT_MS).unref();
    else refuse(outgoing, Number(kind));
  };
  if (kind === 'slow') {
    setTimeout(
      () => forward(way, (answer) => relay(answer, outgoing)),
      chance.between(SLOW_MS.low, SLOW_MS.high),
    );
  } else if (when === 'before') {
    if (kind === 'reset') {
      hangUp();
      return;
    }
    incoming.resume();
    incoming.once('end', fail);
  } else if (when === 'after') {
    forward(way, (answer) => {
      answer.resume();
      answer.once('end', fail);
    });
  } else forward(way, (answer) => relay(answer, outgoing));
}

const CODES: Readonly<Record<number, string>> = {
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServerBusy',
};

/** https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes */
function refuse(outgoing: ServerResponse, status: number): void {
  if (outgoing.destroyed) return;
  const code = CODES[status] ?? 'InternalError';
  outgoing.writeHead(status, {
    'content-type': 'application/json',
    'x-ms-error-code': code,
    ...(status !== 500 && { 'retry-after': '1' }),
  });
  outgoing.end(JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: code } } }));
}

function relay(answer: IncomingMessage, outgoing: ServerResponse): void {
  if (outgoing.destroyed) {
    answer.resume();
    return;
  }
  outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
  answer.pipe(outgoing);
}

/** Signatures cover the path but not the host, so a request can be forwarded unchanged. */
function forward({ agent, target, incoming, outgoing }: Way, done: (answer: IncomingMessage) => void): void {
  const { method, url, headers } = incoming;
  const onward = request(
    { agent, host: target.hostname, port: target.port, method, path: url, headers },
    done,
  );
  onward.on('error', () => outgoing.destroy());
  // A client killed while sending has sent nothing.
  incoming.on('close', () => {
    if (!incoming.complete) onward.destroy();
  });
  incoming.pipe(onward);
}

/** The client sees a broken connection; the request still arrives, seconds later. */
function deliverLate({ agent, target, incoming }: Way, ms: number): void {
  const { method, url, headers } = incoming;
  const parts: Buffer[] = [];
  incoming.on('data', (part: Buffer) => parts.push(part));
  incoming.once('end', () => {
    incoming.socket.destroy();
    setTimeout(() => {
      const late = request({ agent, host: target.hostname, port: target.port, method, path: url, headers });
      late.on('response', (answer) => answer.resume());
      late.on('error', () => undefined);
      late.end(Buffer.concat(parts));
    }, ms);
  });
}

/** Such as `POST $batch`, `GET Ledger`, `PUT raw`: the method, and the table or kind of blob. */
function nameOf({ method, url = '' }: IncomingMessage): string {
  const { pathname, searchParams } = new URL(url, 'http://storage');
  const [, , first = '', second = ''] = pathname.split('/');
  const what = searchParams.get('comp') === 'lease' ? 'lease' : first === 'postroom' ? second : first;
  return `${method} ${decodeURIComponent(what).replace(/\(.*/, '')}`;
}
